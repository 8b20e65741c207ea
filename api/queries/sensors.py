"""Sensors with their device, where they are assigned now, state, latest values and configuration in force."""

from typing import Final

from api.database import Database, Row
from api.queries.readings import latest_of_sensors
from api.shapes import ConfigurationAnswer, DeviceAnswer, LatestAnswer, SensorAnswer
from schemas.events import UnitState

SENSORS: Final = """
SELECT s.id, s.organization_id, s.probe, s.archived_at, a.unit_id, u.site_id, t.state, t.since,
       d.id AS device_id, d.dev_eui, d.name AS device_name, d.brand_id, d.model_id,
       c.effective_at, c.calibration_hundredths, c.expected_interval_ms, c.max_gap_ms, c.offline_after_ms
FROM sensors s
JOIN devices d ON d.id = s.device_id
LEFT JOIN LATERAL (
  SELECT unit_id FROM assignments
  WHERE sensor_id = s.id AND valid_from <= now() AND (valid_to IS NULL OR valid_to > now())
  ORDER BY valid_from DESC LIMIT 1
) a ON true
LEFT JOIN units u ON u.id = a.unit_id
LEFT JOIN sensor_states t ON t.sensor_id = s.id
LEFT JOIN LATERAL (
  SELECT * FROM sensor_configurations WHERE sensor_id = s.id AND effective_at <= now() ORDER BY effective_at DESC LIMIT 1
) c ON true
WHERE s.organization_id = ANY(%(scope)s) AND s.id > %(after)s AND (%(archived)s OR s.archived_at IS NULL)
  AND (%(sensor)s::integer IS NULL OR s.id = %(sensor)s)
  AND (%(unit)s::integer IS NULL OR a.unit_id = %(unit)s)
  AND (%(site)s::integer IS NULL OR u.site_id = %(site)s)
ORDER BY s.id LIMIT %(limit)s
"""


async def sensors(
    database: Database,
    scope: list[int],
    *,
    unit: int | None,
    site: int | None,
    after: int,
    limit: int,
    sensor: int | None = None,
    archived: bool = False,
) -> list[SensorAnswer]:
    """Return sensors by id; archived ones only when asked for."""
    parameters = {"scope": scope, "unit": unit, "site": site, "sensor": sensor, "after": after, "limit": limit, "archived": archived}
    rows = await database.rows(SENSORS, parameters)
    latest = await latest_of_sensors(database, scope, [row["id"] for row in rows])
    return [_sensor(row, latest.get(row["id"])) for row in rows]


def _sensor(row: Row, latest: LatestAnswer | None) -> SensorAnswer:
    configuration = None
    if row["effective_at"] is not None:
        configuration = ConfigurationAnswer(
            effective_at=row["effective_at"],
            calibration_celsius=row["calibration_hundredths"] / 100,
            expected_interval_seconds=row["expected_interval_ms"] / 1_000,
            max_gap_seconds=row["max_gap_ms"] / 1_000,
            offline_after_seconds=row["offline_after_ms"] / 1_000,
        )
    return SensorAnswer(
        id=row["id"],
        organization=row["organization_id"],
        site=row["site_id"],
        unit=row["unit_id"],
        probe=row["probe"],
        device=DeviceAnswer(
            id=row["device_id"],
            dev_eui=row["dev_eui"],
            name=row["device_name"],
            brand_id=row["brand_id"],
            model_id=row["model_id"],
        ),
        state=UnitState(row["state"] or UnitState.UNKNOWN),
        since=row["since"],
        latest=latest,
        configuration=configuration,
        archived_at=row["archived_at"],
    )
