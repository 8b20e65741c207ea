"""The shard finds the conditions that the machines find row by row, whatever the batching, repeats and restarts."""

import os
import random
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from pipelines.domain.conditions import sensor as machine
from pipelines.domain.conditions.facts import ConditionFact, ConditionKind
from pipelines.domain.conditions.frozen_value import Varying
from pipelines.domain.conditions.row import ConditionRow
from pipelines.domain.conditions.sensor import FRESH, SensorConditions
from pipelines.domain.conditions.terms import Alert
from pipelines.domain.excursion_states import Reading
from pipelines.domain.partition_clock import PartitionClock, on_tick
from pipelines.domain.sensor import FRESH as FRESH_SENSOR
from pipelines.domain.sensor import SensorState, on_reading
from pipelines.engine.awaiting import Answer
from pipelines.engine.conditions import change_of, reason_of
from pipelines.engine.frozen import FrozenColumns
from pipelines.engine.judgements import ConditionChange, Judged, Output, SettledFact
from pipelines.engine.shard import AWAITING_VERSION, SNAPSHOT_VERSION, KeptConditions, Shard, read_snapshot
from pipelines.engine.shard_table import CONDITION
from schemas.readings import ABSENT_I1, ABSENT_I2, RowFlag, RowKind, Rows, blank_rows, encode_rows
from schemas.reasons import RejectReason, code_of_reason
from tests.engine.random_log import (
    CONDITIONED,
    CONFIGURATIONS,
    POLICIES,
    START_AT,
    TWO_HOLDS,
    cut,
    random_log,
    terms,
    tick,
    with_conditions,
)

SERIES = int(os.environ.get("COLDSTREAM_SHARD_LOGS", "300")) // 3
AT = START_AT
FIELDS_THEN = 7
"""Of a snapshot before there were conditions."""
EVERY = {ConditionKind.BATTERY_LOW, ConditionKind.DOOR_OPEN, ConditionKind.SENSOR_FAULT, ConditionKind.FROZEN_VALUE}
"""Those of a sensor's rows."""


def log_of(seed: int, *, disorder: bool, versions: tuple[int, int] = CONDITIONED) -> list[Rows]:
    """Return a random log in which every condition comes and goes."""
    return with_conditions(random_log(seed, disorder=disorder, versions=versions).rows, seed)


def by_the_machine(rows: Sequence[Rows]) -> tuple[list[ConditionChange], dict[int, SensorConditions]]:
    """Walk the log row by row through the pure machine alone."""
    states: dict[int, SensorConditions] = {}
    assignments: dict[int, int] = {}
    newest: dict[int, Rows] = {}
    found: list[ConditionChange] = []
    clock = PartitionClock()

    def add(facts: Sequence[ConditionFact], sensor: int, offset: int, stamp: int, row: Rows) -> None:
        if not facts:
            return
        place = (int(row["device"][0]), int(row["unit"][0]), int(row["organization"][0]))
        conditions = POLICIES[int(row["policy"][0])].conditions
        alerts = {
            ConditionKind.BATTERY_LOW: conditions.battery,
            ConditionKind.DOOR_OPEN: conditions.door,
            ConditionKind.FROZEN_VALUE: conditions.frozen,
            ConditionKind.SENSOR_FAULT: conditions.fault,
        }
        for fact in facts:
            of = alerts[fact.kind]
            alert = Alert.NONE if of is None else of.alert
            found.append(change_of(fact, as_of=offset, received_at=stamp, sensor=sensor, place=place, alert=alert))

    for row in rows:
        offset, at, stamp, sensor = (int(row[name][0]) for name in ("offset", "measured_at", "received_at", "sensor"))
        if row["kind"][0] == RowKind.TICK:
            clock = on_tick(clock, at)
            for number, before in states.items():
                states[number], facts = machine.on_clock(before, clock.now)
                add(facts, number, offset, at, newest.get(number, row))
            continue
        if row["kind"][0] == RowKind.REJECTED:
            continue
        state = states.setdefault(sensor, FRESH)
        is_end = row["kind"][0] == RowKind.ASSIGNMENT_END
        if not (is_end and sensor in newest) and machine.is_late(state, at):
            continue
        at = machine.instant_of(state, at)
        if is_end:
            states[sensor], facts = machine.on_assignment_end(state, at)
            add(facts, sensor, offset, stamp, newest.get(sensor, row))
            continue
        if assignments.get(sensor, 0) not in {0, int(row["assignment"][0])}:
            state, facts = machine.on_assignment_end(state, at)
            add(facts, sensor, offset, stamp, newest[sensor])
        assignments[sensor] = int(row["assignment"][0])
        newest[sensor] = row
        states[sensor], facts = machine.on_row(state, condition_row(row), POLICIES[int(row["policy"][0])].conditions)
        add(facts, sensor, offset, stamp, row)
    return found, states


