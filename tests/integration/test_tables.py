"""The migrated database is what schemas.tables says, and migrating is safe at any time."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from infra.local.local_stack import LocalStack
from migrations import runner
from pipelines.connectors.timescale import DatabaseConfig
from schemas.tables import TABLES, TableKind
from tests.integration.engine_database import fill_registry, new_database

KEYS = """
SELECT c.relname, array_agg(a.attname::text ORDER BY array_position(i.indkey::int2[], a.attnum)), c.relkind::text
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'alembic_version'
GROUP BY 1, 3
"""


@pytest.fixture(scope="module")
def database(stack: LocalStack) -> Iterator[DatabaseConfig]:
    """A migrated database."""
    with new_database(stack.database_url) as config:
        yield config


def rows(database: DatabaseConfig, statement: str) -> list[tuple[Any, ...]]:
    """Return what a query finds."""
    with psycopg.connect(database.url) as connection:
        return connection.execute(statement).fetchall()


def hypertables(database: DatabaseConfig) -> set[object]:
    """Return the tables that are hypertables, or natively partitioned where there is no TimescaleDB."""
    if rows(database, "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"):
        return {row[0] for row in rows(database, "SELECT hypertable_name::text FROM timescaledb_information.hypertables")}
    return {row[0] for row in rows(database, "SELECT relname FROM pg_class WHERE relkind = 'p'")}


def test_every_table_has_its_row_with_its_key_and_the_reverse(database: DatabaseConfig) -> None:
    found = {name: tuple(key) for name, key, _ in rows(database, KEYS)}

    assert found == {table.name: table.key for table in TABLES}


def test_hypertables_are_those_of_the_map_and_their_time_is_in_the_key(database: DatabaseConfig) -> None:
    wanted = {table.name: table for table in TABLES if table.kind is TableKind.HYPERTABLE}

    assert hypertables(database) == set(wanted)
    assert dict(rows(database, "SELECT table_name, time_column FROM partitioned_tables")) == {
        name: table.time_column for name, table in wanted.items()
    }
    assert all(table.time_column in table.key for table in wanted.values())


def test_migrating_again_changes_nothing_and_keeps_what_is_there(stack: LocalStack) -> None:
    with new_database(stack.database_url) as database:
        fill_registry(database)

        runner.upgrade(database.url)

        assert rows(database, "SELECT count(*) FROM sensors") == [(1,)]
        assert runner.current(database.url) == runner.head(database.url)


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_migrating_from_an_older_revision_keeps_what_is_there(stack: LocalStack, revision: str) -> None:
    with new_database(stack.database_url, revision) as database:
        fill_registry(database)

        runner.upgrade(database.url)

        assert rows(database, "SELECT count(*) FROM sensors") == [(1,)]
        assert runner.current(database.url) == runner.head(database.url)


@pytest.mark.parametrize("table", ["sensor_configurations", "policy_versions", "unit_policies"])
def test_versions_in_the_registry_cannot_be_changed(stack: LocalStack, table: str) -> None:
    with new_database(stack.database_url) as database:
        fill_registry(database)

        with pytest.raises(psycopg.errors.RaiseException, match=f"{table} is append-only"):
            rows(database, f"UPDATE {table} SET organization_id = organization_id RETURNING id")


def test_every_change_of_the_registry_is_counted(stack: LocalStack) -> None:
    with new_database(stack.database_url) as database:
        before = rows(database, "SELECT version FROM registry_state")

        fill_registry(database)

        assert rows(database, "SELECT version FROM registry_state") > before


@pytest.mark.parametrize(
    ("statement", "counts"),
    [
        ("UPDATE sites SET name = 'Other', time_zone = 'Europe/Berlin'", False),
        ("UPDATE units SET name = 'Other'", False),
        ("UPDATE devices SET name = 'Other', brand_id = 'dragino'", False),
        ("UPDATE devices SET dev_eui = '70B3D50000000002'", True),
        ("INSERT INTO devices (organization_id, dev_eui) VALUES (1, '70B3D50000000003')", True),
        ("UPDATE assignments SET valid_to = now()", True),
    ],
)
def test_what_decoders_do_not_read_does_not_make_them_load_again(stack: LocalStack, statement: str, counts: bool) -> None:
    with new_database(stack.database_url) as database:
        fill_registry(database)
        before = rows(database, "SELECT version FROM registry_state")

        with psycopg.connect(database.url) as connection:
            connection.execute(statement)

        assert (rows(database, "SELECT version FROM registry_state") > before) is counts


def test_a_migration_that_cannot_have_a_table_says_so_and_holds_nobody_up(stack: LocalStack) -> None:
    with new_database(stack.database_url, "0001") as database, psycopg.connect(database.url) as busy:
        busy.execute("LOCK TABLE sites")

        with pytest.raises(SystemExit, match="in use"):
            runner.upgrade(database.url)
        busy.rollback()

        assert runner.current(database.url) == "0005"
        runner.upgrade(database.url)
        assert runner.current(database.url) == runner.head(database.url)


def test_a_row_35_days_ahead_or_behind_finds_its_partition(database: DatabaseConfig) -> None:
    insert = """
    INSERT INTO readings (sensor_id, measured_at, organization_id, unit_id, assignment_id, policy_version_id, configuration_id,
      received_after_ms, uplink_partition, uplink_offset, late)
    SELECT 1, now() + days * interval '1 day', 1, 1, 1, 1, 1, 0, 0, 0, false FROM generate_series(-34, 34) AS days RETURNING sensor_id
    """

    assert len(rows(database, insert)) == 69
