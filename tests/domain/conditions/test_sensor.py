"""All conditions of a sensor together: only the moves of the tables, whatever the clocks, batches, restarts and terms."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.conditions import battery_low, door_open, frozen_value, sensor_fault
from pipelines.domain.conditions.facts import ConditionBegan, ConditionEnd, ConditionEnded, ConditionFact, ConditionFacts, ConditionKind
from pipelines.domain.conditions.row import ConditionRow
from pipelines.domain.conditions.sensor import FRESH, SensorConditions, is_late, next_deadline, on_assignment_end, on_clock, on_row
from pipelines.domain.conditions.terms import NO_TERMS, BatteryTerms, ConditionTerms, DoorTerms, FaultTerms, FrozenTerms
from schemas.reasons import RejectReason
from tests.domain.conditions.notation import MINUTE, judged, on_paper, rows

SHORT = ConditionTerms(
    battery=BatteryTerms(low_percent=20, percent_margin=5, readings=3),
    door=DoorTerms(open_ms=4),
    frozen=FrozenTerms(after_ms=3, readings=2, changes=1, coarse_hundredths=50, times_longest=1),
    fault=FaultTerms(marks=3),
)
AT_ONCE = ConditionTerms(BatteryTerms(low_percent=20, readings=1), DoorTerms(0), SHORT.frozen, FaultTerms(1))
ALL_TERMS = (SHORT, AT_ONCE, NO_TERMS)

_STATE = msgspec.msgpack.Decoder(SensorConditions)
_FACT: msgspec.msgpack.Decoder[ConditionFact] = msgspec.msgpack.Decoder(ConditionFact)

Steps = list[tuple[ConditionRow, ConditionTerms]]
Move = tuple[type, object, type]


@st.composite
def steps(draw: st.DrawFn) -> Steps:
    """Draw rows in order, each with its terms; mostly the same ones."""
    at, found = 0, Steps()
    for _ in range(draw(st.integers(0, 25))):
        at += draw(st.integers(1, 4))
        fault = draw(st.sampled_from([None, None, None, RejectReason.SENTINEL]))
        row = ConditionRow(
            at,
            draw(st.integers(1, 5)),
            None if fault else draw(st.sampled_from([None, 450, 450, 450, 460])),
            fault,
            None,
            draw(st.sampled_from([None, 10, 19, 20, 25])),
            draw(st.sampled_from([None, True, True, False])),
        )
        found.append((row, draw(st.sampled_from([SHORT, SHORT, SHORT, *ALL_TERMS]))))
    return found


def restored(state: SensorConditions) -> SensorConditions:
    """Return the state after a crash."""
    return _STATE.decode(msgspec.msgpack.encode(state))


def moves(before: SensorConditions, row: ConditionRow, terms: ConditionTerms, after: SensorConditions) -> set[Move]:
    """Return the moves that a row made; deadlines before it must have been passed."""
    made: set[Move] = set()
    battery = None if terms.battery is None else battery_low.cause_of(row, terms.battery)
    cause: object = battery_low.Cause.TERMS_ENDED if terms.battery is None else battery
    made.add((type(before.battery), cause, type(after.battery)))
    cause = door_open.Cause.TERMS_ENDED
    if terms.door is not None:
        cause = {None: None, True: door_open.Cause.OPEN, False: door_open.Cause.CLOSED}[row.door_open]
    made.add((type(before.door), cause, type(after.door)))
    cause = frozen_value.Cause.TERMS_ENDED
    if terms.frozen is not None:
        same = isinstance(before.frozen, frozen_value.NoValue) or before.frozen.stretch.value == row.raw_temperature
        cause = None if row.raw_temperature is None else frozen_value.Cause.SAME if same else frozen_value.Cause.OTHER
    made.add((type(before.frozen), cause, type(after.frozen)))
    cause = sensor_fault.Cause.TERMS_ENDED
    if terms.fault is not None:
        reading = None if row.raw_temperature is None else sensor_fault.Cause.READING
        cause = reading if row.fault is None else sensor_fault.Cause.FAULT_MARK
    made.add((type(before.fault), cause, type(after.fault)))
    assert all(one is other for one, cause, other in made if cause is None), "what says nothing moves nothing"
    return {move for move in made if move[1] is not None}


ALLOWED: set[Move] = {
    (before, cause, after)
    for table in (battery_low.TRANSITIONS, door_open.TRANSITIONS, frozen_value.TRANSITIONS, sensor_fault.TRANSITIONS)
    for (before, cause), others in table.items()
    for after in others
}


@given(given_steps=steps())
def test_only_the_moves_of_the_tables_are_made(given_steps: Steps) -> None:
    state = FRESH
    for row, terms in given_steps:
        before, _ = on_clock(state, row.measured_at - 1)
        state, _ = on_row(before, row, terms)
        assert moves(before, row, terms, state) <= ALLOWED


def test_every_move_in_the_tables_is_made() -> None:
    chance = random.Random(8)
    made: set[Move] = set()

    for _ in range(600):
        state, at = FRESH, 0
        for _ in range(20):
            at += chance.randint(1, 4)
            fault = chance.choice([None, None, RejectReason.SENTINEL])
            value = None if fault else chance.choice([None, 450, 450, 460])
            row = ConditionRow(at, 5, value, fault, None, chance.choice([None, 10, 20, 30]), chance.choice([None, True, False]))
            before, _ = on_clock(state, at - 1)
            if type(before.door) is not type(state.door):
                made.add((type(state.door), door_open.Cause.DEADLINE, type(before.door)))
            terms = chance.choice([SHORT, SHORT, SHORT, AT_ONCE, NO_TERMS])
            state, _ = on_row(before, row, terms)
            made |= moves(before, row, terms, state)

    assert made == {move for move in ALLOWED if move[1] not in {one.Cause.ASSIGNMENT_ENDED for one in MACHINES}}


MACHINES = (battery_low, door_open, frozen_value, sensor_fault)


@given(given_steps=steps(), clocks=st.lists(st.integers(0, 110), max_size=12))
def test_clocks_batches_and_restarts_change_nothing(given_steps: Steps, clocks: list[int]) -> None:
    end = max([row.measured_at for row, _ in given_steps] + clocks, default=0)
    plain, expected = FRESH, ConditionFacts()
    for row, terms in given_steps:
        plain, found = on_row(plain, row, terms)
        expected += found
    plain, found = on_clock(plain, end)
    expected += found

    state, facts = FRESH, ConditionFacts()
    by_time = {**dict.fromkeys(clocks), **{row.measured_at: (row, terms) for row, terms in given_steps}}
    for at in sorted(by_time):
        step = by_time[at]
        state, found = on_clock(state, at) if step is None else on_row(state, *step)
        state = restored(state)
        facts += found
    state, found = on_clock(state, end)

    assert (state, facts + found) == (plain, expected)
    assert [_FACT.decode(msgspec.msgpack.encode(fact)) for fact in expected] == list(expected)


@given(given_steps=steps(), until=st.integers(0, 20))
def test_each_kind_begins_and_ends_in_turn_and_its_instants_are_in_order(given_steps: Steps, until: int) -> None:
    state, facts = FRESH, ConditionFacts()
    for row, terms in given_steps:
        state, found = on_row(state, row, terms)
        facts += found
    end = (state.judged_at or 0) + 1 + until
    state, found = on_assignment_end(state, end)
    facts += found

    for kind in ConditionKind:
        of_kind = [fact for fact in facts if fact.kind is kind]
        assert [type(fact) for fact in of_kind] == [ConditionBegan, ConditionEnded] * (len(of_kind) // 2)
        for began, ended in zip(of_kind[::2], of_kind[1::2], strict=True):
            assert isinstance(ended, ConditionEnded)
            assert (began.started_at, began.opened_at) == (ended.started_at, ended.opened_at)
            assert began.started_at <= began.opened_at <= ended.closed_at <= end
            assert began.opened_at <= ended.ended_at <= ended.closed_at
    assert state == SensorConditions(end - 1)


def test_the_end_of_an_assignment_ends_everything_and_the_next_starts_afresh() -> None:
    terms = ConditionTerms(battery=BatteryTerms(readings=1), door=DoorTerms(10 * MINUTE))
    state, _ = judged(rows("0:x,open,1%"), terms, 0)

    state, facts = on_assignment_end(state, 12 * MINUTE)

    assert on_paper(facts) == [
        "door_open + 0 10",
        "battery_low - 12 12 assignment",
        "door_open - 12 12 assignment",
        "sensor_fault - 12 12 assignment",
    ]
    assert not is_late(state, 12 * MINUTE)
    assert next_deadline(state) is None
    assert {fact.ended_by for fact in facts if isinstance(fact, ConditionEnded)} == {ConditionEnd.ASSIGNMENT}


def test_what_is_not_newer_than_the_newest_row_is_late_and_must_not_be_passed_in() -> None:
    state, _ = judged(rows("0:4.5,open"), ConditionTerms(door=DoorTerms(10 * MINUTE)), 10)

    assert is_late(state, 0)
    assert not is_late(state, 1)
    with pytest.raises(AssertionError, match="late"):
        on_row(state, rows("0:4.5")[0], NO_TERMS)


def test_a_door_that_was_closed_in_time_and_is_heard_of_after_the_deadline_is_closed_right_after_it() -> None:
    terms = ConditionTerms(door=DoorTerms(10 * MINUTE))
    state, began = judged(rows("0:4.5,open"), terms, 10)

    state, ended = on_row(state, rows("9:4.5,closed")[0], terms)

    assert on_paper(began) == ["door_open + 0 10"]
    (end,) = ended
    assert isinstance(end, ConditionEnded)
    assert (end.ended_at, end.closed_at) == (10 * MINUTE + 1, 10 * MINUTE + 1)
    assert is_late(state, 9 * MINUTE)
    assert not is_late(state, 9 * MINUTE + 1)
