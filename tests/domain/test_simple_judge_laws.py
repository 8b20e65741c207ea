"""The laws of the contract's section 9 that the simple judge must hold itself, on random series."""

from itertools import pairwise
from random import Random
from typing import Any

import pytest

from tests.domain.random_series import Series, random_series
from tests.domain.simple_judge import Excursion, Row, judge

SEEDS = range(500)


def versions_of(series: Series) -> Any:
    """Return a series' policies as the judge of kind `sustained` takes them."""
    return series.versions


def judged(series: Series) -> list[Excursion]:
    """Judge a whole series."""
    return judge(series.rows, versions_of(series), series.until, series.assignment_end)


def _counts_first(row: Row, series: Series) -> bool:
    """Whether a row is the one that stays among those of its time."""
    same = [other for other in series.rows if other[0] == row[0]]
    return row == next((other for other in same if other[1] is not None), same[0])


@pytest.fixture(scope="module")
def cases() -> list[tuple[Series, list[Excursion]]]:
    """Random series beside what the judge finds in them."""
    return [(series, judged(series)) for series in map(random_series, SEEDS)]


def test_random_series_reach_every_kind_of_end(
    cases: list[tuple[Series, list[Excursion]]],
) -> None:
    found = [excursion for _, excursions in cases for excursion in excursions]

    ends = {excursion["ended_by"] for excursion in found}

    assert ends == {None, "recovery", "policy", "assignment"}
    assert any(excursion["unknown"] for excursion in found)
    assert any(excursion["opened_at"] > excursion["started_at"] for excursion in found)


def test_order_of_arrival_and_repetition_change_nothing(
    cases: list[tuple[Series, list[Excursion]]],
) -> None:
    random = Random(1)

    for series, expected in cases:
        rows = list(dict.fromkeys(row for row in series.rows if _counts_first(row, series)))
        random.shuffle(rows)
        again = random.choices(series.rows, k=5) if series.rows else []

        assert judge([*rows, *again], versions_of(series), series.until, series.assignment_end) == expected


def test_times_are_in_order_and_known_and_unknown_add_up(
    cases: list[tuple[Series, list[Excursion]]],
) -> None:
    for series, excursions in cases:
        for one in excursions:
            end = series.until if one["ended_at"] is None else one["ended_at"]

            assert one["started_at"] <= one["opened_at"] <= series.until
            assert one["started_at"] <= end <= (one["closed_at"] or series.until)
            assert one["known"] + one["unknown"] == end - one["started_at"]
            assert 0 <= one["exposure"] <= one["known"]


def test_excursions_of_a_band_do_not_overlap_and_only_the_last_may_be_open(
    cases: list[tuple[Series, list[Excursion]]],
) -> None:
    for _, excursions in cases:
        for left, right in pairwise(excursions):
            if left["band"] == right["band"]:
                assert left["closed_at"] is not None
                assert left["closed_at"] <= right["started_at"]


def test_closed_excursion_depends_on_nothing_after_its_closing(
    cases: list[tuple[Series, list[Excursion]]],
) -> None:
    for series, excursions in cases:
        for one in excursions:
            closed_at = one["closed_at"]
            if closed_at is None:
                continue
            rows = [row for row in series.rows if row[0] <= closed_at]

            assert one in judge(rows, versions_of(series), closed_at, series.assignment_end)
            assert one in judge(
                series.rows,
                versions_of(series),
                series.until + 10**9,
                series.assignment_end,
            )
