"""docs/reference.md has a row for every topic, table, metric, command and setting, and a missing one is caught."""

from pathlib import Path

from pipelines.connectors import metrics
from tests.golden.reference import REFERENCE_PAGE, metrics_defined, reference_page, settings_read


def test_the_reference_is_that_of_the_code() -> None:
    assert REFERENCE_PAGE.read_text(encoding="utf-8") == reference_page(), "run `make golden` and read the diff"


def test_every_metric_is_in_the_reference_by_its_scraped_name() -> None:
    source = Path(metrics.__file__).read_text(encoding="utf-8")

    names = [name for name, *_ in metrics_defined()]

    assert len(names) == source.count('"coldstream_')
    assert all(f'"{name}"' in source for name in names)


def test_a_planted_setting_makes_the_reference_stale(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "planted.py").write_text('from x import setting\nVALUE = setting("PLANTED", "7")\n')

    assert [(one.name, one.defaults, one.files) for one in settings_read(tmp_path)] == [("PLANTED", ("'7'",), ("api/planted.py",))]
    assert REFERENCE_PAGE.read_text(encoding="utf-8") != reference_page(tmp_path)
