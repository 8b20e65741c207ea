"""A sensor's interval, learned from readings on real PostgreSQL: proposed with its evidence, taken over by a person or by the setting."""

import json
import random
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from infra.local.local_stack import LocalStack
from infra.seed import Seeded
from tests.integration.api_rig import COLDSTREAM, DAY, MINUTE, Api, organization, running_api
from tests.integration.registry_rig import Person, put_team

READING = """
INSERT INTO readings (sensor_id, measured_at, organization_id, unit_id, assignment_id, policy_version_id, configuration_id, received_after_ms,
  uplink_partition, uplink_offset, temperature, late)
VALUES (%s, to_timestamp(%s / 1000.0), %s, 1, 1, 1, 1, %s, 1, %s, 400, %s)
"""


@dataclass
class World:
    """Two organizations, whose sensors are registered for a minute and report every 5; Ada manages both."""

    api: Api
    ours: Seeded
    others: Seeded
    ada: Person

    def sensors(self, seeded: Seeded) -> list[int]:
        return sorted(seeded.sensors.values())

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run `coldstream intervals`."""
        command = [COLDSTREAM, "intervals", *words]
        return subprocess.run(
            command, env={"PATH": "/usr/bin:/bin"} | self.api.environment, capture_output=True, text=True, timeout=120, check=False
        )


def report(api: Api, seeded: Seeded, sensor: int, now: int) -> None:
    """Store four days of uplinks every 5 min, a tenth of them lost; each tenth brings six older values a minute apart, and some come late."""
    chance = random.Random(sensor)
    rows = []
    for number in range(4 * DAY // (5 * MINUTE)):
        at = now - 4 * DAY + number * 5 * MINUTE + chance.randint(0, 4_000)
        if chance.random() < 0.1:
            continue
        rows.append((sensor, at, seeded.organization, 450, number, False))
        if number % 10 == 0:
            rows += [(sensor, at - back * MINUTE, seeded.organization, 450 + back * MINUTE, number, True) for back in range(1, 4)]
        if number % 17 == 0:
            rows.append((sensor, at + 7_777, seeded.organization, DAY, 1_000_000 + number, True))
    with api.connect() as connection, connection.cursor() as cursor:
        cursor.executemany(READING, rows)


@pytest.fixture(scope="module")
def world(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    now = int(time.time()) * 1_000
    with running_api(stack, tmp_path_factory.mktemp("api"), "intervals_test") as api:
        with api.connect() as connection:
            ours, others = (organization(connection, number, now - 30 * DAY, units=3) for number in (1, 2))
        for seeded in (ours, others):
            for sensor in sorted(seeded.sensors.values())[:2]:
                report(api, seeded, sensor, now)
        put_team(api, "team-1", ["ada"], ["ada"])
        put_team(api, "team-2", ["ada"], ["ada"])
        put_team(api, "team-3", ["bob"], ["bob"])
        yield World(api, ours, others, Person(api, "ada"))


def test_a_proposal_comes_with_the_evidence_for_it(world: World) -> None:
    sensor = world.sensors(world.ours)[0]

    found = world.ada.get(f"sensors/{sensor}/expected-interval")

    proposal = found["proposal"]
    assert (proposal["interval_seconds"], found["why"], found["in_force_seconds"]) == (300, None, 60)
    assert proposal["gaps"] >= proposal["singles"] > 800
    assert proposal["explained_fraction"] > 0.95
    assert proposal["from"] < proposal["to"]
    assert found["quantiles"]["50"] == pytest.approx(300, abs=5)
    assert sum(one["gaps"] for one in found["histogram"]) == found["gaps"] == found["uplinks"] - 1


def test_a_sensor_of_which_too_little_is_stored_has_no_proposal_and_says_why(world: World) -> None:
    sensor = world.sensors(world.ours)[2]

    assert world.ada.get(f"sensors/{sensor}/expected-interval")["why"] == "too_few"
    refused = world.ada.post(f"sensors/{sensor}/expected-interval/accept")
    assert (refused.status, refused.code) == (409, "no_proposal")
    assert "too few uplinks" in refused.message


def test_what_a_person_takes_over_becomes_a_version_with_its_evidence_in_the_log_of_changes(world: World) -> None:
    sensor = world.sensors(world.ours)[0]

    other = world.ada.post(f"sensors/{sensor}/expected-interval/accept", expected_interval_seconds=600)
    accepted = world.ada.post(f"sensors/{sensor}/expected-interval/accept", expected_interval_seconds=300, comment="seen")
    again = world.ada.post(f"sensors/{sensor}/expected-interval/accept")

    assert (other.status, other.code) == (409, "proposal_changed")
    assert accepted.outcome == "changed"
    newest = accepted.item["configurations"][-1]
    assert (newest["expected_interval_seconds"], newest["max_gap_seconds"], newest["offline_after_seconds"]) == (300, 900, 900)
    assert newest["effective_at"] == accepted.body["effective_at"]
    assert again.outcome == "unchanged"
    (change,) = (
        one for one in world.ada.get(f"registry-changes?kind=sensor&thing={sensor}")["items"] if one["action"] == "interval_accepted"
    )
    assert change["before"]["expected_interval_ms"] == 60_000
    assert change["after"]["expected_interval_ms"] == 300_000
    assert change["after"]["evidence"]["interval_seconds"] == 300
    assert change["comment"] == "seen"


def test_the_command_takes_over_only_where_an_organization_has_said_so(world: World) -> None:
    first, second, _ = world.sensors(world.others)
    number = world.others.organization
    world.ada.post(f"sensors/{first}/configurations", expected_interval_seconds=450)

    before = world.run("accept")
    proposed = world.run("propose", "--organization", str(number))
    setting = world.ada.post(f"organizations/{number}/expected-intervals", accept_by_itself=True)
    after = world.run("accept")
    named = world.run("accept", "--sensor", str(world.sensors(world.ours)[1]))

    assert (before.returncode, before.stdout) == (0, ""), before.stderr
    lines = [json.loads(line) for line in proposed.stdout.splitlines()]
    assert [(line["sensor"], line["proposal"]["interval_seconds"]) for line in lines] == [(first, 300), (second, 300)]
    assert setting.item == {"organization": number, "accept_by_itself": True}
    assert [line.split(":")[0] for line in after.stdout.splitlines()] == [f"sensor {first}"], after.stderr
    assert f"sensor {second}: not taken over: 300 s is proposed and left to a person: it is longer than the 60 s in force." in after.stderr
    assert named.stdout.startswith(f"sensor {world.sensors(world.ours)[1]}: taken over"), named.stderr
    (change,) = (
        one for one in world.ada.get(f"registry-changes?kind=sensor&thing={first}")["items"] if one["action"] == "interval_accepted"
    )
    assert (change["user"], change["comment"]) == ("operator", "learned from its uplinks")


def test_others_see_nothing_and_change_nothing(world: World) -> None:
    bob = Person(world.api, "bob")
    sensor = world.sensors(world.ours)[0]

    assert bob.see(f"sensors/{sensor}/expected-interval").status == 404
    assert bob.see(f"organizations/{world.ours.organization}/expected-intervals").status == 404
    assert bob.post(f"sensors/{sensor}/expected-interval/accept").status in {403, 404}
    assert world.ada.get(f"organizations/{world.ours.organization}/expected-intervals")["accept_by_itself"] is False
