"""Replays letters: each uplink once, under a claim, in the order of its device, with the broker's acknowledgement awaited.

A letter is only written again where today's decoder and registry make something better of it; a dry run stops there.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

import structlog
from confluent_kafka import KafkaError

from api.database import Database
from api.parameters import aware
from api.queries.registered import applications_of, registered_devices, registry_age_ms
from api.replays.ledger import Claim, Ledger
from api.replays.letters import Letter, chosen_letters, named_letters, siblings
from api.replays.plan import Planned, Source, Status, ToWrite, eui_of, held_to_stored, planned, refused
from pipelines.connectors.errors import Retryable
from pipelines.connectors.kafka import KafkaConfig
from pipelines.connectors.kafka_loop import Expired, Placing, QueueFull
from pipelines.connectors.kafka_records import read_records
from schemas.topics import UPLINKS
from schemas.uplinks import APPLICATION, RECEIVED_AT, Headers

ACK_SECONDS: Final = 10.0
PLACE_PAUSES: Final = (0.5, 1.0, 2.0)
"""Seconds between the attempts to write down where replays stand in the log."""
UNSURE: Final = frozenset({KafkaError._MSG_TIMED_OUT, KafkaError.REQUEST_TIMED_OUT, KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND})  # noqa: SLF001
"""Errors behind which a broker may have the record."""
SETTLE_SECONDS: Final = 4.0
"""decode_uplinks looks at the registry anew when the log's time is 3 s past its last look; a second is left for clocks that differ."""
CHANGED_LATELY_MS: Final = 90_000
"""A change is dated before its commit, by up to the minute that a large import may take: so long it counts as made just now."""
PLANNED_AT_ONCE: Final = 20
"""Uplinks decoded before the event loop is given up: webhooks wait behind it."""

STORED: Final = """
SELECT r.sensor_id, (extract(epoch FROM r.measured_at) * 1000)::bigint AS at, r.temperature
FROM unnest(%(sensors)s::integer[], %(instants)s::timestamptz[]) AS wanted (sensor_id, measured_at)
JOIN readings r USING (sensor_id, measured_at) WHERE r.organization_id = ANY(%(scope)s)
"""


log = structlog.get_logger()


class UplinkPlaces(Protocol):
    """Where replayed uplinks go: LoopProducer, or a fake of it."""

    def place(self, topic: str, partition: int, value: bytes, key: bytes | None, headers: Headers) -> Placing:
        """Queue a record and return its offset to come; raises QueueFull."""
        ...


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters: all that is given must hold."""

    kind: str | None = None
    reason: str | None = None
    dev_eui: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 200
    after: tuple[datetime, UUID] | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one letter that was asked for; `letter` is None where there is no such letter."""

    id: UUID
    letter: Letter | None
    plan: Planned
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of all, in the order asked for; `last` is where a filter's next page goes on."""

    done: list[Done]
    last: tuple[datetime, UUID] | None


