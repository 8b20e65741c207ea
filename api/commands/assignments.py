"""Which unit a sensor watches, and when: assigned, moved at one instant, ended. The past is never rewritten."""

from datetime import datetime
from typing import Final

from api.commands.archiving import require_standing
from api.commands.painting import repaint_assigned
from api.commands.transaction import Outcome, Row, Transaction
from api.errors import conflict
from api.shapes import iso

UNIT: Final = """
SELECT id, organization_id, name, archived_at FROM units WHERE id = %(id)s AND organization_id = ANY(%(scope)s)
"""
SENSOR: Final = """
SELECT s.id, s.organization_id, s.archived_at, s.probe, d.id AS device_id, d.dev_eui, d.name, d.brand_id, d.model_id
FROM sensors s JOIN devices d ON d.id = s.device_id
WHERE s.id = %(id)s AND s.organization_id = ANY(%(scope)s)
"""
LAST: Final = """
SELECT id, organization_id, sensor_id, unit_id, valid_from, valid_to FROM assignments
WHERE sensor_id = %(sensor)s ORDER BY valid_from DESC LIMIT 1
"""
OPEN_IN_UNIT: Final = """
SELECT id, organization_id, sensor_id, unit_id, valid_from, valid_to FROM assignments
WHERE unit_id = %(unit)s AND (valid_to IS NULL OR valid_to > %(now)s) ORDER BY id
"""
INSERT: Final = """
INSERT INTO assignments (organization_id, sensor_id, unit_id, valid_from)
VALUES (%(organization)s, %(sensor)s, %(unit)s, %(valid_from)s) RETURNING id
"""
END: Final = "UPDATE assignments SET valid_to = %(valid_to)s WHERE id = %(id)s"


async def assign(transaction: Transaction, sensor: Row, unit: int, asked: datetime | None, field: str = "effective_at") -> Outcome:
    """Let a sensor watch a unit: a first time, again, or instead of another one.

    A first assignment may begin up to 35 days back; any other begins where the one before it ends.
    """
    target = await transaction.mine("unit", UNIT, unit)
    if target["organization_id"] != sensor["organization_id"]:
        raise conflict(
            "in_use", "The unit and the sensor belong to different organizations: register the device in the unit's organization."
        )
    require_standing("sensor", sensor)
    require_standing("unit", target)
    last = await transaction.row(LAST, {"sensor": sensor["id"]})
    if last is not None and last["valid_to"] is None and last["unit_id"] == unit:
        return Outcome("unchanged", sensor["organization_id"], sensor["id"], last["valid_from"])
    if last is None:
        begin = transaction.first_takes_effect(asked, field)
    else:
        begin = transaction.takes_effect(asked, last["valid_to"] or last["valid_from"])
        if last["valid_to"] is None:
            await _end(transaction, last, begin)
    values = {"organization": sensor["organization_id"], "sensor": sensor["id"], "unit": unit, "valid_from": begin}
    await transaction.insert(INSERT, values)
    await repaint_assigned(transaction, sensor["organization_id"], [(sensor["id"], unit, begin)])
    outcome = Outcome("changed", sensor["organization_id"], sensor["id"], begin)
    is_move = last is not None and last["valid_to"] is None
    before = {"unit": last["unit_id"]} if last is not None and is_move else None
    return await transaction.record(outcome, "sensor", "moved" if is_move else "assigned", before, {"unit": unit})


async def end_assignment(transaction: Transaction, sensor: Row, asked: datetime | None) -> Outcome:
    """End a sensor's assignment; a sensor that has none, or whose end is set, stays as it is."""
    last = await transaction.row(LAST, {"sensor": sensor["id"]})
    if last is None or last["valid_to"] is not None:
        at = None if last is None else last["valid_to"]
        if asked is not None and at is not None and asked != at:
            raise conflict("in_use", f"The assignment ends at {iso(at)} already: assign the sensor again instead.")
        return Outcome("unchanged", sensor["organization_id"], sensor["id"], at)
    end = transaction.takes_effect(asked, last["valid_from"])
    await _end(transaction, last, end)
    outcome = Outcome("changed", sensor["organization_id"], sensor["id"], end)
    return await transaction.record(outcome, "sensor", "ended", {"unit": last["unit_id"]}, {"unit": None})


async def end_assignments_of_unit(transaction: Transaction, unit: Row, asked: datetime | None) -> datetime | None:
    """End every assignment to a unit at one instant, and return it; None where there is none to end.

    An assignment that has an end of its own before that keeps it.
    """
    rows = await transaction.rows(OPEN_IN_UNIT, {"unit": unit["id"], "now": transaction.now_at})
    if not rows:
        return None
    ends = transaction.takes_effect(asked, max(row["valid_from"] for row in rows))
    for row in rows:
        if row["valid_to"] is None or row["valid_to"] > ends:
            await _end(transaction, row, ends)
            outcome = Outcome("changed", row["organization_id"], row["sensor_id"], ends)
            await transaction.record(outcome, "sensor", "ended", {"unit": unit["id"]}, {"unit": None})
    return ends


async def sensor_row(transaction: Transaction, number: int) -> Row:
    """Return the row of a sensor that the caller may change, with its device."""
    return await transaction.mine("sensor", SENSOR, number)


async def _end(transaction: Transaction, assignment: Row, at: datetime) -> None:
    await transaction.execute(END, {"id": assignment["id"], "valid_to": at})
