"""The sensors of one shard: quiet readings by the column, all others through the pure machine.

`_quiet_rows` says which rows cannot change anything if their sensor has no run; `_walk` steps through the rest, and jumps over
quiet stretches between runs. A property test holds this equal to the machine alone, however the log is batched.
"""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from pipelines.connectors.metrics import DETECT_READINGS
from pipelines.domain.excursion_facts import Facts
from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy import quiet_range
from pipelines.domain.sensor import (
    FRESH,
    SensorState,
    is_late,
    is_quiet,
    on_assignment_end,
    on_clock,
    on_reading,
    quiet_state,
)
from pipelines.domain.sensor_view import open_excursions, state_at
from pipelines.engine.devices import Devices
from pipelines.engine.found import found_of_fact, running_of
from pipelines.engine.judgements import ExcursionFact, Fact, RunningFact, StateFact
from pipelines.engine.shard_table import FAR, LONG_AGO, SENSOR, Slots, Table
from pipelines.engine.terms import Terms
from pipelines.engine.ticks import Ticks
from schemas.events import SEVERITY_ORDER, UnitState
from schemas.readings import ABSENT_I2, SENSOR_KINDS, RowKind, Rows

RUNNING_EVERY_MS: Final = 60_000
"""Running figures of an open excursion are handed on at most once in this time of the partition's clock."""

IN_RANGE: Final = SEVERITY_ORDER.index(UnitState.IN_RANGE)
NO_STATE: Final = 255
"""Nothing has been shown of the sensor yet."""

NOTHING_BEFORE: Final = -1

Late = tuple[int, int, int, int, int]
"""Sensor, device, organization, measured_from, offset."""


class _Batch(msgspec.Struct, frozen=True):
    """Rows of judged kinds, sorted by sensor and, within a sensor, in log order."""

    rows: Rows
    positions: npt.NDArray[np.int64]
    """Where each row stood among all rows of the batch."""
    slots: Slots
    quiet: npt.NDArray[np.bool_]
    next_loud: npt.NDArray[np.int64]
    """Index of the next row that is not quiet, from each row on."""


