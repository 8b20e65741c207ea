"""The judged rows of one batch, sorted by sensor, and which of them are quiet: in range, in order, and under the terms before them.

Quiet rows change nothing but the newest reading of a sensor without a run. Knows no state beside the table's columns.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from pipelines.engine.shard_table import Array, Slots
from schemas.readings import RowFlag, RowKind, Rows

READING: Final = int(RowKind.READING)
FAULT: Final = int(RowKind.FAULT)
ASSIGNMENT_END: Final = int(RowKind.ASSIGNMENT_END)
CORRECTION: Final = int(RowKind.CORRECTION)
CORRECTED: Final = int(RowFlag.CORRECTED)
"""Plain integers: looking a member up in its class for each row costs more than comparing it."""


class Line(NamedTuple):
    """A row as Python's own values, in the order of schemas.readings.ROW."""

    offset: int
    measured_at: int
    received_at: int
    sensor: int
    device: int
    unit: int
    organization: int
    assignment: int
    policy: int
    configuration: int
    temperature: int
    humidity: int
    battery_millivolts: int
    battery_percent: int
    door: int
    kind: int
    reason: int
    flags: int
    reserved: int


class SensorBatch(msgspec.Struct, frozen=True):
    """Rows of judged kinds, sorted by sensor and, within a sensor, in log order."""

    rows: Rows
    """All rows of the batch, as they came."""
    positions: npt.NDArray[np.intp]
    """Where each sorted row stands among them."""
    slots: Slots
    quiet: npt.NDArray[np.bool_]
    starts: npt.NDArray[np.intp]
    """Index of the first row of each sensor."""
    ends: npt.NDArray[np.intp]
    lines: dict[int, Line] = {}

    def next_loud(self) -> npt.NDArray[np.intp]:
        """Return the index of the next row that is not quiet, from each row on."""
        loud = np.where(self.quiet, len(self.quiet), np.arange(len(self.quiet)))
        return np.minimum.accumulate(loud[::-1])[::-1]

    def prepare_lines(self, walked: npt.NDArray[np.bool_]) -> None:
        """Make the lines that a walk through some sensors will ask for: loud rows, and those beside them."""
        wanted = np.repeat(walked, self.ends - self.starts)
        wanted &= ~self.quiet
        wanted[1:] |= wanted[:-1]
        wanted[:-1] |= wanted[1:]
        wanted[self.starts[walked]] = True
        wanted[self.ends[walked] - 1] = True
        indices = np.flatnonzero(wanted)
        self.lines.update(zip(indices.tolist(), map(Line._make, self.rows[self.positions[indices]].tolist()), strict=True))

    def line(self, index: int) -> Line:
        """Return a sorted row as Python's own values."""
        found = self.lines.get(index)
        if found is None:
            found = self.lines[index] = Line._make(self.rows[self.positions[index]].item())
        return found


def sorted_batch(
    rows: Rows, judged: npt.NDArray[np.intp], slots: Slots, table: Array, range_of: Callable[[int], tuple[int, int]]
) -> SensorBatch:
    """Return the judged rows of a batch by sensor; `range_of` says within what a policy's readings are in range."""
    order = stable_order(slots, len(table))
    slots, positions = slots[order], judged[order]
    first = np.ones(len(slots), dtype=np.bool_)
    np.not_equal(slots[1:], slots[:-1], out=first[1:])
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(slots))
    kind, temperature = rows["kind"][positions], rows["temperature"][positions]
    policy = rows["policy"][positions]
    low, high = ranges(policy, range_of)
    quiet = (kind == READING) & (temperature >= low) & (temperature <= high) & ((rows["flags"][positions] & CORRECTED) == 0)
    owners = slots[starts]
    for name, column in (
        ("policy", policy),
        ("configuration", rows["configuration"][positions]),
        ("assignment", rows["assignment"][positions]),
    ):
        quiet &= column == before(column, starts, table[name][owners])
    measured_at = rows["measured_at"][positions]
    disorder = measured_at <= before(measured_at, starts, table["judged_at"][owners])
    if disorder.any():
        # A sensor with any row out of order is walked as a whole.
        disordered = np.zeros(len(table), dtype=np.bool_)
        disordered[slots[disorder]] = True
        quiet &= ~disordered[slots]
    return SensorBatch(rows, positions, slots, quiet, starts, ends, {})


def before(column: Array, starts: npt.NDArray[np.intp], kept: Array) -> Array:
    """Return what stood before each row: the row before it of the same sensor, or what is kept of the sensor."""
    earlier = np.empty_like(column)
    earlier[1:] = column[:-1]
    earlier[starts] = kept
    return earlier


def ranges(policy: Array, range_of: Callable[[int], tuple[int, int]]) -> tuple[Array | int, Array | int]:
    """Return lowest and highest temperature in range for each row, or for all where they share a policy."""
    if (policy == policy[0]).all():
        return range_of(int(policy[0]))
    numbers, inverse = np.unique(policy, return_inverse=True)
    bounds = np.array([range_of(number) for number in numbers.tolist()], dtype=np.int64)
    return bounds[inverse, 0], bounds[inverse, 1]


def stable_order(slots: Slots, size: int) -> npt.NDArray[np.intp]:
    """Return what sorts by slot and keeps log order within one; numpy sorts 16-bit integers by radix, ten times as fast."""
    return np.argsort(slots.astype(np.uint16) if size <= np.iinfo(np.uint16).max else slots, kind="stable")
