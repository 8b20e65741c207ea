"""What stands behind a proposed interval, for a person to see: how long the gaps between a sensor's uplinks were. Pure; it decides nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Final

WIDTH: Final = 1.25
"""Each bin reaches to so many times where it begins: jitter stays within one or two, a lost uplink is three bins away."""

PERCENTS: Final = (5, 25, 50, 75, 95)


@dataclass(frozen=True, slots=True)
class Bin:
    """How many gaps lie in [from_ms, to_ms)."""

    from_ms: int
    to_ms: int
    gaps: int


@dataclass(frozen=True, slots=True)
class Spread:
    """The gaps between neighbouring instants: how many, which of them a share is no longer than (by percent, ms), and by length."""

    gaps: int
    quantiles: tuple[tuple[int, int], ...]
    longest_ms: int
    bins: tuple[Bin, ...]
    """Those that hold any, shortest first."""


NO_GAPS: Final = Spread(0, (), 0, ())


def spread(instants: Sequence[int]) -> Spread:
    """Return how the gaps between instants (ms UTC, in any order) are spread."""
    gaps = sorted(after - before for before, after in pairwise(sorted(set(instants))))
    if not gaps:
        return NO_GAPS
    quantiles = tuple((percent, gaps[(len(gaps) - 1) * percent // 100]) for percent in PERCENTS)
    counted = Counter(_bin_of(gap) for gap in gaps)
    return Spread(
        len(gaps), quantiles, gaps[-1], tuple(Bin(_edge(number), _edge(number + 1), counted[number]) for number in sorted(counted))
    )


def _bin_of(gap: int) -> int:
    """Return the number of the bin a gap lies in; the logarithm may be one off at an edge."""
    number = int(log(gap) / log(WIDTH))
    while gap < _edge(number):
        number -= 1
    while gap >= _edge(number + 1):
        number += 1
    return number


def _edge(number: int) -> int:
    return round(WIDTH**number)
