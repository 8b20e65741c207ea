"""Maintenance of units: declared, planned or said of the past; ended sooner; revoked. Each with a comment, and in the log of changes.

A window that begins once every decoder knows of it needs nothing judged again. What it says of the past is a correction: in the same
transaction the sensors that watched the unit then are put down to be judged again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.commands.archiving import require_standing
from api.commands.sites import site_row
from api.commands.transaction import Outcome, Row, Transaction, milliseconds
from api.commands.units import unit_row
from api.errors import conflict
from api.maintenance_shapes import MaintenanceEnd, MaintenanceOrder
from api.parameters import aware, instant, optional_instant
from api.shapes import iso
from pipelines.domain.registration.maintenance import Window, declared, ended

MAX_UNITS: Final = 1_000
"""Of a site, for which maintenance is declared at once."""

MAX_WINDOWS: Final = 1_000
"""Of a unit, that stand: one a day for three years. Whoever judges a unit loads them."""

UNITS: Final = """
SELECT id, organization_id FROM units WHERE site_id = %(site)s AND archived_at IS NULL ORDER BY id LIMIT %(limit)s
"""
ONE: Final = """
SELECT id, organization_id, unit_id, starts_at, ends_at, revoked_at FROM maintenance_windows
WHERE id = %(id)s AND organization_id = ANY(%(scope)s)
"""
HOLDING: Final = """
SELECT w.id, w.organization_id, w.unit_id, w.starts_at, w.ends_at, w.revoked_at
FROM maintenance_windows w JOIN units u ON u.id = w.unit_id
WHERE u.site_id = %(site)s AND w.revoked_at IS NULL AND w.starts_at <= %(now)s AND w.ends_at > %(earliest)s
ORDER BY w.id LIMIT %(limit)s
"""
STANDING: Final = """
SELECT unit_id, count(*) AS windows, min(id) FILTER (WHERE starts_at = %(since)s AND ends_at = %(until)s) AS same
FROM maintenance_windows WHERE unit_id = ANY(%(units)s) AND revoked_at IS NULL GROUP BY unit_id
"""
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
UPDATE maintenance_windows SET revoked_by = %(user)s, revoked_at = %(now)s, revocation_comment = %(comment)s WHERE id = %(id)s
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
class Done:
    """What became of a command: the windows that it is about, and when sensors are judged again because of it."""

    outcome: str
    numbers: list[int]
    judged_again_at: datetime | None = None


async def declare_for_unit(transaction: Transaction, number: int, order: MaintenanceOrder) -> Done:
    """Declare maintenance of a unit."""
    unit = await unit_row(transaction, number)
    require_standing("unit", unit)
    return await _declare(transaction, unit["organization_id"], [number], order)


async def declare_for_site(transaction: Transaction, number: int, order: MaintenanceOrder) -> Done:
    """Declare maintenance of every unit of a site that is not archived."""
    site = await site_row(transaction, number)
    require_standing("site", site)
    return await _declare(transaction, site["organization_id"], await units_of_site(transaction, number), order)


async def units_of_site(transaction: Transaction, site: int) -> list[int]:
    """Return the units of a site that are not archived; raises ApiError where there are none, or too many."""
    units = [row["id"] for row in await transaction.rows(UNITS, {"site": site, "limit": MAX_UNITS + 1})]
    if not units:
        raise conflict("in_use", "The site has no units: there is nothing to maintain.")
    if len(units) > MAX_UNITS:
        raise conflict("too_much", f"The site has more than {MAX_UNITS:,} units: declare it unit by unit.")
    return units


def wanted_window(transaction: Transaction, order: MaintenanceOrder) -> Window:
    """Return when maintenance that is asked for holds; raises ApiError or Refused."""
    until = milliseconds(instant(order.to, "to"))
    earliest = milliseconds(transaction.earliest)
    assert until is not None
    assert earliest is not None
    return declared(milliseconds(optional_instant(order.from_, "from")), until, transaction.now, earliest)


async def _declare(transaction: Transaction, organization: int, units: Sequence[int], order: MaintenanceOrder) -> Done:
    window = wanted_window(transaction, order)
    edges = {"since": aware(window.since), "until": aware(window.until)}
    known = {row["unit_id"]: row for row in await transaction.rows(STANDING, {"units": list(units), **edges})}
    full = [unit for unit in units if unit in known and known[unit]["windows"] >= MAX_WINDOWS]
    if full:
        raise conflict("too_many_versions", f"{MAX_WINDOWS:,} windows of unit {full[0]} stand: revoke some.")
    same = [known[unit]["same"] for unit in units if unit in known and known[unit]["same"] is not None]
    new = [unit for unit in units if unit not in known or known[unit]["same"] is None]
    if not new:
        return Done("unchanged", same)
    values = {"organization": organization, "units": new, "user": transaction.user, "comment": transaction.comment, **edges}
    made = {row["unit_id"]: row["id"] for row in await transaction.rows(INSERT, values)}
    at = await _says(transaction, organization, made, window)
    for unit in new:
        await transaction.record(
            _outcome("created", organization, made[unit], window), "maintenance", "declared", None, _said(unit, window)
        )
    return Done("created", sorted([*same, *made.values()]), at)


async def end_window(transaction: Transaction, number: int, order: MaintenanceEnd) -> Done:
    """End a window sooner than declared."""
    row = await _standing(transaction, number)
    return await _end(transaction, [row], order)


async def end_at_site(transaction: Transaction, number: int, order: MaintenanceEnd) -> Done:
    """End every window that holds now at a site's units."""
    site = await site_row(transaction, number)
    rows = await transaction.rows(
        HOLDING, {"site": site["id"], "now": transaction.now_at, "earliest": transaction.earliest, "limit": MAX_UNITS}
    )
    return await _end(transaction, rows, order) if rows else Done("unchanged", [])


