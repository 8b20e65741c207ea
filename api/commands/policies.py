"""Policies: a name and immutable versions of a document. Any document that can be meant may be kept, and put in force."""

from typing import Any, Final

from psycopg.types.json import Jsonb

from api.commands.archiving import mark_archived, require_standing, restore
from api.commands.organizations import standing_organization
from api.commands.transaction import Outcome, Row, Transaction
from api.errors import bad_request, conflict
from api.registry_requests import NewPolicy, NewVersion, PolicyChange
from pipelines.domain.policy_document import PolicyError, parse_policy
from pipelines.domain.registration.naming import display_name
from pipelines.domain.registration.presets import PRESETS, preset
from pipelines.domain.registration.refusals import Refused

MAX_BANDS: Final = 100
MAX_VERSIONS: Final = 1_000
"""Of one policy: all are shown with it."""

ONE: Final = "SELECT id, organization_id, name, archived_at FROM policies WHERE id = %(id)s AND organization_id = ANY(%(scope)s)"
OF_NAME: Final = "SELECT id, organization_id, name, archived_at FROM policies WHERE organization_id = %(organization)s AND name = %(name)s"
INSERT: Final = "INSERT INTO policies (organization_id, name) VALUES (%(organization)s, %(name)s) RETURNING id"
RENAME: Final = "UPDATE policies SET name = %(name)s WHERE id = %(id)s"
NEWEST: Final = """
SELECT id, version, document = %(document)s::jsonb AS is_same FROM policy_versions
WHERE policy_id = %(policy)s ORDER BY version DESC LIMIT 1
"""
ADD: Final = """
INSERT INTO policy_versions (organization_id, policy_id, version, document)
VALUES (%(organization)s, %(policy)s, %(version)s, %(document)s) RETURNING id
"""
IN_FORCE: Final = """
SELECT count(DISTINCT u.id) AS units, min(u.name) AS name
FROM unit_policies f JOIN policy_versions v ON v.id = f.policy_version_id JOIN units u ON u.id = f.unit_id
WHERE v.policy_id = %(id)s AND u.archived_at IS NULL AND NOT EXISTS (
  SELECT FROM unit_policies later
  WHERE later.unit_id = f.unit_id AND later.effective_at > f.effective_at AND later.effective_at <= %(now)s
)
"""


async def create_policy(transaction: Transaction, order: NewPolicy) -> Outcome:
    """Make a policy with its first version, from a document or a preset."""
    await standing_organization(transaction, order.organization)
    name = display_name(order.name)
    document = checked(_document_of(order))
    found = await transaction.row(OF_NAME, {"organization": order.organization, "name": name})
    if found is not None:
        require_standing("policy", found)
        newest = await transaction.row(NEWEST, {"policy": found["id"], "document": Jsonb(document)})
        if newest is not None and newest["is_same"]:
            return Outcome("unchanged", order.organization, found["id"])
        route = f"POST /api/v1/policies/{found['id']}/versions"
        raise conflict(
            "exists", f"Policy {found['id']} has that name with another document: add a version ({route}), or take another name."
        )
    number = await transaction.insert(INSERT, {"organization": order.organization, "name": name})
    await _add(transaction, order.organization, number, 1, document)
    outcome = Outcome("created", order.organization, number)
    return await transaction.record(outcome, "policy", "created", None, {"name": name, "version": 1, "document": document})


def _document_of(order: NewPolicy) -> dict[str, Any]:
    if (order.document is None) == (order.preset is None):
        message = "document, preset: give exactly one of them"
        raise bad_request(message)
    if order.document is not None:
        return order.document
    found = preset(order.preset or "")
    if found is None:
        raise Refused("preset", f"must be one of {', '.join(one.id for one in PRESETS)}")
    return found.document


async def add_version(transaction: Transaction, number: int, order: NewVersion) -> Outcome:
    """Add a version to a policy; no unit is judged by it before it is put in force there."""
    row = await policy_row(transaction, number)
    require_standing("policy", row)
    document = checked(order.document)
    newest = await transaction.row(NEWEST, {"policy": number, "document": Jsonb(document)})
    if newest is not None and newest["is_same"]:
        return Outcome("unchanged", row["organization_id"], number)
    version = 1 if newest is None else newest["version"] + 1
    if version > MAX_VERSIONS:
        raise conflict("too_many_versions", f"The policy has {MAX_VERSIONS:,} versions already: make a new policy.")
    await _add(transaction, row["organization_id"], number, version, document)
    outcome = Outcome("created", row["organization_id"], number)
    after = {"version": version, "document": document}
    return await transaction.record(outcome, "policy", "version_added", {"version": version - 1}, after)


async def rename_policy(transaction: Transaction, number: int, order: PolicyChange) -> Outcome:
    """Give a policy another name."""
    row = await policy_row(transaction, number)
    require_standing("policy", row)
    name = display_name(order.name)
    if name == row["name"]:
        return Outcome("unchanged", row["organization_id"], number)
    other = await transaction.row(OF_NAME, {"organization": row["organization_id"], "name": name})
    if other is not None:
        raise conflict("exists", f"Policy {other['id']} has the name {name!r} already: take another one.")
    await transaction.execute(RENAME, {"id": number, "name": name})
    outcome = Outcome("changed", row["organization_id"], number)
    return await transaction.record(outcome, "policy", "changed", {"name": row["name"]}, {"name": name})


async def archive_policy(transaction: Transaction, number: int) -> Outcome:
    """Archive a policy by which no unit is judged, now or as planned."""
    row = await policy_row(transaction, number)
    if row["archived_at"] is not None:
        return Outcome("unchanged", row["organization_id"], number)
    in_force = await transaction.row(IN_FORCE, {"id": number, "now": transaction.now_at})
    if in_force is not None and in_force["units"]:
        message = f"{in_force['units']} units are judged by it, {in_force['name']!r} among them: put another policy in force there first."
        raise conflict("in_use", message)
    return await mark_archived(transaction, "policy", row)


async def restore_policy(transaction: Transaction, number: int) -> Outcome:
    """Take a policy out of the archive; its organization must not be in it."""
    row = await policy_row(transaction, number)
    await standing_organization(transaction, row["organization_id"])
    return await restore(transaction, "policy", row)


def checked(document: dict[str, Any]) -> dict[str, Any]:
    """Return bands and conditions of a document that can be meant, other fields left out; a bad request that names the field otherwise."""
    bands = document.get("bands")
    if isinstance(bands, list) and len(bands) > MAX_BANDS:
        raise Refused("document", f"must have at most {MAX_BANDS} bands")
    try:
        parse_policy(document)
    except PolicyError as error:
        raise Refused("document", str(error)) from error
    if any("\0" in str(value) for band in bands or [] for value in band.values()):
        raise Refused("document", "must be plain text")
    conditions = document.get("conditions")
    return {"bands": bands} if conditions is None else {"bands": bands, "conditions": conditions}


async def policy_row(transaction: Transaction, number: int) -> Row:
    """Return the row of a policy that the caller may change."""
    return await transaction.mine("policy", ONE, number)


async def _add(transaction: Transaction, organization: int, policy: int, version: int, document: dict[str, Any]) -> None:
    values = {"organization": organization, "policy": policy, "version": version, "document": Jsonb(document)}
    await transaction.insert(ADD, values)
