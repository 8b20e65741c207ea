"""What is left of an exposure budget, at best and at worst, and when it will be used up."""

from collections.abc import Sequence

import pytest

from pipelines.domain.budgets import Budget, budgets
from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy import CumulativeBand, Policy, Side
from pipelines.domain.sensor import FRESH, SensorState, on_clock, on_reading

MINUTE = 60_000
HOUR = 60 * MINUTE
START = 1_750_000_000_000

FOUR_HOURS_A_DAY = Policy((CumulativeBand("warm", Side.HIGH, 500, 24 * HOUR, 4 * HOUR),))
TEN_HOURS_IN_ALL = Policy((CumulativeBand("heat", Side.HIGH, 3_000, None, 10 * HOUR, inclusive=True),))


def judged(policy: Policy, readings: Sequence[tuple[int, int | None]], max_gap: int, until: int) -> SensorState:
    """Return the state after readings (ms after START, hundredths), judged up to an instant (ms after START)."""
    state = FRESH
    for at, temperature in readings:
        state = on_reading(state, Reading(START + at, temperature, max_gap, 1), {1: policy}).state
    return on_clock(state, START + until, {1: policy}).state


def budget_of(policy: Policy, readings: Sequence[tuple[int, int | None]], max_gap: int, until: int) -> Budget:
    """Return the only budget as of an instant."""
    (found,) = budgets(judged(policy, readings, max_gap, until), START + until, {1: policy})
    return found


def test_known_time_out_of_range_is_used_and_unknown_time_is_what_may_be_used_at_worst() -> None:
    # 48 min warm, then in range for an hour, then 2 h of silence, of which the last value covers 30 min.
    readings = [(0, 600), (48 * MINUTE, 400), (78 * MINUTE, 400)]

    found = budget_of(FOUR_HOURS_A_DAY, readings, 48 * MINUTE, 246 * MINUTE)

    assert (found.used_ms, found.unknown_ms) == (48 * MINUTE, 120 * MINUTE)
    assert (found.left_ms, found.left_at_worst_ms) == (192 * MINUTE, 72 * MINUTE)
    assert found.used_up_at is None


def test_a_warm_sensor_has_a_forecast_that_counts_what_leaves_the_window() -> None:
    warm = [(at * HOUR, 600) for at in range(3)]
    cold = [(at * HOUR, 400) for at in range(3, 25)]
    warm_again = [(25 * HOUR, 600)]

    found = budget_of(FOUR_HOURS_A_DAY, warm + cold + warm_again, HOUR, 25 * HOUR)

    # Two of the three warm hours are still in the window, and both leave while as much comes: from 27 h on only what comes counts.
    assert found.used_ms == 2 * HOUR
    assert found.used_up_at == START + 29 * HOUR


def test_since_the_assignment_began_nothing_leaves() -> None:
    readings = [(0, 3_000), (4 * HOUR, 2_000), (5 * HOUR, None), (6 * HOUR, 3_100)]

    found = budget_of(TEN_HOURS_IN_ALL, readings, 12 * HOUR, 7 * HOUR)

    assert (found.used_ms, found.unknown_ms) == (5 * HOUR, HOUR)
    assert found.used_up_at == START + 12 * HOUR


def test_where_nothing_is_known_now_there_is_no_forecast() -> None:
    assert budget_of(FOUR_HOURS_A_DAY, [(0, 600)], HOUR, 2 * HOUR).used_up_at is None


def test_a_budget_that_is_used_up_is_an_excursion_and_no_budget() -> None:
    state = judged(FOUR_HOURS_A_DAY, [(at * HOUR, 600) for at in range(5)], HOUR, 5 * HOUR)

    assert budgets(state, START + 5 * HOUR, {1: FOUR_HOURS_A_DAY}) == ()


@pytest.mark.parametrize("gap", [HOUR, 10 * HOUR])
def test_the_budget_is_used_up_when_it_was_forecast(gap: int) -> None:
    warm = [(at * 20 * MINUTE, 600 if at % 3 else 400) for at in range(6)]
    forecast = budget_of(FOUR_HOURS_A_DAY, warm, gap, 100 * MINUTE).used_up_at
    assert forecast is not None
    later = [(at * 20 * MINUTE, 600) for at in range(6, 20)]

    before = judged(FOUR_HOURS_A_DAY, [one for one in warm + later if START + one[0] < forecast], gap, forecast - START - 1)
    after = judged(FOUR_HOURS_A_DAY, [one for one in warm + later if START + one[0] < forecast], gap, forecast - START)

    assert budgets(before, forecast - 1, {1: FOUR_HOURS_A_DAY})
    assert not budgets(after, forecast, {1: FOUR_HOURS_A_DAY})
