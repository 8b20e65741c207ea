"""`coldstream simulate` says what is wrong before it posts anything."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.commands.simulate import command, local_secret, paces_of
from infra.simulator.fleet import build_fleet
from infra.simulator.mischief import CLEAN
from infra.simulator.physics import DAY, MINUTE
from infra.simulator.run import Plan, Span

NOW = 1_795_584_000_000


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("API_URL", "DATABASE_URL", "STACK_AUTH_SECRET_SERVER_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert "API_URL" not in os.environ


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


@pytest.mark.parametrize("length", ["30", "d", "1w", "-3d", "1.5h"])
def test_a_length_of_time_needs_a_number_and_a_unit(length: str) -> None:
    result = simulate("--history", length, "--secret", "s")

    assert result.exit_code == 2
    assert "write 30d, 12h, 90m or 45s" in result.output


def test_history_that_would_be_rejected_is_refused() -> None:
    result = simulate("--history", "35d", "--secret", "s")

    assert result.exit_code == 2
    assert "34d at most" in result.output


def test_without_a_secret_or_a_stack_it_says_what_to_do() -> None:
    result = simulate()

    assert result.exit_code == 2
    assert "pass --secret, or start a stack" in result.output


def test_without_an_address_it_says_what_to_do() -> None:
    result = simulate("--secret", "s")

    assert result.exit_code == 2
    assert "pass --url" in result.output


def test_terms_of_the_history_give_way_to_the_live_ones_at_its_end() -> None:
    plan = Plan(build_fleet(3, 1), "app", CLEAN, 2_000, quick=True)

    history, live = paces_of(plan, Span(NOW - 30 * DAY, NOW, 15 * MINUTE), NOW)

    assert history.effective_at < NOW - 30 * DAY
    assert live.effective_at == NOW
    assert (history.max_gap_ms, live.max_gap_ms) == (45 * MINUTE, 6_000)
    assert live.offline_after_ms >= 30_000


def test_the_secret_of_a_local_stack_is_the_same_each_time_and_another_for_each_application() -> None:
    assert local_secret("key", "a") == local_secret("key", "a")
    assert len({local_secret("key", "a"), local_secret("key", "b"), local_secret("other", "a")}) == 3
