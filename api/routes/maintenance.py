"""Maintenance of units: declared, previewed, ended sooner, revoked, listed."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from api.callers import Caller
from api.commands.maintenance import Done, declare_for_site, declare_for_unit, end_at_site, end_window, revoke_window
from api.commands.transaction import Transaction
from api.errors import not_found
from api.maintenance_shapes import MaintenanceAnswer, MaintenanceChanged, MaintenanceEnd, MaintenanceOrder
from api.managers import Manager
from api.parameters import Cursor, Id, InstantText, PathId, decode_cursor, encode_cursor, optional_instant
from api.queries.maintenance import WindowFilter, maintenance, windows_of
from api.registry_requests import Order
from api.routes.context import Context
from api.routes.policies import Limit
from api.shapes import Page
from pipelines.domain.registration.naming import required_comment

From = Annotated[InstantText | None, Query(alias="from")]
Standing = Annotated[bool, Query(description="without those that were revoked")]
Run = Callable[[Transaction], Awaitable[Done]]


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["maintenance"])
    _add_changes(routes, context)
    _add_list(routes, context)
    return routes


def _add_changes(routes: APIRouter, context: Context) -> None:
    manager_of = context.manager()

    async def run(manager: Manager, order: Order, response: Response, command: Run) -> MaintenanceChanged:
        """Run a command that must say why; answer with the windows it is about."""
        async with context.changes.transaction(manager, required_comment(order.comment)) as transaction:
            done = await command(transaction)
            scope = transaction.organizations
        items = await windows_of(context.database, scope, done.numbers)
        response.status_code = 201 if done.outcome == "created" else 200
        said: Any = done.outcome
        return MaintenanceChanged(outcome=said, judged_again_at=done.judged_again_at, items=items)

    @routes.post("/units/{unit}/maintenance", status_code=201)
    async def declare(
        unit: PathId, order: MaintenanceOrder, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> MaintenanceChanged:
        return await run(manager, order, response, lambda transaction: declare_for_unit(transaction, unit, order))

    @routes.post("/sites/{site}/maintenance", status_code=201)
    async def declare_all(
        site: PathId, order: MaintenanceOrder, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> MaintenanceChanged:
        return await run(manager, order, response, lambda transaction: declare_for_site(transaction, site, order))

    @routes.post("/sites/{site}/maintenance/end")
    async def end_all(
        site: PathId, order: MaintenanceEnd, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> MaintenanceChanged:
        return await run(manager, order, response, lambda transaction: end_at_site(transaction, site, order))

    @routes.post("/maintenance/{window}/end")
    async def end(
        window: PathId, order: MaintenanceEnd, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> MaintenanceChanged:
        return await run(manager, order, response, lambda transaction: end_window(transaction, window, order))

    @routes.post("/maintenance/{window}/revoke")
    async def revoke(
        window: PathId, order: Order, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> MaintenanceChanged:
        return await run(manager, order, response, lambda transaction: revoke_window(transaction, window))


def _add_list(routes: APIRouter, context: Context) -> None:
    caller_of = context.caller()

    @routes.get("/maintenance")
    async def listed(
        wanted: Annotated[WindowFilter, Depends(_wanted)], organization: Id | None = None, caller: Caller = Depends(caller_of)
    ) -> Page[MaintenanceAnswer]:
        scope = caller.narrowed(organization)
        await context.require(caller, unit=wanted.unit, site=wanted.site)
        items = await maintenance(context.database, scope, wanted)
        return Page(items=items, next=encode_cursor(items[-1].id) if len(items) == wanted.limit else None)

    @routes.get("/maintenance/{window}")
    async def one(window: PathId, caller: Annotated[Caller, Depends(caller_of)]) -> MaintenanceAnswer:
        found = await windows_of(context.database, caller.scope, [window])
        if not found:
            raise not_found("maintenance window")
        return found[0]


def _wanted(
    site: Id | None = None,
    unit: Id | None = None,
    start: From = None,
    to: InstantText | None = None,
    standing: Standing = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> WindowFilter:
    (before,) = decode_cursor(cursor, int) or (None,)
    return WindowFilter(unit, site, optional_instant(start, "from"), optional_instant(to, "to"), standing, before, limit)
