"""Corrections by REST: with a comment or not at all, by managers alone, listed and revoked; nobody reaches another tenant."""

from collections.abc import Iterator

import psycopg
import pytest

from infra.local.local_stack import LocalStack
from tests.integration.registry_rig import DAY, LATER, World, in_seconds, ms, policy, refused, rows, running_world, sensor, unit


@pytest.fixture(scope="module")
def world(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(stack, tmp_path_factory.mktemp("corrections"), "corrections_test") as found:
        yield found


def test_a_correction_says_why_is_listed_and_is_revoked_once(world: World) -> None:
    number = sensor(world, unit=unit(world), assigned_from=in_seconds(-10 * DAY))
    order = {"kind": "flag", "sensor": number, "from": in_seconds(-DAY), "to": in_seconds(-DAY / 2)}

    refused(world.ada.post("corrections", **order), 400, "bad_request", "comment")
    refused(world.ada.post("corrections", **order, comment="  "), 400, "bad_request", "comment: is required")
    made = world.ada.post("corrections", **order, comment="probe was outside")

    assert (made.status, made.outcome) == (201, "created")
    (item,) = made.body["items"]
    assert (item["kind"], item["sensor"], item["made_by"], item["comment"]) == ("flag", number, "ada", "probe was outside")
    assert (item["from"], item["to"], item["revoked_at"]) == (order["from"], order["to"], None)
    assert world.rob.get(f"corrections?sensor={number}")["items"] == [item] == [world.rob.get(f"corrections/{item['id']}")]
    revoked = world.ada.post(f"corrections/{item['id']}/revoke", comment="it was inside")
    assert (revoked.outcome, revoked.body["items"][0]["revoked_by"]) == ("changed", "ada")
    refused(world.ada.post(f"corrections/{item['id']}/revoke", comment="again"), 409, "in_use")
    assert world.ada.get(f"corrections?sensor={number}&standing=true")["items"] == []
    assert rows(world, f"SELECT count(*) FROM rejudgements WHERE sensor_id = {number}") == [(2,)]
    said = [change["action"] for change in world.ada.get(f"registry-changes?kind=correction&thing={item['id']}")["items"]]
    assert said == ["revoked", "made"]


def test_readers_and_other_tenants_correct_nothing(world: World) -> None:
    number = sensor(world, unit=unit(world), assigned_from=in_seconds(-DAY))
    order = {"kind": "delete", "sensor": number, "from": in_seconds(-3_600), "comment": "x"}
    made = world.ada.post("corrections", **order).body["items"][0]["id"]

    refused(world.rob.post("corrections", **order), 403, "forbidden")
    refused(world.bob.post("corrections", **order), 404, "not_found")
    refused(world.bob.post(f"corrections/{made}/revoke", comment="x"), 404, "not_found")
    refused(world.bob.see(f"corrections/{made}"), 404, "not_found")
    assert world.bob.get("corrections")["items"] == []


def test_two_sensors_are_swapped_and_a_policy_is_corrected_with_what_holds_from_now_on(world: World) -> None:
    units = [unit(world, policy_version=policy(world)[1]) for _ in range(2)]
    sensors = [sensor(world, unit=one, assigned_from=in_seconds(-2 * DAY)) for one in units]
    _, version = policy(world, LATER)

    swapped = world.ada.post("corrections", kind="swap", sensor=sensors[0], other=sensors[1], comment="x", **{"from": in_seconds(-DAY)})
    judged = world.ada.post("corrections", kind="policy", unit=units[0], policy_version=version, comment="x", **{"from": in_seconds(-DAY)})

    assert [(item["sensor"], item["unit"]) for item in swapped.body["items"]] == [(sensors[0], units[1]), (sensors[1], units[0])]
    assert {item["to"] for item in swapped.body["items"]} == {swapped.body["effective_at"]}
    timeline = world.ada.get(f"sensors/{sensors[0]}/registration")["assignments"]
    assert [one["unit"] for one in timeline] == units
    assert (judged.body["items"][0]["unit"], judged.body["items"][0]["policy_version"]) == (units[0], version)
    touched = rows(world, f"SELECT sensor_id FROM rejudgements WHERE reason = 'policy' AND correction_id = {judged.body['items'][0]['id']}")
    assert {row[0] for row in touched} == set(sensors)
    assert rows(world, f"SELECT count(*) FROM corrected_stretches WHERE sensor_id = {sensors[1]} AND policy_version_id = {version}") >= [
        (1,)
    ]


def test_a_calibration_of_a_time_to_come_is_planned_and_taken_back_by_versions_alone(world: World) -> None:
    number = sensor(world, unit=unit(world))
    start, end = in_seconds(DAY), in_seconds(2 * DAY)

    made = world.ada.post(
        "corrections", kind="calibration", sensor=number, to=end, calibration_celsius=0.5, comment="loaner", **{"from": start}
    )

    assert (made.status, made.outcome, made.body["items"], made.body["effective_at"]) == (200, "unchanged", [], start)
    versions = world.ada.get(f"sensors/{number}/registration")["configurations"]
    assert [(one["calibration_celsius"], one["effective_at"]) for one in versions[1:]] == [(0.5, start), (0, end)]


def test_a_preview_by_rest_names_what_would_change_and_keeps_nothing(world: World) -> None:
    number = sensor(world, unit=unit(world, policy_version=policy(world)[1]), assigned_from=in_seconds(-2 * DAY))
    with psycopg.connect(world.api.database_url) as connection:
        connection.execute(
            "INSERT INTO readings (sensor_id, measured_at, organization_id, unit_id, assignment_id, policy_version_id, configuration_id, "
            "received_after_ms, uplink_partition, uplink_offset, temperature, late) "
            "SELECT a.sensor_id, now() - n * interval '10 minutes', a.organization_id, a.unit_id, a.id, p.policy_version_id, c.id, 0, 1, n, "
            "CASE WHEN n BETWEEN 5 AND 8 THEN 700 ELSE 400 END, false "
            "FROM generate_series(1, 20) n, assignments a JOIN unit_policies p USING (unit_id) JOIN sensor_configurations c USING (sensor_id) "
            "WHERE a.sensor_id = %s",
            [number],
        )
    order = {"kind": "calibration", "sensor": number, "from": in_seconds(-DAY), "to": in_seconds(-60), "calibration_celsius": 2}

    seen = world.ada.post("corrections/preview", **order)

    assert (seen.status, seen.body["readings"], seen.body["judged"]) == (200, 20, 20)
    (change,) = seen.body["changes"]
    assert (change["outcome"], change["before"], change["after"]["peak_celsius"]) == ("new", None, 9.0)
    assert [(one["kind"], one["from"], one["to"]) for one in seen.body["corrections"]] == [("calibration", order["from"], order["to"])]
    assert world.ada.get(f"corrections?sensor={number}")["items"] == []
    refused(world.bob.post("corrections/preview", **order), 404, "not_found")


def test_what_is_planned_already_is_not_corrected_until_it_holds(world: World) -> None:
    units = [unit(world, policy_version=policy(world)[1]) for _ in range(2)]
    number = sensor(world, unit=units[0], assigned_from=in_seconds(-2 * DAY))
    _, version = policy(world, LATER)
    since, planned = in_seconds(-DAY), in_seconds(30 * DAY)
    world.ada.post(f"units/{units[0]}/policy", policy_version=version, effective_at=planned)
    world.ada.post(f"sensors/{number}/assignment", unit=units[1], effective_at=planned)
    world.ada.post(f"sensors/{number}/configurations", calibration_celsius=0.5, effective_at=planned)
    orders = [
        {"kind": "policy", "unit": units[0], "policy_version": version},
        {"kind": "assignment", "sensor": number, "unit": units[1]},
        {"kind": "calibration", "sensor": number, "calibration_celsius": 0.5},
        {"kind": "calibration", "sensor": number, "calibration_celsius": 0.5, "to": in_seconds(DAY)},
    ]

    for order in orders:
        refused(world.ada.post("corrections", comment="x", **order, **{"from": since}), 409, "in_use", "is planned for", planned)
        refused(world.ada.post("corrections/preview", **order, **{"from": since}), 409, "in_use", "is planned for", planned)
    assert rows(world, f"SELECT count(*) FROM rejudgements WHERE sensor_id = {number}") == [(0,)]


def test_what_is_corrected_or_revoked_is_judged_again_within_seconds_whatever_is_planned(world: World) -> None:
    watched = unit(world, policy_version=policy(world)[1])
    number = sensor(world, unit=watched, assigned_from=in_seconds(-2 * DAY))
    _, version = policy(world, LATER)
    soon = in_seconds(40)
    world.ada.post(f"units/{watched}/policy", policy_version=policy(world)[1], effective_at=soon)

    made = world.ada.post("corrections", kind="policy", unit=watched, policy_version=version, comment="x", **{"from": in_seconds(-DAY)})
    (item,) = made.body["items"]
    revoked = world.ada.post(f"corrections/{item['id']}/revoke", comment="x")

    assert ms(item["to"]) == ms(soon) + 1
    assert max(ms(made.body["effective_at"]), ms(revoked.body["effective_at"])) < ms(soon)
    at = rows(world, f"SELECT (extract(epoch FROM effective_at) * 1000)::bigint FROM rejudgements WHERE sensor_id = {number} ORDER BY id")
    assert [row[0] for row in at] == [ms(made.body["effective_at"]), ms(revoked.body["effective_at"])]
