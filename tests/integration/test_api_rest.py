"""REST over a real database: the exact answers, and nothing of another organization in any of them."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from psycopg.types.json import Jsonb

from infra.local.local_stack import LocalStack
from infra.seed import FleetSpec, Seeded, seed_fleet
from pipelines.domain.instants import format_instant
from tests.integration.api_facts import Facts, put_facts, put_readings
from tests.integration.api_rig import DAY, DOCUMENT, MINUTE, Api, organization, running_api


@dataclass(frozen=True)
class World:
    """Two organizations: ada is a member of the first, bob of the second, eve of none."""

    api: Api
    now: int
    ours: Facts
    theirs: Facts


@pytest.fixture(scope="module")
def world(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    now = int(time.time()) * 1_000
    with running_api(stack, tmp_path_factory.mktemp("api"), "api_rest_test") as api:
        with api.connect() as connection:
            ours = put_facts(connection, organization(connection, 1, now - 30 * DAY), now)
            theirs = put_facts(connection, organization(connection, 2, now - 30 * DAY), now)
        api.team("team-1", "ada")
        api.team("team-2", "bob")
        yield World(api, now, ours, theirs)


def ok(answer: httpx.Response) -> dict:  # type: ignore[type-arg]  # JSON
    assert answer.status_code == 200, answer.text
    found: dict = answer.json()  # type: ignore[type-arg]
    return found


def stretch(world: World) -> str:
    return f"from={format_instant(world.now - DAY)}&to={format_instant(world.now)}"


def test_lists_hold_what_is_ours_and_nothing_else(world: World) -> None:
    sites = ok(world.api.get("sites"))["items"]
    units = ok(world.api.get("units"))["items"]
    sensors = ok(world.api.get("sensors"))["items"]

    assert [(site["name"], site["time_zone"], site["units"]) for site in sites] == [("Site 1", "Europe/Berlin", 2)]
    assert [unit["name"] for unit in units] == ["Fridge 1.0", "Fridge 1.1"]
    assert [sensor["device"]["dev_eui"] for sensor in sensors] == ["A840410000010000", "A840410000010001"]


def test_a_unit_shows_its_state_latest_values_and_open_excursion(world: World) -> None:
    unit = ok(world.api.get(f"units/{world.ours.unit}"))

    begin = world.now - 60 * MINUTE
    assert (unit["state"], unit["since"]) == ("excursion", format_instant(begin))
    assert unit["latest"] == {
        "sensor": world.ours.sensor,
        "unit": world.ours.unit,
        "measured_at": format_instant(begin + 49 * MINUTE),
        "received_at": format_instant(begin + 49 * MINUTE + 450),
        "temperature_celsius": 4.49,
        "humidity_percent": None,
        "battery_volts": 3.051,
        "battery_percent": None,
        "door_open": None,
        "fault": None,
    }
    (excursion,) = unit["open_excursions"]
    assert excursion["id"] == str(world.ours.open_excursion)
    assert [condition["id"] for condition in unit["conditions"]] == [str(world.ours.condition)]
    (sensor,) = unit["sensors"]
    assert sensor["configuration"]["max_gap_seconds"] == 180.0
    assert sensor["state"] == "excursion"


def test_a_unit_without_facts_is_unknown(world: World) -> None:
    unit = ok(world.api.get("units"))["items"][1]

    assert (unit["state"], unit["since"], unit["latest"], unit["open_excursions"]) == ("unknown", None, None, [])


def test_the_policy_in_force_is_that_of_the_instant(world: World) -> None:
    now = ok(world.api.get(f"units/{world.ours.unit}/policy"))
    before = ok(world.api.get(f"units/{world.ours.unit}/policy?at=2001-01-01"))

    assert (now["policy"]["name"], now["policy"]["version"]) == ("fridge", 1)
    assert [(band["name"], band["limit_celsius"], band["severity"]) for band in now["bands"]] == [("warm", 8, "critical")]
    assert (before["policy"], before["bands"]) == (None, [])


def test_an_open_excursion_has_running_figures_and_a_closed_one_its_last(world: World) -> None:
    opened = ok(world.api.get(f"excursions/{world.ours.open_excursion}"))
    closed = ok(world.api.get(f"excursions/{world.ours.closed_excursion}"))

    assert (opened["peak_celsius"], opened["samples"], opened["exposure_seconds"]) == (9.6, 19, 1200.0)
    assert opened["as_of"] == format_instant(world.now - 11 * MINUTE)
    assert opened["closed_at"] is None
    assert (closed["peak_celsius"], closed["mean_celsius"], closed["degree_minutes"]) == (9.5, 9.125, 12.5)
    assert (closed["known_seconds"], closed["unknown_seconds"], closed["largest_gap_seconds"]) == (1000.0, 100.0, 120.0)
    assert (closed["as_of"], closed["ended_by"], closed["version"]) == (None, "recovery", 2)
    assert [version["reason"] for version in closed["versions"]] == ["opened", "closed"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["open", "closed"]),
        ("open=true", ["open"]),
        ("open=false", ["closed"]),
        ("unit={unit}", ["open", "closed"]),
        ("unit={other}", []),
        ("sensor={sensor}&open=true", ["open"]),
        ("site={site}", ["open", "closed"]),
        ("from={after_closing}", ["open"]),
        ("to={after_closing}", ["closed"]),
        ("from={before}&to={before_opening}", ["closed"]),
        ("to={before}", []),
    ],
)
def test_excursions_are_filtered(world: World, query: str, names: list[str]) -> None:
    begin = world.now - 60 * MINUTE
    filled = query.format(
        unit=world.ours.unit,
        other=world.ours.unit + 1,
        sensor=world.ours.sensor,
        site=world.ours.site,
        before=format_instant(begin - 1),
        before_opening=format_instant(begin + 1),
        after_closing=format_instant(begin + 26 * MINUTE),
    )
    by_id = {str(world.ours.open_excursion): "open", str(world.ours.closed_excursion): "closed"}

    found = ok(world.api.get(f"excursions?{filled}"))["items"]

    assert [by_id[excursion["id"]] for excursion in found] == names


def test_pages_follow_each_other_without_gap_or_repetition(world: World) -> None:
    for path, expected in (
        (f"readings?unit={world.ours.unit}&{stretch(world)}&limit=7", 50),
        (f"readings?unit={world.ours.unit}&{stretch(world)}&limit=7&order=desc", 50),
        ("excursions?limit=1", 2),
        ("units?limit=1", 2),
        ("sensors?limit=1", 2),
        ("dead-letters?limit=1", 1),
    ):
        seen: list[str] = []
        cursor = ""
        for _ in range(60):
            page = ok(world.api.get(path + cursor))
            seen.extend(str(item.get("measured_at", item.get("id"))) for item in page["items"])
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"

        assert len(seen) == len(set(seen)) == expected, path
        if "readings" in path:
            assert seen == sorted(seen, reverse="desc" in path)


def test_a_reading_is_shown_as_it_was_measured(world: World) -> None:
    page = ok(world.api.get(f"readings?sensor={world.ours.sensor}&{stretch(world)}&limit=1"))

    begin = world.now - 60 * MINUTE
    assert page["items"][0] == {
        "sensor": world.ours.sensor,
        "unit": world.ours.unit,
        "measured_at": format_instant(begin),
        "received_at": format_instant(begin + 450),
        "temperature_celsius": 4.0,
        "humidity_percent": None,
        "battery_volts": None,
        "battery_percent": None,
        "door_open": None,
        "fault": None,
        "late": False,
        "raw_temperature_celsius": 4.0,
        "corrected": False,
    }


def test_the_end_of_a_stretch_is_excluded(world: World) -> None:
    begin = world.now - 60 * MINUTE
    query = f"from={format_instant(begin)}&to={format_instant(begin + 2 * MINUTE)}"

    found = ok(world.api.get(f"readings?unit={world.ours.unit}&{query}"))["items"]

    assert [reading["temperature_celsius"] for reading in found] == [4.0, 4.01]


def test_a_dead_letter_keeps_its_bytes_but_lists_do_not_carry_them(world: World) -> None:
    (listed,) = ok(world.api.get("dead-letters?reason=not_json&kind=rejected&dev_eui=a84041000181c061"))["items"]
    detail = ok(world.api.get(f"dead-letters/{listed['id']}"))

    assert "raw_base64" not in listed
    assert (listed["size_bytes"], listed["partition"], listed["part"]) == (5, 5, 0)
    assert detail["raw_base64"] == "AHJhd/8="
    assert ok(world.api.get("dead-letters?reason=not_utf8"))["items"] == []


def test_ends_of_uplinks_are_summed_over_partitions(world: World) -> None:
    ends = ok(world.api.get("uplink-ends"))["items"]

    ours = world.ours.seeded.organization
    assert ends == [
        {"organization": ours, "ended_as": "rejected", "reason": "not_json", "uplinks": 2, "replayed": 0},
        {"organization": ours, "ended_as": "stored", "reason": None, "uplinks": 20, "replayed": 0},
    ]


def policy_of(world: World, organization_id: int) -> int:
    with world.api.connect() as connection:
        row = connection.execute("SELECT id FROM policies WHERE organization_id = %s", (organization_id,)).fetchone()
    assert row is not None
    return int(row[0])


THEIR_EUI = "A840410000020000"


def test_a_device_of_theirs_is_a_stranger_here(world: World) -> None:
    story = ok(world.api.get(f"devices/{THEIR_EUI}/story"))

    assert (story["verdict"]["code"], story["device"], story["ends"]) == ("never_heard", None, [])
    assert "Organization 2" not in str(story)


def correction_of(world: World, whose: Facts) -> int:
    """Return the id of a correction that somebody of an organization made."""
    with world.api.connect() as connection:
        row = connection.execute(
            "INSERT INTO corrections (organization_id, kind, sensor_id, starts_at, ends_at, made_by, comment) "
            "VALUES (%s, 'flag', %s, now() - interval '400 days', now() - interval '399 days', 'bob', 'x') RETURNING id",
            [whose.seeded.organization, whose.sensor],
        ).fetchone()
    assert row is not None
    return int(row[0])


def window_of(world: World, whose: Facts) -> int:
    """Return the id of a maintenance window that somebody of an organization declared."""
    with world.api.connect() as connection:
        row = connection.execute(
            "INSERT INTO maintenance_windows (organization_id, unit_id, starts_at, ends_at, declared_ends_at, declared_by, comment) "
            "SELECT %s, %s, now() - interval '400 days', over.at, over.at, 'bob', 'x' FROM (SELECT now() - interval '399 days') over (at) "
            "RETURNING id",
            [whose.seeded.organization, whose.unit],
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_every_route_with_an_id_of_theirs_is_not_found(world: World) -> None:
    theirs = world.theirs
    ids = {
        "site": theirs.site,
        "unit": theirs.unit,
        "sensor": theirs.sensor,
        "organization": theirs.seeded.organization,
        "excursion": theirs.open_excursion,
        "letter": theirs.dead_letter,
        "policy": policy_of(world, theirs.seeded.organization),
        "condition": theirs.condition,
        "correction": correction_of(world, theirs),
        "window": window_of(world, theirs),
    }
    schema = httpx.get(f"{world.api.url}/api/openapi.json").json()
    tried = 0
    for path, operations in schema["paths"].items():
        if not path.startswith("/api/v1/") or "get" not in operations:
            continue
        route = path.removeprefix("/api/v1/")
        parameters = [parameter["name"] for parameter in operations["get"].get("parameters", [])]
        needed = f"{stretch(world)}&seconds=3600"
        named = [name for name in parameters if name in ids]
        if "{" in route:
            asked = f"?organization={ids['organization']}" if "organization" in parameters else ""
            answers = [world.api.get(route.format(**ids, dev_eui=THEIR_EUI) + asked)]
        else:
            answers = [world.api.get(f"{route}?{needed}&{name}={ids[name]}") for name in named]
        for answer in answers:
            tried += 1
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found"), (path, answer.text)

    assert tried >= 19


def test_nothing_of_theirs_is_in_any_answer(world: World) -> None:
    theirs = world.theirs
    canaries = ["Organization 2", "Site 2", "Fridge 2", "A840410000020000", "application-2"]
    canaries += [
        str(theirs.open_excursion),
        str(theirs.closed_excursion),
        str(theirs.dead_letter),
        str(theirs.condition),
    ]
    for route in (
        "me",
        "organizations",
        "sites",
        "units",
        "sensors",
        f"units/{world.ours.unit}",
        f"sensors/{world.ours.sensor}",
        "excursions",
        f"excursions/{world.ours.open_excursion}",
        "dead-letters",
        "uplink-ends",
        f"readings?unit={world.ours.unit}&{stretch(world)}",
    ):
        text = world.api.get(route).text
        assert not [canary for canary in canaries if canary in text], route


def test_a_member_of_nothing_sees_nothing(world: World) -> None:
    for route in ("organizations", "sites", "units", "sensors", "excursions", "dead-letters", "uplink-ends"):
        assert ok(world.api.get(route, user="eve"))["items"] == []
    assert world.api.get(f"units/{world.ours.unit}", user="eve").status_code == 404


def known_buckets(
    marks: list[tuple[int, int | None]], gap: int, start: int, end: int, width: int
) -> dict[int, tuple[int, int, float, int, int, float]]:
    """The rule of docs/api.md in plain words: (count, faults, known seconds, lowest, highest, mean) by bucket start."""
    found: dict[int, list[tuple[int, int, bool]]] = {}
    faults: dict[int, int] = {}
    for index, (at, value) in enumerate(marks):
        if value is None:
            if start <= at < end:
                faults[at // width] = faults.get(at // width, 0) + 1
            continue
        until = min([at + gap, end, *(later for later, _ in marks[index + 1 : index + 2])])
        for bucket in range(max(at, start) // width, max(at, until - 1, start) // width + 1):
            known = max(0, min(until, (bucket + 1) * width, end) - max(at, bucket * width, start))
            is_here = at // width == bucket and at >= start
            if at < end and (is_here or known > 0):
                found.setdefault(bucket, []).append((value, known, is_here))
    answer = {}
    for bucket in found.keys() | faults.keys():
        values = found.get(bucket, [])
        known = sum(length for _, length, _ in values)
        mean = sum(value * length for value, length, _ in values) / known if known else float("nan")
        answer[max(bucket * width, start)] = (
            sum(is_here for _, _, is_here in values),
            faults.get(bucket, 0),
            known / 1_000,
            min((value for value, _, _ in values), default=0),
            max((value for value, _, _ in values), default=0),
            mean,
        )
    return answer


@pytest.mark.parametrize("seed", range(6))
def test_buckets_agree_with_the_rule_in_plain_words(world: World, seed: int) -> None:
    rng = random.Random(seed)
    begin = world.now - (20 - seed) * DAY
    at = begin
    marks: list[tuple[int, int | None]] = []
    for _ in range(200):
        at += rng.choice([1, 999, 30_000, 60_000, 60_000, 60_000, 170_000, 180_000, 190_000, 900_000])
        marks.append((at, None if rng.random() < 0.1 else rng.randint(-2_000, 1_500)))
    sensor, unit = world.ours.sensor, world.ours.unit
    with world.api.connect() as connection:
        put_readings(
            connection,
            world.ours.seeded,
            sensor,
            unit,
            [(when, value, 33 if value is None else None) for when, value in marks],
        )
    start, end = marks[3][0] + rng.choice([0, 1, 777]), marks[-4][0] + rng.choice([0, 1, 50_000])
    width = rng.choice([60, 300, 3_600])

    query = f"sensor={sensor}&from={format_instant(start)}&to={format_instant(end)}&seconds={width}"
    found = ok(world.api.get(f"readings/buckets?{query}"))["items"]

    expected = known_buckets(marks, 3 * MINUTE, start, end, width * 1_000)
    assert [bucket["from"] for bucket in found] == [format_instant(when) for when in sorted(expected)]
    for bucket in found:
        when = int(datetime.fromisoformat(bucket["from"]).astimezone(UTC).timestamp() * 1_000 + 0.5)
        count, faults, known, lowest, highest, mean = expected[when]
        assert (bucket["count"], bucket["faults"]) == (count, faults)
        assert bucket["known_seconds"] == pytest.approx(known, abs=1e-6)
        if bucket["mean_celsius"] is None:
            assert count == 0
            assert known == 0
        else:
            assert (bucket["min_celsius"], bucket["max_celsius"]) == (lowest / 100, highest / 100)
            assert bucket["mean_celsius"] == pytest.approx(mean / 100, abs=1e-4)


def test_known_time_does_not_reach_beyond_now(world: World) -> None:
    seeded: Seeded = world.ours.seeded
    sensor, unit = max(seeded.sensors.values()), max(seeded.units.values())
    with world.api.connect() as connection:
        recent = int(time.time() * 1_000) - 20_000
        put_readings(connection, seeded, sensor, unit, [(recent, 500, None)])
    query = f"unit={unit}&from={format_instant(recent - DAY)}&to={format_instant(recent + DAY)}&seconds=86400"

    known = sum(bucket["known_seconds"] for bucket in ok(world.api.get(f"readings/buckets?{query}"))["items"])

    assert 19 < known < 60


def test_of_an_instant_only_what_had_been_received_is_told_and_nothing_is_known_beyond_it(world: World) -> None:
    begin, sensor = world.now - 60 * MINUTE, world.ours.sensor
    received_third = begin + 2 * MINUTE + 450
    asked = f"sensor={sensor}&from={format_instant(begin)}&to={format_instant(begin + 30 * MINUTE)}&known_at="

    before = ok(world.api.get(f"readings?{asked}{format_instant(received_third - 1)}"))["items"]
    after = ok(world.api.get(f"readings?{asked}{format_instant(received_third)}"))["items"]
    (bucket,) = ok(world.api.get(f"readings/buckets?{asked}{format_instant(received_third)}&seconds=86400"))["items"]

    assert [len(before), len(after)] == [2, 3]
    assert (bucket["count"], bucket["known_seconds"]) == (3, pytest.approx(120.45))


BUDGETS = {
    "bands": [
        {"name": "warm", "kind": "cumulative", "side": "high", "limit_celsius": 8, "window_seconds": 14_400, "budget_seconds": 7_200},
        {"name": "ever", "kind": "cumulative", "side": "high", "limit_celsius": 8, "window_seconds": None, "budget_seconds": 36_000},
    ],
}


def put_policy(world: World, document: object) -> int:
    """Add a policy version of ours; returns its id."""
    with world.api.connect() as connection:
        row = connection.execute(
            "WITH p AS (INSERT INTO policies (organization_id, name) VALUES (%(organization)s, 'budgets') RETURNING id) "
            "INSERT INTO policy_versions (organization_id, policy_id, version, document) "
            "SELECT %(organization)s, id, 1, %(document)s FROM p RETURNING id",
            {"organization": world.ours.seeded.organization, "document": Jsonb(document)},
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_sensor_shows_what_is_left_of_its_budgets_since_it_came_to_the_unit(world: World) -> None:
    seeded: Seeded = world.ours.seeded
    sensor, unit = max(seeded.sensors.values()), max(seeded.units.values())
    policy = put_policy(world, BUDGETS)
    readings: list[tuple[int, int | None, int | None]] = [(world.now - (600 - i) * MINUTE, 900, None) for i in range(30)]
    readings += [(world.now - (90 - i) * MINUTE, 900 if i < 20 else 400, None) for i in range(60)]
    readings.append((world.now - 29 * MINUTE, None, 33))
    with world.api.connect() as connection:
        row = connection.execute("SELECT id FROM assignments WHERE sensor_id = %s", (sensor,)).fetchone()
        assert row is not None
        put_readings(connection, seeded, sensor, unit, readings, assignment=row[0], policy=policy)
        put_readings(
            connection, seeded, sensor, unit, [(world.now - 120 * MINUTE - 1, 900, None)], assignment=row[0] + 1_000, policy=policy
        )

    warm, ever = ok(world.api.get(f"units/{unit}"))["sensors"][0]["budgets"]

    assert (warm["band"], warm["side"], warm["limit_celsius"], warm["window_seconds"]) == ("warm", "high", 8.0, 14_400.0)
    assert (warm["budget_seconds"], warm["used_seconds"], warm["left_seconds"], warm["used_up_at"]) == (7_200.0, 1_200.0, 6_000.0, None)
    assert (warm["unknown_seconds"], warm["left_at_worst_seconds"]) == (14_400.0 - 3_660.0, 0.0)
    # 32 min, for the last of the first 30 readings held for the max gap, and 20 min; the time between is unknown.
    assert (ever["window_seconds"], ever["used_seconds"], ever["left_seconds"]) == (None, 3_120.0, 36_000.0 - 3_120.0)
    assert 0 <= ever["unknown_seconds"] - (600 * 60 - 1_920 - 3_660) < 120
    assert ok(world.api.get(f"units/{world.ours.unit}"))["sensors"][0]["budgets"] == []


def test_ten_thousand_units_with_values_are_listed_in_seconds(world: World) -> None:
    spec = FleetSpec(sensors=10_000, document=DOCUMENT, valid_from=world.now - 30 * DAY, team_id="team-fleet")
    with world.api.connect() as connection:
        fleet = seed_fleet(connection, spec)
        connection.execute(
            "INSERT INTO latest_readings (sensor_id, organization_id, unit_id, measured_at, received_at, temperature) "
            "SELECT %s + i, %s, %s + i, now(), now(), 400 FROM generate_series(0, 9999) i",
            (fleet.first_sensor, fleet.organization, fleet.first_unit),
        )
    world.api.team("team-fleet", "fay")
    token = {"x-stack-access-token": world.api.token("fay")}
    httpx.get(f"{world.api.url}/api/v1/me", headers=token)

    started_at = time.monotonic()
    answer = httpx.get(f"{world.api.url}/api/v1/units?limit=10000", headers=token, timeout=20)
    seconds = time.monotonic() - started_at

    units = ok(answer)["items"]
    assert len(units) == 10_000
    assert units[-1]["latest"]["temperature_celsius"] == 4.0
    assert seconds < 5
