"""Offline, per device: nothing heard for `offline_after`, judged by the partition's clock alone.

It counts from the newest uplink or from the end of an outage of ingest. Only devices that change are touched one by one.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipelines.engine.judgements import Fact, OfflineFact
from pipelines.engine.shard_table import DEVICE, LONG_AGO, Table
from pipelines.engine.terms import Terms
from pipelines.engine.ticks import Ticks
from schemas.readings import RowFlag, RowKind, Rows

HEARD_KINDS: Final = (
    RowKind.READING,
    RowKind.FAULT,
    RowKind.ANCILLARY,
    RowKind.HEARD,
    RowKind.REJECTED,
    RowKind.UNASSIGNED,
)
BEFORE_BATCH: Final = -1


class Devices:
    """The devices of one shard."""

    def __init__(self, content: bytes, terms: Terms) -> None:
        """Start from a snapshot's bytes, empty for none."""
        self._table = Table(DEVICE, content)
        self._terms = terms
        self.changed: list[tuple[int, int]] = []
        """Devices that went offline or came back in this batch, with the offset it is as of."""

    def content(self) -> bytes:
        """Return the bytes for a snapshot."""
        return self._table.content()

    def is_offline(self, device: int) -> bool:
        """Return whether a device is offline."""
        slots, _ = self._table.slots(np.array([device], dtype=np.int32))
        return bool(self._table.rows["offline_since"][slots[0]] != LONG_AGO)

    def on_rows(self, rows: Rows, ticks: Ticks, facts: list[Fact]) -> None:
        """Take note of who was heard, and judge who was not."""
        self.changed.clear()
        heard = np.flatnonzero(
            np.isin(rows["kind"], HEARD_KINDS) & (rows["device"] > 0) & ((rows["flags"] & RowFlag.HISTORY) == 0),
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
        suspects = self._gaps(heard, slots, ticks)
        self._take_terms(rows[heard], slots)
        for slot in suspects:
            self._walk(slot, heard[slots == slot], rows, ticks, facts)
        np.maximum.at(table["heard_at"], slots, rows["measured_at"][heard])

    def _take_terms(self, rows: Rows, slots: npt.NDArray[np.intp]) -> None:
        """Follow a device to its newest configuration and unit; numpy's assignment keeps the last row of each device."""
        table = self._table.rows
        changed = ((rows["configuration"] != table["configuration"][slots]) | (rows["unit"] != table["unit"][slots])) & (rows["unit"] > 0)
        if not changed.any():
            return
        numbers = rows["configuration"][changed]
        self._terms.configurations.prepare(numbers)
        for name in ("sensor", "unit", "organization", "configuration"):
            table[name][slots[changed]] = rows[name][changed]
        table["offline_after_ms"][slots[changed]] = self._terms.configurations.offline_after_ms[numbers]

    def _gaps(self, heard: npt.NDArray[np.intp], slots: npt.NDArray[np.intp], ticks: Ticks) -> list[int]:
        """Return the slots that are offline or may have been between two uplinks of this batch (a few too many, never too few)."""
        table = self._table.rows
        due = table["heard_at"][slots] + table["offline_after_ms"][slots]
        passed = due <= ticks.clock_before(heard.astype(np.int64))
        suspect = ((table["offline_after_ms"][slots] > 0) & passed) | (table["offline_since"][slots] != LONG_AGO)
        # A device heard more than once in a batch with ticks between may have been silent between its own rows.
        if len(ticks.positions):
            unique, counts = np.unique(slots, return_counts=True)
            several = unique[counts > 1]
            patience = table["offline_after_ms"][several]
            span = ticks.after.now - ticks.before.now
            suspect |= np.isin(slots, several[(patience > 0) & (patience <= span)])
        return [int(slot) for slot in np.unique(slots[suspect])]

    def _walk(self, slot: int, positions: npt.NDArray[np.intp], rows: Rows, ticks: Ticks, facts: list[Fact]) -> None:
        """Go through one device's uplinks in order."""
        row = self._table.rows[slot]
        behind = BEFORE_BATCH
        for position in positions.tolist():
            self._pass_deadline(row, behind, position, ticks, facts)
            heard_at = int(rows["measured_at"][position])
            if row["offline_since"] != LONG_AGO:
                since = int(row["offline_since"])
                as_of = int(rows["offset"][position])
                facts.append(self._fact(row, as_of, int(rows["received_at"][position]), since, max(since, heard_at)))
                row["offline_since"] = LONG_AGO
                self.changed.append((int(row["id"]), as_of))
            row["heard_at"] = max(int(row["heard_at"]), heard_at)
            behind = position

    def _pass_deadlines(self, ticks: Ticks, facts: list[Fact]) -> None:
        """Judge all devices at the end of the batch."""
        if not len(ticks.positions) or not len(self._table):
            return
        table = self._table.rows
        counted_from = np.maximum(table["heard_at"], ticks.after.resumed_at)
        silent = (
            (table["offline_since"] == LONG_AGO)
            & (table["offline_after_ms"] > 0)
            & (counted_from + table["offline_after_ms"] <= ticks.after.now)
        )
        for slot in np.flatnonzero(silent).tolist():
            self._pass_deadline(table[slot], BEFORE_BATCH, None, ticks, facts)

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
