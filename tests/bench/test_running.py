"""One area that fails does not end the others, and only usual runs are kept."""

from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench.figures import Figure

FIGURE = Figure("store", "readings", "1/s", (90.0,))


def measuring(area: str) -> list[Figure]:
    if area == "ingest":
        raise RuntimeError("no wrk")
    return [FIGURE]


def kept_by(words: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[str]]:
    """Return the areas that failed and those that were kept."""
    kept = list[str]()
    monkeypatch.setattr(bench, "write_page", lambda: None)

    def save(area: str, _report: object) -> Path:
        kept.append(area)
        return Path(area)

    monkeypatch.setattr(bench, "save", save)
    failed = bench.measure_each(["ingest", "store"], bench.parser_of().parse_args(words), measuring, lambda _text: None)
    return failed, kept


def test_the_others_are_measured_and_kept_and_the_one_that_failed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept_by([], monkeypatch) == (["ingest"], ["store"])


@pytest.mark.parametrize("words", [["--quick"], ["--repeats", "1"], ["--simulator"], ["--database", "postgresql://x"], ["--no-page"]])
def test_a_run_with_options_is_shown_with_them_and_not_kept(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kept_by(words, monkeypatch) == (["ingest"], [])
    assert capsys.readouterr().out.startswith(f"python -m tests.bench store {' '.join(words)}\n")
