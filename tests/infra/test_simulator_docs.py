"""docs/simulator.md has a row for every scenario, oddity, happening, mix and model; none is told of that is not there."""

import re
from pathlib import Path

from infra.simulator.catalog import Model
from infra.simulator.fleet import Mix
from infra.simulator.happenings import What
from infra.simulator.mischief import NAMES
from infra.simulator.scenario import names, parse

TEXT = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
ROWS = set(re.findall(r"^\| `([^`]+)` \|", TEXT, re.MULTILINE))


def test_every_scenario_oddity_happening_and_model_has_a_row_and_every_row_is_one() -> None:
    known = {*names(), *NAMES, *map(str, What), *map(str, Model)}

    assert known == ROWS


def test_every_mix_is_told_of() -> None:
    for mix in Mix:
        assert re.search(rf"\b{mix}\b", TEXT)


def test_the_scenario_in_the_docs_can_be_read() -> None:
    example = TEXT.split("```toml\n")[1].split("```")[0]

    scenario = parse("docs", example)

    assert (scenario.title, scenario.units, scenario.duration) == ("Two sites in trouble", 40, 600_000)
