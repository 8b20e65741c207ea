"""Figures are shown as they were measured, and an area that was not measured stays as it is."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench import report
from tests.bench.figures import AREAS, Figure, markdown_table
from tests.bench.plot import draw, times_better, with_budget
from tests.bench.report import Report, page_with

FIGURE = Figure("store", "readings", "1/s", (90.0, 110.0, 100.0), budget=50.0, baseline=(400.0, 200.0))
REPORT = Report("python -m tests.bench store", "2026-01-01T00:00:00+00:00", "abc1234", "2 x a machine", (FIGURE,))


def test_a_table_stands_between_its_marks_and_nothing_else_changes() -> None:
    page = "# Title\n<!-- store begins -->\nold\n<!-- store ends -->\n<!-- page begins -->\nkept\n<!-- page ends -->\n"

    shown = page_with(page, {"store": "new"})

    assert shown == page.replace("old", "new")


def test_an_area_that_was_not_measured_stays_as_it_is() -> None:
    page = "<!-- store begins -->\nold\n<!-- store ends -->\n"

    assert page_with(page, {}) == page


@pytest.mark.parametrize("page", ["", "<!-- store begins -->\n", "<!-- store ends -->\n"])
def test_a_table_without_marks_is_refused_and_not_lost(page: str) -> None:
    with pytest.raises(ValueError, match="store"):
        page_with(page, {"store": "new"})


def test_the_page_has_marks_for_every_area() -> None:
    text = (Path(__file__).parents[2] / "docs" / "bench.md").read_text()

    shown = page_with(text, {area: f"table of {area}" for area in AREAS})

    assert all(f"table of {area}" in shown for area in AREAS)


def test_min_median_max_budget_and_baseline_are_shown() -> None:
    row = markdown_table([FIGURE]).splitlines()[-1]

    assert row == "| readings, 1/s | 90.0 | 100 | 110 | > 50.0 | 2.00 | 300 | 0.33 |"


def test_what_was_never_heard_has_missed_its_budget() -> None:
    row = markdown_table([replace(FIGURE, values=(1.0, float("nan"), 2.0), at_most=True, baseline=())]).splitlines()[-1]

    assert row.split(" | ")[2] == "none"
    assert row.split(" | ")[5] == "missed"


def test_a_report_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    bare = replace(FIGURE, budget=None, baseline=())
    written = replace(REPORT, figures=(FIGURE, bare))

    written.write(tmp_path / "store.json")

    assert Report.read(tmp_path / "store.json") == written


def test_only_areas_with_a_report_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "KEPT", tmp_path)

    report.save("store", REPORT)

    assert report.kept() == {"store": REPORT}


def test_a_figure_right_of_the_line_is_better_than_its_budget() -> None:
    at_least = replace(FIGURE, budget=50.0, at_most=False)
    at_most = replace(FIGURE, budget=50.0, at_most=True)

    assert times_better(100.0, at_least) == 2.0
    assert times_better(100.0, at_most) == 0.5


def test_only_what_has_a_budget_and_a_value_is_drawn() -> None:
    without = replace(FIGURE, budget=None)
    nothing = replace(FIGURE, values=(0.0,))
    unknown = replace(FIGURE, values=(float("nan"), 1.0))

    assert with_budget([without, FIGURE, nothing, unknown]) == [FIGURE]


def test_the_same_figures_give_the_same_drawing_and_none_gives_none(tmp_path: Path) -> None:
    draw([FIGURE], tmp_path / "one.svg")
    draw([FIGURE, replace(FIGURE, budget=None)], tmp_path / "two.svg")

    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert "store: readings: 100 1/s (&gt; 50.0)" in (tmp_path / "one.svg").read_text()
    with pytest.raises(ValueError, match="budget"):
        draw([], tmp_path / "none.svg")
