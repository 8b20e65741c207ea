"""The campaign's parts: what is left out of a list, what is tried, what the table says, and that documents say what bands do."""

import pytest

from pipelines.domain.policy_document import parse_policy
from tests.domain.judged import policy_of
from tests.domain.random_series import KINDS, random_series
from tests.truth.campaign import Report, chunks, explanations, progress, run_campaign, table
from tests.truth.counted import Counted
from tests.truth.documents import document_of
from tests.truth.shrinking import fewer


def test_what_is_left_of_a_failing_list_cannot_be_left_out() -> None:
    tried: list[int] = []

    def fails(items: object) -> bool:
        assert isinstance(items, list)
        tried.append(len(items))
        return {3, 40} <= set(items)

    assert fewer(list(range(64)), fails) == [3, 40]
    assert len(tried) < 100


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_says_what_the_simple_judges_band_says(kind: str) -> None:
    for seed in range(100):
        for bands in random_series(seed, kind).versions:
            assert parse_policy(document_of(bands)) == policy_of(bands)


def test_everything_is_tried_once() -> None:
    seeds: dict[tuple[str, str], list[int]] = {}
    for what, kind, some in chunks(["mean", "mkt"], 600, 25, 3, 2):
        seeds.setdefault((what, kind), []).extend(some)

    assert seeds["series", "mean"] == list(range(600))
    assert sorted(seeds["bytewax", "mean"] + seeds["bytewax", "mkt"]) == [1_000_000, 1_000_001, 1_000_002, 2_000_000, 2_000_001, 2_000_002]
    assert sorted(seeds["fleets", "mean"] + seeds["fleets", "mkt"]) == [*range(1_000_000, 1_000_025), *range(2_000_000, 2_000_025)]


def test_a_small_campaign_agrees_and_says_what_it_did() -> None:
    said: list[str] = []

    report = run_campaign(chunks(["sustained"], 20, 4, 0, 1), 0, said.append)

    assert report.is_clean
    assert list(explanations(report)) == []
    assert "| series | sustained | 20 |" in table(report)
    assert "| fleets | sustained | 4 |" in table(report)
    assert [line.split(":")[0] for line in said] == ["series sustained", "fleets sustained"]


def test_a_campaign_with_a_disagreement_is_not_clean_and_says_so() -> None:
    failed = Counted("mkt", 10, failed=(4,))

    assert not Report({("series", "mkt"): failed}, 1.0).is_clean
    assert progress("series", failed, 20, 2.0) == "series mkt: 10 of 20, 5/s, 2 s left, 1 DISAGREE"
