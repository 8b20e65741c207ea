"""Conditions on real PostgreSQL: recorded by comparing, told to whom the policy says, kept version by version, and served by REST."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from infra.local.local_stack import LocalStack
from infra.seed import Seeded
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.domain.conditions.facts import BatteryLevel, ConditionKind, Detail, FaultMarks, OpenTime, PendingRun, Rejections, SameValue
from pipelines.domain.conditions.terms import Alert
from pipelines.engine.judgements import ConditionChange, Fact, Judged, OfflineFact, SettledFact, StandingFact
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.shard import Shard
from pipelines.engine.stop import StopFlag
from pipelines.engine.terms_loader import load_terms
from schemas.ids import band_condition_id
from schemas.readings import RowKind, blank_rows, encode_rows
from schemas.reasons import RejectReason
from tests.integration.api_rig import DAY, MINUTE, Api, organization, running_api
from tests.integration.test_recorder import Rig


@dataclass
class World:
    """An organization's first sensor in a running API, a recorder on the same database, and another organization."""

    api: Api
    ours: Seeded
    theirs: Seeded
    now: int
    rig: Rig
    unit: int
    sensor: int
    device: int
    offset: int = 0
    told: list[dict[str, Any]] = field(default_factory=list)

    def record(self, *facts: Fact) -> list[tuple[str, str, int]]:
        """Record facts as after a start; return event, category and version of what is told."""
        self.rig.alerting.clear()
        recorder = self.rig.recorder()
        self.rig.record(recorder, *facts)
        recorder.close()
        data: list[dict[str, Any]] = [{"event": one["event"], **one["data"]} for one in self.rig.alerting]  # type: ignore[dict-item]
        self.told = data
        return [(one["event"], one["category"], one["version"]) for one in data]

    def change(self, kind: ConditionKind, started: int, ended: int | None = None, **values: Any) -> ConditionChange:
        """Return a change of a condition of the sensor, `started` and `ended` in minutes before now."""
        self.offset += 1
        begin = self.now - started * MINUTE
        end = None if ended is None else self.now - ended * MINUTE
        plain = ConditionChange(
            as_of=self.offset,
            received_at=self.now,
            kind=kind,
            device=self.device,
            sensor=self.sensor,
            unit=self.unit,
            organization=self.ours.organization,
            band="",
            alert=Alert.WARNING,
            started_at=begin,
            opened_at=begin,
            ended_at=end,
            closed_at=end,
            ended_by=None if end is None else "recovery",
            detail=FaultMarks(1, RejectReason.SENTINEL),
        )
        return replace(plain, **values)

    def versions(self, kind: str) -> list[tuple[object, ...]]:
        """Return version, whether it is over, and who is told, of the conditions of a kind."""
        return self.rig.rows(
            f"SELECT version, ended_at IS NOT NULL, alert FROM condition_events WHERE kind = '{kind}' ORDER BY started_at, condition_id, version"
        )

    def get(self, path: str, user: str = "ada") -> Any:
        """Return what a route answers."""
        answer = self.api.get(path, user)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def world(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    now = int(time.time()) * 1_000
    with running_api(stack, tmp_path_factory.mktemp("api"), "conditions_test") as api:
        with api.connect() as connection:
            ours, theirs = (organization(connection, number, now - 30 * DAY) for number in (1, 2))
        api.team("team-1", "ada")
        api.team("team-2", "bob")
        unit, sensor, device = (min(ids.values()) for ids in (ours.units, ours.sensors, ours.devices))
        yield World(api, ours, theirs, now, Rig(DatabaseConfig(api.database_url), [], []), unit, sensor, device)


def test_a_condition_is_told_once_when_it_begins_and_once_when_it_is_over(world: World) -> None:
    began, ended = world.change(ConditionKind.SENSOR_FAULT, 60), world.change(ConditionKind.SENSOR_FAULT, 60, 50)

    first = world.record(began)
    again = world.record(began)
    over = world.record(began, ended)
    replayed = world.record(began, ended)

    assert first == [("alert:triggered", "sensor_fault", 1)]
    assert over == [("alert:resolved", "sensor_fault", 2)]
    assert again == replayed == []
    assert world.versions("sensor_fault") == [(1, False, "warning"), (2, True, "warning")]


def test_an_end_is_told_to_those_who_were_told_of_the_beginning(world: World) -> None:
    began = world.change(ConditionKind.DOOR_OPEN, 40, alert=Alert.CRITICAL, detail=OpenTime(300_000))

    world.record(began)
    assert world.told[0]["severity"] == "critical"
    world.record(world.change(ConditionKind.DOOR_OPEN, 40, 30, alert=Alert.NONE, detail=OpenTime(600_000)))

    assert [(one["event"], one["severity"]) for one in world.told] == [("alert:resolved", "critical")]


def test_who_is_told_nothing_of_finds_it_on_record_all_the_same(world: World) -> None:
    told = world.record(world.change(ConditionKind.BATTERY_LOW, 30, alert=Alert.NONE, detail=BatteryLevel(2_900, 12)))

    assert told == []
    found = world.get(f"conditions?sensor={world.sensor}&kind=battery_low")["items"]
    assert [(one["alert"], one["detail"], one["ended_at"]) for one in found] == [("none", {"millivolts": 2900, "percent": 12}, None)]


def test_what_no_longer_stands_or_stands_already_changes_nothing(world: World) -> None:
    end = world.change(ConditionKind.CLOCK_WRONG, 30, 20, sensor=0, detail=Rejections(3))
    began = world.change(ConditionKind.CLOCK_WRONG, 15, sensor=0, detail=Rejections(3))
    other = world.change(ConditionKind.CLOCK_WRONG, 14, sensor=0, detail=Rejections(3))

    assert world.record(end) == []
    assert world.record(began, other) == [("alert:triggered", "clock_wrong", 1)]
    assert world.versions("clock_wrong") == [(1, False, "warning")]


def possible(world: World, band: str, started: int, ended: int | None = None) -> ConditionChange:
    run = PendingRun(band, world.now - 90 * MINUTE)
    return world.change(ConditionKind.POSSIBLE_EXCURSION, started, ended, band=band, alert=Alert.NONE, detail=run)


def settled(world: World, *standing: ConditionChange) -> SettledFact:
    world.offset += 1
    return SettledFact(world.offset, world.now, world.sensor, 0, world.now - DAY, world.now, (), (), standing)


def test_a_revision_ends_what_is_not_possible_and_begins_what_is(world: World) -> None:
    warm, cold = possible(world, "warm", 80), possible(world, "cold", 70)
    world.record(warm, cold)

    world.record(settled(world, cold, possible(world, "hot", 60)))
    world.record(settled(world, cold))

    bands = "SELECT band FROM open_conditions WHERE kind = 'possible_excursion' ORDER BY 1"
    assert world.rig.rows(bands) == [("cold",)]
    world.record(possible(world, "cold", 70, 10))
    assert world.rig.rows(bands) == []


def test_a_condition_that_is_found_again_with_the_same_start_goes_on_in_its_versions(world: World) -> None:
    world.record(possible(world, "again", 45))
    world.record(settled(world))

    world.record(possible(world, "again", 45))

    identity = band_condition_id(world.device, world.sensor, "possible_excursion", "again", world.now - 45 * MINUTE)
    found = world.get(f"conditions/{identity}")
    assert [(one["version"], one["ended_by"]) for one in found["versions"]] == [(1, None), (2, "recovery"), (3, None)]
    assert found["ended_at"] is None
    assert found["band"] == "again"


def test_a_unit_shows_what_stands_of_its_sensors_and_their_devices_offline_too(world: World) -> None:
    world.offset += 1
    offline = OfflineFact(
        world.offset, world.now, world.device, world.sensor, world.unit, world.ours.organization, world.now - MINUTE, None
    )
    world.record(offline, world.change(ConditionKind.FROZEN_VALUE, 5))

    shown = world.get(f"units/{world.unit}")["conditions"]
    listed = world.get(f"conditions?unit={world.unit}&open=true")["items"]

    assert {one["kind"] for one in shown} >= {"offline", "frozen_value", "clock_wrong"}
    assert {one["id"] for one in shown} == {one["id"] for one in listed}
    assert {one["sensor"] for one in shown if one["kind"] in {"offline", "clock_wrong"}} == {None}


def test_conditions_are_paged_newest_first_and_filtered_by_time(world: World) -> None:
    world.record(
        *(
            world.change(ConditionKind.SENSOR_FAULT, start, end)
            for begin in (300, 200)
            for start, end in ((begin, None), (begin, begin - 10))
        )
    )
    whole = world.get(f"conditions?sensor={world.sensor}")["items"]

    first = world.get(f"conditions?sensor={world.sensor}&limit=1")
    second = world.get(f"conditions?sensor={world.sensor}&limit=1&cursor={first['next']}")

    assert [one["started_at"] for one in whole] == sorted((one["started_at"] for one in whole), reverse=True)
    assert [first["items"][0]["id"], second["items"][0]["id"]] == [one["id"] for one in whole[:2]]
    begin, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((world.now - minutes * MINUTE) / 1_000)) for minutes in (305, 285))
    assert len(world.get(f"conditions?sensor={world.sensor}&from={begin}&to={end}")["items"]) == 1


