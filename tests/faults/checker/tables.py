"""Reads the tables that the checkers compare; nothing is written."""

from collections import defaultdict
from typing import Any, Final

import psycopg

from pipelines.domain.policy_document import parse_policy
from tests.faults.checker.evidence import Condition, Sensor, StoredReading, Tables, Terms, Version

Connection = psycopg.Connection[Any]


def ms(column: str) -> str:
    """Return SQL for a timestamptz column as unix milliseconds."""
    return f"(extract(epoch FROM {column}) * 1000)::bigint"


FIGURES: Final = "v.peak, v.exposure_ms, v.known_ms, v.unknown_ms, v.samples, v.largest_gap_ms"


def read_tables(connection: Connection) -> Tables:
    """Return everything, in one snapshot."""
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    tables = Tables(
        readings=_readings(connection),
        ends=dict(connection.execute("SELECT ended_as, sum(uplinks)::bigint FROM uplink_ends GROUP BY 1").fetchall()),
        put_aside=_count(connection, "SELECT count(*) FROM dead_letters WHERE topic = 'dead_letters'"),
        letters=dict(connection.execute("SELECT kind, count(*) FROM dead_letters GROUP BY 1").fetchall()),
        versions=_versions(connection),
        conditions=_conditions(connection),
        outbox=_count(connection, "SELECT count(*) FROM outbox"),
        sensors=_sensors(connection),
    )
    tables.policies = {
        number: parse_policy(document) for number, document in connection.execute("SELECT id, document FROM policy_versions")
    }
    rows = connection.execute(
        f"SELECT c.sensor_id, c.band, {ms('c.started_at')}, {ms('c.opened_at')}, {ms('c.ended_at')}, {ms('c.closed_at')}, {FIGURES} "
        "FROM current_excursions c JOIN excursion_versions v USING (excursion_id, version)",
    ).fetchall()
    tables.current = {row if row[5] is not None else row[:6] for row in rows}
    return tables


def _count(connection: Connection, statement: str) -> int:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


def _readings(connection: Connection) -> list[StoredReading]:
    rows = connection.execute(
        f"SELECT d.dev_eui, r.sensor_id, {ms('r.measured_at')}, r.temperature, r.reason IS NOT NULL, r.late "
        "FROM readings r JOIN sensors s ON s.id = r.sensor_id JOIN devices d ON d.id = s.device_id",
    )
    return [StoredReading(*row) for row in rows]


def _versions(connection: Connection) -> list[Version]:
    rows = connection.execute(
        f"SELECT v.excursion_id, v.version, v.reason, v.sensor_id, v.band, {ms('v.started_at')}, {ms('v.opened_at')}, {ms('v.ended_at')}, "
        f"{ms('v.closed_at')}, v.ended_by, v.policy_version_id, v.unit_id, v.superseded_by, {FIGURES} "
        "FROM excursion_versions v ORDER BY v.excursion_id, v.version",
    )
    return [Version(*(*row[:9], row[13], row[3:])) for row in rows]


def _conditions(connection: Connection) -> list[Condition]:
    rows = connection.execute(
        f"SELECT c.condition_id, c.version, d.dev_eui, {ms('c.started_at')}, {ms('c.ended_at')}, "
        f"{ms('coalesce(c.closed_at, c.ended_at)')}, c.kind, c.alert <> 'none' "
        "FROM condition_events c JOIN devices d ON d.id = c.device_id ORDER BY c.condition_id, c.version",
    )
    return [Condition(*row) for row in rows]


def _sensors(connection: Connection) -> list[Sensor]:
    terms: dict[int, list[Terms]] = defaultdict(list)
    for sensor, *row in connection.execute(
        f"SELECT sensor_id, {ms('effective_at')}, max_gap_ms, offline_after_ms FROM sensor_configurations ORDER BY effective_at",
    ):
        terms[sensor].append(Terms(*row))
    policies: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for sensor, effective_at, version in connection.execute(
        f"SELECT a.sensor_id, {ms('p.effective_at')}, p.policy_version_id FROM assignments a JOIN unit_policies p USING (unit_id) "
        "WHERE a.valid_to IS NULL ORDER BY p.effective_at",
    ):
        policies[sensor].append((effective_at, version))
    rows = connection.execute("SELECT s.id, d.dev_eui FROM sensors s JOIN devices d ON d.id = s.device_id").fetchall()
    return [Sensor(number, dev_eui, tuple(terms[number]), tuple(policies[number])) for number, dev_eui in rows]
