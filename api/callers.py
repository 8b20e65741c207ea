"""Who is asking, and which organizations they may see. The only way from a token to an organization's id."""

from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from api.database import Database
from api.errors import ApiError, not_found
from api.queries.organizations import Organization, organizations_of_teams
from api.remembered import Remembered
from pipelines.connectors.errors import Retryable
from pipelines.connectors.metrics import AUTH_REFUSALS
from pipelines.connectors.stack_auth import RefusalReason, TokenRefused, User

TOKEN_HEADER: Final = "x-stack-access-token"  # noqa: S105 - a header's name
TOKEN_MISSING: Final = f"Send your access token in the header {TOKEN_HEADER}."


class Verifier(Protocol):
    """Says whose token it is: TokenVerifier, or a fake of it."""

    async def verify(self, token: str) -> User:
        """Return the token's user; raises TokenRefused, or Retryable."""
        ...


class Teams(Protocol):
    """Says which teams a user is in: Memberships, or a fake of it."""

    async def teams(self, user: str) -> frozenset[str]:
        """Return the ids of the user's teams; raises Retryable."""
        ...


class Organizations(Protocol):
    """Says which organizations teams are: OrganizationTable, or a fake of it."""

    async def of_teams(self, teams: frozenset[str]) -> list[Organization]:
        """Return the organizations of teams, by id; raises Retryable."""
        ...

    def forget(self) -> None:
        """Look again: an organization was made or changed."""
        ...


class OrganizationTable:
    """The table of organizations."""

    def __init__(self, database: Database) -> None:
        """Ask this database."""
        self._by_teams: Remembered[frozenset[str], list[Organization]] = Remembered(
            partial(organizations_of_teams, database),
        )

    async def of_teams(self, teams: frozenset[str]) -> list[Organization]:
        """Return the organizations of teams, by id; raises Retryable."""
        return await self._by_teams.get(teams)

    def forget(self) -> None:
        """Look again: an organization was made or changed."""
        self._by_teams.forget()


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in person and what they may see."""

    user: User
    organizations: tuple[Organization, ...]

    @property
    def scope(self) -> list[int]:
        """The ids of the organizations every query is held to."""
        return [organization.id for organization in self.organizations]

    def narrowed(self, organization: int | None) -> list[int]:
        """Return the scope, or only this organization; one that is not the caller's is not found."""
        if organization is None:
            return self.scope
        if organization not in self.scope:
            raise not_found("organization")
        return [organization]


class Callers:
    """Turns access tokens into callers."""

    def __init__(self, verifier: Verifier, teams: Teams, organizations: Organizations) -> None:
        """Ask these."""
        self._verifier = verifier
        self._teams = teams
        self._organizations = organizations

    def forget_organizations(self) -> None:
        """Look again which organizations there are."""
        self._organizations.forget()

    async def of_token(self, token: str) -> Caller:
        """Return the caller; raises TokenRefused, or Retryable."""
        try:
            user = await self._verifier.verify(token)
        except TokenRefused as error:
            AUTH_REFUSALS.labels(error.reason).inc()
            raise
        return await self.of_user(user)

    async def of_user(self, user: User) -> Caller:
        """Return the caller for a user already verified, with the organizations of this moment; raises Retryable."""
        teams = await self._teams.teams(user.id)
        found = await self._organizations.of_teams(teams) if teams else []
        return Caller(user, tuple(found))

    async def of_header(self, token: str | None) -> Caller:
        """Return the caller of a request, or raise the ApiError that answers it."""
        if not token:
            AUTH_REFUSALS.labels("token_missing").inc()
            raise ApiError(401, "token_missing", TOKEN_MISSING)
        try:
            return await self.of_token(token)
        except TokenRefused as error:
            message = "Sign in again." if error.reason is RefusalReason.EXPIRED else f"{error}. Sign in again."
            raise ApiError(401, error.reason, message) from error
        except Retryable as error:
            text = "Who you are cannot be checked right now: try again."
            raise ApiError(503, "auth_unavailable", text) from error
