"""The sensors of one shard: quiet readings by the column, all others through the pure machine.

`sensor_batch` says which rows cannot change anything if their sensor has no run; `_walk` steps through the rest, and jumps over
quiet stretches between runs. A property test holds this equal to the machine alone, however the log is batched.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from pipelines.connectors.metrics import DETECT_READINGS
from pipelines.domain.excursion_facts import ExcursionClosed, Facts
from pipelines.domain.excursion_states import Open, Reading, Recovering
from pipelines.domain.found import found_of_fact, running_of
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
from pipelines.domain.windowed_states import WindowedOpen
from pipelines.engine.awaiting import MOST_LINES, MOST_LINES_OF_ALL, Answer, Awaiting, is_for_revision, newest_of, reason_of, settled
from pipelines.engine.devices import Devices
from pipelines.engine.judgements import ConditionChange, ExcursionFact, Fact, RunningFact, SettledFact, StateFact
from pipelines.engine.line_rules import ends_unsaid, has_terms_of, repeats
from pipelines.engine.possible import Possibles
from pipelines.engine.sensor_batch import ASSIGNMENT_END, CORRECTION, FAULT, READING, Line, SensorBatch, sorted_batch
from pipelines.engine.shard_table import FAR, LONG_AGO, SENSOR, Kept, Slots, Table
from pipelines.engine.terms import Terms
from pipelines.engine.ticks import Ticks
from schemas.events import SEVERITY_ORDER, UnitState
from schemas.readings import ABSENT_I2, Rows
from schemas.revisions import LATE, REASONS, weightier

NO_CONFIGURATION: Final = -1
"""Of a state that a revision brought: the next row brings its own."""

RUNNING_EVERY_MS: Final = 60_000
"""Running figures of an open excursion are handed on at most once in this time of the partition's clock."""

IN_RANGE: Final = SEVERITY_ORDER.index(UnitState.IN_RANGE)
UNKNOWN: Final = SEVERITY_ORDER.index(UnitState.UNKNOWN)
OFFLINE: Final = SEVERITY_ORDER.index(UnitState.OFFLINE)
INDEX_OF: Final = {state: index for index, state in enumerate(SEVERITY_ORDER)}
NO_STATE: Final = 255
"""Nothing has been shown of the sensor yet."""

NOTHING_BEFORE: Final = -1
NONE: Final[Mapping[int, Awaiting]] = {}

Late = tuple[int, int, int, int, int, int, str]
"""Sensor, device, organization, measured_from, offset, the instant (ms UTC) up to which an assignment's end has judged it, and why."""


