"""Maintenance of units: declared, ended sooner, revoked, each previewed before; listed."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from api.callers import Caller
from api.commands.maintenance import Planned, keep, plan_end, plan_end_at_site, plan_for_site, plan_for_unit, plan_revocation
from api.commands.maintenance_preview import preview
from api.commands.previewing import Turns
from api.commands.transaction import Transaction
from api.errors import not_found
from api.maintenance_shapes import MaintenanceAnswer, MaintenanceChanged, MaintenanceEnd, MaintenanceOrder, MaintenancePreview
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
Plan = Callable[[Transaction], Awaitable[list[Planned]]]

NO_END = MaintenanceEnd()


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["maintenance"])
    planner = _Planner(context)
    _add_declarations(routes, context, planner)
    _add_ends(routes, context, planner)
    _add_list(routes, context)
    return routes


class _Planner:
    """Runs what is planned, or shows what would come of it, one preview at a time."""

    def __init__(self, context: Context) -> None:
        """Use these parts."""
        self._context = context
        self._previews = Turns()

    async def run(self, manager: Manager, order: Order, response: Response, plan: Plan) -> MaintenanceChanged:
        """Plan and keep a change that must say why; answer with the windows it is about."""
        async with self._context.changes.transaction(manager, required_comment(order.comment)) as transaction:
            done = await keep(transaction, await plan(transaction))
            scope = transaction.organizations
        items = await windows_of(self._context.database, scope, done.numbers)
        response.status_code = 201 if done.outcome == "created" else 200
        said: Any = done.outcome
        return MaintenanceChanged(outcome=said, judged_again_at=done.judged_again_at, items=items)

    async def show(self, manager: Manager, plan: Plan) -> MaintenancePreview:
        """Return what a change would come to; nothing is written."""
        async with self._previews.turn(), self._context.changes.transaction(manager, is_dry=True) as transaction:
            return await preview(transaction, await plan(transaction))


def _add_declarations(routes: APIRouter, context: Context, planner: _Planner) -> None:
    manager_of = context.manager()

    @routes.post("/units/{unit}/maintenance", status_code=201)
    async def declare(
        unit: PathId, order: MaintenanceOrder, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> MaintenanceChanged:
        return await planner.run(manager, order, response, lambda transaction: plan_for_unit(transaction, unit, order))

    @routes.post("/units/{unit}/maintenance/preview")
    async def show(unit: PathId, order: MaintenanceOrder, manager: Annotated[Manager, Depends(manager_of)]) -> MaintenancePreview:
        return await planner.show(manager, lambda transaction: plan_for_unit(transaction, unit, order))

    @routes.post("/sites/{site}/maintenance", status_code=201)
    async def declare_all(
        site: PathId, order: MaintenanceOrder, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> MaintenanceChanged:
        return await planner.run(manager, order, response, lambda transaction: plan_for_site(transaction, site, order))

    @routes.post("/sites/{site}/maintenance/preview")
    async def show_all(site: PathId, order: MaintenanceOrder, manager: Annotated[Manager, Depends(manager_of)]) -> MaintenancePreview:
        return await planner.show(manager, lambda transaction: plan_for_site(transaction, site, order))


def _add_ends(routes: APIRouter, context: Context, planner: _Planner) -> None:
    manager_of = context.manager()

    @routes.post("/sites/{site}/maintenance/end")
    async def end_all(
        site: PathId, order: MaintenanceEnd, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> MaintenanceChanged:
        return await planner.run(manager, order, response, lambda transaction: plan_end_at_site(transaction, site, order))

    @routes.post("/maintenance/{window}/end")
    async def end(
        window: PathId, order: MaintenanceEnd, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> MaintenanceChanged:
        return await planner.run(manager, order, response, lambda transaction: plan_end(transaction, window, order))

    @routes.post("/maintenance/{window}/end/preview")
    async def show_end(window: PathId, order: MaintenanceEnd = NO_END, manager: Manager = Depends(manager_of)) -> MaintenancePreview:
        return await planner.show(manager, lambda transaction: plan_end(transaction, window, order))

    @routes.post("/maintenance/{window}/revoke")
    async def revoke(
        window: PathId, order: Order, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> MaintenanceChanged:
        return await planner.run(manager, order, response, lambda transaction: plan_revocation(transaction, window))

    @routes.post("/maintenance/{window}/revoke/preview")
    async def show_revocation(window: PathId, manager: Annotated[Manager, Depends(manager_of)]) -> MaintenancePreview:
        return await planner.show(manager, lambda transaction: plan_revocation(transaction, window))


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
