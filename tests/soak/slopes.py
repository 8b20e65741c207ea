"""How fast a series grows, robustly, and whether that is more than its bound. Pure: samples in, verdicts out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

HOUR_SECONDS: Final = 3600.0
FEWEST_SAMPLES: Final = 8


@dataclass(frozen=True, slots=True)
class Bound:
    """How much a series may grow: so much an hour for ever, and once so much that says nothing about growth.

    What a run of some length can know is limited by the second: over a window of w hours the bound is `hourly + once / w`.
    """

    unit: str
    hourly: float
    once: float

    def per_hour(self, window_seconds: float) -> float:
        """Return the bound on the slope that a window of this length can hold a series to."""
        return self.hourly + self.once / (window_seconds / HOUR_SECONDS)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One series against its bound; values in the bound's unit."""

    name: str
    unit: str
    first: float
    """Median of the first half."""
    last: float
    """Median of the last quarter."""
    slope: float
    """Per hour, over the second half."""
    bound: float
    """Per hour."""

    @property
    def holds(self) -> bool:
        """Whether it grows no faster than its bound."""
        return self.slope <= self.bound


def theil_sen(at: Sequence[float], values: Sequence[float]) -> float:
    """Return the median of the slopes between all pairs of samples, per unit of `at`; up to 29 % outliers change little.

    Theil 1950, Sen 1968. Raises ValueError on fewer than two different instants.
    """
    x, y = np.asarray(at, dtype=float), np.asarray(values, dtype=float)
    first, second = np.triu_indices(len(x), k=1)
    runs = x[second] - x[first]
    apart = runs != 0
    if not apart.any():
        raise ValueError("a slope needs two instants")
    return float(np.median((y[second] - y[first])[apart] / runs[apart]))


def judge(name: str, at: Sequence[float], values: Sequence[float], bound: Bound) -> Verdict | None:
    """Return the verdict on a series sampled at some seconds; None when its second half has too few samples."""
    half = len(at) // 2
    if len(at) - half < FEWEST_SAMPLES:
        return None
    window = at[-1] - at[half]
    slope = theil_sen(at[half:], values[half:]) * HOUR_SECONDS
    first, last = float(np.median(values[:half])), float(np.median(values[-max(1, len(values) // 4) :]))
    return Verdict(name, bound.unit, first, last, slope, bound.per_hour(window))
