"""Frozen values by the column: how each sensor varies, learned from many readings at once, where the terms look for it.

It does what `frozen_value` does from a reading to the next, and never says that a value is frozen: where one may be, the sensor is
stepped through by the machine. A property test holds both equal.
"""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from pipelines.domain.conditions.frozen_value import NO_VALUE, FrozenState, Learned, NoValue, Stretch, Varying
from pipelines.engine.sensor_batch import before
from pipelines.engine.shard_table import FROZEN, Table

NO_STEP: Final = np.iinfo(np.int32).max
"""No step has been seen: above every step that was."""


class FrozenRows(msgspec.Struct, frozen=True):
    """Readings of sensors that are looked at, sorted by sensor and in order of time; temperatures before calibration."""

    sensors: npt.NDArray[np.int32]
    assignments: npt.NDArray[np.int32]
    measured_at: npt.NDArray[np.int64]
    values: npt.NDArray[np.int64]
    max_gap_ms: npt.NDArray[np.int64]
    policies: npt.NDArray[np.int32]


class FrozenColumns:
    """How the sensors of a shard vary that are looked at and whose value is not frozen."""

    def __init__(self, content: bytes) -> None:
        """Start from a snapshot's bytes, empty for none."""
        self._table = Table(FROZEN, content)

    def __len__(self) -> int:
        """Return of how many sensors something is, or was, known."""
        return len(self._table)

    def content(self) -> bytes:
        """Return the bytes for a snapshot."""
        return self._table.content()

    def assignments(self, sensors: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """Return the assignment under which each sensor was learned of; 0 where nothing is known of it."""
        known = self._table.find(sensors)
        rows = self._table.rows[np.maximum(known, 0)] if len(self._table) else np.zeros(len(sensors), dtype=FROZEN)
        return np.where((known >= 0) & (rows["readings"] > 0), rows["assignment"], 0)

    def state(self, sensor: int) -> tuple[FrozenState, int]:
        """Return a sensor's state, and the assignment it was learned under."""
        slot = self._table.slot_of(sensor)
        if slot is None or not self._table.rows["readings"][slot]:
            return NO_VALUE, 0
        row = self._table.rows[slot]
        stretch = Stretch(*(int(row[name]) for name in ("value", "started_at", "seen_at", "max_gap_ms", "held_ms", "readings")))
        finest = None if row["finest"] == NO_STEP else int(row["finest"])
        return Varying(stretch, Learned(int(row["changes"]), finest, int(row["longest_ms"]))), int(row["assignment"])

    def put(self, sensor: int, assignment: int, state: NoValue | Varying) -> None:
        """Keep a sensor's state that the machine came to."""
        if isinstance(state, NoValue) and self._table.slot_of(sensor) is None:
            return
        slots, _ = self._table.slots(np.array([sensor], dtype=np.int32))
        row = self._table.rows[int(slots[0])]
        if isinstance(state, NoValue):
            row["readings"] = 0
            return
        for name in ("value", "started_at", "seen_at", "max_gap_ms", "held_ms", "readings"):
            row[name] = getattr(state.stretch, name)
        learned = state.learned
        row["assignment"], row["changes"], row["longest_ms"] = assignment, learned.changes, learned.longest_ms
        row["finest"] = NO_STEP if learned.finest is None else learned.finest

    def take(self, rows: FrozenRows, terms: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
        """Learn from the readings of sensors whose value is not frozen; return which readings are of a sensor that must be stepped through.

        `terms` are those of each reading (condition_limits.FROZEN_TERMS). Of such a sensor nothing is taken.
        """
        slots, _ = self._table.slots(rows.sensors)
        first = np.ones(len(slots), dtype=np.bool_)
        np.not_equal(slots[1:], slots[:-1], out=first[1:])
        starts = np.flatnonzero(first)
        ends = np.append(starts[1:], len(slots)) - 1
        kept = self._table.rows[slots[starts]]
        is_known = kept["readings"] > 0

        value_before = before(rows.values, starts, kept["value"])
        seen_before = before(rows.measured_at, starts, kept["seen_at"])
        gap_before = before(rows.max_gap_ms, starts, kept["max_gap_ms"])
        has_before = before(np.ones(len(slots), dtype=np.bool_), starts, is_known)
        same = has_before & (rows.values == value_before)
        changed = has_before & ~same
        added = np.where(same, np.minimum(rows.measured_at - seen_before, gap_before), 0)

        # Within a stretch both grow from where it begins in this batch: its first reading, or what was known of it.
        index = np.arange(len(slots))
        of_kept = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(slots))))
        begins = np.maximum.accumulate(np.where(first | ~same, index, 0))
        held_there = np.where(same[begins], kept["held_ms"][of_kept] + added[begins], 0)
        readings_there = np.where(same[begins], kept["readings"][of_kept] + 1, 1)
        total = np.cumsum(added)
        held = held_there + total - total[begins]
        readings = readings_there + index - begins
        started_at = np.where(same[begins], kept["started_at"][of_kept], rows.measured_at[begins])

        ended = np.where(changed, before(held, starts, kept["held_ms"]), 0)
        step = np.where(changed, np.abs(rows.values - value_before), NO_STEP)
        changes = np.where(is_known, kept["changes"], 0) + np.add.reduceat(changed.astype(np.int64), starts)
        finest = np.minimum(np.where(is_known, kept["finest"], NO_STEP), np.minimum.reduceat(step, starts))
        longest = np.where(is_known, kept["longest_ms"], 0)
        may = may_freeze(terms, held, readings, changes[of_kept], finest[of_kept], longest[of_kept])
        walked = np.logical_or.reduceat(may, starts)

        taken = np.flatnonzero(~walked)
        last, into = ends[taken], slots[starts[taken]]
        table = self._table.rows
        for name, column in (
            ("assignment", rows.assignments[last]),
            ("value", rows.values[last]),
            ("started_at", started_at[last]),
            ("seen_at", rows.measured_at[last]),
            ("max_gap_ms", rows.max_gap_ms[last]),
            ("held_ms", held[last]),
            ("readings", readings[last]),
            ("changes", changes[taken]),
            ("finest", finest[taken]),
            ("longest_ms", np.maximum(longest, np.maximum.reduceat(ended, starts))[taken]),
        ):
            table[name][into] = column
        return np.asarray(walked[of_kept], dtype=np.bool_)


def may_freeze(
    terms: npt.NDArray[np.void],
    held: npt.NDArray[np.int64],
    readings: npt.NDArray[np.int64],
    changes: npt.NDArray[np.int64],
    finest: npt.NDArray[np.int64],
    longest: npt.NDArray[np.int64],
) -> npt.NDArray[np.bool_]:
    """Return which readings may be of a frozen value (a few too many, never too few): with the most changes and the finest step of the batch."""
    may = (held >= terms["after_ms"]) & (readings >= terms["readings"]) & (changes >= terms["changes"])
    may &= (finest < terms["coarse_hundredths"]) & (held >= terms["times_longest"] * longest)
    return np.asarray(may, dtype=np.bool_)
