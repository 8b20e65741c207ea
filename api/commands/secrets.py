"""Secrets of the webhook: told once when made, kept as SHA-256, at most two valid ones per application, revoked at once."""

import hashlib
import secrets
from typing import Final

from api.commands.organizations import standing_organization
from api.commands.transaction import Outcome, Transaction
from api.errors import conflict
from api.registry_requests import NewSecret
from api.registry_shapes import NewSecretAnswer
from pipelines.domain.registration.naming import application_id

SECRET_BYTES: Final = 32
MAX_VALID: Final = 2
"""For one application: an old and a new one while the webhook is changed."""

MAX_APPLICATIONS: Final = 100
"""Of one organization, with a valid secret."""

ONE: Final = """
SELECT id, organization_id, application_id, revoked_at FROM application_secrets WHERE id = %(id)s AND organization_id = ANY(%(scope)s)
"""
VALID: Final = """
SELECT id FROM application_secrets
WHERE organization_id = %(organization)s AND application_id = %(application)s AND (revoked_at IS NULL OR revoked_at > %(now)s) ORDER BY id
"""
OTHERS: Final = """
SELECT count(DISTINCT application_id) AS applications FROM application_secrets
WHERE organization_id = %(organization)s AND application_id <> %(application)s AND (revoked_at IS NULL OR revoked_at > %(now)s)
"""
INSERT: Final = """
INSERT INTO application_secrets (organization_id, application_id, secret_sha256)
VALUES (%(organization)s, %(application)s, %(digest)s)
RETURNING id, organization_id AS organization, application_id AS application, created_at, revoked_at
"""
REVOKE: Final = "UPDATE application_secrets SET revoked_at = %(at)s WHERE id = %(id)s"


async def create_secret(transaction: Transaction, order: NewSecret) -> tuple[Outcome, NewSecretAnswer]:
    """Make a secret and return all that is said of it: nobody can be told it again, so nothing is asked for behind the commit."""
    await standing_organization(transaction, order.organization)
    values = {"organization": order.organization, "application": application_id(order.application)}
    valid = await transaction.rows(VALID, {**values, "now": transaction.now_at})
    if len(valid) >= MAX_VALID:
        routes = " or ".join(f"POST /api/v1/secrets/{row['id']}/revoke" for row in valid)
        raise conflict("too_many_secrets", f"The application has {len(valid)} valid secrets already: revoke one first ({routes}).")
    others = await transaction.row(OTHERS, {**values, "now": transaction.now_at})
    if others is not None and others["applications"] >= MAX_APPLICATIONS:
        raise conflict("too_many_secrets", f"{MAX_APPLICATIONS} other applications have valid secrets already: revoke those of one first.")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    row = await transaction.row(INSERT, {**values, "digest": hashlib.sha256(secret.encode()).digest()})
    assert row is not None, "an INSERT without ON CONFLICT returns its row"
    outcome = Outcome("created", order.organization, row["id"])
    await transaction.record(outcome, "secret", "created", None, {"application": values["application"]})
    return outcome, NewSecretAnswer(**row, secret=secret)


async def revoke_secret(transaction: Transaction, number: int) -> Outcome:
    """Let a secret be valid no longer; ingest hears of it within 5 s."""
    row = await transaction.mine("secret", ONE, number)
    if row["revoked_at"] is not None and row["revoked_at"] <= transaction.now_at:
        return Outcome("unchanged", row["organization_id"], number, row["revoked_at"])
    await transaction.execute(REVOKE, {"id": number, "at": transaction.now_at})
    outcome = Outcome("changed", row["organization_id"], number)
    return await transaction.record(outcome, "secret", "revoked", {"application": row["application_id"]}, None)
