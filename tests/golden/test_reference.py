"""docs/reference.md has a row for every topic, table, metric, command and setting, and a missing one is caught."""

from pathlib import Path

import click

from infra.cli import main
from pipelines.connectors import metrics
from tests.golden.reference import REFERENCE_PAGE, ROOT, meanings, metrics_defined, reference_page, settings_read
from tests.golden.reference_commands import commands


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


def test_every_setting_has_a_meaning_in_the_reference() -> None:
    known = meanings()

    assert [one.name for one in settings_read(ROOT) if one.name not in known] == []


def test_every_option_of_every_command_is_in_the_reference() -> None:
    page = REFERENCE_PAGE.read_text(encoding="utf-8")

    found = list(commands(main, click.Context(main, info_name="coldstream")))

    assert {"coldstream decode", "coldstream evaluate", "coldstream flow"} <= {name for name, _, _ in found}
    for name, command, context in found:
        part = page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        options = [option for one in command.get_params(context) if isinstance(one, click.Option) for option in one.opts]
        assert [option for option in options if option not in part and option not in {"-h", "--help"}] == [], name