class Replays:
    """Replays dead letters of some organizations."""

    def __init__(self, database: Database, ledger: Ledger, uplinks: UplinkPlaces, kafka: KafkaConfig) -> None:
        """Read from this database and log, write to this ledger and these uplinks."""
        self._database = database
        self._ledger = ledger
        self._uplinks = uplinks
        self._kafka = kafka

    async def replay_named(self, scope: list[int], ids: Sequence[UUID], by: str, *, dry_run: bool, again: bool) -> Outcome:
        """Replay letters by id."""
        wanted = list(dict.fromkeys(ids))
        letters = {letter.id: letter for letter in await named_letters(self._database, scope, wanted)}
        known = [letters[one] for one in wanted if one in letters]
        done = {one.id: one for one in await self._replay(scope, known, by, dry_run=dry_run, again=again)}
        missing = Planned((), Status.NOT_FOUND, "There is no such dead letter among your organizations.")
        return Outcome([done.get(one) or Done(one, None, missing) for one in wanted], None)

    async def replay_chosen(self, scope: list[int], choice: Filter, by: str, *, dry_run: bool, again: bool) -> Outcome:
        """Replay the oldest letters of a filter; those that were replayed before are left out, unless `again`."""
        after_at, after_id = choice.after or (None, None)
        letters, is_more = await chosen_letters(
            self._database,
            scope,
            limit=choice.limit,
            after_id=after_id,
            kind=choice.kind,
            reason=choice.reason,
            dev_eui=choice.dev_eui,
            start=choice.start,
            end=choice.end,
            after_at=after_at,
            waiting=None if again else True,
        )
        last = letters[-1] if is_more else None
        done = await self._replay(scope, letters, by, dry_run=dry_run, again=again)
        return Outcome(done, None if last is None else (last.received_at, last.id))

    async def _replay(self, scope: list[int], letters: list[Letter], by: str, *, dry_run: bool, again: bool) -> list[Done]:
        if not letters:
            return []
        of_uplink: dict[tuple[str, int, int], list[Letter]] = defaultdict(list)
        for letter in await siblings(self._database, scope, letters):
            of_uplink[letter.uplink].append(letter)
        plans = [plan async for plan in self._plans(scope, list(of_uplink.values()), again=again)]
        offsets: dict[UUID, int] = {}
        if not dry_run:
            plans, offsets = await self._write(scope, plans, by)
        found = {letter.id: plan for plan in plans for letter in plan.letters}
        return [Done(letter.id, letter, found[letter.id], offsets.get(letter.id)) for letter in letters]

    async def _plans(self, scope: list[int], uplinks: list[list[Letter]], *, again: bool) -> AsyncIterator[Planned]:
        """Return what is to be done about each uplink."""
        open_ones = []
        for letters in uplinks:
            no = refused(letters, again=again)
            if no is None:
                open_ones.append(letters)
            else:
                yield no
        sources = await self._sources(open_ones)
        euis = {eui for source in sources if source is not None and (eui := eui_of(source)) is not None}
        devices = await registered_devices(self._database, scope, euis)
        applications = await applications_of(self._database, scope)
        plans = []
        for index, (letters, source) in enumerate(zip(open_ones, sources, strict=True)):
            plans.append(planned(letters, source, devices, applications))
            if index % PLANNED_AT_ONCE == PLANNED_AT_ONCE - 1:
                await asyncio.sleep(0)
        stored = await self._stored(scope, plans)
        for plan in plans:
            yield held_to_stored(plan, stored)

    async def _sources(self, uplinks: list[list[Letter]]) -> list[Source | None]:
        """Return the bytes of each uplink: the letter's, else the log's, else None."""
        own = [next((letter for letter in letters if letter.raw), None) for letters in uplinks]
        firsts = [letters[0] for letters in uplinks]
        wanted = {
            (one.partition, one.offset) for one, raw in zip(firsts, own, strict=True) if raw is None and not one.never_reached_uplinks
        }
        logged = await asyncio.to_thread(read_records, self._kafka, UPLINKS.name, wanted) if wanted else {}
        found: list[Source | None] = []
        for letter, first in zip(own, firsts, strict=True):
            record = logged.get((first.partition, first.offset))
            if letter is not None:
                found.append(Source(letter.raw, letter.application, letter.received_ms))
            elif record is not None:
                headers = dict(record.headers)
                received_at = int(headers.get(RECEIVED_AT, b"") or record.stamp)
                found.append(Source(record.value, headers.get(APPLICATION, b"").decode("utf-8", "replace"), received_at))
            else:
                found.append(None)
        return found

    async def _stored(self, scope: list[int], plans: Sequence[Planned]) -> dict[tuple[int, int], int | None]:
        readings = [reading for plan in plans if plan.becomes is not None for reading in plan.becomes.readings]
        if not readings:
            return {}
        wanted = {"sensors": [one.sensor for one in readings], "instants": [aware(one.measured_at) for one in readings]}
        rows = await self._database.rows(STORED, {"scope": scope, **wanted})
        return {(row["sensor_id"], row["at"]): row["temperature"] for row in rows}

    async def _write(self, scope: list[int], plans: list[Planned], by: str) -> tuple[list[Planned], dict[UUID, int]]:
        """Write what is to be written; return the plans as they turned out, and the offset of each letter written."""
        ahead = sorted((plan for plan in plans if plan.record is not None), key=device_order)
        turned = {id(plan): plan for plan in plans}
        if not ahead:
            return plans, {}
        await self._until_settled(scope)
        claims = {id(plan): [Claim(one.id, attempts(plan) + 1, one.organization) for one in plan.letters] for plan in ahead}
        taken = await self._ledger.claim([claim for several in claims.values() for claim in several], by)
        sent: list[tuple[Planned, ToWrite, Placing]] = []
        given_up: list[Claim] = []
        for plan in ahead:
            record = plan.record
            assert record is not None, "only plans with a record are ahead"
            if not all(claim.letter in taken for claim in claims[id(plan)]):
                given_up += [claim for claim in claims[id(plan)] if claim.letter in taken]
                turned[id(plan)] = replace(plan, status=Status.UNDER_WAY, message="Somebody else is replaying it right now.")
                continue
            try:
                sent.append((plan, record, self._uplinks.place(UPLINKS.name, record.partition, record.value, record.key, record.headers)))
            except QueueFull:
                given_up += claims[id(plan)]
                turned[id(plan)] = not_acknowledged(plan)
        await wait_for([placing for _, _, placing in sent])
        placed: list[tuple[Claim, int, int]] = []
        for plan, record, placing in sent:
            offset = placing.result()
            if isinstance(offset, int):
                placed += [(claim, record.partition, offset) for claim in claims[id(plan)]]
                turned[id(plan)] = replace(plan, status=Status.REPLAYED, message=plan.message.replace("Would", "Will", 1))
            elif may_have_arrived(offset):
                turned[id(plan)] = not_known(plan)
            else:
                given_up += claims[id(plan)]
                turned[id(plan)] = not_acknowledged(plan)
        await self._place(placed)
        await self._ledger.release(given_up)
        return [turned[id(plan)] for plan in plans], {claim.letter: offset for claim, _, offset in placed}

    async def _place(self, placed: list[tuple[Claim, int, int]]) -> None:
        """Write down where in the log the records are; a database that is away for a moment must not lose that."""
        for pause in PLACE_PAUSES:
            try:
                return await self._ledger.place(placed)
            except Retryable as error:
                log.warning("the places of replays cannot be written down yet", letters=len(placed), error=str(error))
                await asyncio.sleep(pause)
        return await self._ledger.place(placed)

    async def _until_settled(self, scope: list[int]) -> None:
        """Wait until every decoder looks at the registry as it is now before it decodes what is written next."""
        if await registry_age_ms(self._database, scope) < CHANGED_LATELY_MS:
            await asyncio.sleep(SETTLE_SECONDS)


