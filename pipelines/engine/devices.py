"""Offline, per device: nothing heard for `offline_after`, judged by the partition's clock alone.

It counts from the newest uplink or from the end of an outage of ingest, and ends with an uplink that puts that instant off: one that was held
back for long and was measured before the silence does not. Only devices that change are touched one by one.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipelines.engine.judgements import Fact, OfflineFact
from pipelines.engine.sensor_batch import ASSIGNMENT_END, stable_order
from pipelines.engine.shard_table import DEVICE, FAR, LONG_AGO, PROBE, Slots, Table
from pipelines.engine.terms import Terms
from pipelines.engine.ticks import Ticks
from schemas.readings import RowFlag, RowKind, Rows

LAST_HEARD_KIND: Final = int(RowKind.UNASSIGNED)
"""Kinds up to this one come from the device; those behind it (ticks, ends of assignments) do not."""
HISTORY: Final = int(RowFlag.HISTORY)
REPLAYED: Final = int(RowFlag.REPLAYED)

BEFORE_BATCH: Final = -1
NO_DEVICE: Final = 0
NO_CONFIGURATION: Final = -1
"""Of a device that watches nothing any more; its patience stays."""


class Devices:
    """The devices of one shard."""

    def __init__(self, content: bytes, terms: Terms, probes: bytes = b"") -> None:
        """Start from a snapshot's bytes, empty for none; without the probes of an older one each device has that it was heard by last."""
        self._table = Table(DEVICE, content)
        self._probes = Table(PROBE, probes)
        if content and not probes:
            self._put_probes(self._table.rows[self._table.rows["sensor"] > 0], of="id")
        self._terms = terms
        offline = self._table.rows["offline_since"] != LONG_AGO
        self._offline: set[int] = set(self._table.rows["id"][offline].tolist())
        self._due_from = LONG_AGO
        """No device can go offline before the clock reaches this: what is heard only puts it off; found anew when it is reached."""
        self._walked: dict[int, int] = {}
        """Of devices walked through in this batch, by slot: the position of their last uplink. A tick before it judges nothing more."""
        self.changed: list[tuple[int, int]] = []
        """Devices that went offline or came back in this batch, with the offset it is as of."""
        self.left: dict[int, list[int]] = {}
        """Devices that watch nothing any more, with the positions in this batch of the rows that ended their last assignment."""

    def content(self) -> bytes:
        """Return the bytes for a snapshot."""
        return self._table.content()

    def devices(self) -> list[int]:
        """Return the devices that were heard of."""
        known: list[int] = self._table.rows["id"].tolist()
        return known

    def probes(self) -> bytes:
        """Return the bytes of the probes, for a snapshot."""
        return self._probes.content()

    def is_offline(self, device: int) -> bool:
        """Return whether a device is offline."""
        return device in self._offline

    def on_rows(self, rows: Rows, ticks: Ticks, facts: list[Fact]) -> None:
        """Take note of who was heard, and judge who was not."""
        self.changed.clear()
        self.left.clear()
        self._walked.clear()
        kind = np.ascontiguousarray(rows["kind"])
        is_told = (kind <= LAST_HEARD_KIND) & ((rows["flags"] & HISTORY) == 0) | (kind == ASSIGNMENT_END)
        told = np.flatnonzero(is_told & (rows["device"] > 0))
        if len(told):
            self._heard(rows, told, kind[told] == ASSIGNMENT_END, ticks, facts)
        self._pass_deadlines(ticks, facts)

    def _heard(self, rows: Rows, heard: npt.NDArray[np.intp], ends: npt.NDArray[np.bool_], ticks: Ticks, facts: list[Fact]) -> None:
        slots, added = self._table.slots(rows["device"][heard])
        table = self._table.rows
        if len(added):
            table["heard_at"][added] = LONG_AGO
            table["offline_since"][added] = LONG_AGO
        order = stable_order(slots, len(table))
        slots, positions, ends = slots[order], heard[order], ends[order]
        starts = np.flatnonzero(np.concatenate([[True], slots[1:] != slots[:-1]]))
        owners = slots[starts]
        counts = np.diff(np.append(starts, len(slots)))
        turning = self._turning(rows, positions, ends, slots, starts, counts)
        patience = self._least_patience(rows, positions, starts, owners, turning)
        heard_at = rows["measured_at"][positions]
        heard_at[ends] = LONG_AGO
        suspects = self._suspects(positions, heard_at, starts, owners, patience, ticks)
        # Terms of a replay count by what was heard before it, and an end by what came before it: a walk alone knows.
        in_order = ends | ((rows["flags"][positions] & REPLAYED) != 0)
        if in_order.any():
            suspects = np.union1d(suspects, np.flatnonzero(np.logical_or.reduceat(in_order, starts)))
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
        ends: npt.NDArray[np.bool_],
        slots: Slots,
        starts: npt.NDArray[np.intp],
        counts: npt.NDArray[np.intp],
    ) -> npt.NDArray[np.bool_]:
        """Return which uplinks carry terms, of devices any of whose uplinks carry others than are known."""
        table = self._table.rows
        unit, configuration = rows["unit"][positions], rows["configuration"][positions]
        telling = (unit > 0) & ~ends
        changed = telling & ((configuration != table["configuration"][slots]) | (unit != table["unit"][slots]))
        others = np.flatnonzero(changed)
        changed[others] = ~self._are_known(rows[positions[others]])
        if not changed.any():
            return np.asarray(changed, dtype=np.bool_)
        self._due_from = LONG_AGO
        turning = np.asarray(telling & np.repeat(np.logical_or.reduceat(changed, starts), counts))
        self._terms.configurations.prepare(configuration[turning])
        return turning

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

    def _are_known(self, uplinks: Rows) -> npt.NDArray[np.bool_]:
        """Return which uplinks are of a probe of which the same is known."""
        known = self._probes.find(uplinks["sensor"])
        same = known >= 0
        for name in ("device", "unit", "configuration"):
            same[same] = self._probes.rows[name][known[same]] == uplinks[name][same]
        return np.asarray(same, dtype=np.bool_)

    def _take_terms(self, rows: Rows, positions: npt.NDArray[np.intp], slots: Slots, turning: npt.NDArray[np.bool_]) -> None:
        """Follow probes to their newest terms, and devices to those of their least patient probe."""
        if not turning.any():
            return
        uplinks = rows[positions[turning]]
        self._table.rows["organization"][slots[turning]] = uplinks["organization"]
        self._put_probes(uplinks)
        self._follow(uplinks["device"])

    def _put_probes(self, rows: Rows, *, of: str = "device") -> None:
        """Keep what rows say of their sensors, in order: numpy's assignment keeps the last of each; `of` is the column of the device."""
        slots, _ = self._probes.slots(rows["sensor"])
        for name, column in (("device", of), ("unit", "unit"), ("configuration", "configuration")):
            self._probes.rows[name][slots] = rows[column]

    def _follow(self, devices: npt.NDArray[np.int32]) -> None:
        """Give devices the terms of their least patient probe; of several that of the lowest number. One without any keeps its patience."""
        probes = self._probes.rows
        probes = probes[np.isin(probes["device"], devices)]
        configurations = self._terms.configurations
        configurations.prepare(probes["configuration"])
        patience = configurations.offline_after_ms[probes["configuration"]]
        patience = np.where(patience > 0, patience, FAR)
        order = np.lexsort((probes["id"], patience, probes["device"]))
        _, first = np.unique(probes["device"][order], return_index=True)
        chosen = order[first]
        slots, table = self._table.find(probes["device"][chosen]), self._table.rows
        for name, column in (("sensor", "id"), ("unit", "unit"), ("configuration", "configuration")):
            table[name][slots] = probes[column][chosen]
        table["offline_after_ms"][slots] = np.where(patience[chosen] == FAR, 0, patience[chosen])

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
            if rows["kind"][position] == ASSIGNMENT_END:
                self._leave(row, rows[position], position)
                behind = position
                continue
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
        one = np.array([uplink])
        if not self._are_known(one)[0]:
            row["organization"] = uplink["organization"]
            self._put_probes(one)
            self._follow(one["device"])
            self._due_from = LONG_AGO

    def _leave(self, row: Any, end: np.void, position: int) -> None:
        """Let a device forget a probe whose assignment has ended, unless it watches another unit by now."""
        slot = self._probes.slot_of(int(end["sensor"]))
        if slot is None:
            return
        probe = self._probes.rows[slot]
        if probe["device"] != row["id"] or probe["unit"] != end["unit"]:
            return
        probe["device"] = NO_DEVICE
        row["configuration"] = NO_CONFIGURATION
        self._follow(np.array([row["id"]], dtype=np.int32))
        self._due_from = LONG_AGO
        if row["configuration"] == NO_CONFIGURATION:
            self.left.setdefault(int(row["id"]), []).append(position)

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
