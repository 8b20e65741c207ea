"""An excursion is on record under the version that was in force at its instant, however its deadline came to be passed."""

from pipelines.domain.excursion_states import Reading
from pipelines.domain.found import found_of_fact
from pipelines.domain.policy import Policy
from pipelines.domain.policy_document import parse_policy
from pipelines.domain.recording import Found
from pipelines.domain.sensor import FRESH, SensorState, Step, on_clock, on_reading

MINUTE = 60_000
BAND = {"name": "warm", "side": "high", "limit_celsius": 8, "recovery_hold_seconds": 60}
POLICIES: dict[int, Policy] = {1: parse_policy({"bands": [BAND]}), 2: parse_policy({"bands": [{**BAND, "limit_celsius": 9}]})}
PLACE = {"id": 1, "device": 2, "unit": 3, "organization": 4}


def found_by(step: Step, before: SensorState) -> list[Found]:
    """Return the facts of a step as the recorder takes them."""
    return [found_of_fact(fact, step.state, before, PLACE, POLICIES) for fact in step.facts]


def recovering() -> SensorState:
    """Return a sensor that is back in range after an excursion, for less than the recovery hold."""
    warm = on_reading(FRESH, Reading(0, 900, 10 * MINUTE, 1), POLICIES).state
    return on_reading(warm, Reading(5 * MINUTE, 700, 10 * MINUTE, 1), POLICIES).state


def test_a_close_before_the_first_reading_of_a_new_version_is_of_the_old_one_by_the_clock_and_by_the_reading() -> None:
    state = recovering()

    by_clock = found_by(on_clock(state, 8 * MINUTE, POLICIES), state)
    by_reading = found_by(on_reading(state, Reading(9 * MINUTE, 700, 10 * MINUTE, 2), POLICIES), state)

    assert by_clock == by_reading
    assert [(one.policy_version, one.limit, one.closed_at) for one in by_clock] == [(1, 800, 6 * MINUTE)]


def test_a_close_at_the_first_reading_of_a_new_version_is_of_the_new_one() -> None:
    state = recovering()

    (found,) = found_by(on_reading(state, Reading(6 * MINUTE, 700, 10 * MINUTE, 2), POLICIES), state)

    assert (found.policy_version, found.limit, found.closed_at) == (2, 900, 6 * MINUTE)
