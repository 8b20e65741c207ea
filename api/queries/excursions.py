"""Excursions as they stand, with the running figures of open ones, and the history of one."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from api.database import Database, Row
from api.shapes import ExcursionAnswer, ExcursionDetailAnswer, VersionAnswer

CURRENT: Final = """
SELECT c.excursion_id, c.version, c.organization_id, u.site_id, c.unit_id, c.sensor_id, c.device_id, c.band, c.side, c.severity,
       c.limit_hundredths, c.policy_version_id, c.started_at, c.opened_at, c.ended_at, c.closed_at, c.ended_by, c.late, c.known_at,
       CASE WHEN c.closed_at IS NULL THEN coalesce(o.as_of, c.opened_at) END AS as_of,
       coalesce(o.peak, v.peak) AS peak, coalesce(o.mean, v.mean) AS mean,
       coalesce(o.degree_minutes, v.degree_minutes) AS degree_minutes, coalesce(o.exposure_ms, v.exposure_ms) AS exposure_ms,
       coalesce(o.known_ms, v.known_ms) AS known_ms, coalesce(o.unknown_ms, v.unknown_ms) AS unknown_ms,
       coalesce(o.samples, v.samples) AS samples, coalesce(o.largest_gap_ms, v.largest_gap_ms) AS largest_gap_ms
FROM current_excursions c
JOIN units u ON u.id = c.unit_id
LEFT JOIN open_excursions o ON o.excursion_id = c.excursion_id AND c.closed_at IS NULL
LEFT JOIN excursion_versions v ON v.excursion_id = c.excursion_id AND v.version = c.version AND v.first_started_at = c.first_started_at
WHERE c.organization_id = ANY(%(scope)s) {filters}
ORDER BY c.started_at DESC, c.excursion_id DESC
LIMIT %(limit)s
"""

FILTERS: Final = {
    "id": "AND c.excursion_id = %(id)s",
    "units": "AND c.unit_id = ANY(%(units)s)",
    "site": "AND u.site_id = %(site)s",
    "unit": "AND c.unit_id = %(unit)s",
    "sensor": "AND c.sensor_id = %(sensor)s",
    "is_open": "AND (c.closed_at IS NULL) = %(is_open)s",
    "start": "AND (c.closed_at IS NULL OR c.closed_at > %(start)s)",
    "end": "AND c.started_at < %(end)s",
    "after_at": "AND (c.started_at, c.excursion_id) < (%(after_at)s, %(after_id)s)",
}
"""Each is added where its parameter is given."""

VERSIONS: Final = """
SELECT excursion_id, version, reason, superseded_by, organization_id, unit_id, sensor_id, device_id, band, side, severity, limit_hundredths,
       policy_version_id, started_at, opened_at, ended_at, closed_at, ended_by, late, known_at, peak, mean, degree_minutes, exposure_ms,
       known_ms, unknown_ms, samples, largest_gap_ms
FROM excursion_versions
WHERE organization_id = ANY(%(scope)s) AND excursion_id = %(id)s
ORDER BY version
LIMIT %(limit)s
"""

MAX_VERSIONS: Final = 1_000


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1_000


def _facts(row: Row) -> dict[str, Any]:
    return {
        "id": row["excursion_id"],
        "version": row["version"],
        "organization": row["organization_id"],
        "unit": row["unit_id"],
        "sensor": row["sensor_id"],
        "device": row["device_id"],
        "band": row["band"],
        "side": row["side"],
        "severity": row["severity"],
        "limit_celsius": row["limit_hundredths"] / 100,
        "policy_version": row["policy_version_id"],
        "started_at": row["started_at"],
        "opened_at": row["opened_at"],
        "ended_at": row["ended_at"],
        "closed_at": row["closed_at"],
        "ended_by": row["ended_by"],
        "late": row["late"],
        "known_at": row["known_at"],
        "peak_celsius": None if row["peak"] is None else row["peak"] / 100,
        "mean_celsius": None if row["mean"] is None else row["mean"] / 100,
        "degree_minutes": row["degree_minutes"],
        "exposure_seconds": _seconds(row["exposure_ms"]),
        "known_seconds": _seconds(row["known_ms"]),
        "unknown_seconds": _seconds(row["unknown_ms"]),
        "samples": row["samples"],
        "largest_gap_seconds": _seconds(row["largest_gap_ms"]),
    }


async def current_excursions(
    database: Database,
    scope: list[int],
    *,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
    **given: object,
) -> list[ExcursionAnswer]:
    """Return excursions that stand, newest started_at first; `given` are parameters named in FILTERS, None for no filter."""
    after_at, after_id = after or (None, None)
    wanted = {name: value for name, value in {**given, "after_at": after_at}.items() if value is not None}
    query = CURRENT.format(filters=" ".join(FILTERS[name] for name in wanted))
    rows = await database.rows(query, {"scope": scope, "limit": limit, "after_id": after_id, **wanted})
    return [ExcursionAnswer(**_facts(row), site=row["site_id"], as_of=row["as_of"]) for row in rows]


async def excursion_with_history(database: Database, scope: list[int], excursion: UUID) -> ExcursionDetailAnswer | None:
    """Return one excursion with its versions, or None where none stands under that id."""
    found = await current_excursions(database, scope, limit=1, id=excursion)
    if not found:
        return None
    rows = await database.rows(VERSIONS, {"scope": scope, "id": excursion, "limit": MAX_VERSIONS})
    versions = [VersionAnswer(**_facts(row), reason=row["reason"], superseded_by=row["superseded_by"]) for row in rows]
    return ExcursionDetailAnswer(**found[0].model_dump(), versions=versions)
