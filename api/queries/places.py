"""Sites, units and sensors, and whose they are."""

from typing import Final, Protocol

from api.database import Database, Row
from api.remembered import Remembered
from api.shapes import SiteAnswer

SITES: Final = """
SELECT s.id, s.organization_id, s.name, s.time_zone, s.archived_at, count(u.id) AS units
FROM sites s LEFT JOIN units u ON u.site_id = s.id AND u.archived_at IS NULL
WHERE s.organization_id = ANY(%(scope)s) AND (%(site)s::integer IS NULL OR s.id = %(site)s)
  AND (%(archived)s OR s.archived_at IS NULL)
GROUP BY s.id ORDER BY s.id
"""

UNITS: Final = """
SELECT id, organization_id, site_id, name, kind, archived_at FROM units
WHERE organization_id = ANY(%(scope)s) AND id > %(after)s AND (%(archived)s OR archived_at IS NULL)
  AND (%(site)s::integer IS NULL OR site_id = %(site)s) AND (%(unit)s::integer IS NULL OR id = %(unit)s)
ORDER BY id LIMIT %(limit)s
"""

OWNER: Final = {
    "site": "SELECT organization_id FROM sites WHERE id = %(id)s",
    "unit": "SELECT organization_id FROM units WHERE id = %(id)s",
    "sensor": "SELECT organization_id FROM sensors WHERE id = %(id)s",
}
"""Whose a place is, never changes; PlaceTable alone asks without a scope, and tells nobody outside it."""


class Places(Protocol):
    """Says whose a site or unit is: PlaceTable, or a fake of it."""

    async def organization_of(self, kind: str, place: int, scope: list[int]) -> int | None:
        """Return the organization of a `site`, `unit` or `sensor` within a scope, or None; raises Retryable."""
        ...


class PlaceTable:
    """The tables of sites, units and sensors."""

    def __init__(self, database: Database) -> None:
        """Ask this database."""
        self._database = database
        self._owners: Remembered[tuple[str, int], int | None] = Remembered(self._owner)

    async def organization_of(self, kind: str, place: int, scope: list[int]) -> int | None:
        """Return the organization of a `site`, `unit` or `sensor` within a scope, or None; raises Retryable."""
        owner = await self._owners.get((kind, place))
        return owner if owner in scope else None

    async def _owner(self, place: tuple[str, int]) -> int | None:
        kind, number = place
        row = await self._database.row(OWNER[kind], {"id": number})
        return None if row is None else int(row["organization_id"])


async def sites(database: Database, scope: list[int], site: int | None = None, *, archived: bool = False) -> list[SiteAnswer]:
    """Return sites by id, all or one; archived ones only when asked for."""
    rows = await database.rows(SITES, {"scope": scope, "site": site, "archived": archived})
    return [
        SiteAnswer(
            id=row["id"],
            organization=row["organization_id"],
            name=row["name"],
            time_zone=row["time_zone"],
            units=row["units"],
            archived_at=row["archived_at"],
        )
        for row in rows
    ]


async def unit_rows(
    database: Database,
    scope: list[int],
    *,
    site: int | None = None,
    unit: int | None = None,
    after: int = 0,
    limit: int = 1,
    archived: bool = False,
) -> list[Row]:
    """Return rows of units by id; archived ones only when asked for."""
    parameters = {"scope": scope, "site": site, "unit": unit, "after": after, "limit": limit, "archived": archived}
    return await database.rows(UNITS, parameters)
