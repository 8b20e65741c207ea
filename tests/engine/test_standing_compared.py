"""What a shard stands in is said once it has passed what was on record when it started."""

from pipelines.domain.conditions.facts import ConditionKind
from pipelines.engine.judgements import Fact, StandingFact
from schemas.readings import RowKind, Rows
from schemas.reasons import RejectReason, code_of_reason
from tests.engine.lone_rows import AT, DEVICE, SECOND, judged, row, ticks

NAMED = 5
"""A policy by which a battery is low after two readings, a door open too long after 10 s, a sensor faulty after two marks."""


def standing(facts: list[Fact]) -> list[StandingFact]:
    """Return what is said of what stands."""
    return [fact for fact in facts if isinstance(fact, StandingFact)]


def rows() -> list[Rows]:
    """Return a log in which every condition of a row begins and stands, and a clock is wrong."""
    fault = code_of_reason(RejectReason.SENTINEL)
    told = [row(second, policy=NAMED, battery_percent=10, door=1) for second in (1, 2)]
    told += [row(second, RowKind.FAULT, policy=NAMED, reason=fault, door=1) for second in (3, 4)]
    told += [row(5, RowKind.REJECTED, policy=6, assignment=0, reason=code_of_reason(RejectReason.CLOCK_WRONG))]
    return [*told, *ticks(5, 13)]


def test_a_shard_that_began_with_nothing_says_what_stands_when_it_has_passed_the_record() -> None:
    (fact,) = standing(judged(rows(), recorded=12)[1])

    assert {one.kind for one in fact.standing} == {
        ConditionKind.BATTERY_LOW,
        ConditionKind.DOOR_OPEN,
        ConditionKind.SENSOR_FAULT,
        ConditionKind.CLOCK_WRONG,
    }
    assert (fact.as_of, fact.until) == (12, AT + 11 * SECOND)
    assert (fact.devices, fact.sensors, fact.unsettled) == (frozenset({DEVICE}), frozenset({1}), frozenset())
    (battery,) = (one for one in fact.standing if one.kind is ConditionKind.BATTERY_LOW)
    assert (battery.started_at, battery.opened_at, battery.closed_at) == (AT + 1 * SECOND, AT + 2 * SECOND, None)


def test_it_says_so_once_and_not_before_it_is_that_far() -> None:
    assert len(standing(judged(rows(), recorded=2)[1])) == 1
    assert standing(judged(rows(), recorded=99)[1]) == []


def test_where_nothing_was_on_record_there_is_nothing_to_compare() -> None:
    assert standing(judged(rows())[1]) == []


def test_a_possible_excursion_stands_too_unless_its_sensor_waits_for_a_revision() -> None:
    warm = [row(0, temperature=900, policy=8), *ticks(0, 20)]
    late = [row(0, temperature=900, policy=8), row(-5, policy=8), *ticks(0, 20)]

    (known,), (waiting,) = (standing(judged(log, recorded=21)[1]) for log in (warm, late))

    assert {one.band for one in known.standing} == {"soon"}
    assert waiting.standing == ()
    assert waiting.unsettled == frozenset({1})