def condition_row(row: Rows) -> ConditionRow:
    """Return a row as the machine takes it."""
    configuration = CONFIGURATIONS[int(row["configuration"][0])]
    raw, volts, percent, door = (int(row[name][0]) for name in ("temperature", "battery_millivolts", "battery_percent", "door"))
    return ConditionRow(
        int(row["measured_at"][0]),
        configuration.max_gap_ms,
        raw - configuration.calibration if row["kind"][0] == RowKind.READING else None,
        RejectReason.SENTINEL if row["kind"][0] == RowKind.FAULT else None,
        None if volts == ABSENT_I2 else volts,
        None if percent == ABSENT_I1 else percent,
        None if door == ABSENT_I1 else door == 1,
    )


def changes(outputs: Sequence[Output]) -> list[ConditionChange]:
    """Return the conditions among a shard's outputs, in an order of their own: that among sensors at one offset is of no meaning."""
    found = [fact for one in outputs if isinstance(one, Judged) for fact in one.facts if isinstance(fact, ConditionChange)]
    return sorted(found, key=lambda one: (one.as_of, one.sensor, one.kind, one.band, one.closed_at or one.opened_at, one.closed_at is None))


@pytest.mark.parametrize("disorder", [False, True])
def test_a_shard_finds_the_conditions_that_the_machine_finds_in_any_batches_repeats_and_restarts(disorder: bool) -> None:
    kinds: set[tuple[ConditionKind, str | None]] = set()
    for seed in range(SERIES):
        rows = log_of(seed, disorder=disorder)
        records, chance = [], random.Random(seed)
        for piece in cut(rows, chance, longest=7):
            records.append(encode_rows(piece))
        shard, kept, outputs, index = Shard(3, terms()), None, list[Output](), 0

        while index < len(records):
            if chance.random() < 0.1:
                shard = Shard(3, terms(), kept)  # killed: goes on from the last snapshot, and what it read again is dropped
                known = {(one.as_of, one.sensor, one.kind, one.band, one.closed_at) for one in changes(outputs)}
                again = changes(shard.on_records(records[:index]))
                assert {(one.as_of, one.sensor, one.kind, one.band, one.closed_at) for one in again} <= known
            count = chance.randint(1, 4)
            outputs += shard.on_records(records[max(0, index - 1) : index + count])
            index += count
            if chance.random() < 0.3:
                kept = shard.snapshot()

        found = [one for one in changes(outputs) if one.kind in EVERY]
        assert found == changes([Judged(3, 0, tuple(by_the_machine(rows)[0]))]), seed
        kinds |= {(one.kind, one.ended_by) for one in found}

    assert {kind for kind, _ in kinds} == EVERY
    assert {ended_by for _, ended_by in kinds} >= {None, "recovery", "assignment"}


@pytest.mark.parametrize("disorder", [False, True])
def test_how_sensors_vary_is_learned_by_the_column_as_by_the_machine(disorder: bool) -> None:
    found = learned = 0
    for seed in range(SERIES):
        chance = random.Random(seed)
        rows = random_log(seed, disorder=disorder, versions=CONDITIONED).rows
        for row in rows:
            if row["kind"][0] != RowKind.TICK:
                row["assignment"] = 1 if chance.random() < 0.97 else 2
                row["configuration"] = chance.choice([1, 1, 1, 4])
            if row["kind"][0] == RowKind.READING:
                row["temperature"] = chance.choice([400, 400, 400, 400, 410, 430])
            if row["kind"][0] == RowKind.FAULT:
                row["reason"] = code_of_reason(RejectReason.SENTINEL)
        shard, outputs = Shard(3, terms()), list[Output]()

        for piece in cut(rows, chance, longest=60):
            outputs += shard.on_records([encode_rows(piece)])
            if chance.random() < 0.2:
                shard = Shard(3, terms(), shard.snapshot())

        expected, states = by_the_machine(rows)
        assert [one for one in changes(outputs) if one.kind in EVERY] == changes([Judged(3, 0, tuple(expected))]), seed
        found += sum(one.kind is ConditionKind.FROZEN_VALUE for one in expected)
        kept = read_snapshot(shard.snapshot()).conditions
        assert isinstance(kept, KeptConditions)
        ids = np.frombuffer(kept.sensors, CONDITION)["id"]
        watched = {int(ids[slot]): one.state.frozen for slot, one in kept.watched.items()}
        columns = FrozenColumns(kept.frozen)
        for sensor, state in states.items():
            assert watched.get(sensor, columns.state(sensor)[0]) == state.frozen, (seed, sensor)
            learned += sensor not in watched and isinstance(state.frozen, Varying)
    assert found > SERIES // 3
    assert learned > SERIES


