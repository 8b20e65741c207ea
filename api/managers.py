"""Who may change the registry: members who hold the manage permission in a team of theirs. Changes fail closed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from api.callers import Callers, Teams
from api.errors import ApiError
from api.remembered import Remembered
from pipelines.connectors.errors import Retryable
from pipelines.connectors.stack_auth import User

FRESH_SECONDS: Final = 5.0
"""How long a permission is believed: a withdrawn one ends after at most this. One that is not held is asked for again each time."""

FORBIDDEN: Final = "You may see this organization but not change it: ask an administrator of its team for the permission `coldstream:manage` in Stack Auth."


class TeamPermissions(Protocol):
    """Says what a user may do in their teams: Permissions, or a fake of it."""

    async def managed_teams(self, user: str) -> frozenset[str]:
        """Return the teams in which a user may change things; raises Retryable."""
        ...

    async def named_teams(self, user: str) -> Mapping[str, str]:
        """Return the names of a user's teams by id; raises Retryable."""
        ...


@dataclass(frozen=True, slots=True)
class Manager:
    """A signed-in person, the teams they are in, and those whose organization they may change."""

    user: str
    teams: frozenset[str]
    managed_teams: frozenset[str]


class Managers:
    """Turns access tokens into managers."""

    def __init__(self, callers: Callers, teams: Teams, permissions: TeamPermissions) -> None:
        """Ask these."""
        self._callers = callers
        self._teams = teams
        self._permissions = permissions
        self._managed: Remembered[str, frozenset[str]] = Remembered(permissions.managed_teams, FRESH_SECONDS)

    async def of_header(self, token: str | None) -> Manager:
        """Return the manager of a request, or raise the ApiError that answers it: 403 for one who may change nothing at all."""
        user = (await self._callers.of_header(token)).user
        try:
            managed = await self._managed.get(user.id)
            teams = await self._teams.teams(user.id) | managed
        except Retryable as error:
            raise _away() from error
        if not managed:
            raise forbidden()
        return Manager(user.id, teams, managed)

    async def teams_of(self, user: User) -> list[tuple[str, str, bool]]:
        """Return (id, name, may manage) of a user's teams, by name; raises ApiError."""
        try:
            managed = await self._managed.get(user.id)
            named = await self._permissions.named_teams(user.id)
        except Retryable as error:
            raise _away() from error
        return [(team, name, team in managed) for team, name in sorted(named.items(), key=lambda one: (one[1], one[0]))]


def forbidden() -> ApiError:
    """Return the answer to a reader who wants to change something."""
    return ApiError(403, "forbidden", FORBIDDEN)


def _away() -> ApiError:
    return ApiError(503, "auth_unavailable", "What you may change cannot be checked right now: try again.")
