"""How every route that changes the registry runs its command and answers: 201 where something was made, else 200, with what stands now."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Response

from api.commands.transaction import Outcome, Transaction
from api.database import Database
from api.managers import Manager
from api.registry_requests import Order
from api.registry_shapes import Changed
from api.routes.context import Context
from pipelines.domain.registration.naming import comment

Thing = TypeVar("Thing")
Run = Callable[[Transaction], Awaitable[Outcome]]
Find = Callable[[Database, list[int], int], Awaitable[Thing | None]]


class Changer:
    """Runs commands in transactions of their own."""

    def __init__(self, context: Context) -> None:
        """Use these parts."""
        self._context = context

    async def run(self, manager: Manager, order: Order, command: Run) -> Outcome:
        """Run a command and keep what it did."""
        async with self._context.changes.transaction(manager, comment(order.comment)) as transaction:
            return await command(transaction)

    async def answer(self, manager: Manager, order: Order, response: Response, command: Run, find: Find[Thing]) -> Changed[Thing]:
        """Run a command and answer with the thing as it stands behind it."""
        outcome = await self.run(manager, order, command)
        return await self.shown(outcome, response, find)

    async def shown(self, outcome: Outcome, response: Response, find: Find[Thing]) -> Changed[Thing]:
        """Return the answer to an outcome."""
        response.status_code = outcome.status
        item = await find(self._context.database, [outcome.organization], outcome.id)
        assert item is not None, "what was just written is there"
        said: Any = outcome.outcome
        return Changed[Any](outcome=said, effective_at=outcome.effective_at, item=item)
