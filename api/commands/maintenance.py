"""Maintenance of units: declared, planned or said of the past; ended sooner; revoked. Each with a comment, and in the log of changes.

What is planned is known before anything is written, so that it can be previewed. A window that begins once every decoder knows of it needs
nothing judged again. What it says of the past is a correction: in the same transaction the sensors that watched the unit then are put
down to be judged again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from api.commands.archiving import require_standing
from api.commands.sites import site_row
from api.commands.transaction import Outcome, Row, Transaction, milliseconds
from api.commands.units import unit_row
from api.errors import conflict
from api.maintenance_shapes import MaintenanceEnd, MaintenanceOrder
from api.parameters import aware, instant, optional_instant
from api.shapes import iso
from pipelines.domain.registration.maintenance import Window, declared, difference, ended

MAX_UNITS: Final = 1_000
"""Of a site, for which maintenance is declared or ended at once."""

MAX_WINDOWS: Final = 1_000
"""Of a unit, that stand: one a day for three years. Whoever judges a unit loads them."""

AGAIN_WITHIN: Final = timedelta(minutes=1)

UNITS: Final = """
SELECT id FROM units WHERE site_id = %(site)s AND archived_at IS NULL ORDER BY id LIMIT %(limit)s
"""
ONE: Final = """
SELECT id, organization_id, unit_id, starts_at, ends_at, revoked_at FROM maintenance_windows
WHERE id = %(id)s AND organization_id = ANY(%(scope)s)
"""
HOLDING: Final = """
SELECT w.id, w.organization_id, w.unit_id, w.starts_at, w.ends_at
FROM maintenance_windows w JOIN units u ON u.id = w.unit_id
WHERE u.site_id = %(site)s AND w.revoked_at IS NULL AND w.starts_at <= %(now)s AND w.ends_at > %(earliest)s
ORDER BY w.id LIMIT %(limit)s
"""
STANDING: Final = """
SELECT unit_id, count(*) AS windows, min(id) FILTER (WHERE ends_at = %(until)s AND (starts_at = %(since)s OR (
  starts_at BETWEEN %(lately)s AND %(since)s AND declared_by = %(user)s AND comment = %(comment)s))) AS same
FROM maintenance_windows WHERE unit_id = ANY(%(units)s) AND revoked_at IS NULL GROUP BY unit_id
"""
"""The same one, too, is what somebody declares twice within a minute without a beginning: a request that was sent again."""
INSERT: Final = """
INSERT INTO maintenance_windows (organization_id, unit_id, starts_at, ends_at, declared_ends_at, declared_by, comment)
SELECT %(organization)s, unit, %(since)s, %(until)s, %(until)s, %(user)s, %(comment)s FROM unnest(%(units)s::integer[]) AS wanted (unit)
RETURNING id, unit_id
"""
END: Final = """
UPDATE maintenance_windows SET ends_at = %(until)s, ended_by = %(user)s, ended_at = %(now)s, end_comment = %(comment)s
WHERE id = ANY(%(numbers)s)
"""
REVOKE: Final = """
UPDATE maintenance_windows SET revoked_by = %(user)s, revoked_at = %(now)s, revocation_comment = %(comment)s WHERE id = ANY(%(numbers)s)
"""
AGAIN: Final = """
INSERT INTO rejudgements (organization_id, maintenance_id, sensor_id, measured_from, effective_at, reason)
SELECT %(organization)s, wanted.window_id, watching.sensor_id, %(since)s, %(at)s, 'correction'
FROM unnest(%(units)s::integer[], %(windows)s::integer[]) AS wanted (unit, window_id)
CROSS JOIN LATERAL (
  SELECT sensor_id FROM assignments WHERE unit_id = wanted.unit AND valid_from < %(until)s AND (valid_to IS NULL OR valid_to > %(since)s)
  UNION SELECT sensor_id FROM corrections
  WHERE kind = 'assignment' AND unit_id = wanted.unit AND starts_at < %(until)s AND ends_at > %(since)s AND revoked_at IS NULL
) watching ORDER BY watching.sensor_id
"""
"""Those that watched one of the units at some instant of the stretch."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a command makes of one window: None is that there is none; twice the same that it stands already."""

    organization: int
    unit: int
    before: Window | None
    after: Window | None
    number: int = 0
    """Of a window that is there."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a command: the windows that it is about, and when sensors are judged again because of it."""

    outcome: str
    numbers: list[int]
    judged_again_at: datetime | None = None


async def plan_for_unit(transaction: Transaction, number: int, order: MaintenanceOrder) -> list[Planned]:
    """Plan maintenance of a unit."""
    unit = await unit_row(transaction, number)
    require_standing("unit", unit)
    return await _plan(transaction, unit["organization_id"], [number], order)


async def plan_for_site(transaction: Transaction, number: int, order: MaintenanceOrder) -> list[Planned]:
    """Plan maintenance of every unit of a site that is not archived; raises ApiError where there are none, or too many."""
    site = await site_row(transaction, number)
    require_standing("site", site)
    units = [row["id"] for row in await transaction.rows(UNITS, {"site": number, "limit": MAX_UNITS + 1})]
    if not units:
        raise conflict("in_use", "The site has no units: there is nothing to maintain.")
    if len(units) > MAX_UNITS:
        raise conflict("too_much", f"The site has more than {MAX_UNITS:,} units: declare it unit by unit.")
    return await _plan(transaction, site["organization_id"], units, order)


