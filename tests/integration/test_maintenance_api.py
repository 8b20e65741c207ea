"""Maintenance by REST and by `coldstream maintenance`: with a comment or not at all, by managers alone; what it says of the past is judged again."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from infra.local.local_stack import LocalStack
from tests.integration.api_rig import COLDSTREAM
from tests.integration.registry_rig import DAY, World, in_seconds, ms, policy, refused, rows, running_world, sensor, site, unit

HOUR = 3_600


@pytest.fixture(scope="module")
def world(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(stack, tmp_path_factory.mktemp("maintenance"), "maintenance_test") as found:
        yield found


def again(world: World, *sensors: int) -> list[tuple[int, int]]:
    """Sensors that are to be judged again, and from where (ms UTC)."""
    query = (
        "SELECT sensor_id, (extract(epoch FROM measured_from) * 1000)::bigint FROM rejudgements "
        f"WHERE sensor_id = ANY(ARRAY{list(sensors)}) ORDER BY sensor_id, id"
    )
    return [(row[0], row[1]) for row in rows(world, query)]


def said(world: World, window: int) -> list[tuple[str, str]]:
    changes = world.ada.get(f"registry-changes?kind=maintenance&thing={window}")["items"]
    return [(change["action"], change["comment"]) for change in changes]


def test_planned_maintenance_is_declared_ended_sooner_and_has_nothing_judged_again(world: World) -> None:
    watched = unit(world)
    number = sensor(world, unit=watched, assigned_from=in_seconds(-DAY))
    begin, end, sooner = in_seconds(HOUR), in_seconds(3 * HOUR), in_seconds(2 * HOUR)
    order = {"from": begin, "to": end}

    refused(world.ada.post(f"units/{watched}/maintenance", **order), 400, "bad_request", "comment: is required")
    made = world.ada.post(f"units/{watched}/maintenance", **order, comment="new fan")
    twice = world.ada.post(f"units/{watched}/maintenance", **order, comment="new fan")
    (item,) = made.body["items"]
    shortened = world.ada.post(f"maintenance/{item['id']}/end", to=sooner, comment="quicker than thought")

    assert (made.status, made.outcome, made.body["judged_again_at"]) == (201, "created", None)
    assert (item["unit"], item["from"], item["to"], item["declared_by"], item["comment"]) == (watched, begin, end, "ada", "new fan")
    assert (twice.status, twice.outcome, twice.body["items"]) == (200, "unchanged", [item])
    (ended,) = shortened.body["items"]
    assert (shortened.outcome, shortened.body["judged_again_at"]) == ("changed", None)
    assert (ended["to"], ended["declared_to"], ended["ended_by"], ended["end_comment"]) == (sooner, end, "ada", "quicker than thought")
    assert world.rob.get(f"maintenance?unit={watched}")["items"] == [ended] == [world.rob.get(f"maintenance/{item['id']}")]
    assert again(world, number) == []
    assert said(world, item["id"]) == [("ended", "quicker than thought"), ("declared", "new fan")]


def test_maintenance_without_a_beginning_begins_once_every_decoder_knows_and_ends_so_too(world: World) -> None:
    watched = unit(world)
    number = sensor(world, unit=watched, assigned_from=in_seconds(-DAY))
    end = in_seconds(HOUR)

    (item,) = world.ada.post(f"units/{watched}/maintenance", to=end, comment="cleaning").body["items"]
    sent_again = world.ada.post(f"units/{watched}/maintenance", to=end, comment="cleaning")
    other = world.ada.post(f"units/{watched}/maintenance", to=end, comment="and the door's seal")
    too_soon = world.ada.post(f"maintenance/{item['id']}/end", to=item["from"], comment="done")
    revoked = world.ada.post(f"maintenance/{item['id']}/revoke", comment="another day")
    world.ada.post(f"maintenance/{other.body['items'][0]['id']}/revoke", comment="the same visit")

    assert (sent_again.outcome, sent_again.body["items"], other.outcome) == ("unchanged", [item], "created")
    assert ms(item["from"]) - ms(item["declared_at"]) > 5_000
    refused(too_soon, 400, "bad_request", "revoke it")
    assert revoked.body["items"][0]["revoked_by"] == "ada"
    assert world.ada.get(f"maintenance?unit={watched}&standing=true")["items"] == []
    refused(world.ada.post(f"maintenance/{item['id']}/revoke", comment="again"), 409, "in_use", "revoked at")
    refused(world.ada.post(f"maintenance/{item['id']}/end", comment="again"), 409, "in_use", "revoked at")
    assert {at for _, at in again(world, number)} <= {ms(item["from"]), ms(other.body["items"][0]["from"])}


def test_what_maintenance_says_of_the_past_has_those_who_watched_then_judged_again(world: World) -> None:
    one, other = unit(world), unit(world)
    stays, moved, elsewhere = (sensor(world, unit=watched, assigned_from=in_seconds(-3 * DAY)) for watched in (one, one, other))
    since = in_seconds(-DAY)
    world.ada.post("corrections", kind="assignment", sensor=moved, unit=other, comment="x", **{"from": in_seconds(-2 * DAY)})
    before = again(world, stays, moved, elsewhere)

    made = world.ada.post(f"units/{other}/maintenance", to=in_seconds(-HOUR), comment="said late", **{"from": since})
    (item,) = made.body["items"]
    shortened = world.ada.post(f"maintenance/{item['id']}/end", to=in_seconds(-DAY / 2), comment="it was shorter")
    revoked = world.ada.post(f"maintenance/{item['id']}/revoke", comment="it was not")

    assert made.body["judged_again_at"] is not None
    half = ms(shortened.body["items"][0]["to"])
    assert revoked.body["judged_again_at"] is not None
    later = [row for row in again(world, stays, moved, elsewhere) if row not in before]
    assert later == [(number, at) for number in (moved, elsewhere) for at in (ms(since), half, ms(since))]


def test_a_site_is_maintained_with_one_call_and_ended_with_one(world: World) -> None:
    place = site(world)
    units = [unit(world, site=place) for _ in range(3)]
    sensors = [sensor(world, unit=one, assigned_from=in_seconds(-DAY)) for one in units]
    world.ada.post(f"units/{units[2]}/archive")
    since, end = in_seconds(-60), in_seconds(HOUR)
    alone = world.ada.post(f"units/{units[0]}/maintenance", to=end, comment="power cut", **{"from": since})

    made = world.ada.post(f"sites/{place}/maintenance", to=end, comment="power cut", **{"from": since})
    ended = world.ada.post(f"sites/{place}/maintenance/end", comment="power is back")
    nothing = world.ada.post(f"sites/{place}/maintenance/end", comment="once more")

    assert [item["unit"] for item in made.body["items"]] == units[:2]
    assert made.body["items"][0] == alone.body["items"][0]
    assert sorted(again(world, *sensors)) == [(number, ms(since)) for number in sensors[:2]]
    assert {item["ended_by"] for item in ended.body["items"]} == {"ada"}
    assert all(ms(item["to"]) < ms(end) for item in ended.body["items"])
    assert (nothing.outcome, nothing.body["items"]) == ("unchanged", [])
    assert [one["unit"] for one in world.ada.get(f"maintenance?site={place}")["items"]] == units[1::-1]
    assert world.ada.get(f"maintenance?site={place}&from={end}")["items"] == []


def test_readers_and_other_tenants_declare_end_and_revoke_nothing(world: World) -> None:
    place = site(world)
    watched = unit(world, site=place)
    order: dict[str, Any] = {"to": in_seconds(HOUR), "comment": "x"}
    window = world.ada.post(f"units/{watched}/maintenance", **order).body["items"][0]["id"]

    for path, body in (
        (f"units/{watched}/maintenance", order),
        (f"sites/{place}/maintenance", order),
        (f"sites/{place}/maintenance/end", {"comment": "x"}),
        (f"maintenance/{window}/end", {"comment": "x"}),
        (f"maintenance/{window}/revoke", {"comment": "x"}),
    ):
        refused(world.rob.post(path, **body), 403, "forbidden")
        refused(world.bob.post(path, **body), 404, "not_found")
    refused(world.bob.see(f"maintenance/{window}"), 404, "not_found")
    refused(world.bob.see(f"maintenance?unit={watched}"), 404, "not_found")
    assert world.bob.get("maintenance")["items"] == []


def run(world: World, *words: object) -> "subprocess.CompletedProcess[str]":
    """Run `coldstream maintenance`."""
    command = [COLDSTREAM, "maintenance", *map(str, words)]
    environment = {"PATH": "/usr/bin:/bin"} | world.api.environment
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_declares_lists_ends_and_revokes_as_the_operator(world: World) -> None:
    place = site(world)
    units = [unit(world, site=place) for _ in range(2)]
    number = sensor(world, unit=units[0], assigned_from=in_seconds(-DAY))
    since = in_seconds(-60)

    declared = run(world, "declare", "--site", place, "--from", since, "--to", in_seconds(HOUR), "--comment", "power cut")
    listed = run(world, "list", "--site", place, "--json")
    ended = run(world, "end", "--site", place, "--comment", "power is back")
    windows = [json.loads(line) for line in listed.stdout.splitlines()]
    revoked = run(world, "revoke", windows[0]["id"], "--comment", "not that one")
    standing = run(world, "list", "--site", place, "--standing")

    assert "2 windows created; what it says of the past is judged again at " in declared.stderr
    assert [one["unit"] for one in windows] == units[::-1]
    assert {one["declared_by"] for one in windows} == {"operator"}
    assert again(world, number) == [(number, ms(since))]
    assert "2 windows changed" in ended.stderr
    assert "before operator ended it: power is back" in ended.stdout
    assert "1 window changed; what it says of the past is judged again" in revoked.stderr
    assert [line.split()[2] for line in standing.stdout.splitlines()[1:]] == [str(units[0])]
    assert said(world, windows[0]["id"]) == [("revoked", "not that one"), ("ended", "power is back"), ("declared", "power cut")]


def test_the_command_says_what_is_missing_and_where_numbers_can_be_looked_up(world: World) -> None:
    both = run(world, "declare", "--site", 1, "--unit", 1, "--to", in_seconds(HOUR), "--comment", "x")
    unknown = run(world, "declare", "--unit", 2**31 - 1, "--to", in_seconds(HOUR), "--comment", "x")
    long = run(world, "declare", "--unit", unit(world), "--to", in_seconds(32 * DAY), "--comment", "x")

    assert (both.returncode, "name either --unit or --site" in both.stderr) == (2, True)
    assert "There is no such unit" in unknown.stderr
    assert "GET /api/v1/sites and /api/v1/units" in unknown.stderr
    assert "to: must be at most 31 days after its beginning" in long.stderr


EARLY = {"name": "early", "side": "high", "limit_celsius": 8, "role": "operational", "suppress": {"maintenance": True}}
STRICT = {"name": "strict", "side": "high", "limit_celsius": 8}
STORE = """
INSERT INTO readings (sensor_id, measured_at, organization_id, unit_id, assignment_id, policy_version_id, configuration_id, received_after_ms,
  uplink_partition, uplink_offset, temperature, late)
