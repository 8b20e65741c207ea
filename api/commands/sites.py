"""Sites: made, renamed, moved to another time zone, archived once their units are."""

from typing import Final

from api.commands.archiving import mark_archived, require_standing, restore
from api.commands.organizations import standing_organization
from api.commands.transaction import Outcome, Row, Transaction
from api.errors import conflict
from api.registry_requests import NewSite, SiteChange
from pipelines.domain.registration.naming import display_name, time_zone

ONE: Final = """
SELECT id, organization_id, name, time_zone, archived_at FROM sites WHERE id = %(id)s AND organization_id = ANY(%(scope)s)
"""
OF_NAME: Final = (
    "SELECT id, organization_id, name, time_zone, archived_at FROM sites WHERE organization_id = %(organization)s AND name = %(name)s"
)
INSERT: Final = """
INSERT INTO sites (organization_id, name, time_zone) VALUES (%(organization)s, %(name)s, %(time_zone)s) RETURNING id
"""
CHANGE: Final = "UPDATE sites SET name = %(name)s, time_zone = %(time_zone)s WHERE id = %(id)s"
STANDING_UNITS: Final = "SELECT count(*) AS units FROM units WHERE site_id = %(id)s AND archived_at IS NULL"


async def create_site(transaction: Transaction, order: NewSite) -> Outcome:
    """Make a site, or find that it is there already."""
    await standing_organization(transaction, order.organization)
    values = {"name": display_name(order.name), "time_zone": time_zone(order.time_zone)}
    found = await transaction.row(OF_NAME, {"organization": order.organization, **values})
    if found is not None:
        require_standing("site", found)
        if found["time_zone"] == values["time_zone"]:
            return Outcome("unchanged", order.organization, found["id"])
        raise conflict(
            "exists", f"Site {found['id']} has that name, with time zone {found['time_zone']}: change that one, or take another name."
        )
    number = await transaction.insert(INSERT, {"organization": order.organization, **values})
    return await transaction.record(Outcome("created", order.organization, number), "site", "created", None, values)


async def change_site(transaction: Transaction, number: int, order: SiteChange) -> Outcome:
    """Give a site another name or time zone."""
    row = await site_row(transaction, number)
    require_standing("site", row)
    before = {"name": row["name"], "time_zone": row["time_zone"]}
    after = {
        "name": row["name"] if order.name is None else display_name(order.name),
        "time_zone": row["time_zone"] if order.time_zone is None else time_zone(order.time_zone),
    }
    if after == before:
        return Outcome("unchanged", row["organization_id"], number)
    other = await transaction.row(OF_NAME, {"organization": row["organization_id"], "name": after["name"]})
    if other is not None and other["id"] != number:
        raise conflict("exists", f"Site {other['id']} has the name {after['name']!r} already: take another one.")
    await transaction.execute(CHANGE, {"id": number, **after})
    return await transaction.record(Outcome("changed", row["organization_id"], number), "site", "changed", before, after)


async def archive_site(transaction: Transaction, number: int) -> Outcome:
    """Archive a site whose units are all archived."""
    row = await site_row(transaction, number)
    if row["archived_at"] is not None:
        return Outcome("unchanged", row["organization_id"], number)
    standing = await transaction.row(STANDING_UNITS, {"id": number})
    if standing is not None and standing["units"]:
        message = f"{standing['units']} units of the site are not archived: archive them, or move them to another site, first."
        raise conflict("in_use", message)
    return await mark_archived(transaction, "site", row)


async def restore_site(transaction: Transaction, number: int) -> Outcome:
    """Take a site out of the archive; its organization must not be in it."""
    row = await site_row(transaction, number)
    await standing_organization(transaction, row["organization_id"])
    return await restore(transaction, "site", row)


async def site_row(transaction: Transaction, number: int) -> Row:
    """Return the row of a site that the caller may change."""
    return await transaction.mine("site", ONE, number)
