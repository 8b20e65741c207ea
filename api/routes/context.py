"""What every route stands on: the caller, the database, and the check that a named thing is the caller's."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Header

from api.callers import TOKEN_HEADER, Caller, Callers
from api.commands.transaction import Changes
from api.database import Database
from api.errors import not_found
from api.managers import Manager, Managers, forbidden
from api.queries.organizations import organizations_by_team
from api.queries.places import Places

CallerOf = Callable[..., Awaitable[Caller]]
ManagerOf = Callable[..., Awaitable[Manager]]
ChangerOf = Callable[..., Awaitable["Changer"]]


@dataclass(frozen=True, slots=True)
class Changer:
    """A caller who may change things in some of their organizations."""

    caller: Caller
    scope: list[int]
    """The ids of the organizations that every change is held to."""

    def narrowed(self, organization: int | None) -> list[int]:
        """Return the scope, or only this organization; 404 for one that is not the caller's, 403 for one that they may only read."""
        if organization is None:
            return self.scope
        self.caller.narrowed(organization)
        if organization not in self.scope:
            raise forbidden()
        return [organization]


@dataclass(frozen=True, slots=True)
class Context:
    """The parts the routes are made of."""

    callers: Callers
    database: Database
    places: Places
    managers: Managers
    changes: Changes

    def caller(self) -> CallerOf:
        """Return the dependency that turns the token header into a caller."""
        callers = self.callers

        async def caller(token: Annotated[str | None, Header(alias=TOKEN_HEADER)] = None) -> Caller:
            return await callers.of_header(token)

        return caller

    def manager(self) -> ManagerOf:
        """Return the dependency that turns the token header into someone who may change things."""
        managers = self.managers

        async def manager(token: Annotated[str | None, Header(alias=TOKEN_HEADER)] = None) -> Manager:
            return await managers.of_header(token)

        return manager

    def changer(self) -> ChangerOf:
        """Return the dependency that turns the token header into someone who may change things, and says in which organizations."""
        managers, callers, database = self.managers, self.callers, self.database

        async def changer(token: Annotated[str | None, Header(alias=TOKEN_HEADER)] = None) -> Changer:
            manager = await managers.of_header(token)
            caller = await callers.of_header(token)
            managed = await organizations_by_team(database, sorted(manager.managed_teams))
            return Changer(caller, [number for number in caller.scope if number in managed.values()])

        return changer

    async def require(self, caller: Caller, **named: int | None) -> None:
        """Raise the 404 unless every site, unit and sensor named is one of the caller's organizations'."""
        for kind, place in named.items():
            if place is not None and await self.places.organization_of(kind, place, caller.scope) is None:
                raise not_found(kind)
