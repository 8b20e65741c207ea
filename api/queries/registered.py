"""What the registry says of devices, as the domain takes it; and the applications of organizations. Always held to a scope."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from api.database import Database
from pipelines.domain.registered import Assignment, Device, Terms, Timeline

DeviceKey = tuple[int, str]
"""Organization and device EUI."""

SENSORS: Final = """
SELECT d.organization_id, d.dev_eui, d.id AS device_id, s.id AS sensor_id, s.probe
FROM devices d LEFT JOIN sensors s ON s.device_id = d.id
WHERE d.organization_id = ANY(%(scope)s) AND d.dev_eui = ANY(%(euis)s) ORDER BY s.id
"""
ASSIGNMENTS: Final = """
SELECT sensor_id, id, unit_id, (extract(epoch FROM valid_from) * 1000)::bigint AS since, (extract(epoch FROM valid_to) * 1000)::bigint AS until
FROM assignments WHERE organization_id = ANY(%(scope)s) AND sensor_id = ANY(%(sensors)s) ORDER BY sensor_id, valid_from
"""
CONFIGURATIONS: Final = """
SELECT sensor_id, (extract(epoch FROM effective_at) * 1000)::bigint AS since, id, calibration_hundredths AS calibration
FROM sensor_configurations WHERE organization_id = ANY(%(scope)s) AND sensor_id = ANY(%(sensors)s) ORDER BY sensor_id, effective_at
"""
POLICIES: Final = """
SELECT unit_id, (extract(epoch FROM effective_at) * 1000)::bigint AS since, policy_version_id AS number
FROM unit_policies WHERE organization_id = ANY(%(scope)s) AND unit_id = ANY(%(units)s) ORDER BY unit_id, effective_at
"""
APPLICATIONS: Final = """
SELECT DISTINCT organization_id, application_id FROM application_secrets
WHERE organization_id = ANY(%(scope)s) AND (revoked_at IS NULL OR revoked_at > now())
"""
SETTLED: Final = """
SELECT (extract(epoch FROM clock_timestamp() - changed_at) * 1000)::bigint AS age_ms FROM registry_state
"""


async def registered_devices(database: Database, scope: list[int], euis: Iterable[str]) -> dict[DeviceKey, Device]:
    """Return the registered ones of some devices, with their sensors and all terms they ever had."""
    rows = await database.rows(SENSORS, {"scope": scope, "euis": sorted(set(euis))})
    sensors = [row["sensor_id"] for row in rows if row["sensor_id"] is not None]
    assignments: dict[int, list[Assignment]] = defaultdict(list)
    for row in await database.rows(ASSIGNMENTS, {"scope": scope, "sensors": sensors}):
        assignments[row["sensor_id"]].append(Assignment(row["id"], row["unit_id"], row["since"], row["until"]))
    configurations: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for row in await database.rows(CONFIGURATIONS, {"scope": scope, "sensors": sensors}):
        configurations[row["sensor_id"]].append((row["since"], row["id"], row["calibration"]))
    policies: dict[int, list[tuple[int, int]]] = defaultdict(list)
    units = sorted({one.unit for several in assignments.values() for one in several})
    for row in await database.rows(POLICIES, {"scope": scope, "units": units}):
        policies[row["unit_id"]].append((row["since"], row["number"]))
    devices: dict[DeviceKey, Device] = {}
    for row in rows:
        key = (row["organization_id"], row["dev_eui"])
        device = devices.setdefault(key, Device(row["device_id"], row["organization_id"], {}))
        sensor = row["sensor_id"]
        if sensor is not None:
            versions = configurations[sensor]
            of_units = tuple(assignments[sensor])
            terms = Terms(
                of_units,
                _timeline([(since, number) for since, number, _ in versions]),
                _timeline([(since, calibration) for since, _, calibration in versions]),
                {one.unit: _timeline(policies[one.unit]) for one in of_units},
            )
            device.sensors[row["probe"]] = terms.sensor(sensor, row["probe"])
    return devices


async def applications_of(database: Database, scope: list[int]) -> set[tuple[int, str]]:
    """Return (organization, application) of every secret that is valid now."""
    rows = await database.rows(APPLICATIONS, {"scope": scope})
    return {(row["organization_id"], row["application_id"]) for row in rows}


async def registry_age_ms(database: Database, scope: list[int]) -> int:
    """Return for how long the registry has been as it is, by the database's clock."""
    row = await database.row(SETTLED, {"scope": scope})
    assert row is not None, "the registry's only row is written by the first migration"
    return int(row["age_ms"])


def _timeline(entries: list[tuple[int, int]]) -> Timeline:
    return Timeline(tuple(since for since, _ in entries), tuple(number for _, number in entries))
