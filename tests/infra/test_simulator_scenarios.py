"""Scenarios are files: each packaged one can be read and says what it is for, a fault in one is named, and a seed repeats it."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.commands.simulate import command, plan_of
from infra.demo.show import HISTORY_INTERVAL, LIVE_INTERVAL
from infra.simulator.catalog import FACTS, Model
from infra.simulator.fleet import Mix
from infra.simulator.happenings import What
from infra.simulator.mischief import CLEAN, NAMES, Mischief
from infra.simulator.physics import DAY, MINUTE
from infra.simulator.registry import USUAL, Pace, registry_of
from infra.simulator.scenario import Scenario, ScenarioError, load, names, parse
from infra.simulator.stages import Stage
from infra.simulator.traffic import traffic_of
from infra.simulator.uplink import Uplink

BEGIN = 1_760_000_000_000


def uplinks_of(scenario: Scenario, seconds: int, most: int) -> Iterator[Uplink]:
    """The first uplinks of each of a scenario's first devices."""
    plan = plan_of(scenario, "app", scenario.mischief)
    make = Stage.quick if scenario.quick else Stage.live
    stage = replace(
        make(BEGIN, BEGIN + seconds * 1000, scenario.interval, BEGIN), happenings=plan.happenings_of(history=False), ramp=plan.ramp
    )
    for device in traffic_of(plan.fleet, "app", plan.mischief)[:15]:
        yield from islice(device.uplinks(stage), most)


@pytest.mark.parametrize("name", names())
def test_a_packaged_scenario_can_be_read_and_says_what_it_is_for(name: str) -> None:
    scenario = load(name)

    assert len(scenario.title) > 20
    assert scenario.name == name


@pytest.mark.parametrize("name", names())
def test_the_same_seed_and_scenario_give_the_same_uplinks(name: str) -> None:
    scenario = load(name)

    first, again = (list(uplinks_of(scenario, 1800, 40)) for _ in range(2))
    other = list(uplinks_of(replace(scenario, seed=2), 1800, 40))

    assert first
    assert first == again
    assert first != other


def test_the_scenarios_that_were_promised_are_there() -> None:
    promised = {"quiet", "demo", "busy_site", "gateway_outage", "worst_day", "clock_faults", "garbage", "big_fleet", "deliveries"}

    assert promised <= set(names())


def test_every_happening_happens_in_some_scenario() -> None:
    assert {one.what for name in names() for one in load(name).happenings} == set(What)


def test_every_oddity_occurs_in_the_worst_day() -> None:
    mischief = load("worst_day").mischief

    assert all(getattr(mischief, name) > 0 for name in NAMES)


def test_the_demo_scenario_is_what_the_demo_shows() -> None:
    demo = load("demo")

    assert (demo.units, demo.quick, demo.mischief) == (12, True, Mischief())
    assert (demo.interval, demo.history, demo.history_interval) == (LIVE_INTERVAL, 30 * DAY, HISTORY_INTERVAL)


def test_what_a_file_does_not_name_is_as_without_a_scenario_and_oddities_are_all_or_those_named() -> None:
    empty, none, one = parse("a", ""), parse("a", "[oddities]"), parse("a", "[oddities]\nlosses = 0.5")

    assert empty == Scenario(name="a")
    assert none.mischief == CLEAN
    assert one.mischief == replace(CLEAN, losses=0.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[fleet", "Expected"),
        ("[flet]\nunits = 3", "unknown field `flet`"),
        ("[fleet]\nunits = 0", "units"),
        ("[fleet]\nmix = 'salad'", "salad"),
        ("[oddities]\nlosses = 2", "losses"),
        ("[oddities]\ngremlins = 0.1", "gremlins"),
        ("[pace]\ninterval = 'often'", "no length of time"),
        ("[pace]\ninterval = '1ms'", "may not be below 50 ms"),
        ("[[happenings]]\nwhat = 'flood'\nat = '1m'", "flood"),
        ("[[happenings]]\nwhat = 'silent'\nat = '1m'", "say `for` how long"),
        ("[[happenings]]\nwhat = 'silent'\nat = '-1m'\nfor = '1m'", "at is -1m"),
        ("[[happenings]]\nwhat = 'silent'\nat = '1m'\nfor = '1m'\nsite = 'Atlantis'", "Atlantis"),
        ("[[happenings]]\nwhat = 'silent'\nat = '1m'\nfor = '1m'\nduring = 'lunch'", "lunch"),
        ("[[happenings]]\nwhat = 'silent'\nat = '1m'\nfor = '1m'\nby = '1m'", "a clock is off"),
        ("[[happenings]]\nwhat = 'device_clock'\nat = '1m'\nfor = '1m'", "a clock is off"),
    ],
)
def test_a_fault_in_a_file_is_named(text: str, said: str) -> None:
    with pytest.raises(ScenarioError, match="scenario mine: ") as caught:
        parse("mine", text)

    assert said in str(caught.value)


def test_a_file_is_found_by_its_path_and_a_name_that_is_none_is_answered_with_those_there_are(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("# Two units\n\n[fleet]\nunits = 2\n")

    assert (load(str(mine)).units, load(str(mine)).about) == (2, "Two units")
    with pytest.raises(ScenarioError, match="there are big_fleet, "):
        load("no-such")


def test_the_list_names_each_scenario_with_its_title() -> None:
    result = CliRunner().invoke(command, ["--list"])

    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == names()
    assert "doors that stand open" in result.output


def test_a_scenario_with_a_fault_ends_the_command_before_anything_is_sent(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("[fleet]\nunits = 'many'\n")

    result = CliRunner().invoke(command, ["--scenario", str(bad), "--secret", "s"])

    assert result.exit_code == 2
    assert "scenario bad: " in result.output


def test_each_device_may_send_at_its_model_s_own_interval_and_the_registry_knows() -> None:
    scenario = Scenario(interval=0, mix=Mix.EVERY_MODEL, units=len(Model), mischief=CLEAN)
    fleet = plan_of(scenario, "app", CLEAN).fleet
    stage = Stage.live(BEGIN, BEGIN + DAY, 0, BEGIN)
    registry = registry_of(
        fleet, team_id="t", name="n", application="a", secret="s", valid_from=BEGIN, paces=(Pace.usual(BEGIN, 0, USUAL),)
    )

    for unit, device, spec in zip(fleet.units, traffic_of(fleet, "app", CLEAN), registry.units, strict=True):
        own = FACTS[unit.devices[0].model].interval
        sent = sum(1 for _ in device.uplinks(stage))
        assert abs(sent - DAY // own) <= 2
        assert spec.sensors[0].terms[0].interval_ms == own
        assert spec.sensors[0].terms[0].offline_after_ms >= max(10 * MINUTE, 3 * own)
