"""A second reading of the same sensor and time with another value: the first in log order stays, the other is a dead letter.

Found in the staging table, within the transaction that stores its neighbours. The raw bytes stand in `uplinks`, at the place named.
"""

from typing import Final

import psycopg

from pipelines.engine.letters import INSERT_LETTER
from pipelines.engine.partitions_ahead import PartitionsAhead
from schemas.ids import dead_letter_id
from schemas.reasons import RejectReason
from schemas.topics import READINGS

FIRST_PART: Final = 100
"""Parts below are those of decode_uplinks."""

Places = tuple[list[int], list[int]]
"""Partitions and offsets of some uplinks."""

FIND: Final = """
SELECT s.uplink_partition, s.uplink_offset, s.sensor_id, s.organization_id, d.dev_eui, s.measured_at, r.temperature, s.temperature,
  (extract(epoch FROM s.measured_at) * 1000)::bigint + s.received_after_ms
FROM readings_staging s
JOIN readings r USING (sensor_id, measured_at)
JOIN sensors ON sensors.id = s.sensor_id JOIN devices d ON d.id = sensors.device_id
WHERE s.temperature IS NOT NULL AND r.temperature IS DISTINCT FROM s.temperature
  AND (s.uplink_partition, s.uplink_offset) IS DISTINCT FROM (r.uplink_partition, r.uplink_offset)
  AND (s.uplink_partition, s.uplink_offset) NOT IN (SELECT * FROM unnest(%s::smallint[], %s::bigint[]))
ORDER BY s.uplink_partition, s.uplink_offset, s.sensor_id
"""


def keep_conflicting(connection: psycopg.Connection, replayed: Places) -> int:
    """Write a dead letter for each staged reading whose place another value holds; return how many there are.

    Not for `replayed` uplinks (their places in `uplinks`): those have a letter already, and it stays.
    """
    letters = []
    parts: dict[tuple[int, int], int] = {}
    for partition, offset, sensor, organization, dev_eui, measured_at, stored, sent, received_at in connection.execute(FIND, replayed):
        part = parts[partition, offset] = parts.get((partition, offset), FIRST_PART - 1) + 1
        detail = (
            f"sensor {sensor} at {measured_at:%Y-%m-%dT%H:%M:%S.%fZ} measured {sent / 100:.2f}, and {stored / 100:.2f} is stored already"
        )
        reason = RejectReason.CONFLICTING_DUPLICATE.value
        identity = dead_letter_id(READINGS.name, partition, offset, part)
        place = (READINGS.name, partition, offset, part)
        letters.append((identity, received_at, organization, "", "rejected", reason, detail, dev_eui, *place, b"", None))
    if letters:
        PartitionsAhead("dead_letters").ensure(connection, (letter[1] for letter in letters))
        with connection.cursor() as cursor:
            cursor.executemany(INSERT_LETTER, letters)
    return len(letters)