@pytest.mark.parametrize("disorder", [False, True])
def test_what_is_possible_and_whose_clock_is_wrong_does_not_depend_on_batches_or_restarts(disorder: bool) -> None:
    seen: set[tuple[ConditionKind, str | None]] = set()
    for seed in range(SERIES):
        rows = log_of(seed, disorder=disorder, versions=CONDITIONED if seed % 2 else TWO_HOLDS)
        one_by_one, outputs, chance = Shard(3, terms()), list[Output](), random.Random(seed)
        expected = changes([output for row in rows for output in one_by_one.on_records([encode_rows(row)])])
        shard = Shard(3, terms())

        for piece in cut(rows, chance, longest=9):
            outputs += shard.on_records([encode_rows(piece)])
            if chance.random() < 0.2:
                shard = Shard(3, terms(), shard.snapshot())

        assert changes(outputs) == expected, seed
        seen |= {(one.kind, one.ended_by) for one in expected}
    assert {ended_by for kind, ended_by in seen if kind is ConditionKind.POSSIBLE_EXCURSION} >= {None, "recovery"}
    assert {ended_by for kind, ended_by in seen if kind is ConditionKind.CLOCK_WRONG} >= {None, "recovery"}


def row_of(offset: int, at: int, kind: RowKind = RowKind.READING, **values: int) -> Rows:
    """Return a row of sensor 1 under policy 6."""
    row = blank_rows(1)
    row["offset"], row["measured_at"], row["received_at"], row["kind"] = offset, at, at, kind
    row["sensor"] = row["device"] = row["unit"] = row["organization"] = row["assignment"] = row["configuration"] = 1
    row["policy"] = 6
    if kind is RowKind.READING:
        row["temperature"] = 400
    for name, value in values.items():
        row[name] = value
    return row


def judged(*rows: Rows) -> list[tuple[str, int, int | None]]:
    """Return kind, start and end of the conditions a shard finds."""
    outputs = Shard(3, terms()).on_records([encode_rows(row) for row in rows])
    return [(one.kind.value, one.started_at - AT, None if one.ended_at is None else one.ended_at - AT) for one in changes(outputs)]


def test_a_clock_is_wrong_from_a_rejected_uplink_until_it_was_quiet_by_the_partitions_clock() -> None:
    rejected = {"reason": code_of_reason(RejectReason.CLOCK_WRONG)}

    found = judged(row_of(1, AT, RowKind.REJECTED, **rejected), tick(2, AT + 10_999), tick(3, AT + 11_000))

    assert found == [("clock_wrong", 0, None), ("clock_wrong", 0, 9_000)]


def test_an_uplink_of_which_some_history_was_rejected_counts_once_however_many_rows_it_has() -> None:
    flags = int(RowFlag.CLOCK_WRONG | RowFlag.HISTORY)
    shard = Shard(3, terms())

    shard.on_records([encode_rows(row_of(1, AT, flags=flags)), encode_rows(row_of(2, AT + 1, flags=flags | int(RowFlag.REPLAYED)))])
    ended = changes(shard.on_records([encode_rows(tick(3, AT + 20_000))]))

    assert [one.detail.count for one in ended if hasattr(one.detail, "count")] == [1]


def test_a_rejection_after_the_quiet_time_begins_another_condition() -> None:
    rejected = {"reason": code_of_reason(RejectReason.CLOCK_WRONG)}

    found = judged(row_of(1, AT, RowKind.REJECTED, **rejected), row_of(2, AT + 60_000, RowKind.REJECTED, **rejected))

    assert found == [("clock_wrong", 0, None), ("clock_wrong", 0, 9_000), ("clock_wrong", 60_000, None)]


def test_a_fault_of_a_reason_that_this_version_does_not_know_is_a_fault_all_the_same() -> None:
    assert judged(row_of(1, AT, RowKind.FAULT, reason=200)) == [("sensor_fault", 0, None)]
    assert reason_of(200) is RejectReason.NOT_A_NUMBER


