"""Judges sensors again: what the stored rows come to in one transaction, which only reads, what is new of it in another.

The second holds the sensor's advisory lock, as the recorder of live judgements does: a long stretch holds nobody up. Where other facts
of the sensor came on record meanwhile it is judged again, at the third time under the lock; where nothing is new there is no second. The
state that came of it goes to the log after the commit. The same request again changes nothing, and whom nothing new is told of is told
nothing.
"""

import uuid
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import psycopg
import structlog

from pipelines.connectors.errors import Rejected
from pipelines.connectors.kafka import AckedProducer
from pipelines.connectors.metrics import REVISIONS_DONE, REVISIONS_ROWS, REVISIONS_SECONDS, REVISIONS_VERSIONS
from pipelines.domain.recording import Reason, Recorded, Standing, Stretch, record_stretch
from pipelines.domain.rejudging import Rejudged, pass_clock, pass_ends, take_row
from pipelines.engine import excursion_rows
from pipelines.engine.awaiting import Answer, encode_answer
from pipelines.engine.lease import Fence, unfenced
from pipelines.engine.outbox import Outbox, Tell
from pipelines.engine.partitions_ahead import PartitionsAhead
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.revision_queue import Revision
from pipelines.engine.stretches import Stored, stored_offsets
from pipelines.engine.telling import tells_of
from pipelines.engine.terms import Terms
from schemas.events import Event
from schemas.revisions import encode_revised
from schemas.topics import REVISED

FLOW: Final = "revise_excursions"


Current = dict[tuple[int, str], list[Standing]]
"""What stands on record, by sensor and band."""

TRIES: Final = 2
"""How often a stretch is judged without the sensor's lock."""

