"""A sensor's defrost profile: entered, learned from readings on real PostgreSQL with its evidence, and taken over by a person alone."""

import json
import random
import subprocess
from collections.abc import Iterator

import pytest

from infra.local.local_stack import LocalStack
from tests.domain.test_defrost_pattern import Freezer, readings
from tests.integration.api_rig import COLDSTREAM
from tests.integration.registry_rig import DAY, World, in_seconds, ms, policy, refused, rows, running_world, sensor, unit

ICY = {"name": "icy", "side": "high", "limit_celsius": -15, "hold_seconds": 900, "role": "operational", "suppress": {"defrost": True}}
WARM = {"name": "warm", "side": "high", "limit_celsius": -10, "hold_seconds": 3_600}
ENTERED = {"period_seconds": 20_000, "peak_celsius": -8.5, "duration_seconds": 2_400}

STORE = """
INSERT INTO readings (sensor_id, measured_at, organization_id, unit_id, assignment_id, policy_version_id, configuration_id, received_after_ms,
  uplink_partition, uplink_offset, temperature, late)
SELECT a.sensor_id, to_timestamp(%(at)s / 1000.0), a.organization_id, a.unit_id, a.id, p.policy_version_id, c.id, 0, 1, 1, %(temperature)s, false
FROM assignments a JOIN unit_policies p USING (unit_id) JOIN sensor_configurations c USING (sensor_id)
WHERE a.sensor_id = %(sensor)s ORDER BY c.effective_at LIMIT 1
"""


@pytest.fixture(scope="module")
def world(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(stack, tmp_path_factory.mktemp("defrosts"), "defrosts_test") as found:
        yield found


def freezer(world: World, days: float = 8) -> int:
    """A sensor in a freezer that has been defrosting every six hours for some days."""
    number = sensor(world, unit=unit(world, policy_version=policy(world, {"bands": [ICY, WARM]})[1]), assigned_from=in_seconds(-20 * DAY))
    series = [row for row in readings(random.Random(number), Freezer(days=days)) if row[1] is not None]
    moved = ms(in_seconds(-60)) - max(at for at, _ in series)
    with world.api.connect() as connection, connection.cursor() as cursor:
        cursor.executemany(STORE.encode(), [{"sensor": number, "at": at + moved, "temperature": value} for at, value in series])
    return number


def run(world: World, *words: object) -> "subprocess.CompletedProcess[str]":
    """Run `coldstream defrosts`."""
    command = [COLDSTREAM, "defrosts", *map(str, words)]
    environment = {"PATH": "/usr/bin:/bin"} | world.api.environment
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def newest(world: World, number: int) -> object:
    return world.ada.get(f"sensors/{number}/registration")["configurations"][-1]["defrost"]


def test_a_profile_is_entered_kept_by_later_versions_and_taken_away_with_null(world: World) -> None:
    number = sensor(world)

    entered = world.ada.post(f"sensors/{number}/configurations", defrost=ENTERED, comment="from the manual")
    again = world.ada.post(f"sensors/{number}/configurations", defrost=ENTERED)
    other = world.ada.post(f"sensors/{number}/configurations", expected_interval_seconds=300)
    kept = newest(world, number)
    taken_away = world.ada.post(f"sensors/{number}/configurations", defrost=None)

    assert (entered.outcome, again.outcome, other.outcome, taken_away.outcome) == ("changed", "unchanged", "changed", "changed")
    assert kept == ENTERED
    assert [one["defrost"] for one in taken_away.item["configurations"]] == [None, ENTERED, ENTERED, None]
    (last, _, first, *_) = world.ada.get(f"registry-changes?kind=sensor&thing={number}")["items"]
    assert (first["action"], first["comment"], first["after"]["defrost_peak_hundredths"]) == ("configured", "from the manual", -850)
    assert "defrost_peak_hundredths" not in last["after"]
    refused(
        world.ada.post(f"sensors/{number}/configurations", defrost=ENTERED | {"period_seconds": 10}),
        400,
        "bad_request",
        "defrost.period_seconds",
    )
    refused(world.bob.post(f"sensors/{number}/configurations", defrost=ENTERED), 404, "not_found")


def test_what_is_learned_comes_with_evidence_and_is_taken_over_as_it_was_seen(world: World) -> None:
    number = freezer(world)

    found = world.rob.get(f"sensors/{number}/defrosts")
    other = world.ada.post(f"sensors/{number}/defrosts/accept", defrost=found["proposal"] | {"peak_celsius": 20})
    accepted = world.ada.post(f"sensors/{number}/defrosts/accept", defrost=found["proposal"], comment="as seen")
    again = world.ada.post(f"sensors/{number}/defrosts/accept", defrost=found["proposal"])

    assert (found["band"], found["why"], found["in_force"]) == ("icy", None, None)
    assert abs(found["evidence"]["period_seconds"] - 21_600) < 600
    refused(other, 409, "proposal_changed", "look again")
    assert (accepted.outcome, accepted.item["configurations"][-1]["defrost"]) == ("changed", found["proposal"])
    assert accepted.item["configurations"][-1]["effective_at"] == accepted.body["effective_at"]
    assert again.outcome == "unchanged"
    (change,) = (
        one for one in world.ada.get(f"registry-changes?kind=sensor&thing={number}")["items"] if one["action"] == "defrost_accepted"
    )
    assert (change["user"], change["comment"], change["after"]["evidence"]["band"]) == ("ada", "as seen", "icy")
    assert change["after"]["evidence"]["explained"] > 20


def test_where_nothing_is_recognised_it_says_why_and_nothing_is_taken_over(world: World) -> None:
    number, unwatched = freezer(world, days=1), sensor(world)

    assert world.ada.get(f"sensors/{number}/defrosts")["why"] == "too_few"
    assert world.ada.get(f"sensors/{number}/defrosts?band=warm")["band"] == "warm"
    refused(world.ada.see(f"sensors/{number}/defrosts?band=cold"), 409, "no_band", "icy, warm")
    refused(world.ada.see(f"sensors/{unwatched}/defrosts"), 409, "no_band", "assign it")
    refused(world.ada.post(f"sensors/{number}/defrosts/accept"), 409, "no_proposal", "too few rises")
    assert newest(world, number) is None


def test_the_command_proposes_for_all_and_takes_over_for_one_that_is_named(world: World) -> None:
    number = freezer(world)

    proposed = run(world, "propose", "--organization", world.ours)
    unnamed = run(world, "accept")
    accepted = run(world, "accept", "--sensor", number, "--comment", "looked at")
    again = run(world, "accept", "--sensor", number, "--period-seconds", 60, "--peak-celsius", -8, "--duration-seconds", 30)

    (line,) = (one for one in map(json.loads, proposed.stdout.splitlines()) if one["sensor"] == number)
    assert unnamed.returncode == 2
    assert accepted.stdout.startswith(f"sensor {number}: taken over, takes effect at "), accepted.stderr
    assert newest(world, number) == line["proposal"]
    assert (again.returncode, "look again" in again.stderr) == (1, True)
    assert rows(world, f"SELECT user_id, comment FROM registry_changes WHERE action = 'defrost_accepted' AND thing_id = {number}") == [
        ("operator", "looked at")
    ]


def test_readers_and_other_tenants_take_nothing_over(world: World) -> None:
    number = freezer(world, days=1)

    refused(world.rob.post(f"sensors/{number}/defrosts/accept"), 403, "forbidden")
    refused(world.bob.post(f"sensors/{number}/defrosts/accept"), 404, "not_found")
    refused(world.bob.see(f"sensors/{number}/defrosts"), 404, "not_found")