def test_another_organizations_conditions_are_not_found(world: World) -> None:
    ours = world.get(f"conditions?sensor={world.sensor}")["items"][0]["id"]

    assert world.api.get(f"conditions/{ours}", "bob").status_code == 404
    assert world.api.get(f"conditions/{uuid.uuid4()}").status_code == 404
    assert world.api.get(f"conditions?sensor={world.sensor}", "bob").status_code == 404
    assert world.get("conditions", "bob")["items"] == []
    assert world.api.get("conditions?kind=noise").status_code == 400


def test_what_a_unit_is_judged_by_names_every_field_of_its_conditions(world: World) -> None:
    conditions = world.get(f"units/{world.unit}/policy")["conditions"]

    assert conditions["door_open"] == {"enabled": True, "alert": "none", "open_seconds": 300}
    assert conditions["frozen_value"] == {"enabled": False}
    assert conditions["possible_excursion"] == {"enabled": True, "alert": "none"}


def test_a_rebuilt_shard_begins_what_is_missing_and_ends_what_no_longer_stands(world: World) -> None:
    lost = world.change(ConditionKind.SENSOR_FAULT, 9, device=901, sensor=9_001)
    begun, unknown = (
        world.change(ConditionKind.BATTERY_LOW, 8, device=901, sensor=sensor, detail=BatteryLevel(None, 12)) for sensor in (9_001, 9_003)
    )
    run = possible(world, "warm", 7)
    world.record(begun, unknown, replace(run, device=901, sensor=9_002))
    kept = "SELECT kind, sensor_id FROM open_conditions WHERE device_id = 901 ORDER BY 1, 2"
    rebuilt = StandingFact(world.offset, world.now, world.now, frozenset({901}), frozenset({9_001, 9_002}), frozenset({9_002}), (lost,))

    told = world.record(rebuilt)

    assert sorted(told) == [("alert:resolved", "battery_low", 2), ("alert:triggered", "sensor_fault", 1)]
    assert {one["ended_by"] for one in world.told if one["event"] == "alert:resolved"} == {"rebuilt"}
    assert world.rig.rows(kept) == [("battery_low", 9_003), ("possible_excursion", 9_002), ("sensor_fault", 9_001)]
    assert world.record(rebuilt) == []


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        (ConditionKind.BATTERY_LOW, BatteryLevel(2_900, None)),
        (ConditionKind.DOOR_OPEN, OpenTime(300_000)),
        (ConditionKind.FROZEN_VALUE, SameValue(412, 30, 43_200_000)),
        (ConditionKind.SENSOR_FAULT, FaultMarks(2, RejectReason.SENTINEL)),
        (ConditionKind.CLOCK_WRONG, Rejections(3)),
        (ConditionKind.POSSIBLE_EXCURSION, PendingRun("warm", 1_750_000_000_000)),
    ],
)
def test_what_a_condition_stood_on_is_kept_where_a_rebuilt_shard_ends_it(world: World, kind: ConditionKind, detail: Detail) -> None:
    sensor = 0 if kind is ConditionKind.CLOCK_WRONG else 9_100
    world.record(world.change(kind, 6, device=910, sensor=sensor, detail=detail))

    world.record(StandingFact(world.offset, world.now, world.now, frozenset({910}), frozenset({9_100}), frozenset(), ()))

    found = world.rig.rows(f"SELECT detail FROM condition_events WHERE device_id = 910 AND kind = '{kind.value}' ORDER BY version")
    assert len(found) == 2
    assert found[0] == found[1]


