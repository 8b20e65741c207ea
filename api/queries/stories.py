"""What is known of a device EUI: the rows that a story is made of. Every query is held to one organization, one to the caller's scope."""

from dataclasses import dataclass
from typing import Final

from api.database import Database, Row

LETTER_DAYS: Final = 35
"""How far back dead letters and readings are looked for: what came longer ago explains nothing today."""
STORED_HOURS: Final = 24
"""Over which stored uplinks are counted."""

DEVICE: Final = """
SELECT id, dev_eui, name, brand_id, model_id FROM devices WHERE organization_id = ANY(%(scope)s) AND dev_eui = %(eui)s
"""
ELSEWHERE: Final = """
SELECT o.name FROM devices d JOIN organizations o ON o.id = d.organization_id
WHERE d.organization_id = ANY(%(scope)s) AND d.organization_id <> %(organization)s AND d.dev_eui = %(eui)s ORDER BY o.name
"""
SENSORS: Final = """
SELECT s.id, s.probe, t.state, n.received_at AS latest_at, n.reason, c.offline_after_ms
FROM sensors s
LEFT JOIN sensor_states t ON t.sensor_id = s.id
LEFT JOIN latest_readings n ON n.sensor_id = s.id
LEFT JOIN LATERAL (
  SELECT offline_after_ms FROM sensor_configurations WHERE sensor_id = s.id AND effective_at <= now() ORDER BY effective_at DESC LIMIT 1
) c ON true
WHERE s.organization_id = ANY(%(scope)s) AND s.device_id = %(device)s AND s.archived_at IS NULL ORDER BY s.id
"""
ASSIGNMENTS: Final = """
SELECT a.sensor_id, a.unit_id, u.name AS unit_name, u.site_id, i.name AS site_name, a.valid_from, a.valid_to,
  a.valid_from <= now() AND (a.valid_to IS NULL OR a.valid_to > now()) AS holds, p.name AS policy_name, v.version AS policy_version
FROM assignments a
JOIN units u ON u.id = a.unit_id
JOIN sites i ON i.id = u.site_id
LEFT JOIN LATERAL (
  SELECT policy_version_id FROM unit_policies WHERE unit_id = a.unit_id AND effective_at <= now() ORDER BY effective_at DESC LIMIT 1
) f ON true
LEFT JOIN policy_versions v ON v.id = f.policy_version_id
LEFT JOIN policies p ON p.id = v.policy_id
WHERE a.organization_id = ANY(%(scope)s) AND a.sensor_id = ANY(%(sensors)s) ORDER BY a.valid_from DESC
"""
OFFLINE: Final = """
SELECT started_at FROM open_conditions WHERE organization_id = ANY(%(scope)s) AND device_id = %(device)s AND kind = 'offline'
"""
TRACELESS: Final = """
SELECT ended_as, uplinks, last_at FROM device_ends WHERE organization_id = ANY(%(scope)s) AND device_id = %(device)s ORDER BY ended_as
"""
STORED: Final = f"""
SELECT count(DISTINCT (uplink_partition, uplink_offset)) AS uplinks, max(measured_at + received_after_ms * interval '1 millisecond') AS last_at,
  now() - interval '{STORED_HOURS} hours' AS since
FROM readings WHERE organization_id = ANY(%(scope)s) AND sensor_id = ANY(%(sensors)s) AND reason IS NULL
  AND measured_at > now() - interval '{STORED_HOURS} hours'
"""
LETTERS: Final = f"""
SELECT l.kind AS ended_as, l.reason, count(DISTINCT (l.topic, l.uplink_partition, l.uplink_offset)) AS uplinks, max(l.received_at) AS last_at,
  now() - interval '{LETTER_DAYS} days' AS since,
  count(*) FILTER (WHERE NOT EXISTS (
    SELECT FROM dead_letter_replays d WHERE d.dead_letter_id = l.dead_letter_id AND d.uplink_offset IS NOT NULL)) AS waiting
FROM dead_letters l
WHERE l.organization_id = ANY(%(scope)s) AND l.dev_eui = %(eui)s AND l.replay_of IS NULL
  AND l.received_at > now() - interval '{LETTER_DAYS} days'
GROUP BY 1, 2 ORDER BY 1, 2
"""
NEWEST_BYTES: Final = f"""
SELECT raw, application_id, (extract(epoch FROM received_at) * 1000)::bigint AS received_ms FROM dead_letters
WHERE organization_id = ANY(%(scope)s) AND dev_eui = %(eui)s AND length(raw) > 0
  AND received_at > now() - interval '{LETTER_DAYS} days'
ORDER BY received_at DESC LIMIT 1
"""
RECENT: Final = f"""
SELECT r.sensor_id, coalesce(c.unit_id, r.unit_id) AS unit_id, r.measured_at,
  r.measured_at + r.received_after_ms * interval '1 millisecond' AS received_at, r.temperature, r.reason, r.late, r.uplink_partition,
  r.uplink_offset, c.sensor_id IS NOT NULL AS is_corrected, c.mark, v.temperature AS corrected_temperature
FROM (
  SELECT * FROM readings WHERE organization_id = ANY(%(scope)s) AND sensor_id = ANY(%(sensors)s)
    AND measured_at > now() - interval '{LETTER_DAYS} days'
  ORDER BY measured_at DESC LIMIT %(limit)s
) r
LEFT JOIN corrected_stretches c ON c.sensor_id = r.sensor_id AND r.measured_at >= c.starts_at AND r.measured_at < c.ends_at
LEFT JOIN LATERAL (
  SELECT temperature FROM corrected_readings WHERE sensor_id = r.sensor_id AND measured_at = r.measured_at
) v ON true
ORDER BY r.measured_at DESC
"""
"""What was stored, as it came; and beside it what corrections say that is true."""


@dataclass(frozen=True, slots=True)
class StoryRows:
    """The rows of one story."""

    device: Row | None
    elsewhere: tuple[str, ...]
    sensors: list[Row]
    assignments: list[Row]
    offline: Row | None
    traceless: list[Row]
    stored: Row | None
    letters: list[Row]
    newest_bytes: Row | None
    readings: list[Row]


async def story_rows(database: Database, scope: list[int], organization: int, eui: str, *, recent: int) -> StoryRows:
    """Return the rows of a device's story in one organization; `scope` are all of the caller's."""
    own = {"scope": [organization], "eui": eui}
    device = await database.row(DEVICE, own)
    elsewhere = await database.rows(ELSEWHERE, {"scope": scope, "organization": organization, "eui": eui})
    letters = await database.rows(LETTERS, own)
    newest_bytes = await database.row(NEWEST_BYTES, own)
    names = tuple(row["name"] for row in elsewhere)
    if device is None:
        return StoryRows(None, names, [], [], None, [], None, letters, newest_bytes, [])
    of_device = {"scope": [organization], "device": device["id"]}
    sensors = await database.rows(SENSORS, of_device)
    of_sensors = {"scope": [organization], "sensors": [row["id"] for row in sensors]}
    return StoryRows(
        device,
        names,
        sensors,
        await database.rows(ASSIGNMENTS, of_sensors),
        await database.row(OFFLINE, of_device),
        await database.rows(TRACELESS, of_device),
        await database.row(STORED, of_sensors),
        letters,
        newest_bytes,
        await database.rows(RECENT, {**of_sensors, "limit": recent}),
    )
