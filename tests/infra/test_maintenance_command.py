"""`coldstream maintenance` names what an order lacks before it asks any database, and shows what became of a window."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.maintenance_shapes import MaintenanceAnswer, MaintenancePreview, RetoldAnswer
from infra.cli import main
from infra.maintenance_words import previewed_lines, table

NINE, TEN, ELEVEN = (datetime(2026, 11, 1, hour, tzinfo=UTC) for hour in (9, 10, 11))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["declare", "--to", "2026-11-01", "--comment", "x"], "name either --unit or --site"),
        (["declare", "--unit", "1", "--site", "1", "--to", "2026-11-01", "--comment", "x"], "name either --unit or --site"),
        (["declare", "--unit", "1", "--to", "tomorrow", "--comment", "x"], "'tomorrow' is no time"),
        (["declare", "--unit", "1", "--to", "2026-11-01"], "Missing option '--comment'"),
        (["end", "--comment", "x"], "name either window or --site"),
        (["declare", "--unit", "1", "--to", "2026-11-01", "--comment", "x"], "DATABASE_URL is not set"),
    ],
)
def test_an_order_that_lacks_something_says_what(words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)

    result = CliRunner().invoke(main, ["maintenance", *words])

    assert result.exit_code == 2
    assert said in result.output


def test_a_window_is_shown_with_who_declared_ended_and_revoked_it_and_why() -> None:
    window = MaintenanceAnswer(
        id=4,
        organization=1,
        site=2,
        unit=3,
        from_=NINE,
        to=TEN,
        declared_to=ELEVEN,
        declared_by="ada",
        declared_at=NINE,
        comment="new fan",
        ended_by="bob",
        ended_at=TEN,
        end_comment="quicker than thought",
        revoked_by="cat",
        revoked_at=ELEVEN,
        revocation_comment="other unit",
    )

    heading, line = table([window])

    assert table([]) == []
    assert heading.split() == ["id", "site", "unit", "from", "to", "by", "because"]
    assert line.split()[:6] == ["4", "2", "3", "2026-11-01T09:00:00Z", "2026-11-01T10:00:00Z", "ada"]
    assert "new fan (until 2026-11-01T11:00:00Z before bob ended it: quicker than thought)" in line
    assert line.endswith("(revoked 2026-11-01T11:00:00Z by cat: other unit)")


def test_a_preview_names_each_excursion_that_would_be_told_otherwise_and_when() -> None:
    change = RetoldAnswer(
        outcome="suppressed",
        sensor=5,
        unit=3,
        band="early",
        started_at=NINE,
        ended_at=ELEVEN,
        opened_before=TEN,
        opened_after=None,
        peak_celsius=9.5,
        exposure_seconds=7_200,
    )

    lines = previewed_lines(MaintenancePreview(units=[3], from_=NINE, to=ELEVEN, judged=40, changes=[change]))

    assert lines[0] == "From 2026-11-01T09:00:00Z to 2026-11-01T11:00:00Z, 1 unit; 40 stored readings were judged."
    assert lines[2].startswith("told no more  5       3     early  2026-11-01T09:00:00Z  2026-11-01T11:00:00Z  2026-11-01T10:00:00Z  never")
    assert lines[2].endswith("9.50 °C  2:00:00")
    assert previewed_lines(MaintenancePreview(units=[3], from_=NINE, to=ELEVEN, judged=0, changes=[]))[1:] == [
        "No excursion would be told otherwise."
    ]
    assert previewed_lines(MaintenancePreview(units=[], from_=None, to=None, judged=0, changes=[])) == ["It stands already just so."]
