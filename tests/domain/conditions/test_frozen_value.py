"""Frozen values: an hour, seven readings, four changes before, finer than half a degree, twice the longest stretch. Minute:degrees."""

from dataclasses import replace

import pytest

from pipelines.domain.conditions.facts import SameValue
from pipelines.domain.conditions.sensor import on_row
from pipelines.domain.conditions.terms import DEFAULT_TERMS, NO_TERMS, ConditionTerms, FrozenTerms
from tests.domain.conditions.notation import MINUTE, found, judged, on_paper, rows

FROZEN = FrozenTerms(after_ms=60 * MINUTE, readings=7, changes=4, coarse_hundredths=50, times_longest=2)
TERMS = ConditionTerms(battery=None, door=None, frozen=FROZEN, fault=None)

FINE = "0:4.5 10:4.6 20:4.4 30:4.5 40:4.7"
"""Four changes, steps of 0.1, no stretch at all."""


def same(begin: int, end: int, value: str, every: int = 10) -> str:
    """Return one value, from and to a minute."""
    return " ".join(f"{at}:{value}" for at in range(begin, end + 1, every))


def test_a_value_that_stands_still_for_long_although_it_varied_is_frozen() -> None:
    assert found(f"{FINE} {same(50, 100, '5.1')}", TERMS) == []
    assert found(f"{FINE} {same(50, 110, '5.1')}", TERMS) == ["frozen_value + 50 110"]
    assert found(f"{FINE} {same(50, 200, '5.1')} 210:5.11", TERMS) == ["frozen_value + 50 110", "frozen_value - 210 210 recovery"]


@pytest.mark.parametrize(
    ("series", "why"),
    [
        (f"0:4.5 10:4.6 20:4.4 {same(30, 500, '5.1')}", "it is not known to vary"),
        (f"0:4.5 10:5 20:4.5 30:5 40:5.5 {same(50, 500, '5')}", "half a degree is its finest step"),
        (f"{FINE} {same(50, 110, '5.1', 15)}", "too few readings"),
        (f"{FINE} {same(50, 80, '5.1', 5)}", "too short a time"),
        (f"{FINE} {same(50, 90, '5.1')} {same(100, 160, '5.2')}", "it stood still for 40 minutes before"),
        (f"{FINE} 50:5.1 500:5.1 510:5.1 520:5.1 525:5.1 530:5.1 535:5.1", "most of the time is unknown"),
    ],
)
def test_a_sensor_that_may_well_stand_still_is_not_called_frozen(series: str, why: str) -> None:
    assert found(series, TERMS) == [], why


def test_a_coarse_sensor_is_judged_where_its_step_is_allowed() -> None:
    coarse = replace(TERMS, frozen=replace(FROZEN, coarse_hundredths=101))

    assert found(f"0:4.5 10:5 20:4.5 30:5 40:5.5 {same(50, 110, '5')}", coarse) == ["frozen_value + 50 110"]


def test_a_longer_stretch_than_any_before_is_frozen_after_all() -> None:
    series = f"{FINE} {same(50, 90, '5.1')} {same(100, 180, '5.2')}"

    assert found(series, TERMS) == ["frozen_value + 100 180"]


def test_a_frozen_stretch_is_no_measure_of_a_healthy_one() -> None:
    twice = f"{FINE} {same(50, 500, '5.1')} {same(510, 570, '5.2')}"

    assert found(twice, TERMS) == ["frozen_value + 50 110", "frozen_value - 510 510 recovery", "frozen_value + 510 570"]


def test_fault_marks_and_rows_without_a_temperature_change_nothing() -> None:
    series = f"{FINE} {same(50, 80, '5.1')} 85:x 87:,19% {same(90, 110, '5.1')}"

    assert found(series, TERMS) == ["frozen_value + 50 110"]


def test_it_tells_the_value_how_often_and_for_how_long() -> None:
    _, (began,) = judged(rows(f"{FINE} {same(50, 110, '-18.25')}"), TERMS, 200)

    assert began.detail == SameValue(-1_825, 7, 60 * MINUTE)


def test_it_is_not_looked_for_unless_somebody_asks() -> None:
    assert found(f"{FINE} {same(50, 5_000, '5.1')}", DEFAULT_TERMS) == []


def test_terms_that_no_longer_look_for_it_end_it_and_forget() -> None:
    state, _ = judged(rows(f"{FINE} {same(50, 110, '5.1')}"), TERMS, 110)

    state, facts = on_row(state, rows("120:5.1")[0], NO_TERMS)
    again, later = on_row(state, rows("130:5.1")[0], TERMS)

    assert on_paper([*facts, *later]) == ["frozen_value - 120 120 terms"]
    assert again.frozen != state.frozen


@pytest.mark.parametrize(("step", "told"), [(0.06, True), (0.1, False), (0.25, False)])
def test_by_default_a_sensor_of_a_tenth_of_a_degree_or_more_may_stand_still_over_a_weekend(step: float, told: bool) -> None:
    busy = " ".join(f"{at}:{4 + step * (at // 60 % 2):.2f}" for at in range(0, 60 * 60, 15))
    quiet = same(60 * 60, 73 * 60, "5", 15)
    terms = ConditionTerms(battery=None, door=None, frozen=FrozenTerms(), fault=None)

    assert bool(found(f"{busy} {quiet}", terms)) is told
