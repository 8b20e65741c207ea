"""Wrong clocks: three rejections within 60 minutes, until 90 minutes without. Minutes of receipt, in log order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.conditions.clock_wrong import (
    RIGHT,
    TRANSITIONS,
    Cause,
    ClockState,
    Questioned,
    deadline,
    on_clock,
    on_end,
    on_rejection,
)
from pipelines.domain.conditions.facts import ConditionEnd, ConditionFacts, Rejections
from pipelines.domain.conditions.terms import ClockTerms
from tests.domain.conditions.notation import MINUTE, on_paper

TERMS = ClockTerms(rejections=3, within_ms=60 * MINUTE, quiet_ms=90 * MINUTE)


def judged(minutes: list[int], until: int) -> tuple[ClockState, ConditionFacts]:
    state: ClockState = RIGHT
    facts = ConditionFacts()
    for minute in minutes:
        before, passed = on_clock(state, minute * MINUTE - 1)
        state, found = on_rejection(before, minute * MINUTE, TERMS)
        assert type(state) in TRANSITIONS[type(before), Cause.REJECTION]
        facts += passed + found
    state, found = on_clock(state, until * MINUTE)
    return state, facts + found


@pytest.mark.parametrize(
    ("minutes", "until", "told"),
    [
        ([0, 10], 99, []),
        ([0, 10, 60], 99, []),
        ([0, 10, 59], 99, ["clock_wrong + 0 59"]),
        ([0, 30, 60, 61], 99, ["clock_wrong + 30 61"]),
        ([0, 1, 2], 91, ["clock_wrong + 0 2"]),
        ([0, 1, 2], 92, ["clock_wrong + 0 2", "clock_wrong - 92 92 recovery"]),
        ([0, 1, 2, 92], 181, ["clock_wrong + 0 2"]),
        ([0, 1, 2, 93], 181, ["clock_wrong + 0 2", "clock_wrong - 92 92 recovery"]),
        ([0, 1, 2, 93, 94, 95], 95, ["clock_wrong + 0 2", "clock_wrong - 92 92 recovery", "clock_wrong + 93 95"]),
    ],
)
def test_rejections_within_a_time_begin_it_and_a_time_without_ends_it(minutes: list[int], until: int, told: list[str]) -> None:
    assert on_paper(judged(minutes, until)[1]) == told


def test_it_tells_how_many_uplinks_were_rejected() -> None:
    _, (began, ended) = judged([0, 1, 2, 50, 51], 500)

    assert (began.detail, ended.detail) == (Rejections(3), Rejections(5))


def test_a_stamp_that_goes_back_counts_as_the_newest() -> None:
    state, _ = judged([0, 1, 2], 2)
    before, _ = judged([0, 5], 5)

    later, _ = on_rejection(state, MINUTE, TERMS)
    opened, facts = on_rejection(before, MINUTE, TERMS)

    assert deadline(later) == deadline(state) == 92 * MINUTE
    assert deadline(opened) == 95 * MINUTE
    assert on_paper(facts) == ["clock_wrong + 0 5"]


def test_terms_that_no_longer_judge_it_and_an_assignments_end_end_it() -> None:
    state, _ = judged([0, 1, 2], 2)

    assert on_paper(on_rejection(state, 9 * MINUTE, None)[1]) == ["clock_wrong - 9 9 terms"]
    assert on_paper(on_end(state, 9 * MINUTE, ConditionEnd.ASSIGNMENT)) == ["clock_wrong - 9 9 assignment"]
    assert on_end(RIGHT, 9 * MINUTE, ConditionEnd.ASSIGNMENT) == ()


@given(waits=st.lists(st.integers(0, 100), max_size=20), clocks=st.lists(st.integers(0, 2_000), max_size=10))
def test_clocks_between_change_nothing(waits: list[int], clocks: list[int]) -> None:
    minutes, at = list[int](), 0
    for wait in waits:
        at += wait
        minutes.append(at)
    end = max([at, *clocks])
    expected = judged(minutes, end)

    state: ClockState = RIGHT
    facts = ConditionFacts()
    for minute, is_clock in sorted([*((one, False) for one in minutes), *((one, True) for one in clocks if one not in minutes)]):
        state, found = on_clock(state, minute * MINUTE) if is_clock else on_rejection(state, minute * MINUTE, TERMS)
        facts += found
    state, found = on_clock(state, end * MINUTE)

    assert (state, facts + found) == expected


def test_rejections_are_forgotten_when_none_of_them_can_count_any_more() -> None:
    state, _ = judged([0, 10], 69)

    assert deadline(state) == 70 * MINUTE
    assert on_clock(state, 70 * MINUTE) == (RIGHT, ())


def test_rejections_that_an_older_version_kept_wait_for_the_next_one() -> None:
    state = Questioned((0, 10 * MINUTE))

    assert on_clock(state, 500 * MINUTE) == (state, ())
    assert on_paper(on_rejection(state, 20 * MINUTE, TERMS)[1]) == ["clock_wrong + 0 20"]
