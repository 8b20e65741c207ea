"""The registry is seeded as described, however often, and by the million."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from infra.local.local_stack import LocalStack
from infra.seed import FleetSpec, Registry, Rule, SensorSpec, SiteSpec, Terms, UnitSpec, seed_fleet, seed_registry
from migrations import runner

DAY = 86_400_000
BEGIN = 1_760_000_000_123
DOCUMENT = {"bands": [{"name": "warm", "side": "high", "limit_celsius": 8, "hold_seconds": 900, "min_samples": 2}]}
LATER = {"bands": [{"name": "warm", "side": "high", "limit_celsius": 8, "hold_seconds": 10, "min_samples": 2}]}
TERMS = Terms(BEGIN, 900_000, 2_700_000, 3_600_000)

REGISTRY = Registry(
    team_id="seed-team",
    name="Seeded",
    application="seed-app",
    secret="s" * 43,
    sites=(SiteSpec("Zurich", "Europe/Zurich"),),
    units=(
        UnitSpec(
            "Zurich",
            "Fridge 1",
            "refrigerator",
            (Rule("fridge", DOCUMENT, BEGIN), Rule("fridge", LATER, BEGIN + DAY)),
            (SensorSpec("A840410000000001", (TERMS, replace(TERMS, effective_at=BEGIN + DAY))),),
        ),
    ),
    valid_from=BEGIN,
)


@pytest.fixture(scope="module")
def connection(stack: LocalStack) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(stack.database_url, autocommit=True) as first:
        first.execute("DROP DATABASE IF EXISTS seed_test")
        first.execute("CREATE DATABASE seed_test")
    url = stack.database_url.rpartition("/")[0] + "/seed_test"
    runner.upgrade(url)
    with psycopg.connect(url, autocommit=True) as opened:
        yield opened


def number(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_seeding_twice_changes_nothing(connection: psycopg.Connection[Any]) -> None:
    first = seed_registry(connection, REGISTRY)
    before = number(connection, "SELECT count(*) FROM unit_policies") + number(connection, "SELECT count(*) FROM policy_versions")

    second = seed_registry(connection, REGISTRY)

    after = number(connection, "SELECT count(*) FROM unit_policies") + number(connection, "SELECT count(*) FROM policy_versions")
    assert first == second
    assert before == after == 4


def test_instants_are_kept_to_the_millisecond(connection: psycopg.Connection[Any]) -> None:
    seed_registry(connection, REGISTRY)

    begun = number(connection, "SELECT (extract(epoch FROM min(valid_from)) * 1000)::bigint FROM assignments")

    assert begun == BEGIN


def test_only_the_digest_of_the_secret_is_stored(connection: psycopg.Connection[Any]) -> None:
    seed_registry(connection, REGISTRY)

    found = number(
        connection,
        "SELECT count(*) FROM application_secrets WHERE secret_sha256 = sha256(convert_to(repeat('s', 43), 'UTF8'))",
    )

    assert found == 1


@pytest.mark.parametrize("sensors", [7, 30_000])
def test_a_fleet_has_consecutive_ids_and_is_found_again(connection: psycopg.Connection[Any], sensors: int) -> None:
    spec = FleetSpec(sensors, DOCUMENT, BEGIN, team_id=f"fleet-{sensors}", secret=f"secret-{sensors}", sites=3)

    fleet = seed_fleet(connection, spec)
    again = seed_fleet(connection, spec)

    row = connection.execute(
        "SELECT d.dev_eui, a.unit_id, a.id, c.id FROM sensors s JOIN devices d ON d.id = s.device_id JOIN assignments a ON a.sensor_id = s.id "
        "JOIN sensor_configurations c ON c.sensor_id = s.id WHERE s.id = %s",
        (fleet.first_sensor + 5,),
    ).fetchone()
    assert fleet == again
    assert row == (fleet.dev_eui(5), fleet.first_unit + 5, fleet.first_assignment + 5, fleet.first_configuration + 5)


def test_another_size_of_a_known_fleet_is_refused(connection: psycopg.Connection[Any]) -> None:
    spec = FleetSpec(3, DOCUMENT, BEGIN, team_id="sized", secret="sized-secret")
    seed_fleet(connection, spec)

    with pytest.raises(ValueError, match="with 3 sensors, not 4"):
        seed_fleet(connection, replace(spec, sensors=4))


def test_ids_drawn_after_a_fleet_do_not_meet_it(connection: psycopg.Connection[Any]) -> None:
    fleet = seed_fleet(connection, FleetSpec(5, DOCUMENT, BEGIN, team_id="before", secret="before-secret"))

    seeded = seed_registry(connection, replace(REGISTRY, team_id="after", secret="t" * 43))

    assert min(seeded.units.values()) > fleet.first_unit + 4
