"""Writes the ends of uplinks beside the rows they are of, in the caller's transaction: counts, by device, and of replays."""

from typing import Final

import psycopg

from pipelines.engine.uplink_ends import Counted, DeviceEnd, End, Heard, ReplayEnd

ADD_ENDS: Final = """
INSERT INTO uplink_ends AS known (partition, organization_id, ended_as, reason, uplinks, replayed)
SELECT * FROM unnest(%s::smallint[], %s::integer[], %s::text[], %s::smallint[], %s::bigint[], %s::bigint[])
ON CONFLICT (partition, organization_id, ended_as, reason) DO UPDATE SET
  uplinks = known.uplinks + excluded.uplinks, replayed = known.replayed + excluded.replayed
"""
ADD_DEVICE_ENDS: Final = """
INSERT INTO device_ends AS known (device_id, ended_as, organization_id, uplinks, first_at, last_at)
SELECT device, ended_as, organization, uplinks, to_timestamp(first_at / 1000.0), to_timestamp(last_at / 1000.0)
FROM unnest(%s::integer[], %s::text[], %s::integer[], %s::bigint[], %s::bigint[], %s::bigint[])
  AS new (device, ended_as, organization, uplinks, first_at, last_at)
ON CONFLICT (device_id, ended_as) DO UPDATE SET
  uplinks = known.uplinks + excluded.uplinks, organization_id = excluded.organization_id,
  first_at = least(known.first_at, excluded.first_at), last_at = greatest(known.last_at, excluded.last_at)
"""
KEEP_REPLAY_ENDS: Final = """
INSERT INTO replay_ends (uplink_partition, uplink_offset, organization_id, ended_as, reason, readings)
SELECT * FROM unnest(%s::smallint[], %s::bigint[], %s::integer[], %s::text[], %s::smallint[], %s::integer[])
ON CONFLICT DO NOTHING
"""


def add_ends(connection: psycopg.Connection, ends: dict[End, Counted]) -> None:
    """Add to the counts of uplink ends."""
    if not ends:
        return
    keys = sorted(ends)
    counts = [ends[key] for key in keys]
    columns = [list(column) for column in zip(*keys, strict=True)]
    connection.execute(ADD_ENDS, (*columns, [count.uplinks for count in counts], [count.replayed for count in counts]))


def add_device_ends(connection: psycopg.Connection, ends: dict[DeviceEnd, Heard]) -> None:
    """Add to what is known of devices whose uplinks left no trace elsewhere; in key order, so that two writers never wait for each other."""
    if not ends:
        return
    lines = [(*key, heard.organization, heard.uplinks, heard.first_at, heard.last_at) for key, heard in sorted(ends.items())]
    connection.execute(ADD_DEVICE_ENDS, [list(column) for column in zip(*lines, strict=True)])


def keep_replay_ends(connection: psycopg.Connection, ends: list[ReplayEnd]) -> None:
    """Write how replayed uplinks ended."""
    if not ends:
        return
    lines = [(end.partition, end.offset, end.organization, end.ended_as, end.reason, end.readings) for end in ends]
    connection.execute(KEEP_REPLAY_ENDS, [list(column) for column in zip(*lines, strict=True)])
