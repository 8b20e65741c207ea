"""Callers, their organizations and their places without any service. For tests only."""

from api.callers import Callers
from api.managers import Managers
from api.queries.organizations import Organization
from pipelines.connectors.errors import Retryable
from pipelines.connectors.stack_auth import RefusalReason, TokenRefused, User

FAR = 4_000_000_000_000
"""ms UTC, long from now."""


class People:
    """Verifier, teams and organizations in one: token `ada` is user `ada`."""

    def __init__(self) -> None:
        self.expires_at = {"ada": FAR, "bob": FAR}
        self.member_of: dict[str, set[str]] = {"ada": {"team-1"}, "bob": {"team-2"}}
        self.organizations = {"team-1": Organization(1, "One"), "team-2": Organization(2, "Two")}
        self.manages: dict[str, set[str]] = {}
        self.times_forgotten = 0
        self.is_away = False

    def managers(self) -> Managers:
        return Managers(self.callers(), self, self)

    def callers(self) -> Callers:
        return Callers(self, self, self)

    async def verify(self, token: str) -> User:
        if self.is_away:
            message = "away"
            raise Retryable(message)
        if token == "expired":
            raise TokenRefused(RefusalReason.EXPIRED, "expired")
        user = token.partition("#")[0]
        if user not in self.expires_at:
            raise TokenRefused(RefusalReason.INVALID, "no such token")
        return User(user, user.title(), f"{user}@example.com", self.expires_at[user])

    async def teams(self, user: str) -> frozenset[str]:
        if self.is_away:
            message = "away"
            raise Retryable(message)
        return frozenset(self.member_of[user])

    async def managed_teams(self, user: str) -> frozenset[str]:
        if self.is_away:
            message = "away"
            raise Retryable(message)
        return frozenset(self.manages.get(user, set()))

    async def named_teams(self, user: str) -> dict[str, str]:
        return {team: team.title() for team in sorted(await self.teams(user))}

    def forget(self) -> None:
        self.times_forgotten += 1

    async def of_teams(self, teams: frozenset[str]) -> list[Organization]:
        return [self.organizations[team] for team in sorted(teams) if team in self.organizations]


class Map:
    """Sites 1 and 2 of organization 1 and 2; units 10 and 20 at them."""

    def __init__(self) -> None:
        self.owners = {("site", 1): 1, ("site", 2): 2, ("unit", 10): 1, ("unit", 11): 1, ("unit", 20): 2}
        self.is_away = False

    async def organization_of(self, kind: str, place: int, scope: list[int]) -> int | None:
        if self.is_away:
            message = "away"
            raise Retryable(message)
        owner = self.owners.get((kind, place))
        return owner if owner in scope else None
