"""Reads what the registry holds of what an import names, in a handful of statements however many lines there are."""

from collections.abc import Iterable
from typing import Final

from api.commands.transaction import Row, Transaction, milliseconds
from pipelines.domain.registration.import_known import (
    Known,
    KnownAssignment,
    KnownDevice,
    KnownPolicy,
    KnownSensor,
    KnownSite,
    KnownUnit,
)
from pipelines.domain.registration.import_lines import WantedLine
from pipelines.domain.registration.sensor_terms import from_row

SITES: Final = """
SELECT id, name, time_zone, archived_at FROM sites WHERE organization_id = %(organization)s AND name = ANY(%(names)s)
"""
UNITS: Final = """
SELECT u.id, s.name AS site, u.name, u.kind, u.archived_at, f.policy_version_id, f.effective_at,
       EXISTS (SELECT FROM assignments a WHERE a.unit_id = u.id) AS is_watched
FROM units u JOIN sites s ON s.id = u.site_id
LEFT JOIN LATERAL (
  SELECT policy_version_id, effective_at FROM unit_policies WHERE unit_id = u.id ORDER BY effective_at DESC LIMIT 1
) f ON true
WHERE u.organization_id = %(organization)s AND s.name = ANY(%(names)s)
"""
POLICIES: Final = """
SELECT p.id, p.name, p.archived_at, v.id AS version_id, v.version
FROM policies p
JOIN LATERAL (SELECT id, version FROM policy_versions WHERE policy_id = p.id ORDER BY version DESC LIMIT 1) v ON true
WHERE p.organization_id = %(organization)s AND p.name = ANY(%(names)s)
"""
DEVICES: Final = """
SELECT id, dev_eui, name, brand_id, model_id FROM devices WHERE organization_id = %(organization)s AND dev_eui = ANY(%(names)s)
"""
SENSORS: Final = """
SELECT s.id, d.dev_eui, s.probe, s.archived_at, c.effective_at, c.expected_interval_ms, c.max_gap_ms, c.offline_after_ms,
       c.calibration_hundredths, c.defrost_period_ms, c.defrost_peak_hundredths, c.defrost_duration_ms, a.id AS assignment_id, a.unit_id, a.valid_from, a.valid_to
FROM devices d JOIN sensors s ON s.device_id = d.id
LEFT JOIN LATERAL (SELECT * FROM sensor_configurations WHERE sensor_id = s.id ORDER BY effective_at DESC LIMIT 1) c ON true
LEFT JOIN LATERAL (SELECT * FROM assignments WHERE sensor_id = s.id ORDER BY valid_from DESC LIMIT 1) a ON true
WHERE d.organization_id = %(organization)s AND d.dev_eui = ANY(%(names)s)
"""


async def read_known(transaction: Transaction, organization: int, lines: Iterable[WantedLine]) -> Known:
    """Return everything that some lines name and that is there."""
    wanted = list(lines)

    async def found(query: str, names: Iterable[str | None]) -> list[Row]:
        return await transaction.rows(query, {"organization": organization, "names": sorted({name for name in names if name})})

    sites = [line.site for line in wanted]
    euis = [line.dev_eui for line in wanted]
    return Known(
        sites={row["name"]: KnownSite(row["id"], row["time_zone"], row["archived_at"] is not None) for row in await found(SITES, sites)},
        units={(row["site"], row["name"]): _unit(row) for row in await found(UNITS, sites)},
        policies={row["name"]: _policy(row) for row in await found(POLICIES, [line.policy for line in wanted])},
        devices={
            row["dev_eui"]: KnownDevice(row["id"], row["name"], row["brand_id"], row["model_id"]) for row in await found(DEVICES, euis)
        },
        sensors={(row["dev_eui"], row["probe"]): _sensor(row) for row in await found(SENSORS, euis)},
    )


def _unit(row: Row) -> KnownUnit:
    return KnownUnit(
        id=row["id"],
        kind=row["kind"],
        is_archived=row["archived_at"] is not None,
        policy_version=row["policy_version_id"],
        policy_at=milliseconds(row["effective_at"]),
        is_watched=row["is_watched"],
    )


def _policy(row: Row) -> KnownPolicy:
    return KnownPolicy(row["id"], row["version"], row["version_id"], row["archived_at"] is not None)


def _sensor(row: Row) -> KnownSensor:
    terms = None if row["effective_at"] is None else from_row(row)
    assignment = None
    if row["assignment_id"] is not None:
        begin = milliseconds(row["valid_from"])
        assert begin is not None, "an assignment begins at an instant"
        assignment = KnownAssignment(row["assignment_id"], row["unit_id"], begin, milliseconds(row["valid_to"]))
    return KnownSensor(row["id"], row["archived_at"] is not None, terms, milliseconds(row["effective_at"]), assignment)