class Sensors:
    """The sensors of one shard."""

    def __init__(
        self, content: bytes, machines: dict[int, SensorState], terms: Terms, devices: Devices, awaiting: Mapping[int, Awaiting] = NONE
    ) -> None:
        """Start from a snapshot's bytes and machine states."""
        self._table = Table(SENSOR, content)
        self.machines = dict(machines)
        self._terms = terms
        self._devices = devices
        self.awaiting = dict(awaiting)
        self.possibles = Possibles(terms)
        self._minute = 0
        self._ranges: dict[int, tuple[int, int]] = {}
        self._behind: dict[int, int] = {}
        """Position of the newest row, in this batch, of each sensor with a deadline."""
        self._with_open: set[int] = {slot for slot, state in self.machines.items() if has_open(state)}
        self._due_from = self._stale_from = LONG_AGO
        """No deadline, and no newest value's end, is before these; found anew once the clock reaches them."""

    def __len__(self) -> int:
        """Return how many sensors are kept."""
        return len(self._table.rows)

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
        kind = rows["kind"]
        judged = np.flatnonzero(((kind <= FAULT) & (rows["sensor"] > 0)) | (kind == ASSIGNMENT_END) | (kind == CORRECTION))
        if len(judged):
            self._judge(self._sorted(rows, judged), ticks, facts, late)
        if len(ticks.positions):
            self._pass_deadlines(ticks, facts)
            self._grow_stale(ticks, facts)
            self._hand_on_running(ticks, facts)
        self._follow_devices(ticks, facts)
        if self.awaiting:
            self._bound_lines(late)
        return late

    def _sorted(self, rows: Rows, judged: npt.NDArray[np.intp]) -> SensorBatch:
        slots, added = self._table.slots(rows["sensor"][judged])
        if len(added):
            table = self._table.rows
            table["judged_at"][added] = table["measured_at"][added] = table["known_until"][added] = LONG_AGO
            table["due"][added] = FAR
            table["state"][added] = NO_STATE
            table["in_machine"][added] = 1
        batch = sorted_batch(rows, judged, slots, self._table.rows, self._range)
        self._terms.configurations.prepare(rows["configuration"][batch.positions[~batch.quiet]])
        return batch

    def _judge(self, batch: SensorBatch, ticks: Ticks, facts: list[Fact], late: list[Late]) -> None:
        starts, ends = batch.starts, batch.ends
        table = self._table.rows
        owners = batch.slots[starts]
        next_loud = batch.next_loud()
        walked = (next_loud[starts] < ends) | (table["in_machine"][owners] == 1) | (table["state"][owners] != IN_RANGE)
        quiet = ~walked
        newest = batch.positions[ends[quiet] - 1]
        self._take_quiet(batch.rows["measured_at"][newest], batch.rows["temperature"][newest], owners[quiet])
        self.count("quiet", int((ends - starts)[quiet].sum()))
        batch.prepare_lines(walked)
        loud = 0
        for start, end in zip(starts[walked].tolist(), ends[walked].tolist(), strict=True):
            loud += self._walk(batch, next_loud, start, end, ticks, facts, late)
        self.count("machine", loud)
        self.count("quiet", int((ends - starts)[walked].sum()) - loud)

    def _take_quiet(self, measured_at: npt.NDArray[np.int64], temperature: npt.NDArray[np.int16], slots: Slots) -> None:
        """Make a row the newest of each of some quiet sensors."""
        table = self._table.rows
        table["judged_at"][slots] = table["measured_at"][slots] = measured_at
        table["temperature"][slots] = temperature
        table["known_until"][slots] = measured_at + table["max_gap_ms"][slots]

    def _walk(
        self,
        batch: SensorBatch,
        next_loud: npt.NDArray[np.intp],
        start: int,
        end: int,
        ticks: Ticks,
        facts: list[Fact],
        late: list[Late],
    ) -> int:
        """Go through one sensor's rows in order, jumping over quiet stretches; return how many rows were stepped through."""
        slot = int(batch.slots[start])
        kept = self._kept(slot)
        state = self._state_of(slot, kept)
        behind = NOTHING_BEFORE
        index, walked, late_from, late_to, why = start, 0, FAR, 0, LATE
        while index < end:
            line = batch.line(index)
            if batch.quiet[index] and has_terms_of(line, state, kept):
                index = min(int(next_loud[index]), end)
                state = self._quiet_after(batch.line(index - 1), kept)
                behind = int(batch.positions[index - 1])
                continue
            position = int(batch.positions[index])
            if state.due is not None or slot in self.possibles.due:
                state = self._pass_until(state, slot, kept, behind, position, ticks, facts)
            if is_for_revision(line) or is_late(state, line.measured_at):
                if not repeats(line, state, kept):
                    late_from, late_to, why = min(late_from, line.measured_at), line.offset, weightier(why, reason_of(line))
                    # From here on the state is a stale one, within this batch too.
                    self.awaiting.setdefault(slot, Awaiting(line.offset, ()))
                    self.count("late", 1)
            else:
                if ends_unsaid(line, state, kept):
                    # When that assignment ended the revision knows.
                    late_from, late_to = min(late_from, line.measured_at), line.offset
                    self.awaiting.setdefault(slot, Awaiting(line.offset, ()))
                state = self._step(state, slot, kept, line, facts)
            behind = position
            index += 1
            walked += 1
        newest = batch.line(end - 1)
        if late_from != FAR:
            # From where nothing but a stale state has judged: what was asked before may be answered without what came between.
            late_from = min(late_from, *(asked_from for _, asked_from in self.awaiting[slot].requests), FAR)
            late.append((kept.id, newest.device, newest.organization, late_from, late_to, ended_at(state), why))
        self._keep(slot, kept, state)
        if late_from != FAR or slot in self.awaiting:
            self._await(slot, [batch.line(number) for number in range(start, end)], late_from, late_to, late)
        if state.due is not None or slot in self.possibles.due:
            self._behind[slot] = behind
        self._show(kept, state, newest.offset, newest.measured_at, facts)
        self._put_back(slot, kept)
        return walked

    def _await(self, slot: int, lines: list[Line], late_from: int, late_to: int, late: list[Late]) -> None:
        """Keep what has come of a sensor behind its newest request."""
        awaiting = self.awaiting[slot]
        if late_from != FAR:
            awaiting = awaiting.asked(late_to, late_from, ended_at(self.machines[slot]))
        known = awaiting.offset if awaiting.early is None else awaiting.early.offset
        fresh = [line for line in lines if line.offset > (awaiting.offset if line.kind == ASSIGNMENT_END else known)]
        kept = (*awaiting.lines, *fresh)
        self.awaiting[slot] = msgspec.structs.replace(awaiting, lines=kept)
        if len(kept) > MOST_LINES:
            self._let_go(slot, late)

    def _let_go(self, slot: int, late: list[Late]) -> None:
        """Let go of what has come of a sensor, and ask for all of it again: its revision reads it from the store."""
        awaiting = self.awaiting[slot]
        newest, asked_from = awaiting.lines[-1], min((one for _, one in awaiting.requests), default=awaiting.lines[0].measured_at)
        ended = ended_at(self.machines[slot])
        late.append((newest.sensor, newest.device, newest.organization, asked_from, newest.offset, ended, LATE))
        self.awaiting[slot] = awaiting.asked(newest.offset, asked_from, ended)

    def _bound_lines(self, late: list[Late]) -> None:
        """Keep the rows of all sensors that wait within bounds: those with the most are let go first."""
        total = sum(len(one.lines) for one in self.awaiting.values())
        while total > MOST_LINES_OF_ALL:
            slot = max(self.awaiting, key=lambda number: len(self.awaiting[number].lines))
            total -= len(self.awaiting[slot].lines)
            self._let_go(slot, late)

    def on_answer(self, answer: Answer, done: int) -> Late | None:
        """Take the state of a revision in, if its sensor waits for one; otherwise return a request, for what was asked once more or before.

        A state that has gone on since without waiting cannot be replaced by the answer: what came behind it is not kept.
        """
        slot = self._table.slot_of(answer.sensor)
        if slot is None:
            return None
        awaiting = self.awaiting.get(slot)
        if awaiting is None:
            kept = self._kept(slot)
            state = self._state_of(slot, kept)
            self.awaiting[slot] = Awaiting(done, ()).asked(done, answer.measured_from, ended_at(state))
            self._keep(slot, kept, state)
            self._put_back(slot, kept)
            self.count("answers_unasked", 1)
            return kept.id, kept.device, kept.organization, answer.measured_from, done, ended_at(state), answer.reason
        if awaiting.requests:
            self.awaiting[slot] = awaiting.answered(answer)
        return None

    def settle(self, done: int, clock: int, facts: list[Fact]) -> list[Late]:
        """Put in place the answers that the shard is far enough for; return further requests where rows are late still."""
        late: list[Late] = []
        for slot, awaiting in list(self.awaiting.items()):
            if awaiting.early is not None and awaiting.early.offset <= done:
                again = self._settle(slot, awaiting, awaiting.early, done, clock, facts)
                late += () if again is None else (again,)
        return late

    def possible(self, as_of: int, received_at: int) -> list[ConditionChange]:
        """Return what is possible of sensors that wait for no revision."""
        found: list[ConditionChange] = []
        for slot in self.possibles.standing.keys() - self.awaiting.keys():
            kept = self._kept(slot)
            found += self.possibles.standing_of(slot, kept, self._state_of(slot, kept), as_of, received_at)
        return found

    def unsettled(self) -> list[int]:
        """Return the sensors that wait for a revision."""
        return [int(self._table.rows["id"][slot]) for slot in self.awaiting]

    def _settle(self, slot: int, awaiting: Awaiting, answer: Answer, done: int, clock: int, facts: list[Fact]) -> Late | None:
        """Put one answer in place."""
        del self.awaiting[slot]
        settlement = settled(answer, awaiting.lines, clock, self._terms)
        judged, kept = settlement.judged, self._kept(slot)
        state, place = judged.state, judged.place
        if place is not None:
            kept.device, kept.unit, kept.organization, kept.assignment = place.device, place.unit, place.organization, place.assignment
        if state.newest is not None:
            kept.max_gap_ms, kept.configuration = state.newest.max_gap_ms, NO_CONFIGURATION
        if settlement.late:
            # Still a stale state: what is so now the next answer says, which knows those rows; it looks back to where this one knew all.
            first = min(newest_of(answer) + 1, *(line.measured_at for line in settlement.late))
            newest, ended = settlement.late[-1], ended_at(state)
            self.awaiting[slot] = Awaiting(newest.offset, (), awaiting.lines).asked(newest.offset, first, ended)
            self._keep(slot, kept, state)
            self._put_back(slot, kept)
            why = max((reason_of(line) for line in settlement.late), key=REASONS.index)
            return kept.id, newest.device, newest.organization, first, newest.offset, ended, why
        self._keep(slot, kept, state)
        shown: list[Fact] = []
        self._show(kept, state, done, clock, shown, until=clock)
        self._put_back(slot, kept)
        states = tuple(one for one in shown if isinstance(one, StateFact))
        possible = self.possibles.settled(slot, kept, state, done, clock)
        found = tuple(judged.found.values())
        knew = newest_of(answer)
        facts.append(SettledFact(done, clock, kept.id, answer.offset, knew, clock, found, states, possible, answer.reason))
        return None

    def _step(self, state: SensorState, slot: int, kept: Kept, line: Line, facts: list[Fact]) -> SensorState:
        """Judge one row in order, under the terms it is stamped with."""
        policies = self._terms.policies
        if line.kind == ASSIGNMENT_END and state.newest is not None and kept.assignment not in {0, line.assignment}:
            return state  # a correction ended it before; where nothing is judged of any, what comes of it yet is late
        if line.kind == ASSIGNMENT_END or kept.assignment not in {0, line.assignment}:
            ended = on_assignment_end(state, line.measured_at, policies)
            self._found(ended.facts, state, slot, kept, line.offset, line.received_at, facts)
            self.possibles.on_end(slot, kept, state, line, facts)
            state = ended.state
            if line.kind == ASSIGNMENT_END:
                return state
        kept.device, kept.unit, kept.organization, kept.assignment = line.device, line.unit, line.organization, line.assignment
        if kept.configuration != line.configuration or not kept.max_gap_ms:
            kept.configuration, kept.max_gap_ms = line.configuration, self._terms.configurations.max_gap_of(line.configuration)
        temperature = line.temperature if line.kind == READING else None
        step = on_reading(state, Reading(line.measured_at, temperature, kept.max_gap_ms, line.policy), policies)
        if step.facts:
            self._found(step.facts, step.state, slot, kept, line.offset, line.received_at, facts, before=state)
        self.possibles.on_row(slot, kept, state, step.state, line, facts)
        return step.state

    def _pass_until(
        self,
        state: SensorState,
        slot: int,
        kept: Kept,
        behind: int,
        before: int | None,
        ticks: Ticks,
        facts: list[Fact],
    ) -> SensorState:
        """Pass the deadlines that ticks between two positions have reached, and those at which pending runs become possible, tick by tick."""
        while True:
            due = min(FAR if state.due is None else state.due, self.possibles.due.get(slot, FAR))
            index = ticks.first_reaching(due, behind) if due <= ticks.after.now else None
            if index is None or (before is not None and ticks.positions[index] >= before):
                return state
            clock = int(ticks.clocks[index])
            if state.due is None or state.due > clock:
                self.possibles.become(slot, kept, state, index, ticks, facts)
                continue
            step = on_clock(state, clock, self._terms.policies)
            self._found(step.facts, step.state, slot, kept, int(ticks.offsets[index]), int(ticks.stamps[index]), facts, before=state)
            self.possibles.on_tick(slot, kept, state, step.state, index, ticks, facts)
            state = step.state

    def _pass_deadlines(self, ticks: Ticks, facts: list[Fact]) -> None:
        """Pass, at the batch's end, the deadlines of all sensors that its ticks have reached."""
        due = {slot for slot, at in self.possibles.due.items() if at <= ticks.after.now}
        is_reached = ticks.after.now >= self._due_from
        if is_reached:
            due.update(np.flatnonzero(self._table.rows["due"] <= ticks.after.now).tolist())
        for slot in sorted(due):
            kept = self._kept(slot)
            before = self._state_of(slot, kept)
            state = self._pass_until(before, slot, kept, self._behind.get(slot, NOTHING_BEFORE), None, ticks, facts)
            if state is not before:
                self._keep(slot, kept, state)
                self._show(kept, state, int(ticks.offsets[-1]), ticks.after.now, facts)
                self._put_back(slot, kept)
        if is_reached:
            self._due_from = int(self._table.rows["due"].min(initial=FAR))

    def _grow_stale(self, ticks: Ticks, facts: list[Fact]) -> None:
        """Show unknown where the newest value is no longer known."""
        if ticks.after.now < self._stale_from:
            return
        table = self._table.rows
        stale = (table["known_until"] <= ticks.after.now) & (table["state"] < UNKNOWN)
        for slot in np.flatnonzero(stale).tolist():
            self._show_later(slot, int(ticks.offsets[-1]), int(table["known_until"][slot]), ticks.after.now, facts)
        self._stale_from = int(np.min(table["known_until"], initial=FAR, where=table["state"] < UNKNOWN))

    def _hand_on_running(self, ticks: Ticks, facts: list[Fact]) -> None:
        minute = ticks.after.now // RUNNING_EVERY_MS
        if minute <= self._minute:
            return
        self._minute = minute
        for slot in sorted(self._with_open):
            sensor = int(self._table.rows["id"][slot])
            for running in open_excursions(self.machines[slot], ticks.after.now, self._terms.policies):
                facts.append(RunningFact(int(ticks.offsets[-1]), ticks.after.now, sensor, running.band, running_of(running.figures)))

    def _follow_devices(self, ticks: Ticks, facts: list[Fact]) -> None:
        """Show offline, and what was beneath it, on the sensors of devices that changed."""
        for device, as_of in self._devices.changed:
            for slot in np.flatnonzero(self._table.rows["device"] == device).tolist():
                self._show_later(slot, as_of, ticks.after.now, ticks.after.now, facts)

    def _found(
        self,
        found: Facts,
        state: SensorState,
        slot: int,
        kept: Kept,
        as_of: int,
        received_at: int,
        facts: list[Fact],
        before: SensorState | None = None,
    ) -> None:
        if not found:
            return
        self._put_back(slot, kept)
        for fact in found:
            stale = slot in self.awaiting
            if stale and isinstance(fact, ExcursionClosed):
                continue  # its end is the revision's to say
            excursion = found_of_fact(fact, state, before or state, self._table.rows[slot], self._terms.policies)
            facts.append(ExcursionFact(as_of, received_at, excursion, stale))

    def _show(self, kept: Kept, state: SensorState, as_of: int, since: int, facts: list[Fact], until: int | None = None) -> None:
        """Hand on the sensor's state where it differs from what was shown; of one that was never heard there is none."""
        if not kept.assignment:
            return
        at = until if until is not None else (state.newest.measured_at if state.newest is not None else since)
        shown = INDEX_OF[state_at(state, at)]
        if self._devices.is_offline(kept.device):
            shown = max(shown, OFFLINE)
        if shown == kept.state:
            return
        kept.state = shown
        facts.append(StateFact(as_of, kept.id, kept.unit, kept.organization, SEVERITY_ORDER[shown], since))

    def _show_later(self, slot: int, as_of: int, since: int, until: int, facts: list[Fact]) -> None:
        """Hand on the state of a sensor as of an instant after its newest row."""
        kept = self._kept(slot)
        self._show(kept, self._state_of(slot, kept), as_of, since, facts, until=until)
        self._put_back(slot, kept)

    def _quiet_after(self, line: Line, kept: Kept) -> SensorState:
        """Return the state of a sensor without a run after a quiet row."""
        reading = Reading(line.measured_at, line.temperature, kept.max_gap_ms, line.policy)
        return quiet_state(reading, self._terms.policies[line.policy])

    def _range(self, policy: int) -> tuple[int, int]:
        if policy not in self._ranges:
            self._ranges[policy] = quiet_range(self._terms.policies[policy])
        return self._ranges[policy]

    def _kept(self, slot: int) -> Kept:
        return Kept(*self._table.rows[slot].item())

    def _put_back(self, slot: int, kept: Kept) -> None:
        """Write a sensor's row of the table."""
        self._table.rows[slot] = msgspec.structs.astuple(kept)
        self._due_from = min(self._due_from, kept.due)
        if kept.state < UNKNOWN:
            self._stale_from = min(self._stale_from, kept.known_until)

    def _state_of(self, slot: int, kept: Kept) -> SensorState:
        """Return the machine's state of a sensor, rebuilt from the columns where it is quiet."""
        if kept.in_machine:
            return self.machines.get(slot, FRESH)
        temperature = None if kept.temperature == ABSENT_I2 else kept.temperature
        newest = Reading(kept.measured_at, temperature, kept.max_gap_ms, kept.policy)
        quiet = quiet_state(newest, self._terms.policies[kept.policy])
        return SensorState(kept.judged_at, None, newest, newest.policy, quiet.bands)

    def _keep(self, slot: int, kept: Kept, state: SensorState) -> None:
        """Put a state into the columns where it is quiet, beside them where it is not."""
        newest = state.newest
        kept.judged_at = LONG_AGO if state.judged_at is None else state.judged_at
        kept.due = FAR if state.due is None else state.due
        if newest is not None:
            kept.measured_at = newest.measured_at
            kept.temperature = ABSENT_I2 if newest.temperature is None else newest.temperature
            kept.known_until = newest.measured_at + (0 if newest.temperature is None else newest.max_gap_ms)
        self._with_open.discard(slot)
        if newest is None or state.policy is None or not is_quiet(state) or slot in self.awaiting:
            kept.in_machine = 1
            self.machines[slot] = state
            if has_open(state):
                self._with_open.add(slot)
            return
        kept.policy = state.policy
        kept.low, kept.high = self._range(state.policy)
        kept.in_machine = 0
        self.machines.pop(slot, None)


def has_open(state: SensorState) -> bool:
    """Tell whether any band has an open excursion, a recovery under way or not."""
    return any(isinstance(band, Open | Recovering | WindowedOpen) for band in state.bands)


def ended_at(state: SensorState) -> int:
    """Return the end of the assignment that a state has ended with, long ago where none has: the clock may not be that far."""
    return state.judged_at + 1 if state.newest is None and state.judged_at is not None else LONG_AGO
