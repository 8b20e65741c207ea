"""Excursions as they stand, with running figures while open, and the history of one."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.callers import Caller
from api.errors import not_found
from api.parameters import Cursor, Id, InstantText, decode_cursor, encode_cursor, optional_instant
from api.queries.excursions import current_excursions, excursion_with_history
from api.routes.context import Context
from api.shapes import ExcursionAnswer, ExcursionDetailAnswer, Page

Limit = Annotated[int, Query(ge=1, le=1_000)]


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["excursions"])
    caller_of = context.caller()

    @routes.get("/excursions")
    async def excursions(  # noqa: PLR0913 - one parameter per filter
        organization: Id | None = None,
        site: Id | None = None,
        unit: Id | None = None,
        sensor: Id | None = None,
        is_open: Annotated[bool | None, Query(alias="open")] = None,
        from_: Annotated[InstantText | None, Query(alias="from")] = None,
        to: InstantText | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
        caller: Caller = Depends(caller_of),
    ) -> Page[ExcursionAnswer]:
        scope = caller.narrowed(organization)
        after = decode_cursor(cursor, datetime, UUID)
        start, end = optional_instant(from_, "from"), optional_instant(to, "to")
        await context.require(caller, site=site, unit=unit, sensor=sensor)
        items = await current_excursions(
            context.database,
            scope,
            limit=limit,
            after=None if after is None else (after[0], after[1]),
            site=site,
            unit=unit,
            sensor=sensor,
            is_open=is_open,
            start=start,
            end=end,
        )
        last = items[-1] if len(items) == limit else None
        return Page(items=items, next=None if last is None else encode_cursor(last.started_at, str(last.id)))

    @routes.get("/excursions/{excursion}")
    async def one_excursion(excursion: UUID, caller: Annotated[Caller, Depends(caller_of)]) -> ExcursionDetailAnswer:
        found = await excursion_with_history(context.database, caller.scope, excursion)
        if found is None:
            raise not_found("excursion")
        return found

    return routes