SELECT a.sensor_id, now() - n * interval '10 minutes', a.organization_id, a.unit_id, a.id, p.policy_version_id, c.id, 0, 1, n,
  CASE WHEN n BETWEEN 50 AND 55 THEN 950 ELSE 400 END, false
FROM generate_series(1, 120) n, assignments a JOIN unit_policies p USING (unit_id) JOIN sensor_configurations c USING (sensor_id)
WHERE a.sensor_id = %s
"""


def test_a_preview_says_who_would_be_told_otherwise_and_keeps_nothing(world: World) -> None:
    place = site(world)
    watched = unit(world, site=place, policy_version=policy(world, {"bands": [EARLY, STRICT]})[1])
    number = sensor(world, unit=watched, assigned_from=in_seconds(-2 * DAY))
    with world.api.connect() as connection:
        connection.execute(STORE.encode(), [number])
    order = {"from": in_seconds(-60 * 600), "to": in_seconds(-40 * 600)}

    seen = world.ada.post(f"units/{watched}/maintenance/preview", **order)
    of_site = world.ada.post(f"sites/{place}/maintenance/preview", **order)
    shown = run(world, "preview", "--unit", watched, "--from", order["from"], "--to", order["to"])
    kept = world.ada.get(f"maintenance?unit={watched}")["items"]
    window = world.ada.post(f"units/{watched}/maintenance", **order, comment="x").body["items"][0]["id"]
    twice = world.ada.post(f"units/{watched}/maintenance/preview", **order)
    ended = world.ada.post(f"maintenance/{window}/end/preview", to=in_seconds(-52 * 600))
    revoked = world.ada.post(f"maintenance/{window}/revoke/preview")
    to_come = world.ada.post(f"units/{watched}/maintenance/preview", **{"from": in_seconds(HOUR), "to": in_seconds(DAY)})

    (change,) = seen.body["changes"]
    assert (seen.status, seen.body["judged"], seen.body["units"]) == (200, 120, [watched])
    assert (change["outcome"], change["sensor"], change["band"], change["opened_after"]) == ("suppressed", number, "early", None)
    assert (change["opened_before"], change["peak_celsius"], change["exposure_seconds"]) == (change["started_at"], 9.5, 3_600)
    assert of_site.body["changes"] == [change]
    assert "told no more" in shown.stdout
    assert kept == []
    assert (twice.body["from"], twice.body["changes"]) == (None, [])
    assert [(one["outcome"], one["opened_after"]) for one in ended.body["changes"]] == [("told", ended.body["from"])]
    assert [(one["outcome"], one["opened_after"]) for one in revoked.body["changes"]] == [("told", change["started_at"])]
    assert (to_come.body["judged"], to_come.body["changes"]) == (0, [])
    refused(world.bob.post(f"units/{watched}/maintenance/preview", **order), 404, "not_found")
    refused(world.rob.post(f"maintenance/{window}/revoke/preview"), 403, "forbidden")


def test_a_window_is_never_rewritten_but_to_end_sooner(world: World) -> None:
    window = world.ada.post(f"units/{unit(world)}/maintenance", to=in_seconds(HOUR), comment="x").body["items"][0]["id"]

    for change in ("ends_at = ends_at + interval '1 hour', declared_ends_at = declared_ends_at + interval '1 hour'", "comment = 'y'"):
        with pytest.raises(psycopg.errors.RaiseException, match="declare another"):
            rows(world, f"UPDATE maintenance_windows SET {change} WHERE id = {window} RETURNING id")
    with pytest.raises(psycopg.errors.RaiseException, match="declare another"):
        rows(world, f"DELETE FROM maintenance_windows WHERE id = {window} RETURNING id")