async def _plan(transaction: Transaction, organization: int, units: Sequence[int], order: MaintenanceOrder) -> list[Planned]:
    since = milliseconds(optional_instant(order.from_, "from"))
    window = declared(since, milliseconds(instant(order.to, "to")), transaction.now, milliseconds(transaction.earliest))
    begin = aware(window.since)
    named = {"units": list(units), "since": begin, "until": aware(window.until), "lately": begin - AGAIN_WITHIN if since is None else begin}
    same: dict[int, int] = {}
    for row in await transaction.rows(STANDING, {**named, "user": transaction.user, "comment": transaction.comment}):
        if row["same"] is not None:
            same[row["unit_id"]] = row["same"]
        elif row["windows"] >= MAX_WINDOWS:
            raise conflict("too_many_versions", f"{MAX_WINDOWS:,} windows of unit {row['unit_id']} stand: revoke some.")
    return [Planned(organization, unit, window if unit in same else None, window, same.get(unit, 0)) for unit in units]


async def plan_end(transaction: Transaction, number: int, order: MaintenanceEnd) -> list[Planned]:
    """Plan that a window ends sooner than declared."""
    return _ended(transaction, [await _standing(transaction, number)], order)


async def plan_end_at_site(transaction: Transaction, number: int, order: MaintenanceEnd) -> list[Planned]:
    """Plan that every window that holds now at a site's units ends sooner."""
    await site_row(transaction, number)
    named = {"site": number, "now": transaction.now_at, "earliest": transaction.earliest, "limit": MAX_UNITS + 1}
    rows = await transaction.rows(HOLDING, named)
    if len(rows) > MAX_UNITS:
        raise conflict("too_much", f"More than {MAX_UNITS:,} windows hold at the site: end them one by one.")
    return _ended(transaction, rows, order)


def _ended(transaction: Transaction, rows: Sequence[Row], order: MaintenanceEnd) -> list[Planned]:
    asked, earliest = milliseconds(optional_instant(order.to, "to")), milliseconds(transaction.earliest)
    return [Planned(row["organization_id"], row["unit_id"], _window(row), ended(_window(row), asked, earliest), row["id"]) for row in rows]


async def plan_revocation(transaction: Transaction, number: int) -> list[Planned]:
    """Plan that a window is as if it had not been declared."""
    row = await _standing(transaction, number)
    return [Planned(row["organization_id"], row["unit_id"], _window(row), None, number)]


async def _standing(transaction: Transaction, number: int) -> Row:
    row = await transaction.mine("maintenance window", ONE, number)
    if row["revoked_at"] is not None:
        raise conflict("in_use", f"It was revoked at {iso(row['revoked_at'])} already.")
    return row


async def keep(transaction: Transaction, planned: Sequence[Planned]) -> Done:
    """Write what is planned: windows of one organization that are all made, or all ended at one instant, or all revoked."""
    changed = [one for one in planned if one.before != one.after]
    numbers = {one.unit: one.number for one in planned if one.number}
    if not changed:
        return Done("unchanged", sorted(numbers.values()))
    first = changed[0]
    values = {"user": transaction.user, "comment": transaction.comment, "now": transaction.now_at}
    known = {**values, "numbers": [one.number for one in changed]}
    if first.after is None:
        action = "revoked"
        await transaction.execute(REVOKE, known)
    elif first.before is None:
        action = "declared"
        edges = {"since": aware(first.after.since), "until": aware(first.after.until), "units": [one.unit for one in changed]}
        numbers |= {
            row["unit_id"]: row["id"] for row in await transaction.rows(INSERT, {**values, **edges, "organization": first.organization})
        }
    else:
        action = "ended"
        await transaction.execute(END, {**known, "until": aware(first.after.until)})
    at = await _judge_again(transaction, changed, numbers)
    for one in changed:
        await _record(transaction, one, numbers[one.unit] if action == "declared" else one.number, action)
    outcome = "created" if action == "declared" else "changed"
    return Done(outcome, sorted({*numbers.values(), *(one.number for one in changed if one.number)}), at)


async def _judge_again(transaction: Transaction, changed: Sequence[Planned], numbers: dict[int, int]) -> datetime | None:
    """Have the sensors of units judged again if what is changed of their windows (by unit) is said of the past; return when."""
    stretch = changed_stretch(changed)
    if aware(stretch.since) >= transaction.earliest:
        transaction.promised.append(stretch.since)
        return None
    at = transaction.takes_effect(None, None)
    units = sorted({one.unit for one in changed})
    edges = {"since": aware(stretch.since), "until": aware(stretch.until), "at": at}
    named = {"organization": changed[0].organization, "units": units, "windows": [numbers[unit] for unit in units]}
    await transaction.execute(AGAIN, {**named, **edges})
    return at


def changed_stretch(changed: Sequence[Planned]) -> Window:
    """Return the stretch outside of which nothing is changed."""
    stretches = [found for one in changed if (found := difference(one.before, one.after)) is not None]
    return Window(min(one.since for one in stretches), max(one.until for one in stretches))


async def _record(transaction: Transaction, one: Planned, number: int, action: str) -> None:
    window = one.after or one.before
    assert window is not None, "what changes was, or will be"
    outcome = Outcome("created" if one.before is None else "changed", one.organization, number, aware(window.since))
    await transaction.record(outcome, "maintenance", action, _said(one.unit, one.before), _said(one.unit, one.after))


def _said(unit: int, window: Window | None) -> dict[str, object] | None:
    """Return what the log of changes says of a window."""
    return None if window is None else {"unit": unit, "from": iso(aware(window.since)), "to": iso(aware(window.until))}


def _window(row: Row) -> Window:
    return Window(milliseconds(row["starts_at"]), milliseconds(row["ends_at"]))
