"""Judges sensors again: one transaction each, and the state that came of it to the log after the commit.

It holds the sensor's advisory lock, as the recorder of live judgements does, from reading the rows to recording what they come to.
The same request again changes nothing, and whom nothing new is told of is told nothing.
"""

from dataclasses import dataclass
from itertools import groupby
from typing import Final

import psycopg

from pipelines.connectors.kafka import AckedProducer
from pipelines.connectors.metrics import REVISIONS_DONE, REVISIONS_ROWS, REVISIONS_SECONDS, REVISIONS_VERSIONS
from pipelines.domain.recording import Found, Reason, Recorded, Standing, Stretch, record_stretch
from pipelines.engine import excursion_rows
from pipelines.engine.awaiting import Answer, encode_answer
from pipelines.engine.lease import Fence, unfenced
from pipelines.engine.outbox import Outbox, Tell
from pipelines.engine.partitions_ahead import PartitionsAhead
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.rejudging import Rejudged, end_assignment, pass_clock, take_row
from pipelines.engine.revision_queue import Revision
from pipelines.engine.stretches import Stored, stored_offsets
from pipelines.engine.telling import tell_of
from pipelines.engine.terms import Terms
from schemas.revisions import encode_revised
from schemas.topics import REVISED

FLOW: Final = "revise_excursions"


@dataclass(frozen=True, slots=True)
class _Done:
    """What one revision wrote."""

    answer: Answer
    versions: list[Recorded]
    tells: list[Tell]
    rows: int


class Reviser:
    """A writer (engine.sinks) that carries out revisions."""

    def __init__(self, database: Reconnecting, terms: Terms, outbox: Outbox, producer: AckedProducer, *, fence: Fence = unfenced) -> None:
        """Take the database, the terms by number, where to tell and where to answer."""
        self._database = database
        self._terms = terms
        self._outbox = outbox
        self._producer = producer
        self._fence = fence
        self._versions_ahead = PartitionsAhead("excursion_versions")
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
        with connection.transaction():
            self._fence(connection, {revision.partition})
            done = self._judge(connection, revision)
            events = self._outbox.write(connection, done.tells)
        self._outbox.send(connection, events)
        self._producer.send(REVISED.name, revision.partition, encode_revised(encode_answer(done.answer, revision.partition)))
        REVISIONS_DONE.labels("changed" if done.versions else "unchanged").inc()
        REVISIONS_ROWS.observe(done.rows)
        for one in done.versions:
            REVISIONS_VERSIONS.labels(one.reason.value).inc()

    def _judge(self, connection: psycopg.Connection, revision: Revision) -> _Done:
        """Judge a sensor's stretch again as of what is stored now, and write what is new."""
        excursion_rows.lock_sensors(connection, [revision.sensor])
        offset = stored_offsets(connection).get(revision.partition, -1)
        current = excursion_rows.load_current(connection, [revision.sensor], 0)
        stored = Stored(connection, revision.sensor, revision.device, offset, self._terms)
        start, after = stored.start_before(revision.measured_from, [one for several in current.values() for one in several])
        judged, ends, rows = Rejudged(start.state, start.place), stored.ends(), 0
        for row in stored.after(after):
            take_row(judged, row, ends, self._terms.policies)
            rows += 1
        newest = judged.state.newest.measured_at if judged.state.newest is not None else revision.clock
        until = max(revision.clock, newest)
        if judged.place is not None and (ends_at := ends.get(judged.place.assignment)) is not None and ends_at <= until:
            end_assignment(judged, ends_at, self._terms.policies)
        pass_clock(judged, until, self._terms.policies)
        versions = self._compared(connection, revision.sensor, list(judged.found.values()), current, Stretch(after, until, offset))
        self._versions_ahead.ensure(connection, (one.standing.first_started_at for one in versions))
        excursion_rows.write_versions(connection, [(one, revision.partition, offset) for one in versions])
        tells = [tell_of(connection, one, until) for one in versions]
        answer = Answer(revision.sensor, offset, revision.measured_from, until, judged.state, judged.place)
        return _Done(answer, versions, tells, rows)

    def _compared(
        self,
        connection: psycopg.Connection,
        sensor: int,
        found: list[Found],
        current: dict[tuple[int, str], list[Standing]],
        stretch: Stretch,
    ) -> list[Recorded]:
        """Return the versions to write, voids first: a band has one open excursion at a time."""
        taken = excursion_rows.load_voided(connection, [sensor])
        by_band = {band: list(several) for band, several in groupby(sorted(found, key=lambda one: one.band), key=lambda one: one.band)}
        changes: list[Recorded] = []
        for band in sorted({band for _, band in current} | set(by_band)):
            changes += record_stretch(by_band.get(band, []), current.get((sensor, band), []), stretch, taken)
        return sorted(changes, key=lambda one: (one.reason is not Reason.VOID, one.standing.found.closed_at is None))
