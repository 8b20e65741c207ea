"""Declared maintenance, what was ended sooner or revoked too: who declared what, for when, and why."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from api.database import Database, Row
from api.maintenance_shapes import MaintenanceAnswer

WINDOWS: Final = """
SELECT w.id, w.organization_id, u.site_id, w.unit_id, w.starts_at, w.ends_at, w.declared_ends_at, w.declared_by, w.declared_at, w.comment,
  w.ended_by, w.ended_at, w.end_comment, w.revoked_by, w.revoked_at, w.revocation_comment
FROM maintenance_windows w JOIN units u ON u.id = w.unit_id
WHERE w.organization_id = ANY(%(scope)s) AND (%(before)s::integer IS NULL OR w.id < %(before)s)
  AND (%(numbers)s::integer[] IS NULL OR w.id = ANY(%(numbers)s))
  AND (%(unit)s::integer IS NULL OR w.unit_id = %(unit)s) AND (%(site)s::integer IS NULL OR u.site_id = %(site)s)
  AND (%(start)s::timestamptz IS NULL OR w.ends_at > %(start)s) AND (%(end)s::timestamptz IS NULL OR w.starts_at < %(end)s)
  AND (NOT %(standing)s OR w.revoked_at IS NULL)
ORDER BY w.id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class WindowFilter:
    """Which windows are asked for; None: any."""

    unit: int | None = None
    site: int | None = None
    start: datetime | None = None
    """Those that hold at any instant from here..."""
    end: datetime | None = None
    """...to before here."""
    standing: bool = False
    """Without those that were revoked."""
    before: int | None = None
    """Declared before the one of this number."""
    limit: int = 100


async def maintenance(database: Database, scope: list[int], wanted: WindowFilter) -> list[MaintenanceAnswer]:
    """Return windows, the newest declared first."""
    rows = await database.rows(WINDOWS, {"scope": scope, "numbers": None, **asdict(wanted)})
    return [_answer(row) for row in rows]


async def windows_of(database: Database, scope: list[int], numbers: list[int]) -> list[MaintenanceAnswer]:
    """Return the windows of these numbers, in their order."""
    if not numbers:
        return []
    rows = await database.rows(WINDOWS, {"scope": scope, "numbers": numbers, **asdict(WindowFilter(limit=len(numbers)))})
    return [_answer(row) for row in rows[::-1]]


def _answer(row: Row) -> MaintenanceAnswer:
    return MaintenanceAnswer(
        id=row["id"],
        organization=row["organization_id"],
        site=row["site_id"],
        unit=row["unit_id"],
        from_=row["starts_at"],
        to=row["ends_at"],
        declared_to=row["declared_ends_at"],
        declared_by=row["declared_by"],
        declared_at=row["declared_at"],
        comment=row["comment"],
        ended_by=row["ended_by"],
        ended_at=row["ended_at"],
        end_comment=row["end_comment"],
        revoked_by=row["revoked_by"],
        revoked_at=row["revoked_at"],
        revocation_comment=row["revocation_comment"],
    )
