"""A unit's and a sensor's whole timelines: what was, is and will be in force."""

from typing import Final

from api.database import Database, Row
from api.queries.defrosts import defrost_answer
from api.registry_shapes import (
    AppliedPolicyAnswer,
    AssignmentAnswer,
    ConfigurationVersionAnswer,
    SensorRegistrationAnswer,
    UnitRegistrationAnswer,
)
from api.shapes import DeviceAnswer, OrganizationAnswer
from pipelines.domain.registration.sensor_terms import from_row

ORGANIZATION: Final = "SELECT id, name, archived_at FROM organizations WHERE id = ANY(%(scope)s) AND id = %(id)s"

UNIT: Final = """
SELECT id, organization_id, site_id, name, kind, archived_at FROM units WHERE organization_id = ANY(%(scope)s) AND id = %(id)s
"""

APPLIED: Final = """
SELECT p.id, p.name, v.version, v.id AS policy_version, f.effective_at
FROM unit_policies f JOIN policy_versions v ON v.id = f.policy_version_id JOIN policies p ON p.id = v.policy_id
WHERE f.organization_id = ANY(%(scope)s) AND f.unit_id = %(id)s ORDER BY f.effective_at
"""

SENSOR: Final = """
SELECT s.id, s.organization_id, s.probe, s.archived_at, d.id AS device_id, d.dev_eui, d.name, d.brand_id, d.model_id
FROM sensors s JOIN devices d ON d.id = s.device_id
WHERE s.organization_id = ANY(%(scope)s) AND s.id = %(id)s
"""

ASSIGNMENTS: Final = """
SELECT a.id, a.unit_id, u.name, u.site_id, a.valid_from, a.valid_to
FROM assignments a JOIN units u ON u.id = a.unit_id
WHERE a.organization_id = ANY(%(scope)s) AND a.sensor_id = %(id)s ORDER BY a.valid_from
"""

CONFIGURATIONS: Final = """
SELECT id, effective_at, calibration_hundredths, expected_interval_ms, max_gap_ms, offline_after_ms, defrost_period_ms,
  defrost_peak_hundredths, defrost_duration_ms
FROM sensor_configurations WHERE organization_id = ANY(%(scope)s) AND sensor_id = %(id)s ORDER BY effective_at
"""


async def organization(database: Database, scope: list[int], number: int) -> OrganizationAnswer | None:
    """Return an organization, archived or not."""
    row = await database.row(ORGANIZATION, {"scope": scope, "id": number})
    return None if row is None else OrganizationAnswer(id=row["id"], name=row["name"], archived_at=row["archived_at"])


async def unit_registration(database: Database, scope: list[int], unit: int) -> UnitRegistrationAnswer | None:
    """Return a unit with what it was, is and will be judged by."""
    named = {"scope": scope, "id": unit}
    row = await database.row(UNIT, named)
    if row is None:
        return None
    return UnitRegistrationAnswer(
        id=row["id"],
        organization=row["organization_id"],
        site=row["site_id"],
        name=row["name"],
        kind=row["kind"],
        archived_at=row["archived_at"],
        policies=[
            AppliedPolicyAnswer(
                policy=applied["id"],
                name=applied["name"],
                version=applied["version"],
                policy_version=applied["policy_version"],
                effective_at=applied["effective_at"],
            )
            for applied in await database.rows(APPLIED, named)
        ],
    )


async def sensor_registration(database: Database, scope: list[int], sensor: int) -> SensorRegistrationAnswer | None:
    """Return a sensor with its assignments and configurations, past and planned."""
    named = {"scope": scope, "id": sensor}
    row = await database.row(SENSOR, named)
    if row is None:
        return None
    return SensorRegistrationAnswer(
        id=row["id"],
        organization=row["organization_id"],
        probe=row["probe"],
        archived_at=row["archived_at"],
        device=DeviceAnswer(
            id=row["device_id"],
            dev_eui=row["dev_eui"],
            name=row["name"],
            brand_id=row["brand_id"],
            model_id=row["model_id"],
        ),
        assignments=[_assignment(one) for one in await database.rows(ASSIGNMENTS, named)],
        configurations=[_configuration(one) for one in await database.rows(CONFIGURATIONS, named)],
    )


def _assignment(row: Row) -> AssignmentAnswer:
    return AssignmentAnswer(
        id=row["id"],
        unit=row["unit_id"],
        unit_name=row["name"],
        site=row["site_id"],
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
    )


def _configuration(row: Row) -> ConfigurationVersionAnswer:
    return ConfigurationVersionAnswer(
        id=row["id"],
        effective_at=row["effective_at"],
        expected_interval_seconds=row["expected_interval_ms"] / 1_000,
        max_gap_seconds=row["max_gap_ms"] / 1_000,
        offline_after_seconds=row["offline_after_ms"] / 1_000,
        calibration_celsius=row["calibration_hundredths"] / 100,
        defrost=defrost_answer(from_row(row).defrost),
    )
