"""What the campaign finds: a fault planted into the product is seen, cut down to a few rows, and printed with what repeats it."""

from collections.abc import Callable
from itertools import count

import pytest

from pipelines.domain.corrections import Overlay
from pipelines.domain.policy import Policy, quiet_range
from pipelines.engine.reviser import Reviser
from tests.truth import fleets, series
from tests.truth.fleets import smallest_like, try_fleet
from tests.truth.printing import printed
from tests.truth.random_fleet import random_fleet
from tests.truth.trying import tried

Try = Callable[[str, int], object]


def first_that_fails(kind: str) -> int:
    """Return the first fleet that is not as the simple implementation says."""
    return next(seed for seed in count() if try_fleet(kind, seed).failed)


def includes_the_limit(band: object) -> None:
    """Derive a band's numbers as if every limit were inclusive: the planted comparison."""
    sign = 1 if band.side.value == "high" else -1  # type: ignore[attr-defined]
    edge = sign * band.limit_hundredths  # type: ignore[attr-defined]
    for name, value in (("sign", sign), ("edge", edge), ("out_from", edge)):
        object.__setattr__(band, name, value)


def test_a_wrong_comparison_is_found_in_a_series_and_cut_down_to_a_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.domain.policy._mirror", includes_the_limit)

    seed = next(seed for seed in count() if series.try_series("sustained", seed).failed)
    words = series.explained("sustained", seed)

    rows = [line for line in words.splitlines() if " max_gap " in line]
    assert 1 <= len(rows) <= 3
    assert "simple judge:" in words
    assert f"again: python -m tests.truth --one-series {seed} --kind sustained" in words


def test_a_wrong_comparison_is_found_in_a_fleet_and_cut_down_to_a_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.domain.policy._mirror", includes_the_limit)

    seed = first_that_fails("sustained")
    smallest = smallest_like(random_fleet(seed, "sustained"), seconds=60)
    words = printed(smallest, tried(smallest).findings)

    assert len(list(smallest.rows)) <= 6
    assert len(smallest.sensors) == 1
    assert '"limit_celsius"' in words
    assert "excursions that stand are others" in words
    assert f"again: python -m tests.truth --fleet {seed} --kind sustained" in words


def test_a_reading_beyond_the_limit_that_the_columns_take_for_quiet_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def wider(policy: Policy) -> tuple[int, int]:
        low, high = quiet_range(policy)
        return low, high + (high < 10_000)

    monkeypatch.setattr("pipelines.engine.sensors.quiet_range", wider)

    result = tried(random_fleet(first_that_fails("sustained"), "sustained"))

    assert [finding.what for finding in result.findings] == ["excursions that stand are others"]


def test_an_answer_that_is_lost_and_never_sent_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Detect goes on opening and never closes: only late readings show it."""
    monkeypatch.setattr("pipelines.engine.shard_logic.Shard.on_answer", lambda _self, _answer: [])

    smallest = smallest_like(random_fleet(first_that_fails("sustained"), "sustained"), seconds=60)

    assert len(list(smallest.rows)) <= 6


def test_a_revision_that_tells_what_changed_no_fact_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.domain.recording.same_facts", lambda _standing, _found: False)

    result = tried(random_fleet(first_that_fails("sustained"), "sustained"))

    assert any("changes nothing" in finding.what for finding in result.findings)


def test_a_revision_that_does_not_look_at_corrections_is_found_and_cut_down_to_one_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.engine.stretches.load_overlay", lambda _connection, _sensor: Overlay())

    smallest = smallest_like(random_fleet(first_that_fails("sustained"), "sustained"), seconds=60)
    words = printed(smallest, tried(smallest).findings)

    assert len(smallest.corrections) == 1
    assert "a person says of sensor" in words
    assert "excursions that stand are others" in words


def test_rows_that_a_restart_judges_again_are_seen_where_they_are_recorded_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    write = Reviser._record

    def forgets_what_stands(self: Reviser, connection: object, revision: object, judgement: object) -> object:
        object.__setattr__(judgement, "current", {})
        return write(self, connection, revision, judgement)  # type: ignore[arg-type]

    monkeypatch.setattr(Reviser, "_record", forgets_what_stands)

    assert tried(random_fleet(first_that_fails("sustained"), "sustained")).findings


def test_what_is_printed_of_a_failure_in_the_table_has_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.domain.policy._mirror", includes_the_limit)

    words = fleets.explained("sustained", first_that_fails("sustained"), seconds=20)

    assert words.splitlines()[0].startswith("fleet ")
