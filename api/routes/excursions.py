"""Excursions as they stand, or as they were known at an instant, and the versions of one."""

from datetime import datetime
from typing import Annotated, assert_never
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.callers import Caller
from api.errors import ApiError, not_found
from api.parameters import Cursor, Id, InstantText, decode_cursor, encode_cursor, known_instant, now, optional_instant
from api.queries.excursion_versions import NotYetKnown, Voided, excursion_with_history, excursions_as_known, versions_of
from api.queries.excursions import current_excursions
from api.routes.context import Context
from api.shapes import ExcursionAnswer, ExcursionDetailAnswer, Page, VersionAnswer, iso

Limit = Annotated[int, Query(ge=1, le=1_000)]
KnownAt = Annotated[
    str | None,
    Query(max_length=40, description="answer as it was known at this instant; ISO 8601, not in the future; without a zone it is UTC"),
]


def not_known(why: NotYetKnown | Voided, known_at: datetime | None) -> ApiError:
    """Return the answer where an excursion is the caller's, and was not believed at the instant asked for (None: is not now)."""
    match why:
        case NotYetKnown(first_known_at):
            then = "then" if known_at is None else f"at {iso(known_at)}"
            text = f"This excursion was not known yet {then}: it was found at {iso(first_known_at)}."
        case Voided(voided_at, superseded_by):
            then = "does not stand" if known_at is None else f"did not stand at {iso(known_at)}"
            instead = "" if superseded_by is None else f" in favour of {superseded_by}"
            text = f"This excursion {then}: it was voided at {iso(voided_at)}{instead}. Its versions tell what was believed before."
        case _:
            assert_never(why)
    return ApiError(404, "not_known", text)


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
        known_at: KnownAt = None,
        voided: Annotated[bool, Query(description="those that were voided, instead of those that stand")] = False,
        limit: Limit = 100,
        cursor: Cursor = None,
        caller: Caller = Depends(caller_of),
    ) -> Page[ExcursionAnswer]:
        scope = caller.narrowed(organization)
        position = decode_cursor(cursor, datetime, UUID)
        after = None if position is None else (position[0], position[1])
        start, end, known = optional_instant(from_, "from"), optional_instant(to, "to"), known_instant(known_at)
        await context.require(caller, site=site, unit=unit, sensor=sensor)
        filters = {"site": site, "unit": unit, "sensor": sensor, "is_open": is_open, "start": start, "end": end}
        if known is None and not voided:
            items = await current_excursions(context.database, scope, limit=limit, after=after, **filters)
        else:
            items = await excursions_as_known(context.database, scope, known or now(), limit=limit, after=after, voided=voided, **filters)
        last = items[-1] if len(items) == limit else None
        return Page(items=items, next=None if last is None else encode_cursor(last.started_at, str(last.id)))

    @routes.get("/excursions/{excursion}")
    async def one_excursion(
        excursion: UUID, caller: Annotated[Caller, Depends(caller_of)], known_at: KnownAt = None
    ) -> ExcursionDetailAnswer:
        known = known_instant(known_at)
        found = await excursion_with_history(context.database, caller.scope, excursion, known, now())
        match found:
            case None:
                raise not_found("excursion")
            case NotYetKnown() | Voided():
                raise not_known(found, known)
            case ExcursionDetailAnswer():
                return found
            case _:
                assert_never(found)

    @routes.get("/excursions/{excursion}/versions")
    async def versions(
        excursion: UUID, caller: Annotated[Caller, Depends(caller_of)], limit: Limit = 100, cursor: Cursor = None
    ) -> Page[VersionAnswer]:
        position = decode_cursor(cursor, int)
        after = 0 if position is None else position[0]
        items = await versions_of(context.database, caller.scope, excursion, limit=limit, after=after)
        if not items and position is None:
            raise not_found("excursion")
        return Page(items=items, next=encode_cursor(items[-1].version) if len(items) == limit else None)

    return routes
