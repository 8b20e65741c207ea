"""The immutable terms that readings name by number: policy versions and sensor configurations, loaded once each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from pipelines.domain.policy import NO_POLICY, Policy
from pipelines.domain.settling import DEFAULT_MAX_GAP_MS

NEVER_OFFLINE: Final = 0
NOT_LOADED: Final = -1
FIRST_ROOM: Final = 1_024

Column = TypeVar("Column", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Configuration:
    """A sensor-configuration version, as far as judging needs it."""

    max_gap_ms: int
    offline_after_ms: int
    """0: never offline."""
    calibration: int = 0
    """Hundredths of a degree, added to what the sensor says."""


class Policies(dict[int, Policy]):
    """Policy versions by number; an unknown one is loaded when first asked for. 0 is no policy."""

    def __init__(self, load: Callable[[int], Policy]) -> None:
        """Take what loads a version by its number."""
        super().__init__({0: NO_POLICY})
        self._load = load

    def __missing__(self, number: int) -> Policy:
        """Load a version."""
        policy = self._load(number)
        self[number] = policy
        return policy


class Configurations:
    """Sensor-configuration versions by number, as three columns: 24 bytes a version, loaded many at a time. 0 is none."""

    def __init__(self, load: Callable[[Sequence[int]], dict[int, Configuration]]) -> None:
        """Take what loads versions by their numbers; it raises Misconfigured where one is missing."""
        self._load = load
        self.max_gap_ms: npt.NDArray[np.int64] = np.full(FIRST_ROOM, NOT_LOADED, dtype=np.int64)
        self.offline_after_ms: npt.NDArray[np.int64] = np.zeros(FIRST_ROOM, dtype=np.int64)
        self.calibration: npt.NDArray[np.int64] = np.zeros(FIRST_ROOM, dtype=np.int64)
        self.max_gap_ms[0] = DEFAULT_MAX_GAP_MS

    def prepare(self, numbers: npt.NDArray[Any]) -> None:
        """Load the versions among these that are not loaded yet."""
        if not len(numbers):
            return
        highest = int(numbers.max())
        if highest >= len(self.max_gap_ms):
            room = max(highest + 1, 2 * len(self.max_gap_ms))
            self.max_gap_ms = grown(self.max_gap_ms, room, NOT_LOADED)
            self.offline_after_ms = grown(self.offline_after_ms, room, NEVER_OFFLINE)
            self.calibration = grown(self.calibration, room, 0)
        missing = np.unique(numbers[self.max_gap_ms[numbers] == NOT_LOADED])
        if len(missing):
            for number, configuration in self._load(missing.tolist()).items():
                self.max_gap_ms[number] = configuration.max_gap_ms
                self.offline_after_ms[number] = configuration.offline_after_ms
                self.calibration[number] = configuration.calibration

    def max_gap_of(self, number: int) -> int:
        """Return the max gap (ms) of one version, loading it where `prepare` has not."""
        self._load_one(number)
        return int(self.max_gap_ms[number])

    def calibration_of(self, number: int) -> int:
        """Return the calibration (hundredths) of one version, loading it where `prepare` has not."""
        self._load_one(number)
        return int(self.calibration[number])

    def _load_one(self, number: int) -> None:
        if number >= len(self.max_gap_ms) or self.max_gap_ms[number] == NOT_LOADED:
            self.prepare(np.array([number]))


def grown(values: npt.NDArray[Column], room: int, filling: int) -> npt.NDArray[Column]:
    """Return the values with more room behind them."""
    bigger = np.full(room, filling, dtype=values.dtype)
    bigger[: len(values)] = values
    return bigger


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything judging looks up by number."""

    policies: Policies
    configurations: Configurations