class Sensors:
    """The sensors of one shard."""

    def __init__(self, content: bytes, machines: dict[int, SensorState], terms: Terms, devices: Devices) -> None:
        """Start from a snapshot's bytes and machine states."""
        self._table = Table(SENSOR, content)
        self.machines = dict(machines)
        self._terms = terms
        self._devices = devices
        self._minute = 0
        self._ranges: dict[int, tuple[int, int]] = {}
        self._behind: dict[int, int] = {}
        """Position of the newest row, in this batch, of each sensor with a deadline."""

    def content(self) -> bytes:
        """Return the bytes for a snapshot."""
        return self._table.content()

    def count(self, path: str, readings: int) -> None:
        """Count readings by the path they took."""
        if readings:
            DETECT_READINGS.labels(path).inc(readings)

    def on_rows(self, rows: Rows, ticks: Ticks, facts: list[Fact]) -> list[Late]:
        """Judge a batch: add what happened to `facts`, and return the late readings, merged by sensor."""
        late: list[Late] = []
        self._behind.clear()
        judged = np.flatnonzero((np.isin(rows["kind"], SENSOR_KINDS) & (rows["sensor"] > 0)) | (rows["kind"] == RowKind.ASSIGNMENT_END))
        if len(judged):
            batch = self._sorted(rows, judged)
            self._judge(batch, ticks, facts, late)
        if len(ticks.positions):
            self._pass_deadlines(ticks, facts)
            self._grow_stale(ticks, facts)
            self._hand_on_running(ticks, facts)
        self._follow_devices(ticks, facts)
        return late

    def _sorted(self, rows: Rows, judged: npt.NDArray[np.intp]) -> _Batch:
        slots, added = self._table.slots(rows["sensor"][judged])
        if len(added):
            table = self._table.rows
            table["judged_at"][added] = table["measured_at"][added] = table["known_until"][added] = LONG_AGO
            table["due"][added] = FAR
            table["state"][added] = NO_STATE
            table["in_machine"][added] = 1
        order = np.argsort(slots, kind="stable")
        slots, positions = slots[order], judged[order]
        sorted_rows = rows[positions]
        quiet = self._quiet_rows(sorted_rows, slots)
        self._terms.configurations.prepare(sorted_rows["configuration"][~quiet])
        loud = np.where(quiet, len(quiet), np.arange(len(quiet)))
        next_loud = np.minimum.accumulate(loud[::-1])[::-1]
        return _Batch(sorted_rows, positions.astype(np.int64), slots, quiet, next_loud)

    def _quiet_rows(self, rows: Rows, slots: Slots) -> npt.NDArray[np.bool_]:
        """Return which rows change nothing but the newest reading of a sensor without a run.

        In range for every band, under the terms its sensor already has, and in order; a sensor with any row out of order is
        walked as a whole.
        """
        known = self._table.rows[slots]
        first = np.ones(len(slots), dtype=np.bool_)
        first[1:] = slots[1:] != slots[:-1]
        measured_at = rows["measured_at"]
        before = np.where(first, known["judged_at"], 0)
        before[1:] = np.where(first[1:], before[1:], measured_at[:-1])
        disorder = measured_at <= before
        quiet = (
            (rows["kind"] == RowKind.READING)
            & (rows["temperature"] >= known["low"])
            & (rows["temperature"] <= known["high"])
            & (rows["policy"] == known["policy"])
            & (rows["configuration"] == known["configuration"])
            & (rows["assignment"] == known["assignment"])
        )
        if disorder.any():
            quiet &= ~np.isin(slots, slots[disorder])
        return np.asarray(quiet, dtype=np.bool_)

    def _judge(self, batch: _Batch, ticks: Ticks, facts: list[Fact], late: list[Late]) -> None:
        slots = batch.slots
        starts = np.flatnonzero(np.concatenate([[True], slots[1:] != slots[:-1]]))
        ends = np.append(starts[1:], len(slots))
        table = self._table.rows
        known = table[slots[starts]]
        walked = (batch.next_loud[starts] < ends) | (known["in_machine"] == 1) | (known["state"] != IN_RANGE)
        quiet_ends = ends[~walked] - 1
        self._take_quiet(batch.rows[quiet_ends], slots[quiet_ends])
        self.count("quiet", int((ends - starts)[~walked].sum()))
        for start, end in zip(starts[walked].tolist(), ends[walked].tolist(), strict=True):
            self._walk(batch, start, end, ticks, facts, late)

    def _take_quiet(self, rows: Rows, slots: Slots) -> None:
        """Make each row the newest of its quiet sensor."""
        table = self._table.rows
        for name in ("judged_at", "measured_at"):
            table[name][slots] = rows["measured_at"]
        table["temperature"][slots] = rows["temperature"]
        table["known_until"][slots] = rows["measured_at"] + table["max_gap_ms"][slots]

    def _walk(self, batch: _Batch, start: int, end: int, ticks: Ticks, facts: list[Fact], late: list[Late]) -> None:
        """Go through one sensor's rows in order, jumping over quiet stretches."""
        slot = int(batch.slots[start])
        state = self._state_of(slot)
        behind = NOTHING_BEFORE
        index, walked, late_from, late_to = start, 0, FAR, 0
        while index < end:
            if batch.quiet[index] and self._has_terms_of(batch.rows[index], state, slot):
                stop = min(int(batch.next_loud[index]), end)
                state = self._quiet_after(batch.rows[stop - 1], slot)
                behind = int(batch.positions[stop - 1])
                index = stop
                continue
            row = batch.rows[index : index + 1]
            position = int(batch.positions[index])
            state = self._pass_until(state, slot, behind, position, ticks, facts)
            at = int(row["measured_at"][0])
            if is_late(state, at):
                if not self._repeats(state, slot, row):
                    late_from, late_to = min(late_from, at), int(row["offset"][0])
                    self.count("late", 1)
            else:
                state = self._step(state, slot, row, facts)
            behind = position
            index += 1
            walked += 1
        self.count("machine", walked)
        self.count("quiet", end - start - walked)
        if late_from != FAR:
            known = self._table.rows[slot]
            organization = int(batch.rows["organization"][end - 1])
            late.append((int(known["id"]), int(batch.rows["device"][end - 1]), organization, late_from, late_to))
        self._keep(slot, state)
        if state.due is not None:
            self._behind[slot] = behind
        newest = batch.rows[end - 1 : end]
        self._show(slot, state, int(newest["offset"][0]), int(newest["measured_at"][0]), facts)

    def _step(self, state: SensorState, slot: int, row: Rows, facts: list[Fact]) -> SensorState:
        """Judge one row in order, under the terms it is stamped with."""
        table = self._table.rows
        at, offset, received_at = int(row["measured_at"][0]), int(row["offset"][0]), int(row["received_at"][0])
        policies = self._terms.policies
        if row["kind"][0] == RowKind.ASSIGNMENT_END:
            step = on_assignment_end(state, at, policies)
            self._found(step.facts, state, slot, offset, received_at, facts)
            return step.state
        if table["assignment"][slot] not in (0, row["assignment"][0]):
            ended = on_assignment_end(state, at, policies)
            self._found(ended.facts, state, slot, offset, received_at, facts)
            state = ended.state
        for name in ("device", "unit", "organization", "assignment"):
            table[name][slot] = row[name][0]
        configuration = int(row["configuration"][0])
        max_gap_ms = self._terms.configurations.max_gap_of(configuration)
        table["configuration"][slot] = configuration
        table["max_gap_ms"][slot] = max_gap_ms
        temperature = int(row["temperature"][0]) if row["kind"][0] == RowKind.READING else None
        step = on_reading(state, Reading(at, temperature, max_gap_ms, int(row["policy"][0])), policies)
        self._found(step.facts, step.state, slot, offset, received_at, facts, before=state)
        return step.state

    def _pass_until(self, state: SensorState, slot: int, behind: int, before: int | None, ticks: Ticks, facts: list[Fact]) -> SensorState:
        """Pass the deadlines that ticks between two positions have reached."""
        while state.due is not None:
            index = ticks.first_reaching(state.due, behind)
            if index is None or (before is not None and ticks.positions[index] >= before):
                return state
            step = on_clock(state, int(ticks.clocks[index]), self._terms.policies)
            self._found(step.facts, step.state, slot, int(ticks.offsets[index]), int(ticks.stamps[index]), facts, before=state)
            state = step.state
        return state

    def _pass_deadlines(self, ticks: Ticks, facts: list[Fact]) -> None:
        """Pass, at the batch's end, the deadlines of all sensors that its ticks have reached."""
        due = np.flatnonzero(self._table.rows["due"] <= ticks.after.now)
        for slot in due.tolist():
            state = self._pass_until(self._state_of(slot), slot, self._behind.get(slot, NOTHING_BEFORE), None, ticks, facts)
            self._keep(slot, state)
            self._show(slot, state, int(ticks.offsets[-1]), ticks.after.now, facts)

    def _grow_stale(self, ticks: Ticks, facts: list[Fact]) -> None:
        """Show unknown where the newest value is no longer known."""
        table = self._table.rows
        shown = table["state"]
        stale = (table["known_until"] <= ticks.after.now) & (shown < SEVERITY_ORDER.index(UnitState.UNKNOWN))
        for slot in np.flatnonzero(stale).tolist():
            self._show(slot, self._state_of(slot), int(ticks.offsets[-1]), int(table["known_until"][slot]), facts, until=ticks.after.now)

    def _hand_on_running(self, ticks: Ticks, facts: list[Fact]) -> None:
        minute = ticks.after.now // RUNNING_EVERY_MS
        if minute <= self._minute:
            return
        self._minute = minute
        for slot, state in self.machines.items():
            sensor = int(self._table.rows["id"][slot])
            for running in open_excursions(state, ticks.after.now, self._terms.policies):
                facts.append(RunningFact(int(ticks.offsets[-1]), ticks.after.now, sensor, running.band, running_of(running.figures)))

    def _follow_devices(self, ticks: Ticks, facts: list[Fact]) -> None:
        """Show offline, and what was beneath it, on the sensors of devices that changed."""
        for device, as_of in self._devices.changed:
            for slot in np.flatnonzero(self._table.rows["device"] == device).tolist():
                self._show(slot, self._state_of(slot), as_of, ticks.after.now, facts, until=ticks.after.now)

    def _found(
        self,
        found: Facts,
        state: SensorState,
        slot: int,
        as_of: int,
        received_at: int,
        facts: list[Fact],
        before: SensorState | None = None,
    ) -> None:
        for fact in found:
            row = self._table.rows[slot]
            excursion = found_of_fact(fact, state, before or state, row, self._terms.policies)
            facts.append(ExcursionFact(as_of, received_at, excursion))

    def _show(self, slot: int, state: SensorState, as_of: int, since: int, facts: list[Fact], until: int | None = None) -> None:
        """Hand on the sensor's state where it differs from what was shown."""
        row = self._table.rows[slot]
        at = until if until is not None else (state.newest.measured_at if state.newest is not None else since)
        shown = SEVERITY_ORDER.index(state_at(state, at))
        if self._devices.is_offline(int(row["device"])):
            shown = max(shown, SEVERITY_ORDER.index(UnitState.OFFLINE))
        if shown == row["state"]:
            return
        row["state"] = shown
        facts.append(
            StateFact(as_of, int(row["id"]), int(row["unit"]), int(row["organization"]), SEVERITY_ORDER[shown], since),
        )

    def _has_terms_of(self, row: np.void, state: SensorState, slot: int) -> bool:
        """Return whether a row that was quiet as of the batch's start is so still: no run, and the same terms."""
        table = self._table.rows
        return (
            state.policy == row["policy"]
            and state.newest is not None
            and table["configuration"][slot] == row["configuration"]
            and table["assignment"][slot] == row["assignment"]
            and is_quiet(state)
            and (state.judged_at is None or row["measured_at"] > state.judged_at)
        )

    def _quiet_after(self, row: np.void, slot: int) -> SensorState:
        """Return the state of a sensor without a run after a quiet row."""
        policy = int(row["policy"])
        reading = Reading(int(row["measured_at"]), int(row["temperature"]), int(self._table.rows["max_gap_ms"][slot]), policy)
        return quiet_state(reading, self._terms.policies[policy])

    def _repeats(self, state: SensorState, slot: int, row: Rows) -> bool:
        """Return whether a late row says nothing new: the newest one again, or an end that was taken already.

        A reading takes a fault mark's place, and is something new.
        """
        newest = state.newest
        if row["kind"][0] == RowKind.ASSIGNMENT_END:
            return newest is None or bool(self._table.rows["assignment"][slot] != row["assignment"][0])
        if newest is None or newest.measured_at != row["measured_at"][0]:
            return False
        return newest.temperature is not None or bool(row["kind"][0] == RowKind.FAULT)

    def _range(self, policy: int) -> tuple[int, int]:
        if policy not in self._ranges:
            self._ranges[policy] = quiet_range(self._terms.policies[policy])
        return self._ranges[policy]

    def _state_of(self, slot: int) -> SensorState:
        """Return the machine's state of a sensor, rebuilt from the columns where it is quiet."""
        row = self._table.rows[slot]
        if row["in_machine"]:
            return self.machines.get(slot, FRESH)
        temperature = int(row["temperature"])
        newest = Reading(
            int(row["measured_at"]),
            None if temperature == ABSENT_I2 else temperature,
            int(row["max_gap_ms"]),
            int(row["policy"]),
        )
        quiet = quiet_state(newest, self._terms.policies[newest.policy])
        return SensorState(int(row["judged_at"]), None, newest, newest.policy, quiet.bands)

    def _keep(self, slot: int, state: SensorState) -> None:
        """Put a state into the columns where it is quiet, beside them where it is not."""
        row = self._table.rows[slot]
        newest = state.newest
        row["judged_at"] = LONG_AGO if state.judged_at is None else state.judged_at
        row["due"] = FAR if state.due is None else state.due
        if newest is not None:
            row["measured_at"] = newest.measured_at
            row["temperature"] = ABSENT_I2 if newest.temperature is None else newest.temperature
            row["known_until"] = newest.measured_at + (0 if newest.temperature is None else newest.max_gap_ms)
        if newest is None or state.policy is None or not is_quiet(state):
            row["in_machine"] = 1
            self.machines[slot] = state
            return
        row["policy"] = state.policy
        row["low"], row["high"] = self._range(state.policy)
        row["in_machine"] = 0
        self.machines.pop(slot, None)
