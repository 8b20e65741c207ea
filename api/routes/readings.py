"""Readings of a unit or a sensor: raw, or what is known per bucket of time."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query

from api.callers import Caller
from api.errors import bad_request
from api.parameters import Cursor, Id, decode_cursor, encode_cursor, known_instant, now, stretch
from api.queries.readings import bucketed_readings, raw_readings
from api.routes.context import Context
from api.shapes import BucketAnswer, Page, ReadingAnswer

MAX_BUCKETS: Final = 5_000
"""Buckets in a range: more than a chart has pixels."""

MAX_BUCKET_ROWS: Final = 50_000
"""Buckets in an answer, of all sensors of a unit."""

Limit = Annotated[int, Query(ge=1, le=10_000)]
From = Annotated[str, Query(alias="from", max_length=40, description="ISO 8601; included")]
To = Annotated[str, Query(max_length=40, description="ISO 8601; excluded")]
KnownAt = Annotated[str | None, Query(max_length=40, description="of what had been received by this instant; ISO 8601, not in the future")]


def one_of(unit: int | None, sensor: int | None) -> None:
    """Raise the bad request unless exactly one of them is given."""
    if (unit is None) == (sensor is None):
        message = "unit, sensor: give exactly one of them"
        raise bad_request(message)


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["readings"])
    caller_of = context.caller()

    @routes.get("/readings")
    async def readings(  # noqa: PLR0913 - one parameter per filter
        from_: From,
        to: To,
        unit: Id | None = None,
        sensor: Id | None = None,
        known_at: KnownAt = None,
        order: Literal["asc", "desc"] = "asc",
        limit: Limit = 1_000,
        cursor: Cursor = None,
        caller: Caller = Depends(caller_of),
    ) -> Page[ReadingAnswer]:
        one_of(unit, sensor)
        start, end = stretch(from_, to)
        known = known_instant(known_at)
        after = decode_cursor(cursor, datetime, int)
        await context.require(caller, unit=unit, sensor=sensor)
        items = await raw_readings(
            context.database,
            caller.scope,
            unit=unit,
            sensor=sensor,
            start=start,
            end=end,
            known_at=known,
            descending=order == "desc",
            after=None if after is None else (after[0], after[1]),
            limit=limit,
        )
        last = items[-1] if len(items) == limit else None
        return Page(items=items, next=None if last is None else encode_cursor(last.measured_at, last.sensor))

    @routes.get("/readings/buckets")
    async def buckets(
        from_: From,
        to: To,
        seconds: Annotated[int, Query(ge=1, le=86_400)],
        unit: Id | None = None,
        sensor: Id | None = None,
        known_at: KnownAt = None,
        caller: Caller = Depends(caller_of),
    ) -> Page[BucketAnswer]:
        one_of(unit, sensor)
        start, end = stretch(from_, to)
        if (end - start) / timedelta(seconds=seconds) > MAX_BUCKETS:
            message = f"seconds: the range may have at most {MAX_BUCKETS} buckets; ask for wider ones or a shorter range"
            raise bad_request(message)
        known = known_instant(known_at)
        await context.require(caller, unit=unit, sensor=sensor)
        items = await bucketed_readings(
            context.database,
            caller.scope,
            unit=unit,
            sensor=sensor,
            start=start,
            end=end,
            seconds=seconds,
            horizon=now(),
            known_at=known,
            limit=MAX_BUCKET_ROWS,
        )
        return Page(items=items, next=None)

    return routes
