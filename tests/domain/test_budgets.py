"""What is left of an exposure budget, at best and at worst, and when it will be used up."""

import os
from collections.abc import Sequence

import pytest

from pipelines.domain.budgets import Budget, budgets, budgets_of_rows, cumulative_bands, rows_reach
from pipelines.domain.evaluate import in_order
from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy import CumulativeBand, Policy, Side
from pipelines.domain.sensor import FRESH, SensorState, on_clock, on_reading
from tests.domain.judged import policy_of
from tests.domain.random_series import random_series

SERIES = int(os.environ.get("COLDSTREAM_BUDGET_SERIES", "400"))
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


def needed(rows: list[Reading], policy: Policy, until: int) -> list[Reading]:
    """Return the rows that a budget as of an instant needs, and no more."""
    reach = rows_reach(policy, until)
    readings = [index for index, row in enumerate(rows) if row.temperature is not None and reach is not None and row.measured_at <= reach]
    return rows[readings[-1] if readings else 0 :]


@pytest.mark.parametrize("kind", ["cumulative", "mixed"])
def test_stored_rows_alone_have_the_budgets_of_the_state_that_judged_them_all(kind: str) -> None:
    compared = 0
    for seed in range(SERIES):
        series = random_series(seed, kind)
        policies = {number: policy_of(policy) for number, policy in enumerate(series.versions)}
        rows = list(in_order(Reading(at, value, gap, version) for at, value, version, gap in series.rows))
        for until in (series.until, *(row.measured_at for row in rows[::7])):
            before = [row for row in rows if row.measured_at <= until]
            state = FRESH
            for row in before:
                state = on_reading(state, row, policies).state
            state = on_clock(state, until, policies).state
            expected = {budget.band.name: budget for budget in budgets(state, until, policies)}
            policy = Policy(()) if state.policy is None else policies[state.policy]

            found = {budget.band.name: budget for budget in budgets_of_rows(needed(before, policy, until), until, policies)}

            assert list(found) == ([] if state.policy is None else [band.name for band in cumulative_bands(policy)])
            assert {band: found[band] for band in expected} == expected, f"until {until} of\n{series}"
            compared += len(expected)
    assert compared > SERIES // 2


def test_rows_without_a_reading_have_no_budget() -> None:
    assert budgets_of_rows([], START, {1: FOUR_HOURS_A_DAY}) == ()
    assert budgets_of_rows([Reading(START, None, HOUR, 0)], START, {1: FOUR_HOURS_A_DAY}) == ()


def test_what_rows_may_be_left_out_is_told_by_the_longest_window() -> None:
    both = Policy((*FOUR_HOURS_A_DAY.bands, CumulativeBand("long", Side.HIGH, 500, 48 * HOUR, HOUR)))
    without_window = Policy((*both.bands, *TEN_HOURS_IN_ALL.bands))

    assert rows_reach(both, START) == START - 48 * HOUR
    assert rows_reach(without_window, START) is None


def test_more_used_than_there_was_leaves_nothing() -> None:
    rows = [Reading(START + at * HOUR, 600, HOUR, 1) for at in range(6)]

    (found,) = budgets_of_rows(rows, START + 6 * HOUR - 1, {1: FOUR_HOURS_A_DAY})

    assert (found.used_ms, found.left_ms, found.left_at_worst_ms, found.used_up_at) == (6 * HOUR - 1, 0, 0, None)
