"""The conditions of one shard's sensors: battery, door, frozen value and fault, judged beside excursions by their own machines.

A row that can move no condition of a sensor in none (no fault mark, no open door, no low battery, nothing that may be frozen)
is taken by the column: it only says how far the sensor is judged, and how it varies (`frozen`). Late rows are not judged at all: what a battery or a door was
hours ago changes nothing now, and no revision looks at it. It must not look at what a revision brought, which comes from another
topic: whatever the batching or the restarts, the same rows and ticks give the same facts.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from pipelines.domain.conditions import sensor as machine
from pipelines.domain.conditions.battery_low import Charged
from pipelines.domain.conditions.door_open import Closed
from pipelines.domain.conditions.facts import ConditionBegan, ConditionFact, ConditionKind
from pipelines.domain.conditions.frozen_value import Frozen
from pipelines.domain.conditions.row import ConditionRow
from pipelines.domain.conditions.sensor import SensorConditions
from pipelines.domain.conditions.sensor_fault import Believed
from pipelines.domain.conditions.standing import standing_of_sensor
from pipelines.domain.conditions.terms import Alert, ConditionTerms
from pipelines.engine.condition_limits import ConditionLimits
from pipelines.engine.frozen import FrozenColumns, FrozenRows
from pipelines.engine.judgements import ConditionChange, Fact
from pipelines.engine.sensor_batch import ASSIGNMENT_END, FAULT, READING, Line, before, stable_order
from pipelines.engine.shard_table import CONDITION, FAR, LONG_AGO, Slots, Table
from pipelines.engine.terms import Terms
from pipelines.engine.ticks import Ticks
from schemas.readings import ABSENT_I1, ABSENT_I2, RowFlag, RowKind, Rows
from schemas.reasons import RejectReason, is_known, reason_of_code

ANCILLARY: Final = int(RowKind.ANCILLARY)
BATTERY_GUESSED: Final = int(RowFlag.BATTERY_GUESSED)
BEFORE_BATCH: Final = -1

Positions = npt.NDArray[np.intp]
"""Of rows in a batch."""


class Watched(msgspec.Struct, array_like=True):
    """A sensor of which a condition stands or may come: its state, and the place and terms of its newest row."""

    state: SensorConditions
    device: int = 0
    unit: int = 0
    organization: int = 0
    assignment: int = 0
    policy: int = 0


class Conditions:
    """The conditions of the sensors of one shard."""

    def __init__(self, content: bytes, watched: dict[int, Watched], frozen: bytes, terms: Terms) -> None:
        """Start from a snapshot's bytes and the sensors watched by slot, empty for none."""
        self._table = Table(CONDITION, content)
        self.frozen = FrozenColumns(frozen)
        self.watched = dict(watched)
        self._terms = terms
        self._limits = ConditionLimits(terms)
        self._behind: dict[int, int] = {}
        """Position of the newest row in this batch of each sensor that was stepped through."""
        self._due_from = LONG_AGO
        """No deadline is before this; found anew once the clock reaches it."""

    def content(self) -> bytes:
        """Return the bytes for a snapshot."""
        return self._table.content()

    def take_over(self, sensors: npt.NDArray[np.int32], judged_at: npt.NDArray[np.int64]) -> None:
        """Begin with how far sensors are judged, where a snapshot knew nothing of conditions."""
        slots, _ = self._table.slots(sensors)
        self._table.rows["judged_at"][slots] = judged_at

    def on_rows(self, rows: Rows, ticks: Ticks, facts: list[Fact]) -> None:
        """Judge a batch: add what began or ended to `facts`."""
        self._behind.clear()
        kind = np.ascontiguousarray(rows["kind"])
        is_told = ((kind <= ANCILLARY) & (rows["sensor"] > 0)) | (kind == ASSIGNMENT_END)
        told = np.flatnonzero(is_told)
        if len(told):
            self._limits.prepare(rows["policy"][told])
            self._judge(rows, told, self._may_move(rows, kind, is_told), ticks, facts)
        if len(ticks.positions):
            self._pass_deadlines(ticks, facts)

    def _judge(self, rows: Rows, told: Positions, moving: Positions, ticks: Ticks, facts: list[Fact]) -> None:
        """Judge the rows that tell anything; `moving` are those that may move a condition of a sensor that is in none."""
        sensors = rows["sensor"][told]
        slots, added = self._table.slots(sensors)
        table = self._table.rows
        table["judged_at"][added] = LONG_AGO
        at = rows["measured_at"][told] - (rows["kind"][told] == ASSIGNMENT_END)
        looks = self._limits.any_looks or len(self.frozen) > 0
        if not (len(moving) or self.watched or looks):
            self._judged(slots, at)
            return
        touched = np.zeros(len(table), dtype=np.bool_)
        touched[self._table.find(rows["sensor"][moving])] = True
        if self.watched:
            touched[list(self.watched)] = True
        if looks:
            self._look_for_frozen(rows, told, slots, touched)
        walked = touched[slots]
        self._judged(slots[~walked], at[~walked])
        loud = np.flatnonzero(walked)
        if len(loud):
            self._walk_all(rows, told[loud], slots[loud], ticks, facts)

    def _judged(self, slots: Slots, at: npt.NDArray[np.int64]) -> None:
        """Say how far sensors are judged that nothing has moved."""
        judged_at = self._table.rows["judged_at"]
        judged_at[slots] = np.maximum(judged_at[slots], at)
        missed = judged_at[slots] < at  # of several rows of a sensor the last in the log need not be the newest
        if missed.any():
            np.maximum.at(judged_at, slots[missed], at[missed])

    def _may_move(self, rows: Rows, kind: npt.NDArray[np.uint8], is_told: npt.NDArray[np.bool_]) -> Positions:
        """Return where the rows are that may move a condition of a sensor that is in none (a few too many, never too few)."""
        limits = self._limits
        # Without a sign what is absent is above every limit.
        percent, millivolts = rows["battery_percent"].view(np.uint8), rows["battery_millivolts"].view(np.uint16)
        surely = (kind == FAULT) | (rows["door"] == 1)
        found = np.flatnonzero(is_told & (surely | (percent < limits.highest_percent) | (millivolts < limits.highest_millivolts)))
        policy = rows["policy"][found]
        moving = surely[found] | (millivolts[found] < limits.millivolts[policy])
        moving |= (percent[found] < limits.percent[policy]) & (rows["flags"][found] & BATTERY_GUESSED == 0)
        return np.asarray(found[moving], dtype=np.intp)

    def _look_for_frozen(self, rows: Rows, told: Positions, slots: Slots, touched: npt.NDArray[np.bool_]) -> None:
        """Learn how sensors vary that are looked at; those whose value may be frozen, or whose learning ends, are touched."""
        policy, kind = rows["policy"][told], rows["kind"][told]
        is_looked_at = self._limits.looks[policy] & (kind != ASSIGNMENT_END)
        sensors = rows["sensor"][told]
        known = self.frozen.assignments(sensors)
        has_looks = np.zeros(len(touched), dtype=np.bool_)
        has_looks[slots[is_looked_at]] = True
        ends = ~is_looked_at | (rows["assignment"][told] != known)
        touched[slots[ends & (known > 0)]] = True
        touched[slots[~is_looked_at & has_looks[slots]]] = True
        index = np.flatnonzero(is_looked_at & ~touched[slots])
        index = index[stable_order(slots[index], len(touched))]
        if not len(index):
            return
        # A sensor with any row out of order, or of two assignments, is stepped through as a whole.
        of, at = slots[index], rows["measured_at"][told[index]]
        starts = np.flatnonzero(np.concatenate([[True], of[1:] != of[:-1]]))
        disorder = at <= before(at, starts, self._table.rows["judged_at"][of[starts]])
        assignment = rows["assignment"][told[index]]
        disorder |= assignment != before(assignment, starts, assignment[starts])
        touched[of[disorder]] = True
        index = index[(kind[index] == READING) & (rows["temperature"][told[index]] != ABSENT_I2) & ~touched[of]]
        if not len(index):
            return
        chosen = rows[told[index]]
        configurations = self._terms.configurations
        configurations.prepare(chosen["configuration"])
        values = chosen["temperature"] - configurations.calibration[chosen["configuration"]]
        gaps = configurations.max_gap_ms[chosen["configuration"]]
        taken = FrozenRows(chosen["sensor"], chosen["assignment"], chosen["measured_at"], values, gaps, chosen["policy"])
        touched[slots[index[self.frozen.take(taken, self._limits.frozen[taken.policies])]]] = True

    def _walk_all(self, rows: Rows, positions: Positions, slots: Slots, ticks: Ticks, facts: list[Fact]) -> None:
        order = stable_order(slots, len(self._table))
        positions, slots = positions[order], slots[order]
        lines = [Line._make(row) for row in rows[positions].tolist()]
        starts = np.flatnonzero(np.concatenate([[True], slots[1:] != slots[:-1]])).tolist()
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            self._walk(int(slots[start]), zip(positions[start:end].tolist(), lines[start:end], strict=True), ticks, facts)

    def _walk(self, slot: int, lines: Iterable[tuple[int, Line]], ticks: Ticks, facts: list[Fact]) -> None:
        """Go through one sensor's rows in order."""
        watched = self.watched.get(slot)
        if watched is None:
            judged_at = int(self._table.rows["judged_at"][slot])
            frozen, assignment = self.frozen.state(int(self._table.rows["id"][slot]))
            state = SensorConditions(None if judged_at == LONG_AGO else judged_at, frozen=frozen)
            watched = Watched(state, assignment=assignment)
        behind = BEFORE_BATCH
        for position, line in lines:
            self._pass_deadline(slot, watched, behind, position, ticks, facts)
            self._take(slot, watched, line, facts)
            behind = position
        self._behind[slot] = behind
        self._keep(slot, watched)

    def _take(self, slot: int, watched: Watched, line: Line, facts: list[Fact]) -> None:
        """Judge one row under the terms it is stamped with, unless it is late."""
        is_end = line.kind == ASSIGNMENT_END
        # An end that is learnt of late ends what stands all the same.
        if not (is_end and line.assignment == watched.assignment) and machine.is_late(watched.state, line.measured_at):
            return
        at = machine.instant_of(watched.state, line.measured_at)
        if is_end or watched.assignment not in {0, line.assignment}:
            watched.state, found = machine.on_assignment_end(watched.state, at)
            self._found(slot, watched, found, line.offset, line.received_at, facts)
        if is_end:
            return
        watched.device, watched.unit, watched.organization = line.device, line.unit, line.organization
        watched.assignment, watched.policy = line.assignment, line.policy
        watched.state, found = machine.on_row(watched.state, self._row(line), self._terms_of(line.policy))
        self._found(slot, watched, found, line.offset, line.received_at, facts)

    def _row(self, line: Line) -> ConditionRow:
        configurations = self._terms.configurations
        is_reading = line.kind == READING and line.temperature != ABSENT_I2
        return ConditionRow(
            measured_at=line.measured_at,
            max_gap_ms=configurations.max_gap_of(line.configuration),
            raw_temperature=line.temperature - configurations.calibration_of(line.configuration) if is_reading else None,
            fault=reason_of(line.reason) if line.kind == FAULT else None,
            battery_millivolts=None if line.battery_millivolts == ABSENT_I2 else line.battery_millivolts,
            battery_percent=None if line.battery_percent == ABSENT_I1 or line.flags & BATTERY_GUESSED else line.battery_percent,
            door_open=None if line.door == ABSENT_I1 else line.door == 1,
        )

    def _pass_deadlines(self, ticks: Ticks, facts: list[Fact]) -> None:
        """Pass, at the batch's end, the deadlines that its ticks have reached."""
        if ticks.after.now < self._due_from:
            return
        due_from = FAR
        for slot, watched in list(self.watched.items()):
            self._pass_deadline(slot, watched, self._behind.get(slot, BEFORE_BATCH), None, ticks, facts)
            self._keep(slot, watched)
            due = machine.next_deadline(watched.state)
            due_from = due_from if due is None else min(due_from, due)
        self._due_from = due_from

    def _pass_deadline(self, slot: int, watched: Watched, behind: int, before: int | None, ticks: Ticks, facts: list[Fact]) -> None:
        """Pass the deadline that a tick between two positions has reached first; there is at most one between two rows."""
        due = machine.next_deadline(watched.state)
        if due is None or due > ticks.after.now:
            return
        index = ticks.first_reaching(due, behind)
        if index is None or (before is not None and ticks.positions[index] >= before):
            return
        watched.state, found = machine.on_clock(watched.state, int(ticks.clocks[index]))
        self._found(slot, watched, found, int(ticks.offsets[index]), int(ticks.stamps[index]), facts)

    def _found(self, slot: int, watched: Watched, found: Iterable[ConditionFact], as_of: int, received_at: int, facts: list[Fact]) -> None:
        for fact in found:
            facts.append(
                change_of(
                    fact,
                    as_of=as_of,
                    received_at=received_at,
                    sensor=int(self._table.rows["id"][slot]),
                    place=(watched.device, watched.unit, watched.organization),
                    alert=alert_of(self._terms_of(watched.policy), fact.kind),
                )
            )

    def sensors(self) -> list[int]:
        """Return the sensors of which anything was judged."""
        known: list[int] = self._table.rows["id"].tolist()
        return known

    def standing(self, as_of: int, received_at: int) -> list[ConditionChange]:
        """Return what sensors stand in."""
        facts: list[Fact] = []
        for slot, watched in self.watched.items():
            self._found(slot, watched, standing_of_sensor(watched.state), as_of, received_at, facts)
        return [fact for fact in facts if isinstance(fact, ConditionChange)]

    def _keep(self, slot: int, watched: Watched) -> None:
        """Keep a sensor's state beside the columns where it is in, or near, a condition."""
        state = watched.state
        self._table.rows["judged_at"][slot] = LONG_AGO if state.judged_at is None else state.judged_at
        if is_in_none(state):
            assert not isinstance(state.frozen, Frozen)
            self.frozen.put(int(self._table.rows["id"][slot]), watched.assignment, state.frozen)
            self.watched.pop(slot, None)
            return
        self.watched[slot] = watched
        due = machine.next_deadline(state)
        if due is not None:
            self._due_from = min(self._due_from, due)

    def _terms_of(self, policy: int) -> ConditionTerms:
        return self._terms.policies[policy].conditions


