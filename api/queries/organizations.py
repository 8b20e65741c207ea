"""Organizations by team, and valid secrets by organization."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.database import Database
from api.ingest.senders import Sender

OF_TEAMS: Final = """
SELECT id, name, archived_at FROM organizations WHERE team_id = ANY(%(teams)s) ORDER BY id
"""

TEAMS: Final = "SELECT id, team_id FROM organizations WHERE team_id = ANY(%(teams)s)"

VALID_SECRETS: Final = """
SELECT secret_sha256, organization_id, application_id FROM application_secrets
WHERE revoked_at IS NULL OR revoked_at > now()
"""


@dataclass(frozen=True, slots=True)
class Organization:
    """One organization."""

    id: int
    name: str
    archived_at: datetime | None = None


async def organizations_of_teams(database: Database, teams: frozenset[str]) -> list[Organization]:
    """Return the organizations that teams are, by id."""
    rows = await database.rows(OF_TEAMS, {"teams": sorted(teams)})
    return [Organization(row["id"], row["name"], row["archived_at"]) for row in rows]


async def organizations_by_team(database: Database, teams: list[str]) -> dict[str, int]:
    """Return the ids of the organizations that some teams are, by team."""
    rows = await database.rows(TEAMS, {"teams": teams})
    return {row["team_id"]: row["id"] for row in rows}


async def valid_senders(database: Database) -> list[Sender]:
    """Return the sender of every secret that is valid now."""
    rows = await database.rows(VALID_SECRETS, {})
    return [Sender.of(bytes(row["secret_sha256"]), row["organization_id"], row["application_id"]) for row in rows]
