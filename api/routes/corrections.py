"""Corrections of the past: made, revoked, listed."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.callers import Caller
from api.commands.correcting import revoke as revoke_correction
from api.commands.corrections import correct
from api.commands.previewing import Change, Previewed, Turns, preview
from api.commands.transaction import Transaction
from api.correction_shapes import (
    AnyOrder,
    Corrected,
    CorrectedStretchAnswer,
    CorrectionAnswer,
    ExcursionChange,
    ExcursionFacts,
    PreviewAnswer,
)
from api.errors import not_found
from api.managers import Manager
from api.parameters import Cursor, Id, PathId, aware, decode_cursor, encode_cursor
from api.queries.corrections import corrections as query_corrections
from api.registry_requests import Order
from api.routes.context import Context
from api.routes.policies import Limit
from api.shapes import Page
from pipelines.domain.recording import Found
from pipelines.domain.registration.naming import required_comment

Standing = Annotated[bool, Query(description="without those that were revoked")]
Run = Callable[[Transaction], Awaitable[tuple[list[int], datetime | None]]]


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["corrections"])
    _add_changes(routes, context)
    _add_list(routes, context)
    return routes


def _add_changes(routes: APIRouter, context: Context) -> None:
    manager_of = context.manager()
    previews = Turns()

    async def run(manager: Manager, order: Order, command: Run) -> tuple[list[CorrectionAnswer], datetime | None]:
        """Run a command that must say why; return what stands behind it."""
        async with context.changes.transaction(manager, required_comment(order.comment)) as transaction:
            numbers, effective_at = await command(transaction)
            scope = transaction.organizations
        items = await query_corrections(context.database, scope, numbers=numbers) if numbers else []
        return items[::-1], effective_at

    @routes.post("/corrections", status_code=201)
    async def create(order: AnyOrder, response: Response, manager: Annotated[Manager, Depends(manager_of)]) -> Corrected:
        items, effective_at = await run(manager, order, lambda transaction: correct(transaction, order))
        if not items:
            response.status_code = 200
        return Corrected(outcome="created" if items else "unchanged", effective_at=effective_at, items=items)

    @routes.post("/corrections/preview")
    async def show(order: AnyOrder, manager: Annotated[Manager, Depends(manager_of)]) -> PreviewAnswer:
        async with previews.turn(), context.changes.transaction(manager, is_dry=True) as transaction:
            return preview_answer(await preview(transaction, order))

    @routes.post("/corrections/{correction}/revoke")
    async def revoke(correction: PathId, order: Order, manager: Annotated[Manager, Depends(manager_of)]) -> Corrected:
        items, effective_at = await run(manager, order, lambda transaction: revoke_correction(transaction, correction))
        return Corrected(outcome="changed", effective_at=effective_at, items=items)


def preview_answer(previewed: Previewed) -> PreviewAnswer:
    """Return what a preview says."""
    kept = [
        CorrectedStretchAnswer(kind=one.kind.value, sensor=one.sensor, unit=one.unit, from_=one.since, to=one.until)
        for one in previewed.wanted
    ]
    changes = [_change_answer(one) for one in previewed.changes]
    return PreviewAnswer(corrections=kept, readings=previewed.readings, judged=previewed.judged, changes=changes)


def _change_answer(change: Change) -> ExcursionChange:
    known = change.before if change.after is None else change.after.standing
    assert known is not None, "what changes was, or will be"
    found = known.found
    return ExcursionChange(
        outcome="voided" if change.after is None else "new" if change.before is None else "changed",
        id=known.id,
        sensor=found.sensor,
        band=found.band,
        kind=found.kind,
        side=found.side,
        severity=found.severity,
        before=None if change.before is None else _facts(change.before.found),
        after=None if change.after is None else _facts(change.after.standing.found),
    )


def _facts(found: Found) -> ExcursionFacts:
    return ExcursionFacts(
        unit=found.unit,
        started_at=aware(found.started_at),
        opened_at=aware(found.opened_at),
        ended_at=None if found.ended_at is None else aware(found.ended_at),
        closed_at=None if found.closed_at is None else aware(found.closed_at),
        ended_by=found.ended_by,
        peak_celsius=None if found.figures.peak is None else found.figures.peak / 100,
        exposure_seconds=found.figures.exposure_ms / 1_000,
    )


def _add_list(routes: APIRouter, context: Context) -> None:
    caller_of = context.caller()

    @routes.get("/corrections")
    async def listed(
        organization: Id | None = None,
        sensor: Id | None = None,
        unit: Id | None = None,
        standing: Standing = False,
        limit: Limit = 100,
        cursor: Cursor = None,
        caller: Caller = Depends(caller_of),
    ) -> Page[CorrectionAnswer]:
        scope = caller.narrowed(organization)
        (before,) = decode_cursor(cursor, int) or (None,)
        await context.require(caller, unit=unit, sensor=sensor)
        items = await query_corrections(context.database, scope, sensor=sensor, unit=unit, standing=standing, before=before, limit=limit)
        return Page(items=items, next=encode_cursor(items[-1].id) if len(items) == limit else None)

    @routes.get("/corrections/{correction}")
    async def one(correction: PathId, caller: Annotated[Caller, Depends(caller_of)]) -> CorrectionAnswer:
        found = await query_corrections(context.database, caller.scope, numbers=[correction])
        if not found:
            raise not_found("correction")
        return found[0]