def test_rows_are_judged_by_the_fields_of_the_policy_document_in_the_database(world: World) -> None:
    document = {
        "bands": [{"name": "warm", "side": "high", "limit_celsius": 8}],
        "conditions": {"door_open": {"open_seconds": 10, "alert": "critical"}},
    }
    with world.api.connect() as connection:
        policy = connection.execute(
            "INSERT INTO policy_versions (organization_id, policy_id, version, document) SELECT organization_id, id, 90, %s FROM policies "
            "WHERE organization_id = %s RETURNING id",
            (Jsonb(document), world.ours.organization),
        ).fetchone()
        configuration = connection.execute("SELECT id FROM sensor_configurations WHERE sensor_id = %s", (world.sensor,)).fetchone()
    assert policy is not None
    assert configuration is not None
    row = blank_rows(2)
    row["offset"], row["kind"], row["received_at"] = [900, 901], [RowKind.ANCILLARY, RowKind.TICK], world.now
    row["measured_at"] = [world.now - 20_000, world.now]
    for name, value in (("sensor", world.sensor), ("device", world.device), ("unit", world.unit), ("organization", 1), ("assignment", 1)):
        row[name][0] = value
    row["policy"][0], row["configuration"][0], row["door"][0] = policy[0], configuration[0], 1
    lookups = Reconnecting(world.rig.database, "test", StopFlag())

    judged = Shard(9, load_terms(lookups)).on_records([encode_rows(row)])
    told = world.record(*(fact for one in judged if isinstance(one, Judged) for fact in one.facts if isinstance(fact, ConditionChange)))

    assert told == [("alert:triggered", "door_open", 1)]
    assert world.told[0]["severity"] == "critical"
    (shown,) = world.get(f"conditions?sensor={world.sensor}&kind=door_open&open=true")["items"]
    assert shown["detail"] == {"known_ms": 10_000}
    lookups.close()
