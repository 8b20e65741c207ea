"""Conditions as they stand or stood, newest first, and the versions of one: when each was learnt of."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from api.database import Database, Row
from api.shapes import ConditionAnswer, ConditionDetailAnswer, ConditionVersionAnswer

COLUMNS: Final = """
c.condition_id, c.version, c.known_at, c.organization_id, c.device_id, c.sensor_id, c.unit_id, c.kind, c.band, c.alert, c.started_at,
coalesce(c.opened_at, c.started_at) AS opened_at, c.ended_at, coalesce(c.closed_at, c.ended_at) AS closed_at, c.ended_by, c.detail
"""

NEWEST: Final = """
SELECT {columns} FROM condition_events c
WHERE c.organization_id = ANY(%(scope)s) {filters} AND NOT EXISTS (
  SELECT FROM condition_events newer
  WHERE newer.condition_id = c.condition_id AND newer.started_at = c.started_at AND newer.version > c.version
)
ORDER BY c.started_at DESC, c.condition_id DESC LIMIT %(limit)s
"""

VERSIONS: Final = """
SELECT {columns} FROM condition_events c
WHERE c.organization_id = ANY(%(scope)s) AND c.condition_id = %(id)s ORDER BY c.version LIMIT %(limit)s
"""

STANDING: Final = """
SELECT o.condition_id, o.organization_id, o.device_id, o.sensor_id, o.unit_id, o.kind, o.band, o.alert, o.started_at,
  coalesce(o.opened_at, o.started_at) AS opened_at, o.detail
FROM open_conditions o
WHERE o.organization_id = ANY(%(scope)s) AND o.device_id = ANY(%(devices)s)
  AND (o.sensor_id = 0 OR o.sensor_id = ANY(%(sensors)s))
ORDER BY o.started_at, o.condition_id
"""

FILTERS: Final = {
    "unit": "AND c.unit_id = %(unit)s",
    "sensor": "AND (c.sensor_id = %(sensor)s OR c.sensor_id = 0 AND c.device_id = (SELECT device_id FROM sensors WHERE id = %(sensor)s))",
    "kind": "AND c.kind = %(kind)s",
    "is_open": "AND (c.ended_at IS NULL) = %(is_open)s",
    "start": "AND (c.ended_at IS NULL OR c.ended_at > %(start)s)",
    "end": "AND c.started_at < %(end)s",
    "after_at": "AND (c.started_at, c.condition_id) < (%(after_at)s, %(after_id)s)",
}
"""Each is added where its parameter is given."""

MOST_VERSIONS: Final = 1_000


async def conditions(
    database: Database, scope: list[int], *, limit: int, after: tuple[datetime, UUID] | None = None, **given: object
) -> list[ConditionAnswer]:
    """Return conditions by their newest version, newest started_at first; `given` are parameters named in FILTERS, None for no filter."""
    after_at, after_id = after or (None, None)
    wanted = {name: value for name, value in {**given, "after_at": after_at}.items() if value is not None}
    query = NEWEST.format(columns=COLUMNS, filters=" ".join(FILTERS[name] for name in wanted))
    return [
        ConditionAnswer(**_fields(row))
        for row in await database.rows(query, {"scope": scope, "limit": limit, "after_id": after_id, **wanted})
    ]


async def condition_with_versions(database: Database, scope: list[int], condition: UUID) -> ConditionDetailAnswer | None:
    """Return a condition with its versions, oldest first, or None."""
    rows = await database.rows(VERSIONS.format(columns=COLUMNS), {"scope": scope, "id": condition, "limit": MOST_VERSIONS})
    if not rows:
        return None
    versions = [ConditionVersionAnswer(**_fields(row), version=row["version"], known_at=row["known_at"]) for row in rows]
    return ConditionDetailAnswer(**_fields(rows[-1]), versions=versions)


async def standing_conditions(database: Database, scope: list[int], devices: list[int], sensors: list[int]) -> list[ConditionAnswer]:
    """Return the conditions that stand of some devices, and of those of their sensors that are named; oldest first."""
    rows = await database.rows(STANDING, {"scope": scope, "devices": devices, "sensors": sensors})
    return [ConditionAnswer(**_fields({**row, "ended_at": None, "closed_at": None, "ended_by": None})) for row in rows]


def _fields(row: Row) -> dict[str, Any]:
    return {
        "id": row["condition_id"],
        "organization": row["organization_id"],
        "device": row["device_id"],
        "sensor": row["sensor_id"] or None,
        "unit": row["unit_id"],
        "kind": row["kind"],
        "band": row["band"] or None,
        "alert": row["alert"],
        "started_at": row["started_at"],
        "opened_at": row["opened_at"],
        "ended_at": row["ended_at"],
        "closed_at": row["closed_at"],
        "ended_by": row["ended_by"],
        "detail": row["detail"],
    }
