"""Two clocks on real PostgreSQL: what is true now, and what was believed at an instant, in SQL and by REST alike.

The story of one sensor: `first` is opened, closed, found longer by late data, and voided; the same stretch is found again as `again`.
`open` is opened last and still stands. Nothing here tests how versions come about; the recorder's tests do.
"""

import re
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from api.queries.excursion_versions import AS_KNOWN, VERSIONS
from api.queries.excursions import FILTERS
from infra.local.local_stack import LocalStack
from infra.seed import Seeded
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.domain.instants import format_instant
from schemas.ids import excursion_id
from tests.integration.api_rig import DAY, MINUTE, Api, organization, running_api
from tests.integration.engine_database import new_database

VERSION = """
INSERT INTO excursion_versions (excursion_id, version, first_started_at, known_at, reason, organization_id, unit_id, sensor_id, device_id, band,
  side, severity, limit_hundredths, policy_version_id, started_at, opened_at, ended_at, closed_at, ended_by, late, superseded_by, peak, mean,
  degree_minutes, exposure_ms, known_ms, unknown_ms, samples, largest_gap_ms, uplink_partition, uplink_offset)
VALUES (%(id)s, %(version)s, %(first)s, %(known)s, %(reason)s, %(organization)s, %(unit)s, %(sensor)s, %(device)s, 'warm', 'high', 'critical', 800,
  1, %(started)s, %(opened)s, %(ended)s, %(ended)s, %(ended_by)s, %(late)s, %(superseded_by)s, %(peak)s, 912.5, 12.5, 900000, 1000000, 100000, 15,
  120000, 3, 77)
"""
CURRENT = """
INSERT INTO current_excursions SELECT DISTINCT ON (excursion_id) excursion_id, version, organization_id, unit_id, sensor_id, device_id, band, side,
  severity, limit_hundredths, policy_version_id, first_started_at, started_at, opened_at, ended_at, closed_at, ended_by, late, known_at
FROM excursion_versions WHERE excursion_id = ANY(%s) ORDER BY excursion_id, version DESC
"""
CONCEPTS = Path(__file__).parents[2] / "docs" / "concepts.md"
NOW_QUERY, BELIEVED_QUERY, ANALYST = re.findall(r"```sql\n(.*?)```", CONCEPTS.read_text(), re.DOTALL)
"""The examples of the docs: two questions, and what an analyst's role is granted."""
TENANT = """
CREATE SCHEMA {role};
CREATE VIEW {role}.excursion_history WITH (security_barrier) AS SELECT * FROM analytics.excursion_history WHERE organization_id = 1;
CREATE ROLE {role};
GRANT USAGE ON SCHEMA {role} TO {role};
GRANT SELECT ON {role}.excursion_history TO {role}
"""


@dataclass(frozen=True)
class Story:
    """Ids by name, the instants at which something was learnt, and what was believed right after each."""

    seeded: Seeded
    unit: int
    sensor: int
    names: dict[uuid.UUID, str]
    learnt: list[int]

    BELIEVED: ClassVar[tuple[list[str], ...]] = (["first 1"], ["first 2"], ["first 3"], [], ["again 1"], ["open 1", "again 1"])

    def id_of(self, name: str) -> uuid.UUID:
        return next(identity for identity, called in self.names.items() if called == name)


