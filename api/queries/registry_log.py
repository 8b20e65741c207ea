"""What was changed by whom, and the webhook secrets without themselves."""

from typing import Final

from api.database import Database
from api.registry_shapes import ChangeAnswer, SecretAnswer

CHANGES: Final = """
SELECT id, changed_at, user_id, organization_id, kind, thing_id, action, effective_at, before, after, comment
FROM registry_changes
WHERE organization_id = ANY(%(scope)s) AND (%(before)s::bigint IS NULL OR id < %(before)s)
  AND (%(kind)s::text IS NULL OR kind = %(kind)s) AND (%(thing)s::integer IS NULL OR thing_id = %(thing)s)
ORDER BY id DESC LIMIT %(limit)s
"""

SECRETS: Final = """
SELECT id, organization_id, application_id, created_at, revoked_at FROM application_secrets
WHERE organization_id = ANY(%(scope)s) AND (%(secret)s::integer IS NULL OR id = %(secret)s) ORDER BY id
"""


async def registry_changes(
    database: Database, scope: list[int], *, kind: str | None, thing: int | None, before: int | None, limit: int
) -> list[ChangeAnswer]:
    """Return changes, the newest first."""
    parameters = {"scope": scope, "kind": kind, "thing": thing, "before": before, "limit": limit}
    return [
        ChangeAnswer(
            id=row["id"],
            changed_at=row["changed_at"],
            user=row["user_id"],
            organization=row["organization_id"],
            kind=row["kind"],
            thing=row["thing_id"],
            action=row["action"],
            effective_at=row["effective_at"],
            before=row["before"],
            after=row["after"],
            comment=row["comment"],
        )
        for row in await database.rows(CHANGES, parameters)
    ]


async def secrets(database: Database, scope: list[int], secret: int | None = None) -> list[SecretAnswer]:
    """Return secrets by id, revoked ones too; of none the secret itself, which nobody has any more."""
    return [
        SecretAnswer(
            id=row["id"],
            organization=row["organization_id"],
            application=row["application_id"],
            created_at=row["created_at"],
            revoked_at=row["revoked_at"],
        )
        for row in await database.rows(SECRETS, {"scope": scope, "secret": secret})
    ]
