"""Units: made, renamed, moved to another site, judged by a policy version from an instant on, archived."""

from datetime import datetime
from typing import Final

from api.commands.archiving import mark_archived, require_ended, require_standing, restore
from api.commands.assignments import end_assignments_of_unit
from api.commands.sites import site_row
from api.commands.transaction import Outcome, Row, Transaction
from api.errors import conflict
from api.parameters import aware, optional_instant
from api.registry_requests import NewUnit, TimedOrder, UnitChange, UnitPolicyOrder
from pipelines.domain.registration.effective import from_the_start
from pipelines.domain.registration.naming import display_name, unit_kind

ONE: Final = """
SELECT id, organization_id, site_id, name, kind, archived_at FROM units WHERE id = %(id)s AND organization_id = ANY(%(scope)s)
"""
OF_NAME: Final = "SELECT id, organization_id, site_id, name, kind, archived_at FROM units WHERE site_id = %(site)s AND name = %(name)s"
INSERT: Final = """
INSERT INTO units (organization_id, site_id, name, kind) VALUES (%(organization)s, %(site)s, %(name)s, %(kind)s) RETURNING id
"""
CHANGE: Final = "UPDATE units SET name = %(name)s, kind = %(kind)s, site_id = %(site)s WHERE id = %(id)s"
VERSION: Final = """
SELECT v.id, v.organization_id, v.version, p.id AS policy_id, p.name, p.archived_at
FROM policy_versions v JOIN policies p ON p.id = v.policy_id
WHERE v.id = %(id)s AND v.organization_id = ANY(%(scope)s)
"""
NEWEST: Final = """
SELECT policy_version_id, effective_at FROM unit_policies WHERE unit_id = %(unit)s ORDER BY effective_at DESC LIMIT 1
"""
WATCHED: Final = "SELECT 1 AS watched FROM assignments WHERE unit_id = %(unit)s LIMIT 1"
PUT_IN_FORCE: Final = """
INSERT INTO unit_policies (organization_id, unit_id, policy_version_id, effective_at)
VALUES (%(organization)s, %(unit)s, %(policy_version)s, %(effective_at)s) RETURNING id
"""


async def create_unit(transaction: Transaction, order: NewUnit) -> Outcome:
    """Make a unit, judged by a policy version from the start where one is given."""
    site = await site_row(transaction, order.site)
    require_standing("site", site)
    name, kind = display_name(order.name), unit_kind(order.kind)
    found = await transaction.row(OF_NAME, {"site": order.site, "name": name})
    if found is not None:
        return await _there_already(transaction, found, order, kind)
    values = {"organization": site["organization_id"], "site": order.site, "name": name, "kind": kind.value}
    number = await transaction.insert(INSERT, values)
    outcome = await transaction.record(
        Outcome("created", site["organization_id"], number), "unit", "created", None, {"site": order.site, "name": name, "kind": kind.value}
    )
    if order.policy_version is None:
        return outcome
    unit = {"id": number, "organization_id": site["organization_id"]}
    applied = await apply_policy(transaction, unit, order.policy_version, optional_instant(order.effective_at, "effective_at"))
    return Outcome("created", outcome.organization, number, applied.effective_at)


async def _there_already(transaction: Transaction, found: Row, order: NewUnit, kind: str) -> Outcome:
    """Answer for a unit that has the name already: the same one is fine."""
    require_standing("unit", found)
    newest = await transaction.row(NEWEST, {"unit": found["id"]})
    judged_by = None if newest is None else newest["policy_version_id"]
    if found["kind"] == kind and order.policy_version in {None, judged_by}:
        return Outcome("unchanged", found["organization_id"], found["id"])
    raise conflict("exists", f"Unit {found['id']} of that site has that name: change that one, or take another name.")