async def _end(transaction: Transaction, rows: Sequence[Row], order: MaintenanceEnd) -> Done:
    """End some windows of one organization at one instant."""
    asked, earliest = milliseconds(optional_instant(order.to, "to")), milliseconds(transaction.earliest)
    assert earliest is not None
    organization, numbers = rows[0]["organization_id"], [row["id"] for row in rows]
    shortened = [(row, _window(row), ended(_window(row), asked, earliest)) for row in rows]
    end = shortened[0][2].until
    values = {"numbers": numbers, "until": aware(end), "now": transaction.now_at, "user": transaction.user, "comment": transaction.comment}
    await transaction.execute(END, values)
    last = max(before.until for _, before, _ in shortened)
    at = await _says(transaction, organization, {row["unit_id"]: row["id"] for row in rows}, Window(end, last))
    for row, before, after in shortened:
        outcome = _outcome("changed", organization, row["id"], after)
        await transaction.record(outcome, "maintenance", "ended", _said(row["unit_id"], before), _said(row["unit_id"], after))
    return Done("changed", numbers, at)


async def revoke_window(transaction: Transaction, number: int) -> Done:
    """Take a window back, as if it had not been declared."""
    row = await _standing(transaction, number)
    before = _window(row)
    values = {"id": number, "user": transaction.user, "now": transaction.now_at, "comment": transaction.comment}
    await transaction.execute(REVOKE, values)
    at = await _says(transaction, row["organization_id"], {row["unit_id"]: number}, before)
    outcome = _outcome("changed", row["organization_id"], number, before)
    await transaction.record(outcome, "maintenance", "revoked", _said(row["unit_id"], before), None)
    return Done("changed", [number], at)


async def _standing(transaction: Transaction, number: int) -> Row:
    row = await transaction.mine("maintenance window", ONE, number)
    if row["revoked_at"] is not None:
        raise conflict("in_use", f"It was revoked at {iso(row['revoked_at'])} already.")
    return row


async def _says(transaction: Transaction, organization: int, windows: Mapping[int, int], stretch: Window) -> datetime | None:
    """Have the sensors of units judged again if what their windows (by unit) say of a stretch is said of the past; return when."""
    if aware(stretch.since) >= transaction.earliest:
        transaction.promised.append(stretch.since)
        return None
    at = transaction.takes_effect(None, None)
    edges = {"since": aware(stretch.since), "until": aware(stretch.until), "at": at}
    named = {"organization": organization, "units": list(windows), "windows": list(windows.values())}
    await transaction.execute(AGAIN, {**named, **edges})
    return at


def _window(row: Row) -> Window:
    since, until = milliseconds(row["starts_at"]), milliseconds(row["ends_at"])
    assert since is not None
    assert until is not None
    return Window(since, until)


def _outcome(outcome: str, organization: int, number: int, window: Window) -> Outcome:
    return Outcome(outcome, organization, number, aware(window.since))


def _said(unit: int, window: Window) -> dict[str, object]:
    """Return what the log of changes says of a window."""
    return {"unit": unit, "from": iso(aware(window.since)), "to": iso(aware(window.until))}
