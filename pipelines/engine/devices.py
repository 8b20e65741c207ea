"""Offline, per device: nothing heard for `offline_after`, judged by the partition's clock alone.

It counts from the newest uplink or from the end of an outage of ingest, and ends with an uplink that puts that instant off: one that was held
back for long and was measured before the silence does not. Only devices that change are touched one by one.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipelines.engine.judgements import Fact, OfflineFact
from pipelines.engine.sensor_batch import stable_order
from pipelines.engine.shard_table import DEVICE, FAR, LONG_AGO, Slots, Table
from pipelines.engine.terms import Terms
from pipelines.engine.ticks import Ticks
from schemas.readings import RowFlag, RowKind, Rows

LAST_HEARD_KIND: Final = int(RowKind.UNASSIGNED)
"""Kinds up to this one come from the device; those behind it (ticks, ends of assignments) do not."""
HISTORY: Final = int(RowFlag.HISTORY)
REPLAYED: Final = int(RowFlag.REPLAYED)

BEFORE_BATCH: Final = -1


class Devices:
    """The devices of one shard."""

    def __init__(self, content: bytes, terms: Terms) -> None:
        """Start from a snapshot's bytes, empty for none."""
        self._table = Table(DEVICE, content)
        self._terms = terms
        offline = self._table.rows["offline_since"] != LONG_AGO
        self._offline: set[int] = set(self._table.rows["id"][offline].tolist())
        self._due_from = LONG_AGO
        """No device can go offline before the clock reaches this: what is heard only puts it off; found anew when it is reached."""
        self._walked: dict[int, int] = {}
        """Of devices walked through in this batch, by slot: the position of their last uplink. A tick before it judges nothing more."""
        self.changed: list[tuple[int, int]] = []
        """Devices that went offline or came back in this batch, with the offset it is as of."""

    def content(self) -> bytes:
        """Return the bytes for a snapshot."""
        return self._table.content()

    def is_offline(self, device: int) -> bool:
        """Return whether a device is offline."""
        return device in self._offline

    def on_rows(self, rows: Rows, ticks: Ticks, facts: list[Fact]) -> None:
        """Take note of who was heard, and judge who was not."""
        self.changed.clear()
        self._walked.clear()
        heard = np.flatnonzero(
            (rows["kind"] <= LAST_HEARD_KIND) & (rows["device"] > 0) & ((rows["flags"] & HISTORY) == 0),
        )
        if len(heard):
            self._heard(rows, heard, ticks, facts)
        self._pass_deadlines(ticks, facts)

    def _heard(self, rows: Rows, heard: npt.NDArray[np.intp], ticks: Ticks, facts: list[Fact]) -> None:
        slots, added = self._table.slots(rows["device"][heard])
        table = self._table.rows
        if len(added):
            table["heard_at"][added] = LONG_AGO
            table["offline_since"][added] = LONG_AGO
        order = stable_order(slots, len(table))
        slots, positions = slots[order], heard[order]
        starts = np.flatnonzero(np.concatenate([[True], slots[1:] != slots[:-1]]))
        owners = slots[starts]
        counts = np.diff(np.append(starts, len(slots)))
        turning = self._turning(rows, positions, slots, starts, counts)
        patience = self._least_patience(rows, positions, starts, owners, turning)
        heard_at = rows["measured_at"][positions]
        suspects = self._suspects(positions, heard_at, starts, owners, patience, ticks)
        replayed = (rows["flags"][positions] & REPLAYED) != 0
        if replayed.any():
            # Terms of a replay count by what was heard before it, which only a walk knows.
            suspects = np.union1d(suspects, np.flatnonzero(np.logical_or.reduceat(replayed, starts)))
        walked = np.zeros(len(owners), dtype=np.bool_)
        walked[suspects] = True
        for index in suspects.tolist():
            self._walk(int(owners[index]), positions[starts[index] : starts[index] + counts[index]], rows, ticks, facts)
        self._take_terms(rows, positions, slots, turning & ~np.repeat(walked, counts))
        table["heard_at"][owners] = np.maximum(table["heard_at"][owners], np.maximum.reduceat(heard_at, starts))

    def _turning(
        self,
        rows: Rows,
        positions: npt.NDArray[np.intp],
        slots: Slots,
        starts: npt.NDArray[np.intp],
        counts: npt.NDArray[np.intp],
    ) -> npt.NDArray[np.bool_]:
        """Return which uplinks carry terms, of devices any of whose uplinks carry others than are known."""
        table = self._table.rows
        unit, configuration = rows["unit"][positions], rows["configuration"][positions]
        telling = unit > 0
        changed = telling & ((configuration != table["configuration"][slots]) | (unit != table["unit"][slots]))
        if not changed.any():
            return np.asarray(changed, dtype=np.bool_)
        self._due_from = LONG_AGO
        self._terms.configurations.prepare(configuration[changed])
        return np.asarray(telling & np.repeat(np.logical_or.reduceat(changed, starts), counts))

    def _least_patience(
        self,
        rows: Rows,
        positions: npt.NDArray[np.intp],
        starts: npt.NDArray[np.intp],
        owners: Slots,
        turning: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.int64]:
        """Return, by device, the shortest patience that holds anywhere in the batch (ms); 0 for a device that never goes offline."""
        known = self._table.rows["offline_after_ms"][owners]
        if not turning.any():
            return np.asarray(known, dtype=np.int64)
        told = np.full(len(positions), FAR, dtype=np.int64)
        told[turning] = self._terms.configurations.offline_after_ms[rows["configuration"][positions[turning]]]
        told[told <= 0] = FAR
        least = np.minimum(np.where(known > 0, known, FAR), np.minimum.reduceat(told, starts))
        return np.where(least == FAR, 0, least)

    def _take_terms(self, rows: Rows, positions: npt.NDArray[np.intp], slots: Slots, turning: npt.NDArray[np.bool_]) -> None:
        """Follow devices to their newest configuration and unit; numpy's assignment keeps the last row of each."""
        if not turning.any():
            return
        table = self._table.rows
        for name in ("sensor", "unit", "organization", "configuration"):
            table[name][slots[turning]] = rows[name][positions[turning]]
        numbers = rows["configuration"][positions[turning]]
        table["offline_after_ms"][slots[turning]] = self._terms.configurations.offline_after_ms[numbers]

    def _suspects(
        self,
        positions: npt.NDArray[np.intp],
        heard_at: npt.NDArray[np.int64],
        starts: npt.NDArray[np.intp],
        owners: Slots,
        patience: npt.NDArray[np.int64],
        ticks: Ticks,
    ) -> npt.NDArray[np.intp]:
        """Return which devices are offline or may have been before one of their uplinks (a few too many, never too few).

        Uplinks are sorted by device; `starts`, `owners` (slots) and `patience` (ms, the shorter where it changes) are by device.
        """
        table = self._table.rows
        before = np.empty_like(heard_at)
        before[1:] = heard_at[:-1]
        before[starts] = table["heard_at"][owners]
        counts = np.diff(np.append(starts, len(positions)))
        patiences = np.repeat(patience, counts)
        passed = (before + patiences <= ticks.clock_before(positions)) & (patiences > 0) & (before != LONG_AGO)
        return np.flatnonzero(np.logical_or.reduceat(passed, starts) | (table["offline_since"][owners] != LONG_AGO))

    def _walk(self, slot: int, positions: npt.NDArray[np.intp], rows: Rows, ticks: Ticks, facts: list[Fact]) -> None:
        """Go through one device's uplinks in order, each under the terms it comes with."""
        row = self._table.rows[slot]
        behind = BEFORE_BATCH
        for position in positions.tolist():
            self._pass_deadline(row, behind, position, ticks, facts)
            heard_at = int(rows["measured_at"][position])
            if rows["flags"][position] & REPLAYED and heard_at <= row["heard_at"]:
                behind = position
                continue
            self._take_row_terms(row, rows[position])
            if row["offline_since"] != LONG_AGO and is_back(row, heard_at):
                since = int(row["offline_since"])
                as_of = int(rows["offset"][position])
                facts.append(self._fact(row, as_of, int(rows["received_at"][position]), since, max(since, heard_at)))
                row["offline_since"] = LONG_AGO
                self._due_from = LONG_AGO
                self._offline.discard(int(row["id"]))
                self.changed.append((int(row["id"]), as_of))
            row["heard_at"] = max(int(row["heard_at"]), heard_at)
            behind = position
        self._walked[slot] = behind

    def _take_row_terms(self, row: Any, uplink: np.void) -> None:
        """Follow one device to the terms of one of its uplinks."""
        if uplink["unit"] <= 0 or (row["configuration"] == uplink["configuration"] and row["unit"] == uplink["unit"]):
            return
        for name in ("sensor", "unit", "organization", "configuration"):
            row[name] = uplink[name]
        row["offline_after_ms"] = self._terms.configurations.offline_after_ms[int(uplink["configuration"])]

    def _pass_deadlines(self, ticks: Ticks, facts: list[Fact]) -> None:
        """Judge all devices at the end of the batch."""
        if not len(ticks.positions) or ticks.after.now < self._due_from:
            return
        table = self._table.rows
        watched = (table["offline_since"] == LONG_AGO) & (table["offline_after_ms"] > 0)
        # Another outage may have ended within the batch: a deadline is one of the ticks before it, so the earliest end counts here.
        earliest = np.maximum(table["heard_at"], ticks.resumed[0]) + table["offline_after_ms"]
        for slot in np.flatnonzero(watched & (earliest <= ticks.after.now)).tolist():
            self._pass_deadline(table[slot], self._walked.get(slot, BEFORE_BATCH), None, ticks, facts)
        due = np.maximum(table["heard_at"], ticks.after.resumed_at) + table["offline_after_ms"]
        self._due_from = int(np.min(due, initial=FAR, where=watched & (table["offline_since"] == LONG_AGO)))

    def _pass_deadline(self, row: Any, behind: int, before: int | None, ticks: Ticks, facts: list[Fact]) -> None:
        """Let a device go offline at the first tick between two positions that reached its deadline."""
        if row["offline_since"] != LONG_AGO or row["offline_after_ms"] <= 0 or row["heard_at"] == LONG_AGO:
            return
        patience = int(row["offline_after_ms"])
        index = ticks.first_reaching(int(row["heard_at"]) + patience, behind)
        while index is not None and (before is None or ticks.positions[index] < before):
            due = max(int(row["heard_at"]), int(ticks.resumed[index])) + patience
            if ticks.clocks[index] >= due:
                as_of = int(ticks.offsets[index])
                row["offline_since"] = due
                self._offline.add(int(row["id"]))
                facts.append(self._fact(row, as_of, int(ticks.stamps[index]), due, None))
                self.changed.append((int(row["id"]), as_of))
                return
            later = ticks.first_reaching(due, behind)
            index = later if later is not None and later > index else None

    def _fact(self, row: Any, as_of: int, received_at: int, started_at: int, ended_at: int | None) -> OfflineFact:
        return OfflineFact(
            as_of=as_of,
            received_at=received_at,
            device=int(row["id"]),
            sensor=int(row["sensor"]),
            unit=int(row["unit"]),
            organization=int(row["organization"]),
            started_at=started_at,
            ended_at=ended_at,
        )


def is_back(row: Any, heard_at: int) -> bool:
    """Tell whether an uplink measured at `heard_at` (ms UTC) brings an offline device back: by it alone it would be offline later, or never."""
    patience, since = int(row["offline_after_ms"]), int(row["offline_since"])
    return patience <= 0 or heard_at >= since or heard_at + patience > since
