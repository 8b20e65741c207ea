"""`coldstream corrections` refuses what cannot be an order before it asks any database."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.cli import main


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["corrections", *words])


def test_a_time_that_cannot_be_read_is_shown_with_one_that_can() -> None:
    result = run("preview", "flag", "--sensor", "5", "--from", "yesterday")

    assert result.exit_code == 2
    assert "'yesterday' is no time: write it as 2026-11-25T04:22:00Z" in result.output


def test_a_calibration_that_is_no_number_is_refused() -> None:
    result = run("preview", "calibration", "--sensor", "5", "--celsius", "nan", "--from", "2026-11-01")

    assert result.exit_code == 2
    assert "calibration_celsius" in result.output


def test_an_order_in_form_asks_for_the_database() -> None:
    result = run("preview", "calibration", "--sensor", "5", "--celsius", "-0.2", "--from", "2026-11-01T10:00+01:00")

    assert (result.exit_code, result.output) == (2, "Error: DATABASE_URL is not set\n")


def test_what_is_made_must_say_why_and_what_is_previewed_need_not() -> None:
    assert "Missing option '--comment'" in run("make", "end", "--sensor", "5", "--from", "2026-11-01").output
    assert "No such option" in run("preview", "end", "--sensor", "5", "--from", "2026-11-01", "--comment", "x").output