def device_order(plan: Planned) -> tuple[str, int]:
    """Sort by device, and by when each uplink first came: in order they are judged at once."""
    first = plan.letters[0]
    return first.dev_eui, first.received_ms


def attempts(plan: Planned) -> int:
    """Return how often an uplink's letters were replayed."""
    return max(letter.attempts for letter in plan.letters)


def not_acknowledged(plan: Planned) -> Planned:
    """Return the plan of an uplink that the log did not take."""
    return replace(plan, status=Status.NOT_ACKNOWLEDGED, message="The log did not acknowledge it: try again.")


def may_have_arrived(answer: KafkaError | Expired) -> bool:
    """Return whether a record without an offset may be in the log all the same, now or later."""
    return isinstance(answer, Expired) or answer.code() in UNSURE


def not_known(plan: Planned) -> Planned:
    """Return the plan of an uplink that the log may have taken: its claim stands, so that nobody writes it a second time meanwhile."""
    text = "The log has not acknowledged it in time and may still take it: wait a minute, then look whether it was stored before you try again."
    return replace(plan, status=Status.NOT_ACKNOWLEDGED, message=text)


async def wait_for(placings: Sequence[Placing]) -> None:
    """Return when every record has its offset, or ACK_SECONDS have passed."""
    if placings:
        await asyncio.wait(placings, timeout=ACK_SECONDS)
    for placing in placings:
        if not placing.done():
            placing.set_result(Expired.EXPIRED)
