"""Excursions as they stand, with the running figures of open ones; excursion_versions.py tells their history."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from api.database import Database, Row
from api.shapes import ExcursionAnswer

CURRENT: Final = """
SELECT c.excursion_id, c.version, c.organization_id, u.site_id, c.unit_id, c.sensor_id, c.device_id, c.band, c.kind, c.side, c.severity,
       c.limit_hundredths, c.policy_version_id, c.started_at, c.opened_at, c.ended_at, c.closed_at, c.ended_by, c.late, c.known_at,
       v.reason, CASE WHEN c.closed_at IS NULL THEN coalesce(o.as_of, c.opened_at) END AS as_of,
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


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1_000


def excursion_facts(row: Row) -> dict[str, Any]:
    """Return the fields of ExcursionFacts that a row of an excursion or a version of one holds."""
    return {
        "id": row["excursion_id"],
        "version": row["version"],
        "organization": row["organization_id"],
        "unit": row["unit_id"],
        "sensor": row["sensor_id"],
        "device": row["device_id"],
        "band": row["band"],
        "kind": row["kind"],
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
        "reason": row["reason"],
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
    filters, parameters = filtered(after, given)
    rows = await database.rows(CURRENT.format(filters=filters), {"scope": scope, "limit": limit, **parameters})
    return [excursion_answer(row) for row in rows]


def filtered(after: tuple[datetime, UUID] | None, given: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """Return the conditions for what is given, and their parameters."""
    after_at, after_id = after or (None, None)
    wanted = {name: value for name, value in {**given, "after_at": after_at}.items() if value is not None}
    return " ".join(FILTERS[name] for name in wanted), {**wanted, "after_id": after_id}


def excursion_answer(row: Row) -> ExcursionAnswer:
    """Return the answer for a row of CURRENT, or of a query with the same columns."""
    return ExcursionAnswer(**excursion_facts(row), site=row["site_id"], as_of=row["as_of"])
