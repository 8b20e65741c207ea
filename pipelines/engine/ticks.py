"""The clock along a batch of rows: what it says before each row, and which tick first reached an instant."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.domain.partition_clock import PartitionClock, on_tick
from schemas.readings import RowKind, Rows


@dataclass(frozen=True, slots=True)
class Ticks:
    """The ticks of one batch: positions ascending, clocks never falling."""

    positions: npt.NDArray[np.int64]
    clocks: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    stamps: npt.NDArray[np.int64]
    resumed: npt.NDArray[np.int64]
    """`resumed_at` as of each tick."""
    before: PartitionClock
    after: PartitionClock

    def first_reaching(self, instant: int, after_position: int) -> int | None:
        """Return the index of the first tick behind a position whose clock has reached an instant, or None."""
        index = max(
            int(np.searchsorted(self.clocks, instant, "left")),
            int(np.searchsorted(self.positions, after_position, "right")),
        )
        return index if index < len(self.positions) else None

    def clock_before(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return what the clock says just before each position."""
        clocks = np.concatenate([np.array([self.before.now], dtype=np.int64), self.clocks])
        return np.asarray(clocks[np.searchsorted(self.positions, positions, "left")], dtype=np.int64)


def read_ticks(rows: Rows, clock: PartitionClock) -> Ticks:
    """Return the ticks among some rows and the clock after them."""
    positions = np.flatnonzero(rows["kind"] == RowKind.TICK).astype(np.int64)
    stamps = rows["measured_at"][positions]
    clocks = np.empty(len(positions), dtype=np.int64)
    resumed = np.empty(len(positions), dtype=np.int64)
    before = clock
    for index, stamp in enumerate(stamps.tolist()):
        clock = on_tick(clock, stamp)
        clocks[index] = clock.now
        resumed[index] = clock.resumed_at
    return Ticks(positions, clocks, rows["offset"][positions], stamps, resumed, before, clock)
