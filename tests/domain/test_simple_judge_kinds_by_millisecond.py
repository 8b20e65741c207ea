"""The simple judges of `cumulative`, `mean` and `mkt` against the judge that asks at every millisecond, on random series."""

from collections.abc import Callable
from random import Random
from typing import TypeVar

import pytest

from tests.domain import random_windowed
from tests.domain.millisecond_judge import judge_every_millisecond
from tests.domain.simple_judge import Row, Side
from tests.domain.simple_judge_cumulative import Band as CumulativeBand
from tests.domain.simple_judge_cumulative import judge_cumulative
from tests.domain.simple_judge_mean import Band as MeanBand
from tests.domain.simple_judge_mean import judge_mean
from tests.domain.simple_judge_mkt import Band as MktBand
from tests.domain.simple_judge_mkt import judge_mkt
from tests.domain.simple_judge_signal import Excursion

SEEDS = range(150)

BandT = TypeVar("BandT", CumulativeBand, MeanBand, MktBand)
Judged = tuple[str, list[Excursion], list[Excursion]]
"""(the case in words, what the simple judge found, what every millisecond found)."""


def compared(
    draw: Callable[[Random, str, Side, int | None], BandT],
    judge: Callable[[list[Row], list[list[BandT]], int, int | None], list[Excursion]],
) -> list[Judged]:
    """Judge one random case a seed, twice."""
    found = []
    for seed in SEEDS:
        random = Random(seed)
        versions = random_windowed.versions_of(random, draw)
        case = random_windowed.case(random, len(versions))
        judged = judge(case.rows, versions, case.until, case.assignment_end)
        expected = judge_every_millisecond(case.rows, versions, case.until, case.assignment_end)
        found.append((f"seed {seed}: {versions} {case}", judged, expected))
    return found


@pytest.fixture(scope="module")
def judged_by_kind() -> dict[str, list[Judged]]:
    return {
        "cumulative": compared(random_windowed.cumulative, judge_cumulative),
        "mean": compared(random_windowed.mean, judge_mean),
        "mkt": compared(random_windowed.mkt, judge_mkt),
    }


@pytest.mark.parametrize("kind", ["cumulative", "mean", "mkt"])
def test_simple_judge_agrees_with_every_millisecond(kind: str, judged_by_kind: dict[str, list[Judged]]) -> None:
    for case, found, expected in judged_by_kind[kind]:
        assert found == expected, case


@pytest.mark.parametrize("kind", ["cumulative", "mean", "mkt"])
def test_random_cases_reach_every_kind_of_end(kind: str, judged_by_kind: dict[str, list[Judged]]) -> None:
    excursions = [one for _, found, _ in judged_by_kind[kind] for one in found]

    assert {one["ended_by"] for one in excursions} == {None, "recovery", "policy", "assignment"}
    assert any(one["unknown"] for one in excursions)