def is_in_none(state: SensorConditions) -> bool:
    """Tell whether a sensor is in no condition, and near none."""
    return (
        isinstance(state.battery, Charged)
        and isinstance(state.door, Closed)
        and isinstance(state.fault, Believed)
        and not isinstance(state.frozen, Frozen)
        and state.newest_at is None
    )


def reason_of(code: int) -> RejectReason:
    """Return why a value was not believed; a reason of a newer version of the code is taken as the most general one."""
    return reason_of_code(code) if is_known(code) else RejectReason.NOT_A_NUMBER


def alert_of(terms: ConditionTerms, kind: ConditionKind) -> Alert:
    """Return who is told of a condition; of one that is no longer judged only its end is left to tell, as its beginning was."""
    match kind:
        case ConditionKind.BATTERY_LOW:
            one: object = terms.battery
        case ConditionKind.DOOR_OPEN:
            one = terms.door
        case ConditionKind.FROZEN_VALUE:
            one = terms.frozen
        case ConditionKind.SENSOR_FAULT:
            one = terms.fault
        case ConditionKind.CLOCK_WRONG:
            one = terms.clock
        case ConditionKind.POSSIBLE_EXCURSION:
            one = terms.possible
    return getattr(one, "alert", Alert.NONE)


def change_of(
    fact: ConditionFact, *, as_of: int, received_at: int, sensor: int, place: tuple[int, int, int], alert: Alert, band: str = ""
) -> ConditionChange:
    """Return a machine's fact as the recorder takes it; `place` is device, unit and organization."""
    device, unit, organization = place
    ended = None if isinstance(fact, ConditionBegan) else fact
    return ConditionChange(
        as_of=as_of,
        received_at=received_at,
        kind=fact.kind,
        device=device,
        sensor=sensor,
        unit=unit,
        organization=organization,
        band=band,
        alert=alert,
        started_at=fact.started_at,
        opened_at=fact.opened_at,
        ended_at=None if ended is None else ended.ended_at,
        closed_at=None if ended is None else ended.closed_at,
        ended_by=None if ended is None else ended.ended_by.value,
        detail=fact.detail,
    )
