"""What every route stands on: the caller, the database, and the check that a named thing is the caller's."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Header

from api.callers import TOKEN_HEADER, Caller, Callers
from api.commands.transaction import Changes
from api.database import Database
from api.errors import not_found
from api.managers import Manager, Managers
from api.queries.places import Places

CallerOf = Callable[..., Awaitable[Caller]]
ManagerOf = Callable[..., Awaitable[Manager]]


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

    async def require(self, caller: Caller, **named: int | None) -> None:
        """Raise the 404 unless every site, unit and sensor named is one of the caller's organizations'."""
        for kind, place in named.items():
            if place is not None and await self.places.organization_of(kind, place, caller.scope) is None:
                raise not_found(kind)
