"""How uplinks ended: dead letters with their raw bytes, and the sums of every end."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.callers import Caller
from api.errors import not_found
from api.parameters import Cursor, Id, InstantText, decode_cursor, encode_cursor, optional_instant
from api.queries.ends import dead_letter, dead_letters
from api.queries.ends import uplink_ends as query_uplink_ends
from api.routes.context import Context
from api.shapes import DeadLetterAnswer, DeadLetterDetailAnswer, Page, UplinkEndAnswer

Limit = Annotated[int, Query(ge=1, le=1_000)]
ReasonText = Annotated[str, Query(pattern="^[a-z0-9_]{1,64}$")]
DevEui = Annotated[str, Query(pattern="^[0-9A-Fa-f]{16}$")]


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["ends of uplinks"])
    caller_of = context.caller()

    @routes.get("/dead-letters")
    async def letters(  # noqa: PLR0913 - one parameter per filter
        organization: Id | None = None,
        kind: Literal["rejected", "unassigned"] | None = None,
        reason: ReasonText | None = None,
        dev_eui: DevEui | None = None,
        from_: Annotated[InstantText | None, Query(alias="from")] = None,
        to: InstantText | None = None,
        replayed: bool | None = None,  # noqa: FBT001 - a query parameter
        limit: Limit = 100,
        cursor: Cursor = None,
        caller: Caller = Depends(caller_of),
    ) -> Page[DeadLetterAnswer]:
        scope = caller.narrowed(organization)
        after = decode_cursor(cursor, datetime, UUID)
        items = await dead_letters(
            context.database,
            scope,
            limit=limit,
            after=None if after is None else (after[0], after[1]),
            kind=kind,
            reason=reason,
            dev_eui=None if dev_eui is None else dev_eui.upper(),
            start=optional_instant(from_, "from"),
            end=optional_instant(to, "to"),
            replayed=replayed,
        )
        last = items[-1] if len(items) == limit else None
        return Page(items=items, next=None if last is None else encode_cursor(last.received_at, str(last.id)))

    @routes.get("/dead-letters/{letter}")
    async def one_letter(letter: UUID, caller: Annotated[Caller, Depends(caller_of)]) -> DeadLetterDetailAnswer:
        found = await dead_letter(context.database, caller.scope, letter)
        if found is None:
            raise not_found("dead letter")
        return found

    @routes.get("/uplink-ends")
    async def uplink_ends(organization: Id | None = None, caller: Caller = Depends(caller_of)) -> Page[UplinkEndAnswer]:
        return Page(items=await query_uplink_ends(context.database, caller.narrowed(organization)), next=None)

    return routes
