"""What was believed of excursions at an instant, and every version of one with what it changed.

A version is known from the millisecond it was written in until one with a higher number is. Nothing here reads the running figures
of open excursions: they are not kept, so an open one has the figures of its version.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from api.database import Database, Row
from api.queries.excursions import current_excursions, excursion_answer, excursion_facts, filtered
from api.shapes import ExcursionAnswer, ExcursionDetailAnswer, VersionAnswer

MAX_VERSIONS: Final = 1_000
"""Versions shown with an excursion; its list of versions has pages."""

MILLISECOND: Final = timedelta(milliseconds=1)

AHEAD: Final = timedelta(days=1)
"""No excursion begins so long after we learnt of it: readings more than 5 minutes ahead are rejected as `clock_wrong`. What began later is
not looked at, so that a question about last year does not walk through this one."""

COLUMNS: Final = """
c.excursion_id, c.version, c.reason, c.superseded_by, c.organization_id, c.unit_id, c.sensor_id, c.device_id, c.band, c.kind, c.side,
c.severity, c.limit_hundredths, c.policy_version_id, c.started_at, c.opened_at, c.ended_at, c.closed_at, c.ended_by, c.late, c.known_at, c.peak, c.mean,
c.degree_minutes, c.exposure_ms, c.known_ms, c.unknown_ms, c.samples, c.largest_gap_ms
"""

AS_KNOWN: Final = f"""
SELECT found.*
FROM unnest(%(scope)s::integer[]) AS wanted (organization_id)
CROSS JOIN LATERAL (
  SELECT {COLUMNS}, u.site_id, NULL::timestamptz AS as_of
  FROM excursion_versions c
  JOIN units u ON u.id = c.unit_id
  WHERE c.organization_id = wanted.organization_id AND c.known_at < %(until)s AND c.reason <> 'void'
    AND c.started_at < %(begun_by)s {{filters}}
    AND NOT EXISTS (
      SELECT FROM excursion_versions n
      WHERE n.excursion_id = c.excursion_id AND n.first_started_at = c.first_started_at AND n.version > c.version AND n.known_at < %(until)s
    )
  ORDER BY c.started_at DESC, c.excursion_id DESC
  LIMIT %(limit)s
) AS found
ORDER BY found.started_at DESC, found.excursion_id DESC
LIMIT %(limit)s
"""
"""One organization after another, so that each walks its index in the order asked for and stops at the limit."""

VOIDED_AS_KNOWN: Final = AS_KNOWN.replace("c.reason <> 'void'", "c.reason = 'void'")
"""Those whose newest version known at the instant says that they do not stand; its facts are the last ones that were believed."""

VERSIONS: Final = f"""
SELECT {COLUMNS}
FROM excursion_versions c
WHERE c.organization_id = ANY(%(scope)s) AND c.excursion_id = %(id)s AND c.version >= %(from_version)s
  AND (%(until)s::timestamptz IS NULL OR c.known_at < %(until)s)
ORDER BY c.version
LIMIT %(limit)s
"""

BOUNDS: Final = """
SELECT min(known_at) AS first_known_at,
       (array_agg(known_at ORDER BY version DESC) FILTER (WHERE known_at < %(until)s))[1] AS newest_known_at,
       (array_agg(superseded_by ORDER BY version DESC) FILTER (WHERE known_at < %(until)s))[1] AS superseded_by
FROM excursion_versions
WHERE organization_id = ANY(%(scope)s) AND excursion_id = %(id)s
"""


@dataclass(frozen=True, slots=True)
class NotYetKnown:
    """The excursion was found later than that."""

    first_known_at: datetime


@dataclass(frozen=True, slots=True)
class Voided:
    """The excursion had been found, and was no longer believed."""

    voided_at: datetime
    superseded_by: UUID | None


def known_before(known_at: datetime) -> datetime:
    """Return the instant before which a version was written to be known at `known_at`: answers show milliseconds, tables keep more."""
    return known_at + MILLISECOND


async def excursions_as_known(
    database: Database,
    scope: list[int],
    known_at: datetime,
    *,
    limit: int,
    voided: bool = False,
    after: tuple[datetime, UUID] | None = None,
    **given: object,
) -> list[ExcursionAnswer]:
    """Return excursions that stood at an instant as they were known then, or those voided by then, newest started_at first.

    `given` are as of current_excursions.
    """
    filters, parameters = filtered(after, given)
    bounds = {"scope": scope, "limit": limit, "until": known_before(known_at), "begun_by": known_at + AHEAD}
    rows = await database.rows((VOIDED_AS_KNOWN if voided else AS_KNOWN).format(filters=filters), bounds | parameters)
    return [excursion_answer(row) for row in rows]


async def excursion_with_history(
    database: Database, scope: list[int], excursion: UUID, known_at: datetime | None, present: datetime
) -> ExcursionDetailAnswer | NotYetKnown | Voided | None:
    """Return one excursion as it was known at an instant (None: as it stands), or why there is none; None where there never was one."""
    if known_at is None:
        found = await current_excursions(database, scope, limit=1, id=excursion)
    else:
        found = await excursions_as_known(database, scope, known_at, limit=1, id=excursion)
    if not found:
        return await _why_not(database, scope, excursion, known_at or present)
    versions = await versions_of(database, scope, excursion, limit=MAX_VERSIONS, known_at=known_at)
    return ExcursionDetailAnswer(**found[0].model_dump(), versions=versions)


async def _why_not(database: Database, scope: list[int], excursion: UUID, known_at: datetime) -> NotYetKnown | Voided | None:
    row = await database.row(BOUNDS, {"scope": scope, "id": excursion, "until": known_before(known_at)})
    if row is None or row["first_known_at"] is None:
        return None
    if row["newest_known_at"] is None:
        return NotYetKnown(row["first_known_at"])
    return Voided(row["newest_known_at"], row["superseded_by"])


async def versions_of(
    database: Database, scope: list[int], excursion: UUID, *, limit: int, after: int = 0, known_at: datetime | None = None
) -> list[VersionAnswer]:
    """Return the versions of an excursion behind version `after`, oldest first, and only those known at an instant where one is given."""
    until = None if known_at is None else known_before(known_at)
    parameters = {"scope": scope, "id": excursion, "from_version": after, "until": until, "limit": limit + 1}
    rows = await database.rows(VERSIONS, parameters)
    before = rows.pop(0) if rows and rows[0]["version"] <= after else None
    return [_version(row, earlier) for row, earlier in zip(rows[:limit], [before, *rows], strict=False)]


NEW_IN_EVERY_VERSION: Final = frozenset({"version", "known_at", "reason"})


def _version(row: Row, before: Row | None) -> VersionAnswer:
    facts = excursion_facts(row)
    earlier = facts if before is None else excursion_facts(before)
    changed = [name for name, value in facts.items() if name not in NEW_IN_EVERY_VERSION and value != earlier[name]]
    return VersionAnswer(**facts, superseded_by=row["superseded_by"], changed=changed)
