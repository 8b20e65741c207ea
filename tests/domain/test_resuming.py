"""A state built from stored rows alone goes on as the one that had judged them all."""

import os
from bisect import bisect_right

from pipelines.domain.evaluate import in_order
from pipelines.domain.excursion_facts import ExcursionClosed, ExcursionOpened, Fact
from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy import Policy
from pipelines.domain.resuming import is_clean, reach_at, resumed
from pipelines.domain.sensor import FRESH, SensorState, on_clock, on_reading
from tests.domain.judged import policy_of
from tests.domain.random_series import random_series

SERIES = int(os.environ.get("COLDSTREAM_RESUMED_SERIES", "600"))
SETTLE_MS = 70 * 61_337

Policies = dict[int, Policy]


def judged(state: SensorState, rows: list[Reading], policies: Policies) -> list[Fact]:
    """Return every fact of some further rows, up to long after the last."""
    facts = list[Fact]()
    for row in rows:
        step = on_reading(state, row, policies)
        state = step.state
        facts += step.facts
    return facts + list(on_clock(state, (state.judged_at or 0) + SETTLE_MS, policies).facts)


def covers(facts: list[Fact], at: int) -> bool:
    """Tell whether an excursion covers an instant, its end included."""
    closed = {(fact.band, fact.opened_at): fact.closed_at for fact in facts if isinstance(fact, ExcursionClosed)}
    opened = [fact for fact in facts if isinstance(fact, ExcursionOpened)]
    return any(fact.started_at <= at <= closed.get((fact.band, fact.opened_at), 1 << 62) for fact in opened)


def of_later(facts: list[Fact], at: int) -> list[Fact]:
    """Return the facts of excursions that start after an instant."""
    return sorted((fact for fact in facts if fact.started_at > at), key=str)


def needed(rows: list[Reading], last: int, policy: Policy) -> list[Reading]:
    """Return the rows up to and at an index that a state there needs."""
    reach = reach_at(policy, rows[last].measured_at)
    assert reach is not None
    first = bisect_right([row.measured_at for row in rows], reach) - 1
    while first > 0 and rows[first].temperature is None:
        first -= 1
    return rows[max(0, first) : last + 1]


def test_a_state_resumed_at_any_clean_reading_goes_on_as_if_everything_had_been_judged() -> None:
    tried = 0
    for seed in range(SERIES):
        series = random_series(seed, "mixed")
        policies = {number: policy_of(policy) for number, policy in enumerate(series.versions)}
        rows = in_order(Reading(at, value, gap, version) for at, value, version, gap in series.rows)
        facts = judged(FRESH, rows, policies)
        for last, row in enumerate(rows):
            if not is_clean(row, policies[row.policy]) or covers(facts, row.measured_at):
                continue
            tried += 1

            state = resumed(needed(rows, last, policies[row.policy]), policies)
            later = judged(state, rows[last + 1 :], policies)

            assert of_later(later, row.measured_at) == of_later(facts, row.measured_at), f"seed {seed}, row {last}"
    assert tried > SERIES


def test_a_reading_that_leaves_a_run_or_a_budget_in_doubt_is_not_clean() -> None:
    band = {"kind": "sustained", "name": "a", "side": "high", "limit": 800, "inclusive": False, "hold": 0, "min_samples": 1}
    sustained = policy_of([{**band, "margin": 50, "recovery_hold": 0}])
    cumulative = {"kind": "cumulative", "name": "b", "side": "high", "limit": 800, "inclusive": False, "budget": 60, "rearm": 0}

    assert is_clean(Reading(0, 750, 10, 1), sustained)
    assert not is_clean(Reading(0, 760, 10, 1), sustained)
    assert not is_clean(Reading(0, None, 10, 1), sustained)
    assert is_clean(Reading(0, 800, 10, 1), policy_of([{**cumulative, "window": 100}]))
    assert not is_clean(Reading(0, 801, 10, 1), policy_of([{**cumulative, "window": 100}]))
    assert not is_clean(Reading(0, 100, 10, 1), policy_of([{**cumulative, "window": None}]))
