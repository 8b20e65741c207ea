"""Conditions of devices, sensors and bands: what stands, what stood, and the versions of one."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.callers import Caller
from api.errors import not_found
from api.parameters import Cursor, Id, InstantText, decode_cursor, encode_cursor, optional_instant
from api.queries.conditions import condition_with_versions
from api.queries.conditions import conditions as query_conditions
from api.routes.context import Context
from api.shapes import ConditionAnswer, ConditionDetailAnswer, Page

Limit = Annotated[int, Query(ge=1, le=1_000)]
KINDS: Final = "^(offline|battery_low|door_open|frozen_value|sensor_fault|clock_wrong|possible_excursion)$"


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["conditions"])
    caller_of = context.caller()

    @routes.get("/conditions")
    async def conditions(  # noqa: PLR0913 - one parameter per filter
        organization: Id | None = None,
        unit: Id | None = None,
        sensor: Id | None = None,
        kind: Annotated[str | None, Query(pattern=KINDS)] = None,
        is_open: Annotated[bool | None, Query(alias="open")] = None,
        from_: Annotated[InstantText | None, Query(alias="from")] = None,
        to: InstantText | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
        caller: Caller = Depends(caller_of),
    ) -> Page[ConditionAnswer]:
        scope = caller.narrowed(organization)
        position = decode_cursor(cursor, datetime, UUID)
        after = None if position is None else (position[0], position[1])
        await context.require(caller, unit=unit, sensor=sensor)
        filters = {"unit": unit, "sensor": sensor, "kind": kind, "is_open": is_open}
        times = {"start": optional_instant(from_, "from"), "end": optional_instant(to, "to")}
        items = await query_conditions(context.database, scope, limit=limit, after=after, **filters, **times)
        last = items[-1] if len(items) == limit else None
        return Page(items=items, next=None if last is None else encode_cursor(last.started_at, str(last.id)))

    @routes.get("/conditions/{condition}")
    async def one_condition(condition: UUID, caller: Annotated[Caller, Depends(caller_of)]) -> ConditionDetailAnswer:
        found = await condition_with_versions(context.database, caller.scope, condition)
        if found is None:
            raise not_found("condition")
        return found

    return routes