def test_a_late_fault_mark_raises_nothing() -> None:
    assert judged(row_of(1, AT + 60_000), row_of(2, AT, RowKind.FAULT, reason=33)) == []


def test_an_end_of_the_assignment_that_is_learnt_of_late_ends_what_stands() -> None:
    fault = row_of(1, AT + 60_000, RowKind.FAULT, reason=33)

    assert judged(fault, row_of(2, AT, RowKind.ASSIGNMENT_END)) == [("sensor_fault", 60_000, None), ("sensor_fault", 60_000, 60_001)]


def test_a_battery_whose_percent_was_only_guessed_is_not_judged() -> None:
    said = [row_of(number, AT + number, battery_percent=5) for number in range(1, 9)]
    guessed = [row_of(number, AT + number, battery_percent=5, flags=int(RowFlag.BATTERY_GUESSED)) for number in range(1, 9)]
    faulty = row_of(9, AT + 9, RowKind.FAULT, reason=33, battery_percent=5, flags=int(RowFlag.BATTERY_GUESSED))

    assert [kind for kind, *_ in judged(*said)] == ["battery_low"]
    assert judged(*guessed) == []
    assert [kind for kind, *_ in judged(*guessed, faulty)] == ["sensor_fault"]


def test_a_sensor_in_no_condition_keeps_nothing_beside_the_columns() -> None:
    shard = Shard(3, terms())

    shard.on_records([encode_rows(row_of(number, AT + number, battery_percent=90, door=0)) for number in range(1, 9)])

    kept = read_snapshot(shard.snapshot()).conditions
    assert isinstance(kept, KeptConditions)
    assert kept.watched == {}
    assert np.frombuffer(kept.sensors, CONDITION)["judged_at"].tolist() == [AT + 8]


def test_a_shard_that_knew_nothing_of_conditions_begins_with_how_far_its_sensors_are_judged() -> None:
    shard = Shard(3, terms())
    shard.on_records([encode_rows(row_of(1, AT + 60_000))])
    older = msgspec.msgpack.encode(msgspec.msgpack.decode(shard.snapshot())[:FIELDS_THEN])
    older = older.replace(bytes([SNAPSHOT_VERSION]), bytes([AWAITING_VERSION]), 1)

    restored = Shard(3, terms(), older)

    assert changes(restored.on_records([encode_rows(row_of(2, AT, RowKind.FAULT, reason=33))])) == []


def waiting_for_a_revision() -> tuple[Shard, list[ConditionChange]]:
    """Return a shard whose sensor has a possible excursion and a late reading, and what it found so far."""
    shard = Shard(3, terms())
    outputs = shard.on_records(
        [
            encode_rows(row)
            for row in (
                row_of(1, AT, temperature=900),
                tick(2, AT + 60_000),
                row_of(3, AT + 50_000, temperature=900),
                row_of(4, AT - 5_000, temperature=400),
                tick(5, AT + 61_000),
            )
        ]
    )
    return shard, changes(outputs)


def answered(shard: Shard, state: SensorState) -> SettledFact:
    """Return what settles when a revision brings a state."""
    outputs = shard.on_answer(Answer(1, 4, AT - 5_000, AT + 59_000, state, None))
    (settled,) = (fact for one in outputs if isinstance(one, Judged) for fact in one.facts if isinstance(fact, SettledFact))
    return settled


def test_what_a_revision_disproves_is_no_longer_possible_and_its_end_is_told_once() -> None:
    shard, found = waiting_for_a_revision()
    recovered = on_reading(FRESH_SENSOR, Reading(AT + 50_000, 400, 7_500, 6), POLICIES).state

    settled = answered(shard, recovered)

    assert [(one.kind, one.closed_at) for one in found] == [(ConditionKind.POSSIBLE_EXCURSION, None)]
    assert settled.possible == ()
    assert changes(shard.on_records([encode_rows(row_of(6, AT + 70_000)), encode_rows(tick(7, AT + 10**8))])) == []


def test_what_is_possible_after_a_revision_is_told_with_its_state_and_ends_as_ever() -> None:
    shard, _ = waiting_for_a_revision()
    pending = on_reading(FRESH_SENSOR, Reading(AT + 10_000, 900, 7_500, 6), POLICIES).state

    settled = answered(shard, pending)

    assert [(one.band, one.started_at - AT) for one in settled.possible] == [("warm", 40_000)]
    (end,) = changes(shard.on_records([encode_rows(row_of(6, AT + 70_000))]))
    assert (end.kind, end.ended_by, end.closed_at) == (ConditionKind.POSSIBLE_EXCURSION, "recovery", AT + 70_000)