@dataclass(frozen=True)
class World:
    """Ada's organization and Bob's, each with its story."""

    api: Api
    ours: Story
    theirs: Story


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def tell(connection: "psycopg.Connection[Any]", seeded: Seeded, now: int) -> Story:
    """Write the story of an organization's first sensor; one thing was learnt each ten minutes, 0.7 ms after the full one."""
    unit, sensor, device = (min(ids.values()) for ids in (seeded.units, seeded.sensors, seeded.devices))
    begin = now - 3 * 60 * MINUTE
    learnt = [begin + (30 + 10 * step) * MINUTE for step in range(6)]
    first, again = excursion_id(sensor, "warm", begin, 0), excursion_id(sensor, "warm", begin, 1)
    later = excursion_id(sensor, "warm", begin + 60 * MINUTE, 0)
    earlier = begin - 5 * MINUTE
    lines = [
        (first, 1, "opened", begin, None, 900),
        (first, 2, "closed", begin, begin + 20 * MINUTE, 950),
        (first, 3, "late", earlier, begin + 20 * MINUTE, 990),
        (first, 4, "void", earlier, begin + 20 * MINUTE, 990),
        (again, 1, "late", begin, begin + 20 * MINUTE, 950),
        (later, 1, "opened", begin + 60 * MINUTE, None, 870),
    ]
    for known, (identity, version, reason, started, ended, peak) in zip(learnt, lines, strict=True):
        connection.execute(
            VERSION,
            {
                "id": identity,
                "version": version,
                "reason": reason,
                "known": at(known) + timedelta(microseconds=700),
                "first": at(begin + 60 * MINUTE if identity == later else begin),
                "organization": seeded.organization,
                "unit": unit,
                "sensor": sensor,
                "device": device,
                "started": at(started),
                "opened": at(started + 15 * MINUTE),
                "ended": None if ended is None else at(ended),
                "ended_by": None if ended is None else "recovery",
                "late": reason in {"late", "void"},
                "superseded_by": again if reason == "void" else None,
                "peak": peak,
            },
        )
    connection.execute(CURRENT, ([again, later],))
    connection.execute(
        "INSERT INTO open_excursions VALUES (%s, %s, %s, %s, 960, 930.0, 33.5, 1200000, 1300000, 60000, 19, 180000)",
        (later, seeded.organization, sensor, at(now)),
    )
    return Story(seeded, unit, sensor, {first: "first", again: "again", later: "open"}, learnt)


