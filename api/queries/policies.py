"""Policies with their versions, and how many units each judges now."""

from typing import Final

from api.database import Database, Row
from api.registry_shapes import PolicyDetailAnswer, PolicySummaryAnswer, PolicyVersionAnswer

POLICIES: Final = """
SELECT p.id, p.organization_id, p.name, p.archived_at, coalesce(max(v.version), 0) AS newest_version
FROM policies p LEFT JOIN policy_versions v ON v.policy_id = p.id
WHERE p.organization_id = ANY(%(scope)s) AND (%(policy)s::integer IS NULL OR p.id = %(policy)s)
  AND (%(archived)s OR p.archived_at IS NULL)
GROUP BY p.id ORDER BY p.id
"""

VERSIONS: Final = """
SELECT id, version, created_at, document FROM policy_versions
WHERE organization_id = ANY(%(scope)s) AND policy_id = %(policy)s ORDER BY version
"""

JUDGED_NOW: Final = """
SELECT v.policy_id, v.id AS policy_version, count(*) AS units
FROM units u
JOIN LATERAL (
  SELECT policy_version_id FROM unit_policies WHERE unit_id = u.id AND effective_at <= now() ORDER BY effective_at DESC LIMIT 1
) f ON true
JOIN policy_versions v ON v.id = f.policy_version_id
WHERE u.organization_id = ANY(%(scope)s) AND u.archived_at IS NULL AND (%(policy)s::integer IS NULL OR v.policy_id = %(policy)s)
GROUP BY v.policy_id, v.id
"""


async def policies(database: Database, scope: list[int], *, archived: bool) -> list[PolicySummaryAnswer]:
    """Return policies by id; archived ones only when asked for."""
    parameters = {"scope": scope, "policy": None, "archived": archived}
    judged: dict[int, int] = {}
    for row in await database.rows(JUDGED_NOW, parameters):
        judged[row["policy_id"]] = judged.get(row["policy_id"], 0) + row["units"]
    return [PolicySummaryAnswer(**_summary(row, judged.get(row["id"], 0))) for row in await database.rows(POLICIES, parameters)]


async def policy_detail(database: Database, scope: list[int], policy: int) -> PolicyDetailAnswer | None:
    """Return a policy with its versions, archived or not."""
    parameters = {"scope": scope, "policy": policy, "archived": True}
    row = await database.row(POLICIES, parameters)
    if row is None:
        return None
    judged = {one["policy_version"]: one["units"] for one in await database.rows(JUDGED_NOW, parameters)}
    versions = [
        PolicyVersionAnswer(
            id=one["id"],
            version=one["version"],
            created_at=one["created_at"],
            document=one["document"],
            units=judged.get(one["id"], 0),
        )
        for one in await database.rows(VERSIONS, parameters)
    ]
    return PolicyDetailAnswer(**_summary(row, sum(judged.values())), versions=versions)


def _summary(row: Row, units: int) -> Row:
    return {
        "id": row["id"],
        "organization": row["organization_id"],
        "name": row["name"],
        "archived_at": row["archived_at"],
        "newest_version": row["newest_version"],
        "units": units,
    }
