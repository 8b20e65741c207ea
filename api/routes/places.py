"""Sites, units and sensors as they stand, and what a unit is judged by."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.callers import Caller
from api.errors import not_found
from api.parameters import Archived, Cursor, Id, InstantText, PathId, decode_cursor, encode_cursor, instant, now
from api.queries.places import sites as query_sites
from api.queries.sensors import sensors as query_sensors
from api.queries.units import policy_in_force, unit_detail
from api.queries.units import units as query_units
from api.routes.context import Context
from api.shapes import Page, PolicyInForceAnswer, SensorAnswer, SiteAnswer, UnitAnswer, UnitDetailAnswer

Limit = Annotated[int, Query(ge=1, le=10_000)]


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["places"])
    _add_sites(routes, context)
    _add_units(routes, context)
    _add_sensors(routes, context)
    return routes


def _add_sites(routes: APIRouter, context: Context) -> None:
    caller_of = context.caller()

    @routes.get("/sites")
    async def sites(organization: Id | None = None, archived: Archived = False, caller: Caller = Depends(caller_of)) -> Page[SiteAnswer]:
        items = await query_sites(context.database, caller.narrowed(organization), archived=archived)
        return Page(items=items, next=None)

    @routes.get("/sites/{site}")
    async def one_site(site: PathId, caller: Annotated[Caller, Depends(caller_of)]) -> SiteAnswer:
        found = await query_sites(context.database, caller.scope, site, archived=True)
        if not found:
            raise not_found("site")
        return found[0]


def _add_units(routes: APIRouter, context: Context) -> None:
    caller_of = context.caller()

    @routes.get("/units")
    async def units(
        organization: Id | None = None,
        site: Id | None = None,
        archived: Archived = False,
        limit: Limit = 1_000,
        cursor: Cursor = None,
        caller: Caller = Depends(caller_of),
    ) -> Page[UnitAnswer]:
        scope = caller.narrowed(organization)
        await context.require(caller, site=site)
        (after,) = decode_cursor(cursor, int) or (0,)
        items = await query_units(context.database, scope, site=site, after=after, limit=limit, archived=archived)
        return Page(items=items, next=encode_cursor(items[-1].id) if len(items) == limit else None)

    @routes.get("/units/{unit}")
    async def one_unit(unit: PathId, caller: Annotated[Caller, Depends(caller_of)]) -> UnitDetailAnswer:
        found = await unit_detail(context.database, caller.scope, unit)
        if found is None:
            raise not_found("unit")
        return found

    @routes.get("/units/{unit}/policy")
    async def policy(unit: PathId, at: InstantText | None = None, caller: Caller = Depends(caller_of)) -> PolicyInForceAnswer:
        when = now() if at is None else instant(at, "at")
        await context.require(caller, unit=unit)
        return await policy_in_force(context.database, caller.scope, unit, when)


def _add_sensors(routes: APIRouter, context: Context) -> None:
    caller_of = context.caller()

    @routes.get("/sensors")
    async def sensors(
        organization: Id | None = None,
        site: Id | None = None,
        unit: Id | None = None,
        archived: Archived = False,
        limit: Limit = 1_000,
        cursor: Cursor = None,
        caller: Caller = Depends(caller_of),
    ) -> Page[SensorAnswer]:
        scope = caller.narrowed(organization)
        await context.require(caller, site=site, unit=unit)
        (after,) = decode_cursor(cursor, int) or (0,)
        items = await query_sensors(context.database, scope, unit=unit, site=site, after=after, limit=limit, archived=archived)
        return Page(items=items, next=encode_cursor(items[-1].id) if len(items) == limit else None)

    @routes.get("/sensors/{sensor}")
    async def one_sensor(sensor: PathId, caller: Annotated[Caller, Depends(caller_of)]) -> SensorAnswer:
        found = await query_sensors(context.database, caller.scope, unit=None, site=None, sensor=sensor, after=0, limit=1, archived=True)
        if not found:
            raise not_found("sensor")
        return found[0]