async def change_unit(transaction: Transaction, number: int, order: UnitChange) -> Outcome:
    """Give a unit another name or kind, or move it to another site of its organization."""
    row = await unit_row(transaction, number)
    require_standing("unit", row)
    before = {"name": row["name"], "kind": row["kind"], "site": row["site_id"]}
    after = {
        "name": row["name"] if order.name is None else display_name(order.name),
        "kind": row["kind"] if order.kind is None else unit_kind(order.kind).value,
        "site": row["site_id"] if order.site is None else order.site,
    }
    if after == before:
        return Outcome("unchanged", row["organization_id"], number)
    if order.site is not None and order.site != row["site_id"]:
        site = await site_row(transaction, order.site)
        require_standing("site", site)
        if site["organization_id"] != row["organization_id"]:
            raise conflict("in_use", "A unit stays in its organization: make a new unit in the other one.")
    other = await transaction.row(OF_NAME, {"site": after["site"], "name": after["name"]})
    if other is not None and other["id"] != number:
        raise conflict("exists", f"Unit {other['id']} of that site has the name {after['name']!r} already: take another one.")
    await transaction.execute(CHANGE, {"id": number, **after})
    return await transaction.record(Outcome("changed", row["organization_id"], number), "unit", "changed", before, after)


async def archive_unit(transaction: Transaction, number: int, order: TimedOrder) -> Outcome:
    """Archive a unit; its assignments end, at the earliest instant they can or the one that is given, within a minute."""
    row = await unit_row(transaction, number)
    if row["archived_at"] is not None:
        return Outcome("unchanged", row["organization_id"], number)
    ends = await end_assignments_of_unit(transaction, row, optional_instant(order.effective_at, "effective_at"))
    require_ended(transaction, "unit", number, ends)
    done = await mark_archived(transaction, "unit", row)
    return Outcome(done.outcome, done.organization, done.id, ends)


async def restore_unit(transaction: Transaction, number: int) -> Outcome:
    """Take a unit out of the archive; its site must not be in it."""
    row = await unit_row(transaction, number)
    require_standing("site", await site_row(transaction, row["site_id"]))
    return await restore(transaction, "unit", row)


async def put_in_force(transaction: Transaction, number: int, order: UnitPolicyOrder) -> Outcome:
    """Judge a unit by a policy version from an instant on."""
    unit = await unit_row(transaction, number)
    require_standing("unit", unit)
    return await apply_policy(transaction, unit, order.policy_version, optional_instant(order.effective_at, "effective_at"))


async def apply_policy(transaction: Transaction, unit: Row, version: int, asked: datetime | None) -> Outcome:
    """Put a policy version in force at a unit; the first of a unit that no sensor ever watched holds from 35 days back on."""
    row = await transaction.mine("policy version", VERSION, version)
    require_standing("policy", row | {"id": row["policy_id"]})
    if row["organization_id"] != unit["organization_id"]:
        raise conflict("in_use", "The policy belongs to another organization: make one in the unit's organization.")
    newest = await transaction.row(NEWEST, {"unit": unit["id"]})
    if newest is not None and newest["policy_version_id"] == version:
        return Outcome("unchanged", unit["organization_id"], unit["id"], newest["effective_at"])
    is_watched = await transaction.row(WATCHED, {"unit": unit["id"]}) is not None
    if newest is not None or is_watched:
        at = transaction.takes_effect(asked, None if newest is None else newest["effective_at"])
    else:
        at = transaction.first_takes_effect(asked or aware(from_the_start(transaction.now)), "effective_at")
    values = {"organization": unit["organization_id"], "unit": unit["id"], "policy_version": version, "effective_at": at}
    await transaction.insert(PUT_IN_FORCE, values)
    before = None if newest is None else {"policy_version": newest["policy_version_id"]}
    after = {"policy": row["name"], "version": row["version"], "policy_version": version}
    return await transaction.record(Outcome("changed", unit["organization_id"], unit["id"], at), "unit", "put_in_force", before, after)


async def unit_row(transaction: Transaction, number: int) -> Row:
    """Return the row of a unit that the caller may change."""
    return await transaction.mine("unit", ONE, number)
