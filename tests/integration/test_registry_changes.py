"""The registry by API over a real database: what is made, changed and archived; what is refused and why; nobody reaches another tenant."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from infra.local.local_stack import LocalStack
from tests.integration.registry_rig import (
    DAY,
    DOCUMENT,
    LATER,
    Person,
    World,
    in_seconds,
    ms,
    new_eui,
    new_name,
    policy,
    put_team,
    refused,
    rows,
    running_world,
    sensor,
    site,
    unit,
)


@pytest.fixture(scope="module")
def world(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(stack, tmp_path_factory.mktemp("registry"), "registry_changes_test") as found:
        yield found


def test_a_team_becomes_an_organization_that_its_maker_sees_at_once(world: World) -> None:
    made = world.dan.post("organizations", team="team-3", name="  Cold Trucks ")

    again = world.dan.post("organizations", team="team-3", name="Cold Trucks")
    assert (made.status, made.outcome, made.item["name"]) == (201, "created", "Cold Trucks")
    assert (again.status, again.outcome, again.item) == (200, "unchanged", made.item)
    assert world.dan.get("organizations")["items"] == [made.item]
    assert world.dan.get("teams")["items"] == [
        {"id": "team-3", "name": "Team-3", "organization": made.item["id"], "may_manage": True},
    ]
    refused(world.dan.post("organizations", team="team-3", name="Another"), 409, "exists", str(made.item["id"]))
    refused(world.dan.post("organizations", team="team-1", name="Stolen"), 404, "not_found")
    refused(world.ada.post("organizations", team="team-3", name="Stolen"), 403, "forbidden")


def test_a_reader_sees_all_and_changes_nothing(world: World) -> None:
    number = site(world)

    assert world.rob.get(f"sites/{number}")["id"] == number
    assert [team["may_manage"] for team in world.rob.get("teams")["items"]] == [False]
    refused(world.rob.post("sites", organization=world.ours, name="Mine"), 403, "forbidden", "coldstream:manage")
    refused(world.rob.patch(f"sites/{number}", name="Mine"), 403, "forbidden")


def test_a_manager_elsewhere_may_only_read_here(world: World) -> None:
    put_team(world.api, "team-4", ["eve"], ["eve"])
    put_team(world.api, "team-1", ["ada", "rob", "eve"], ["ada"])
    eve = Person(world.api, "eve")

    answer = eve.patch(f"sites/{site(world)}", name="Mine")

    refused(answer, 403, "forbidden")


def test_nothing_of_another_tenant_can_be_changed_or_named(world: World) -> None:
    a_site, a_unit, a_sensor = site(world), unit(world), sensor(world)
    a_policy, a_version = policy(world)
    a_secret = world.ada.post("secrets", organization=world.ours, application="foreign-app").item["id"]
    bobs_site = world.bob.post("sites", organization=world.theirs, name="Bob's").item["id"]
    bobs_unit = world.bob.post("units", site=bobs_site, name="Bob's").item["id"]
    bobs_sensor = world.bob.post("sensors", organization=world.theirs, dev_eui=new_eui()).item["id"]

    tried = [
        world.bob.patch(f"organizations/{world.ours}", name="X"),
        world.bob.post(f"organizations/{world.ours}/archive"),
        world.bob.post("sites", organization=world.ours, name="X"),
        world.bob.patch(f"sites/{a_site}", name="X"),
        world.bob.post(f"sites/{a_site}/archive"),
        world.bob.post(f"sites/{a_site}/restore"),
        world.bob.post("units", site=a_site, name="X"),
        world.bob.post("units", site=bobs_site, name="X", policy_version=a_version),
        world.bob.patch(f"units/{a_unit}", name="X"),
        world.bob.patch(f"units/{bobs_unit}", site=a_site),
        world.bob.post(f"units/{a_unit}/policy", policy_version=a_version),
        world.bob.post(f"units/{bobs_unit}/policy", policy_version=a_version),
        world.bob.post(f"units/{a_unit}/archive"),
        world.bob.post(f"units/{a_unit}/restore"),
        world.bob.post("sensors", organization=world.ours, dev_eui=new_eui()),
        world.bob.post("sensors", organization=world.theirs, dev_eui=new_eui(), unit=a_unit),
        world.bob.patch(f"sensors/{a_sensor}", name="X"),
        world.bob.post(f"sensors/{a_sensor}/configurations", max_gap_seconds=9_000),
        world.bob.post(f"sensors/{a_sensor}/assignment", unit=bobs_unit),
        world.bob.post(f"sensors/{bobs_sensor}/assignment", unit=a_unit),
        world.bob.post(f"sensors/{a_sensor}/assignment/end"),
        world.bob.post(f"sensors/{a_sensor}/archive"),
        world.bob.post(f"sensors/{a_sensor}/restore"),
        world.bob.post("policies", organization=world.ours, name="X", document=DOCUMENT),
        world.bob.patch(f"policies/{a_policy}", name="X"),
        world.bob.post(f"policies/{a_policy}/versions", document=LATER),
        world.bob.post(f"policies/{a_policy}/archive"),
        world.bob.post(f"policies/{a_policy}/restore"),
        world.bob.post("secrets", organization=world.ours, application="mine"),
        world.bob.post(f"secrets/{a_secret}/revoke"),
        world.bob.see(f"units/{a_unit}/registration"),
        world.bob.see(f"sensors/{a_sensor}/registration"),
        world.bob.see(f"policies/{a_policy}"),
        world.bob.see(f"policies?organization={world.ours}"),
        world.bob.see(f"secrets?organization={world.ours}"),
        world.bob.see(f"registry-changes?organization={world.ours}"),
    ]

    assert [(answer.status, answer.code) for answer in tried] == [(404, "not_found")] * len(tried)
    assert world.bob.get("registry-changes?limit=1000")["items"] != []
    assert {change["organization"] for change in world.bob.get("registry-changes?limit=1000")["items"]} == {world.theirs}
    assert a_secret not in [one["id"] for one in world.bob.get("secrets")["items"]]
    assert a_policy not in [one["id"] for one in world.bob.get("policies")["items"]]


def test_a_site_is_made_once_changed_and_found_again(world: World) -> None:
    name = new_name()
    made = world.ada.post("sites", organization=world.ours, name=name, time_zone="europe/berlin")
    number = made.item["id"]

    again = world.ada.post("sites", organization=world.ours, name=name, time_zone="Europe/Berlin")
    other = world.ada.post("sites", organization=world.ours, name=name, time_zone="Europe/Paris")
    changed = world.ada.patch(f"sites/{number}", time_zone="Europe/Paris", comment="moved over the Rhine")
    same = world.ada.patch(f"sites/{number}", time_zone="Europe/Paris")

    assert (made.status, made.item["time_zone"], made.body["effective_at"]) == (201, "Europe/Berlin", None)
    assert (again.status, again.outcome) == (200, "unchanged")
    refused(other, 409, "exists", str(number), "Europe/Berlin")
    assert (changed.outcome, changed.item["time_zone"], same.outcome) == ("changed", "Europe/Paris", "unchanged")
    (newest, oldest) = world.ada.get(f"registry-changes?kind=site&thing={number}")["items"]
    assert (newest["user"], newest["action"], newest["comment"]) == ("ada", "changed", "moved over the Rhine")
    assert (newest["before"]["time_zone"], newest["after"]["time_zone"]) == ("Europe/Berlin", "Europe/Paris")
    assert (oldest["action"], oldest["before"]) == ("created", None)


def test_a_site_is_archived_only_behind_its_units_and_can_be_restored(world: World) -> None:
    number = site(world)
    its_unit = unit(world, site=number)

    refused(world.ada.post(f"sites/{number}/archive"), 409, "in_use", "1 units")
    world.ada.post(f"units/{its_unit}/archive")
    archived = world.ada.post(f"sites/{number}/archive")

    assert archived.item["archived_at"] is not None
    assert number not in [one["id"] for one in world.ada.get("sites")["items"]]
    assert number in [one["id"] for one in world.ada.get("sites?archived=true")["items"]]
    assert world.ada.get(f"sites/{number}")["units"] == 0
    refused(world.ada.post("units", site=number, name="New"), 409, "archived", f"sites/{number}/restore")
    refused(world.ada.post(f"units/{its_unit}/restore"), 409, "archived")
    assert world.ada.post(f"sites/{number}/restore").item["archived_at"] is None
    assert world.ada.post(f"units/{its_unit}/restore").item["archived_at"] is None
    assert world.ada.post(f"sites/{number}/restore").outcome == "unchanged"


def test_a_sensor_gets_defaults_from_its_interval_and_an_assignment_that_every_decoder_will_know(world: World) -> None:
    where, eui = unit(world), new_eui()
    asked_at = ms(in_seconds(0))

    spelled = "-".join(eui[i : i + 2] for i in range(0, 16, 2)).lower()
    made = world.ada.post("sensors", organization=world.ours, dev_eui=spelled, unit=where, expected_interval_seconds=60, brand_id="dragino")

    item = made.item
    (configuration,), (assignment,) = item["configurations"], item["assignments"]
    assert (item["device"]["dev_eui"], item["probe"], item["device"]["brand_id"]) == (eui, "main", "dragino")
    assert (configuration["max_gap_seconds"], configuration["offline_after_seconds"]) == (180.0, 600.0)
    assert (assignment["unit"], assignment["valid_to"]) == (where, None)
    assert made.body["effective_at"] == assignment["valid_from"]
    assert 5_000 <= ms(assignment["valid_from"]) - asked_at < 12_000
    assert ms(configuration["effective_at"]) < asked_at - 34 * DAY * 1_000
    again = world.ada.post("sensors", organization=world.ours, dev_eui=eui, unit=where)
    assert (again.status, again.outcome, again.item) == (200, "unchanged", item)
    refused(
        world.ada.post("sensors", organization=world.ours, dev_eui=eui, expected_interval_seconds=30), 409, "exists", f"Sensor {item['id']}"
    )


def test_a_second_probe_of_a_device_is_a_sensor_of_its_own_and_describes_the_same_device(world: World) -> None:
    eui = new_eui()
    first = world.ada.post("sensors", organization=world.ours, dev_eui=eui, name="left").item

    second = world.ada.post("sensors", organization=world.ours, dev_eui=eui, probe="ambient", model_id="lht65").item
    other = world.ada.post("sensors", organization=world.ours, dev_eui=eui, name="right")

    assert (second["id"] != first["id"], second["device"]["id"]) == (True, first["device"]["id"])
    assert (second["device"]["name"], second["device"]["model_id"]) == ("left", "lht65")
    refused(other, 409, "exists", f"Sensor {first['id']}")
    assert world.ada.get(f"sensors/{first['id']}/registration")["device"]["name"] == "left"
    described = world.ada.patch(f"sensors/{first['id']}", name="right", brand_id="dragino")
    assert (described.outcome, described.item["device"]["name"]) == ("changed", "right")
    assert world.ada.patch(f"sensors/{first['id']}", name="right").outcome == "unchanged"


def test_a_first_assignment_may_begin_in_the_past_and_a_later_one_may_not(world: World) -> None:
    first, second = unit(world), unit(world)

    number = sensor(world, unit=first, assigned_from=in_seconds(-20 * DAY))
    refused(world.ada.post(f"sensors/{number}/assignment", unit=second, effective_at=in_seconds(-60)), 409, "too_early", "earliest")
    refused(world.ada.post(f"sensors/{number}/assignment", unit=second, effective_at=in_seconds(2)), 409, "too_early")
    too_far = world.ada.post("sensors", organization=world.ours, dev_eui=new_eui(), unit=first, assigned_from=in_seconds(-36 * DAY))

    assert ms(world.ada.get(f"sensors/{number}/registration")["assignments"][0]["valid_from"]) < ms(in_seconds(-19 * DAY))
    refused(too_far, 400, "bad_request", "assigned_from", "35 days")


def test_a_move_ends_one_assignment_and_begins_the_next_at_the_same_instant(world: World) -> None:
    first, second = unit(world), unit(world)
    number = sensor(world, unit=first, assigned_from=in_seconds(-DAY))
    at = in_seconds(60)

    moved = world.ada.post(f"sensors/{number}/assignment", unit=second, effective_at=at)
    again = world.ada.post(f"sensors/{number}/assignment", unit=second)
    refused(world.ada.post(f"sensors/{number}/assignment", unit=first, effective_at=in_seconds(30)), 409, "too_early", "later than")

    old, new = moved.item["assignments"]
    assert (old["unit"], old["valid_to"], new["unit"], new["valid_from"], new["valid_to"]) == (first, at, second, at, None)
    assert (moved.body["effective_at"], again.outcome) == (at, "unchanged")
    (change, *_) = world.ada.get(f"registry-changes?kind=sensor&thing={number}")["items"]
    assert (change["action"], change["before"], change["after"], change["effective_at"]) == ("moved", {"unit": first}, {"unit": second}, at)


def test_an_assignment_ends_and_begins_again(world: World) -> None:
    first, second = unit(world), unit(world)
    number = sensor(world, unit=first, assigned_from=in_seconds(-DAY))

    ended = world.ada.post(f"sensors/{number}/assignment/end")
    again = world.ada.post(f"sensors/{number}/assignment/end")
    assigned = world.ada.post(f"sensors/{number}/assignment", unit=second)

    assert (ended.outcome, again.outcome, assigned.outcome) == ("changed", "unchanged", "changed")
    old, new = assigned.item["assignments"]
    assert old["valid_to"] == ended.body["effective_at"]
    assert ms(new["valid_from"]) > ms(old["valid_to"])


def test_archiving_a_unit_ends_its_assignments_and_keeps_its_history(world: World) -> None:
    where = unit(world)
    number = sensor(world, unit=where, assigned_from=in_seconds(-DAY))

    archived = world.ada.post(f"units/{where}/archive")

    assert where not in [one["id"] for one in world.ada.get("units?limit=10000")["items"]]
    assert where in [one["id"] for one in world.ada.get("units?limit=10000&archived=true")["items"]]
    assert world.ada.get(f"units/{where}")["archived_at"] == archived.item["archived_at"]
    (assignment,) = world.ada.get(f"sensors/{number}/registration")["assignments"]
    assert assignment["valid_to"] == archived.body["effective_at"]
    refused(world.ada.post(f"sensors/{number}/assignment", unit=where), 409, "archived", f"units/{where}/restore")


def test_nothing_is_archived_that_is_still_watched_tomorrow(world: World) -> None:
    where = unit(world)
    number = sensor(world, unit=where)

    refused(world.ada.post(f"units/{where}/archive", effective_at=in_seconds(DAY)), 409, "in_use", "end the assignment first")
    refused(world.ada.post(f"sensors/{number}/archive", effective_at=in_seconds(DAY)), 409, "in_use", "end the assignment first")

    assert world.ada.get(f"sensors/{number}/registration")["assignments"][0]["valid_to"] is None
    assert world.ada.post(f"units/{where}/archive", effective_at=in_seconds(30)).status == 200


def test_an_archived_sensor_is_out_of_lists_and_says_how_to_come_back(world: World) -> None:
    eui, where = new_eui(), unit(world)
    number = sensor(world, dev_eui=eui, unit=where, assigned_from=in_seconds(-DAY))

    world.ada.post(f"sensors/{number}/archive")

    assert number not in [one["id"] for one in world.ada.get("sensors?limit=10000")["items"]]
    assert number in [one["id"] for one in world.ada.get("sensors?limit=10000&archived=true")["items"]]
    refused(world.ada.post("sensors", organization=world.ours, dev_eui=eui), 409, "archived", f"sensors/{number}/restore")
    refused(world.ada.post(f"sensors/{number}/configurations", max_gap_seconds=5_000), 409, "archived")
    assert world.ada.post(f"sensors/{number}/restore").item["archived_at"] is None


def test_a_configuration_is_a_new_version_and_the_old_ones_stay(world: World) -> None:
    number = sensor(world, expected_interval_seconds=60, calibration_celsius=0.25)

    changed = world.ada.post(f"sensors/{number}/configurations", expected_interval_seconds=120)
    again = world.ada.post(f"sensors/{number}/configurations", expected_interval_seconds=120)
    soon = world.ada.post(f"sensors/{number}/configurations", offline_after_seconds=900)

    first, second, third = soon.item["configurations"]
    assert (first["max_gap_seconds"], second["max_gap_seconds"], third["max_gap_seconds"]) == (180.0, 360.0, 360.0)
    assert (second["calibration_celsius"], third["offline_after_seconds"]) == (0.25, 900.0)
    assert (changed.body["effective_at"], again.outcome) == (second["effective_at"], "unchanged")
    assert ms(third["effective_at"]) > ms(second["effective_at"]) > ms(in_seconds(0))
    with world.api.connect() as connection, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        connection.execute(f"UPDATE sensor_configurations SET max_gap_ms = 1 WHERE id = {first['id']}".encode())


def test_two_units_of_a_site_keep_apart_by_name(world: World) -> None:
    where = site(world)
    first, second = unit(world, site=where, name="A"), unit(world, site=where, name="B")

    refused(world.ada.patch(f"units/{second}", name="A"), 409, "exists", f"Unit {first}")
    refused(world.ada.post("units", site=where, name="A", kind="freezer"), 409, "exists", f"Unit {first}")
    assert world.ada.post("units", site=where, name="A").outcome == "unchanged"
    moved = world.ada.patch(f"units/{second}", site=site(world), kind="cold room", name="A")
    assert (moved.item["name"], moved.item["kind"]) == ("A", "cold_room")


def test_an_organization_is_archived_behind_its_sites_and_its_secrets_end(world: World) -> None:
    put_team(world.api, "team-9", ["zoe"], ["zoe"])
    zoe = Person(world.api, "zoe")
    number = zoe.post("organizations", team="team-9", name="Short-lived").item["id"]
    where = zoe.post("sites", organization=number, name="Only").item["id"]
    secret = zoe.post("secrets", organization=number, application="short-app").item["id"]

    refused(zoe.post(f"organizations/{number}/archive"), 409, "in_use", "1 sites")
    zoe.post(f"sites/{where}/archive")
    zoe.post(f"organizations/{number}/archive")

    assert zoe.get("organizations")["items"] == []
    assert [one["id"] for one in zoe.get("organizations?archived=true")["items"]] == [number]
    assert [one["revoked_at"] is not None for one in zoe.get("secrets")["items"] if one["id"] == secret] == [True]
    said = zoe.get(f"registry-changes?kind=secret&thing={secret}")["items"]
    assert [(one["action"], one["before"]) for one in said] == [("revoked", {"application": "short-app"}), ("created", None)]
    refused(zoe.post("sites", organization=number, name="New"), 409, "archived", f"organizations/{number}/restore")
    refused(zoe.post(f"sites/{where}/restore"), 409, "archived", f"organizations/{number}/restore")
    assert zoe.post(f"organizations/{number}/restore").item["archived_at"] is None
    assert zoe.patch(f"organizations/{number}", name="Long-lived").item["name"] == "Long-lived"


def test_changes_are_paged_and_cannot_be_rewritten(world: World) -> None:
    number = site(world)
    for name in ("One", "Two", "Three"):
        world.ada.patch(f"sites/{number}", name=f"{name} {number}")

    first = world.ada.get(f"registry-changes?kind=site&thing={number}&limit=3")
    second = world.ada.get(f"registry-changes?kind=site&thing={number}&limit=3&cursor={first['next']}")

    assert [change["action"] for change in first["items"] + second["items"]] == ["changed", "changed", "changed", "created"]
    assert second["next"] is None
    with world.api.connect() as connection, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        connection.execute("UPDATE registry_changes SET user_id = 'nobody'")
    with world.api.connect() as connection, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        connection.execute("DELETE FROM registry_changes")


def test_a_change_that_fails_half_way_leaves_nothing(world: World) -> None:
    eui = new_eui()

    refused(world.ada.post("sensors", organization=world.ours, dev_eui=eui, unit=2_000_000_000), 404, "not_found", "unit")

    assert rows(world, f"SELECT 1 FROM devices WHERE dev_eui = '{eui}'") == []


def test_another_change_under_way_is_waited_for(world: World) -> None:
    with world.api.connect() as connection, connection.transaction():
        connection.execute("SELECT 1 FROM registry_state FOR UPDATE")
        answer = world.ada.post("sites", organization=world.ours, name=new_name())

    refused(answer, 503, "busy", "try again")


def test_a_change_whose_own_statement_takes_too_long_is_not_told_to_be_another_ones(world: World) -> None:
    with world.api.connect() as connection, ThreadPoolExecutor(1) as threads, connection.transaction():
        connection.execute("SELECT 1 FROM registry_state FOR UPDATE")
        answering = threads.submit(world.ada.post, "sites", organization=world.ours, name=new_name())
        found = None
        while found is None and not answering.done():
            found = connection.execute(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'api_changes' AND wait_event_type = 'Lock' AND datname = current_database()"
            ).fetchone()
        answer = answering.result(20)

    refused(answer, 503, "query_too_long", "several parts")
