"""SQL of the live recorder alone: offline conditions and the states of sensors."""

from dataclasses import replace
from typing import Final

import psycopg

from pipelines.engine.judgements import OfflineFact, StateFact
from schemas.ids import condition_id

INSERT_CONDITION: Final = """
INSERT INTO condition_events (condition_id, version, started_at, known_at, organization_id, device_id, unit_id, kind, opened_at, ended_at,
  closed_at, uplink_partition, uplink_offset)
VALUES (%(id)s, %(version)s, to_timestamp(%(started_at)s / 1000.0), now(), %(organization)s, %(device)s, %(unit)s, 'offline',
  to_timestamp(%(started_at)s / 1000.0), to_timestamp(%(ended_at)s / 1000.0), to_timestamp(%(ended_at)s / 1000.0), %(partition)s, %(offset)s)
ON CONFLICT DO NOTHING
"""
"""A version that is there says the same: what an older version of the code found twice must not stop the flow."""

OPEN_CONDITION: Final = """
INSERT INTO open_conditions (condition_id, organization_id, device_id, unit_id, kind, started_at)
VALUES (%(id)s, %(organization)s, %(device)s, %(unit)s, 'offline', to_timestamp(%(started_at)s / 1000.0))
ON CONFLICT DO NOTHING
"""
LEFT_UNITS: Final = """
SELECT sensor_id, sensor_states.unit_id FROM sensor_states JOIN unnest(%s::int[], %s::int[]) AS now (sensor_id, unit_id) USING (sensor_id)
WHERE sensor_states.unit_id <> now.unit_id
"""
UPSERT_STATES: Final = """
INSERT INTO sensor_states (sensor_id, organization_id, unit_id, state, since)
SELECT sensor, organization, unit, state, to_timestamp(since / 1000.0)
FROM unnest(%s::int[], %s::int[], %s::int[], %s::text[], %s::bigint[]) AS wanted (sensor, organization, unit, state, since)
ON CONFLICT (sensor_id) DO UPDATE SET unit_id = excluded.unit_id, state = excluded.state, since = excluded.since
"""


def write_offline(connection: psycopg.Connection, facts: list[tuple[OfflineFact, int]]) -> None:
    """Write offline conditions, each with its partition."""
    with connection.cursor() as cursor:
        for fact, partition in facts:
            values = {
                "id": condition_id(fact.device, "offline", fact.started_at),
                "version": 1 if fact.ended_at is None else 2,
                "started_at": fact.started_at,
                "ended_at": fact.ended_at,
                "organization": fact.organization,
                "device": fact.device,
                "unit": fact.unit or None,
                "partition": partition,
                "offset": fact.as_of,
            }
            cursor.execute(INSERT_CONDITION, values)
            if fact.ended_at is None:
                cursor.execute(OPEN_CONDITION, values)
            else:
                cursor.execute("DELETE FROM open_conditions WHERE condition_id = %(id)s", values)


def write_states(connection: psycopg.Connection, facts: list[StateFact]) -> list[StateFact]:
    """Write the newest state of each sensor; return the facts of those that had one at another unit before, as that unit's."""
    newest = {fact.sensor: fact for fact in facts}
    if not newest:
        return []
    units = [fact.unit for fact in newest.values()]
    left = [replace(newest[sensor], unit=unit) for sensor, unit in connection.execute(LEFT_UNITS, (list(newest), units))]
    rows = [(fact.sensor, fact.organization, fact.unit, fact.state.value, fact.since) for _, fact in sorted(newest.items())]
    connection.execute(UPSERT_STATES, [list(column) for column in zip(*rows, strict=True)])
    return left
