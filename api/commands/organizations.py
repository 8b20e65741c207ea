"""Organizations: a Stack Auth team becomes one, gets another name, is archived with its secrets revoked."""

from typing import Final

from api.commands.archiving import mark_archived, require_standing
from api.commands.transaction import Outcome, Row, Transaction
from api.errors import conflict, not_found
from api.managers import Manager, forbidden
from api.registry_requests import NewOrganization, OrganizationChange
from pipelines.domain.registration.naming import display_name

OF_TEAM: Final = "SELECT id, id AS organization_id, name, archived_at FROM organizations WHERE team_id = %(team)s"
ONE: Final = "SELECT id, id AS organization_id, name, archived_at FROM organizations WHERE id = %(id)s AND id = ANY(%(scope)s)"
INSERT: Final = "INSERT INTO organizations (team_id, name) VALUES (%(team)s, %(name)s) RETURNING id"
RENAME: Final = "UPDATE organizations SET name = %(name)s WHERE id = %(id)s"
STANDING_SITES: Final = "SELECT count(*) AS sites FROM sites WHERE organization_id = %(id)s AND archived_at IS NULL"
REVOKE: Final = """
UPDATE application_secrets SET revoked_at = %(at)s WHERE organization_id = %(id)s AND (revoked_at IS NULL OR revoked_at > %(at)s)
RETURNING id, application_id
"""


async def create_organization(transaction: Transaction, manager: Manager, order: NewOrganization) -> Outcome:
    """Make an organization of a team in which the caller may change things."""
    name = display_name(order.name)
    if order.team not in manager.teams:
        raise not_found("team")
    if order.team not in manager.managed_teams:
        raise forbidden()
    found = await transaction.row(OF_TEAM, {"team": order.team})
    if found is not None:
        if found["name"] == name and found["archived_at"] is None:
            return Outcome("unchanged", found["id"], found["id"])
        message = f"The team is already organization {found['id']} {found['name']!r}: rename or restore that one."
        raise conflict("exists", message)
    number = await transaction.insert(INSERT, {"team": order.team, "name": name})
    outcome = Outcome("created", number, number)
    return await transaction.record(outcome, "organization", "created", None, {"team": order.team, "name": name})


async def rename_organization(transaction: Transaction, number: int, order: OrganizationChange) -> Outcome:
    """Give an organization another name."""
    row = await organization_row(transaction, number)
    require_standing("organization", row)
    name = display_name(order.name)
    if name == row["name"]:
        return Outcome("unchanged", number, number)
    await transaction.execute(RENAME, {"id": number, "name": name})
    outcome = Outcome("changed", number, number)
    return await transaction.record(outcome, "organization", "changed", {"name": row["name"]}, {"name": name})


async def archive_organization(transaction: Transaction, number: int) -> Outcome:
    """Archive an organization whose sites are all archived; its webhook secrets are revoked."""
    row = await organization_row(transaction, number)
    if row["archived_at"] is not None:
        return Outcome("unchanged", number, number)
    standing = await transaction.row(STANDING_SITES, {"id": number})
    if standing is not None and standing["sites"]:
        raise conflict("in_use", f"{standing['sites']} sites of the organization are not archived: archive them first.")
    for secret in await transaction.rows(REVOKE, {"id": number, "at": transaction.now_at}):
        before = {"application": secret["application_id"]}
        await transaction.record(Outcome("changed", number, secret["id"]), "secret", "revoked", before, None)
    return await mark_archived(transaction, "organization", row)


async def organization_row(transaction: Transaction, number: int) -> Row:
    """Return the row of an organization that the caller may change."""
    return await transaction.mine("organization", ONE, number)


async def standing_organization(transaction: Transaction, number: int) -> Row:
    """Return the row of an organization that the caller may add things to."""
    row = await organization_row(transaction, number)
    require_standing("organization", row)
    return row