@pytest.fixture(scope="module")
def world(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    now = int(time.time()) * 1_000
    with running_api(stack, tmp_path_factory.mktemp("api"), "two_clocks_test") as api:
        with api.connect() as connection:
            ours = tell(connection, organization(connection, 1, now - 30 * DAY), now)
            theirs = tell(connection, organization(connection, 2, now - 30 * DAY), now)
        api.team("team-1", "ada")
        api.team("team-2", "bob")
        yield World(api, ours, theirs)


def ok(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def error(answer: httpx.Response) -> tuple[int, str, str]:
    told = answer.json()["error"]
    return answer.status_code, told["code"], told["message"]


def rows(world: World, query: str, parameters: tuple[object, ...] = ()) -> list[dict[str, Any]]:
    with psycopg.connect(world.api.database_url, row_factory=dict_row) as connection:
        return connection.execute(query.encode(), parameters).fetchall()


def as_known_in_sql(world: World, story: Story, instant: datetime) -> list[str]:
    query = "SELECT * FROM analytics.excursions_as_known(%s) WHERE sensor_id = %s ORDER BY started_at DESC"
    found = rows(world, query, (instant, story.sensor))
    return [f"{story.names[row['excursion_id']]} {row['version']}" for row in found]


def as_known_by_rest(world: World, story: Story, query: str, user: str = "ada") -> list[str]:
    found = ok(world.api.get(f"excursions?{query}", user))["items"]
    return [f"{story.names[uuid.UUID(item['id'])]} {item['version']}" for item in found]


@pytest.mark.parametrize("step", range(6))
def test_what_was_believed_is_the_newest_version_known_then_and_nothing_that_was_void(world: World, step: int) -> None:
    known = world.ours.learnt[step]

    for instant in (known + 1, known + 5 * MINUTE):
        assert as_known_in_sql(world, world.ours, at(instant)) == Story.BELIEVED[step]
        assert as_known_by_rest(world, world.ours, f"known_at={format_instant(instant)}") == Story.BELIEVED[step]


def test_before_anything_was_learnt_nothing_was_believed(world: World) -> None:
    before = world.ours.learnt[0] - 1

    assert as_known_in_sql(world, world.ours, at(before)) == []
    assert as_known_by_rest(world, world.ours, f"known_at={format_instant(before)}") == []


def test_a_known_at_of_an_answer_finds_the_version_it_came_with(world: World) -> None:
    versions = ok(world.api.get(f"excursions/{world.ours.id_of('first')}/versions"))["items"]

    for version in versions[:3]:
        found = ok(world.api.get(f"excursions/{version['id']}?known_at={version['known_at']}"))
        assert (found["version"], found["known_at"], found["reason"]) == (version["version"], version["known_at"], version["reason"])
        assert [one["version"] for one in found["versions"]] == list(range(1, found["version"] + 1))


def test_filters_and_pages_are_over_what_was_believed_then(world: World) -> None:
    opened, closed, corrected, _, again, both = (f"known_at={format_instant(known + 1)}" for known in world.ours.learnt)
    sensor, unit = f"sensor={world.ours.sensor}", f"unit={world.ours.unit}"

    assert as_known_by_rest(world, world.ours, f"{opened}&open=true&{unit}") == ["first 1"]
    assert as_known_by_rest(world, world.ours, f"{closed}&open=true&{unit}") == []
    assert as_known_by_rest(world, world.ours, f"{corrected}&open=false&{sensor}") == ["first 3"]
    assert as_known_by_rest(world, world.ours, f"{again}&to={format_instant(world.ours.learnt[0] - 31 * MINUTE)}") == []
    page = ok(world.api.get(f"excursions?{both}&limit=1"))
    assert as_known_by_rest(world, world.ours, f"{both}&limit=1") == ["open 1"]
    assert as_known_by_rest(world, world.ours, f"{both}&limit=1&cursor={page['next']}") == ["again 1"]


def test_a_voided_excursion_is_listed_apart_from_when_it_was_voided_on(world: World) -> None:
    story = world.ours
    before, after = (format_instant(story.learnt[3] + shift) for shift in (-1_000, 1_000))

    listed = {
        instant: as_known_by_rest(world, story, f"voided=true{instant}") for instant in (f"&known_at={before}", f"&known_at={after}", "")
    }

    assert list(listed.values()) == [[], ["first 4"], ["first 4"]]


def test_an_excursion_not_believed_then_is_not_found_and_the_sentence_says_why(world: World) -> None:
    first, learnt = world.ours.id_of("first"), world.ours.learnt
    before, after = format_instant(learnt[0] - 1), format_instant(learnt[4])

    early = error(world.api.get(f"excursions/{first}?known_at={before}"))
    late = error(world.api.get(f"excursions/{first}?known_at={after}"))
    now = error(world.api.get(f"excursions/{first}"))

    assert early == (404, "not_known", f"This excursion was not known yet at {before}: it was found at {format_instant(learnt[0])}.")
    assert late[:2] == now[:2] == (404, "not_known")
    assert f"voided at {format_instant(learnt[3])} in favour of {world.ours.id_of('again')}" in late[2]
    assert "does not stand: it was voided" in now[2]


def test_versions_are_told_oldest_first_with_what_each_changed(world: World) -> None:
    route = f"excursions/{world.ours.id_of('first')}/versions"

    versions = ok(world.api.get(route))["items"]
    pages = ok(world.api.get(f"{route}?limit=2"))
    rest = ok(world.api.get(f"{route}?limit=2&cursor={pages['next']}"))

    assert [(one["version"], one["reason"], one["changed"]) for one in versions] == [
        (1, "opened", []),
        (2, "closed", ["ended_at", "closed_at", "ended_by", "peak_celsius"]),
        (3, "late", ["started_at", "opened_at", "late", "peak_celsius"]),
        (4, "void", []),
    ]
    assert [one["superseded_by"] for one in versions] == [None, None, None, str(world.ours.id_of("again"))]
    assert pages["items"] + rest["items"] == versions


def test_what_stands_now_is_what_is_known_now_but_for_running_figures(world: World) -> None:
    running = {"peak_celsius", "mean_celsius", "degree_minutes", "exposure_seconds", "known_seconds", "unknown_seconds", "samples"}
    running |= {"largest_gap_seconds", "as_of"}
    order = f"WHERE sensor_id = {world.ours.sensor} ORDER BY started_at"

    known = rows(world, f"SELECT * FROM analytics.excursions_as_known(now()) {order}")
    stands = rows(world, f"SELECT * FROM analytics.excursions_now {order}")

    assert [list(row) for row in known] == [list(row) for row in stands]
    assert known[0] == stands[0]
    assert {name: value for name, value in known[1].items() if name not in running} == {
        name: value for name, value in stands[1].items() if name not in running
    }
    assert (stands[0]["duration_seconds"], stands[0]["peak_celsius"], stands[0]["reason"]) == (1200.0, 9.5, "late")
    assert (stands[1]["duration_seconds"], stands[1]["peak_celsius"], known[1]["peak_celsius"]) == (None, 9.6, 8.7)


def test_the_history_says_from_when_until_when_each_version_was_believed(world: World) -> None:
    query = "SELECT * FROM analytics.excursion_history WHERE excursion_id = %s ORDER BY version"

    found = rows(world, query, (world.ours.id_of("first"),))

    assert [row["reason"] for row in found] == ["opened", "closed", "late", "void"]
    assert [row["known_until"] for row in found] == [row["known_at"] for row in found[1:]] + [None]
    assert found[-1]["superseded_by"] == world.ours.id_of("again")


def test_nobody_sees_what_another_organization_believed(world: World) -> None:
    for known in world.theirs.learnt:
        asked = f"known_at={format_instant(known + 1)}"
        for identity in world.theirs.names:
            assert error(world.api.get(f"excursions/{identity}?{asked}"))[:2] == (404, "not_found")
            assert error(world.api.get(f"excursions/{identity}/versions"))[:2] == (404, "not_found")
        assert as_known_by_rest(world, world.ours, asked) == as_known_in_sql(world, world.ours, at(known + 1))
        assert as_known_by_rest(world, world.theirs, asked, "bob") == as_known_in_sql(world, world.theirs, at(known + 1))


@contextmanager
def acting_as(url: str, grants: str) -> Iterator["psycopg.Connection[Any]"]:
    """A connection of a role made by some statements that name it `{role}`; gone afterwards."""
    role = f"role_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"{grants.format(role=role)}; SET ROLE {role}".encode())
        try:
            yield connection
        finally:
            connection.execute(f"RESET ROLE; DROP SCHEMA IF EXISTS {role} CASCADE; DROP OWNED BY {role}; DROP ROLE {role}".encode())


def analyst(url: str) -> AbstractContextManager["psycopg.Connection[Any]"]:
    """A connection of an analyst, granted what the docs say."""
    return acting_as(url, ANALYST.replace("analyst", "{role}").rstrip().rstrip(";"))


def test_an_analyst_reads_both_clocks_and_no_table(world: World) -> None:
    with analyst(world.api.database_url) as connection:
        for source in ("excursions_now", "excursion_history", "excursions_as_known(now())"):
            assert connection.execute(f"SELECT count(*) FROM analytics.{source}".encode()).fetchone() != (0,)
        for table in ("excursion_versions", "current_excursions", "open_excursions"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT 1 FROM {table}".encode())


def test_the_examples_of_the_docs_answer_an_analyst(world: World) -> None:
    then = at(world.ours.learnt[2] + 1).isoformat()
    asked = [query.replace("sensor_id = 5", f"sensor_id = {world.ours.sensor}") for query in (NOW_QUERY, BELIEVED_QUERY)]
    assert "2026-11-25 08:00+00" in asked[1]

    with analyst(world.api.database_url) as connection:
        now = connection.execute(asked[0].encode()).fetchall()
        better = connection.execute(asked[1].replace("2026-11-25 08:00+00", then).encode()).fetchall()

    assert [(row[4], row[6], row[7]) for row in now] == [(9.5, 1, "late"), (9.6, 1, "opened")]
    assert {(world.ours.names[identity], *rest) for identity, *rest in better} == {
        ("first", 3, None, 9.9, None),
        ("again", None, 1, None, 9.5),
        ("open", None, 1, None, 9.6),
    }


def test_a_role_with_a_view_of_one_organization_sees_nothing_of_others(world: World) -> None:
    with acting_as(world.api.database_url, TENANT) as connection:
        (schema,) = connection.execute("SELECT current_user").fetchone() or ("",)
        seen = connection.execute(f"SELECT DISTINCT excursion_id FROM {schema}.excursion_history".encode()).fetchall()
        for source in ("analytics.excursion_history", "analytics.excursions_as_known(now())", "excursion_versions"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT 1 FROM {source}".encode())

    assert {identity for (identity,) in seen} == set(world.ours.names)


SENSORS, DAYS = 400, 50
MANY = f"""
SELECT ensure_partitions('excursion_versions', now() - interval '{DAYS + 1} days', now());
INSERT INTO sites (organization_id, name) SELECT number, 'Site' FROM generate_series(1, 2) AS number;
INSERT INTO units (organization_id, site_id, name) SELECT 1 + number % 2, 1 + number % 2, 'Unit ' || number FROM generate_series(1, {SENSORS}) AS number;
INSERT INTO excursion_versions
SELECT md5(sensor || ' ' || day)::uuid, version, started, started + version * interval '1 hour', CASE version WHEN 1 THEN 'opened' ELSE 'closed' END,
  1 + sensor % 2, sensor, sensor, sensor, 'warm', 'high', 'critical', 800, 1, started, started,
  CASE version WHEN 2 THEN started + interval '1 hour' END, CASE version WHEN 2 THEN started + interval '1 hour' END, NULL, false, NULL,
  900, 900, 1, 1, 1, 0, 1, 1, 0, 0
FROM generate_series(1, {SENSORS}) AS sensor, generate_series(1, {DAYS}) AS day, generate_series(1, 2) AS version,
  LATERAL (SELECT date_trunc('day', now()) - day * interval '1 day' + sensor * interval '1 second' AS started) AS begun;
ANALYZE excursion_versions; ANALYZE units
"""
ORGANIZATIONS = "INSERT INTO organizations (team_id, name) VALUES ('one', 'One'), ('two', 'Two')"
FUNCTION = "SELECT * FROM analytics.excursions_as_known(now() - interval '3 days') WHERE {}"
AN_ID = "md5('7 40')::uuid"


@pytest.fixture(scope="module")
def many(stack: LocalStack) -> Iterator[DatabaseConfig]:
    """Two organizations with 20,000 excursions of two versions each."""
    with new_database(stack.database_url) as database:
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(ORGANIZATIONS)
            connection.execute(MANY.encode())
        yield database


def scans(node: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the kind of each scan of versions in a plan, and how many rows it read."""
    if "Plans" not in node and node.get("Relation Name", "").startswith(("excursion_versions", "_hyper")):
        read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        yield node["Node Type"], read * node["Actual Loops"]
    for child in node.get("Plans", []):
        yield from scans(child)


def assert_few_are_read(database: DatabaseConfig, query: str, parameters: dict[str, Any], at_most: int) -> None:
    with psycopg.connect(database.url) as connection:
        row = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}".encode(), parameters).fetchone()
    assert row is not None
    found = list(scans(row[0][0]["Plan"]))
    assert found
    assert [read for kind, read in found if kind == "Seq Scan" and read] == [], row
    assert sum(read for _, read in found) <= at_most, row


@pytest.mark.parametrize(
    ("condition", "at_most"),
    [
        ("sensor_id = 7", 4 * DAYS),
        ("sensor_id = ANY('{7,8,9}')", 12 * DAYS),
        (f"excursion_id = {AN_ID}", 4),
        ("unit_id = 7", 4 * DAYS),
        ("organization_id = 1 AND started_at > now() - interval '5 days'", 4_000),
    ],
)
def test_the_function_reads_no_more_versions_than_the_question_is_about(many: DatabaseConfig, condition: str, at_most: int) -> None:
    assert_few_are_read(many, FUNCTION.format(condition), {}, at_most)


def test_an_analyst_s_question_is_planned_alike(many: DatabaseConfig) -> None:
    with analyst(many.url) as connection:
        row = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {FUNCTION.format('sensor_id = 7')}".encode()).fetchone()

    assert row is not None
    assert sum(read for _, read in scans(row[0][0]["Plan"])) <= 4 * DAYS


@pytest.mark.parametrize(
    ("filters", "at_most"),
    [(["id"], 8), (["sensor"], 4 * DAYS), (["unit"], 4 * DAYS), ([], 1_500), (["after_at"], 1_500), (["end"], 1_500)],
)
def test_the_api_reads_no_more_versions_than_its_answer_needs(many: DatabaseConfig, filters: list[str], at_most: int) -> None:
    with psycopg.connect(many.url) as connection:
        identity = connection.execute(f"SELECT {AN_ID}, now()".encode()).fetchone()
    assert identity is not None
    given = {"id": identity[0], "sensor": 7, "unit": 7, "after_id": identity[0]}
    given |= {"after_at": identity[1] - timedelta(days=20), "end": identity[1] - timedelta(days=20)}
    parameters = given | {"scope": [1, 2], "until": identity[1] - timedelta(days=10), "begun_by": identity[1] - timedelta(days=9)}
    parameters |= {"limit": 100, "from_version": 0}

    assert_few_are_read(many, AS_KNOWN.format(filters=" ".join(FILTERS[name] for name in filters)), parameters, at_most)
    assert_few_are_read(many, VERSIONS, parameters, 4)