READ_ONLY: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
"""All that is read of a stretch is of one instant, whatever is stored or dropped meanwhile."""


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What the stored rows of a sensor come to, and what stood on record then."""

    judged: Rejudged
    stretch: Stretch
    current: Current
    rows: int
    newest_offset: int
    """Of its rows: what is found knows no more, though the store is further. A tick since then may know better."""


@dataclass(frozen=True, slots=True)
class _Done:
    """What one revision wrote."""

    versions: list[Recorded]
    tells: list[Tell]
    events: dict[int, Event]


class Reviser:
    """A writer (engine.sinks) that carries out revisions."""

    def __init__(self, database: Reconnecting, terms: Terms, outbox: Outbox, producer: AckedProducer, *, fence: Fence = unfenced) -> None:
        """Take the database, the terms by number, where to tell and where to answer."""
        self._database = database
        self._terms = terms
        self._outbox = outbox
        self._producer = producer
        self._fence = fence
        self._log = structlog.get_logger().bind(flow=FLOW)
        self._versions_ahead = PartitionsAhead("excursion_versions")
        for outcome in ("changed", "unchanged", "overtaken", "unanswered"):
            REVISIONS_DONE.labels(outcome)
        database.on_connect(self._versions_ahead.forget)
        database.on_connect(self._send_left_behind)

    def write(self, items: list[Revision]) -> None:
        """Carry out each revision; tries again while the database is away."""
        for item in items:
            with REVISIONS_SECONDS.time():
                self._database.transact(lambda connection, one=item: self._revise(connection, one))  # type: ignore[misc]

    def flush(self) -> None:
        """Return when the broker has every answer."""
        self._producer.settle()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _send_left_behind(self, connection: psycopg.Connection) -> None:
        self._outbox.send_left_behind(connection)

    def _revise(self, connection: psycopg.Connection, revision: Revision) -> None:
        judgement, done = self._carried_out(connection, revision)
        self._outbox.send(connection, done.events)
        judged, stretch = judgement.judged, judgement.stretch
        answer = Answer(revision.sensor, stretch.as_of, revision.measured_from, stretch.until, judged.state, judged.place, revision.reason)
        self._answer(revision, answer)
        REVISIONS_DONE.labels("changed" if done.versions else "unchanged").inc()
        REVISIONS_ROWS.observe(judgement.rows)
        for one in done.versions:
            REVISIONS_VERSIONS.labels(one.reason.value).inc()

    def _answer(self, revision: Revision, answer: Answer) -> None:
        record = encode_revised(encode_answer(answer, revision.partition))
        try:
            self._producer.send(REVISED.name, revision.partition, record, key=str(revision.sensor).encode())
        except Rejected as error:
            # What is on record is right; the sensor waits on, opens excursions and has its ends from revisions.
            REVISIONS_DONE.labels("unanswered").inc()
            self._log.error("answer_too_large", sensor=revision.sensor, reason=str(error))

    def _carried_out(self, connection: psycopg.Connection, revision: Revision) -> tuple[_Judgement, _Done]:
        for _ in range(TRIES):
            with connection.transaction():
                connection.execute(READ_ONLY)
                judgement = self._judge(connection, revision)
            if not self._compared(revision.sensor, judgement, frozenset()):
                return judgement, _Done([], [], {})
            with connection.transaction():
                self._lock(connection, revision)
                if versions_of(self._current(connection, revision)) == versions_of(judgement.current):
                    return judgement, self._record(connection, revision, judgement)
            REVISIONS_DONE.labels("overtaken").inc()
        with connection.transaction():
            self._lock(connection, revision)
            judgement = self._judge(connection, revision)
            return judgement, self._record(connection, revision, judgement)

    def _lock(self, connection: psycopg.Connection, revision: Revision) -> None:
        self._fence(connection, {revision.partition})
        excursion_rows.lock_sensors(connection, [revision.sensor])

    def _current(self, connection: psycopg.Connection, revision: Revision) -> Current:
        return excursion_rows.load_current(connection, [revision.sensor], 0)

    def _judge(self, connection: psycopg.Connection, revision: Revision) -> _Judgement:
        """Judge a sensor's stretch again as of what is stored now."""
        offset = stored_offsets(connection).get(revision.partition, -1)
        current = self._current(connection, revision)
        stored = Stored(connection, revision.sensor, revision.device, offset, self._terms)
        start, after = stored.start_before(revision.measured_from, [one for several in current.values() for one in several])
        judged, ends, rows = Rejudged(start.state, start.place), stored.ends(), 0
        for row in stored.after(after):
            take_row(judged, row, ends, self._terms.policies)
            rows += 1
        newest = judged.state.newest.measured_at if judged.state.newest is not None else revision.clock
        until = max(revision.clock, newest)
        pass_ends(judged, ends, until, self._terms.policies)
        pass_clock(judged, until, self._terms.policies)
        stretch = Stretch(after, until, offset, reason=Reason(revision.reason))
        return _Judgement(judged, stretch, current, rows, stored.newest_offset)

    def _record(self, connection: psycopg.Connection, revision: Revision, judgement: _Judgement) -> _Done:
        """Write what is new, under the sensor's lock."""
        stretch = judgement.stretch
        versions = self._compared(revision.sensor, judgement, excursion_rows.load_taken(connection, [revision.sensor]))
        self._versions_ahead.ensure(connection, (one.standing.first_started_at for one in versions))
        excursion_rows.write_versions(connection, [(one, revision.partition, judgement.newest_offset) for one in versions])
        before = [one for several in judgement.current.values() for one in several]
        tells = [tell for one in versions for tell in tells_of(connection, one, before, stretch.until)]
        return _Done(versions, tells, self._outbox.write(connection, tells))

    def _compared(self, sensor: int, judgement: _Judgement, taken: frozenset[uuid.UUID]) -> list[Recorded]:
        """Return the versions to write, voids first: a band has one open excursion at a time. `taken` are ids that are not given again."""
        found = sorted(judgement.judged.found.values(), key=lambda one: one.band)
        by_band = {band: list(several) for band, several in groupby(found, key=lambda one: one.band)}
        changes: list[Recorded] = []
        for band in sorted({band for _, band in judgement.current} | set(by_band)):
            changes += record_stretch(by_band.get(band, []), judgement.current.get((sensor, band), []), judgement.stretch, taken)
        return sorted(changes, key=lambda one: (one.reason is not Reason.VOID, one.standing.found.closed_at is None))


def versions_of(current: Current) -> set[tuple[uuid.UUID, int]]:
    """Return which versions stand."""
    return {(one.id, one.version) for several in current.values() for one in several}
