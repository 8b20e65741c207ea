"""Replays of dead letters, and what each reason means."""

from collections import Counter
from datetime import datetime
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends

from api.callers import Caller
from api.parameters import aware, decode_cursor, encode_cursor, optional_instant
from api.replay_shapes import ForeseenAnswer, ProspectAnswer, ReasonAnswer, ReplayedAnswer, ReplayOrder, ReplaysAnswer
from api.replays.replaying import Done, Filter, Outcome, Replays
from api.routes.context import Changer, Context
from api.shapes import Page
from pipelines.connectors.metrics import DEAD_LETTER_REPLAYS
from pipelines.domain.prospect import Prospect
from schemas.reason_texts import TEXTS, about

log = structlog.get_logger()


def router(context: Context, replays: Replays) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["dead letters"])
    caller_of = context.caller()

    @routes.get("/reasons")
    async def reasons(_caller: Annotated[Caller, Depends(caller_of)]) -> Page[ReasonAnswer]:
        items = [
            ReasonAnswer(
                reason=reason.value,
                about="value" if about(reason) == "value" else "uplink",
                meaning=text.meaning,
                what_to_do=text.what_to_do,
                replay=text.replay.value,
            )
            for reason, text in TEXTS.items()
        ]
        return Page(items=items, next=None)

    @routes.post("/dead-letters/replay")
    async def replay(order: ReplayOrder, changer: Annotated[Changer, Depends(context.changer())]) -> ReplaysAnswer:
        user, scope = changer.caller.user, changer.narrowed(order.organization)
        by = user.id
        if order.ids is not None:
            outcome = await replays.replay_named(scope, order.ids, by, dry_run=order.dry_run, again=order.again)
        else:
            outcome = await replays.replay_chosen(scope, choice_of(order), by, dry_run=order.dry_run, again=order.again)
        answer = answer_of(outcome, dry_run=order.dry_run)
        if not order.dry_run:
            for status, count in answer.counts.items():
                DEAD_LETTER_REPLAYS.labels(status).inc(count)
        log.info("dead letters replayed", user=user.id, scope=scope, dry_run=order.dry_run, again=order.again, **answer.counts)
        return answer

    return routes


def choice_of(order: ReplayOrder) -> Filter:
    """Return the filter of an order; a bad request where an instant or the cursor cannot be read."""
    after = decode_cursor(order.cursor, datetime, UUID)
    return Filter(
        kind=order.kind,
        reason=order.reason,
        dev_eui=None if order.dev_eui is None else order.dev_eui.upper(),
        start=optional_instant(order.from_, "from"),
        end=optional_instant(order.to, "to"),
        limit=order.limit,
        after=None if after is None else (after[0], after[1]),
    )


def answer_of(outcome: Outcome, *, dry_run: bool) -> ReplaysAnswer:
    """Return what became of some letters as it is shown."""
    items = [_replayed(done) for done in outcome.done]
    return ReplaysAnswer(
        dry_run=dry_run,
        counts=dict(sorted(Counter(item.status.value for item in items).items())),
        next=None if outcome.last is None else encode_cursor(outcome.last[0], str(outcome.last[1])),
        items=items,
    )


def _replayed(done: Done) -> ReplayedAnswer:
    letter, record = done.letter, done.plan.record
    return ReplayedAnswer(
        id=done.id,
        dev_eui=None if letter is None else letter.dev_eui,
        reason=None if letter is None else letter.reason,
        received_at=None if letter is None else letter.received_at,
        status=done.plan.status,
        message=done.plan.message,
        becomes=None if done.plan.becomes is None else _prospect(done.plan.becomes),
        partition=None if done.offset is None or record is None else record.partition,
        offset=done.offset,
    )


def _prospect(found: Prospect) -> ProspectAnswer:
    readings = [
        ForeseenAnswer(
            sensor=reading.sensor,
            unit=reading.unit,
            probe=reading.probe,
            measured_at=aware(reading.measured_at),
            temperature_celsius=None if reading.temperature is None else reading.temperature / 100,
            fault=None if reading.fault is None else reading.fault.value,
        )
        for reading in found.readings
    ]
    return ProspectAnswer(
        ended_as=found.ended_as, reason=None if found.reason is None else found.reason.value, detail=found.detail, readings=readings
    )
