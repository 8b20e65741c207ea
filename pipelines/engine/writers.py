"""Writers (engine.sinks) to Kafka: rows of readings with their dead letters, and revision requests."""

import numpy as np

from pipelines.connectors.kafka import AckedProducer
from pipelines.connectors.metrics import REVISIONS_REQUESTED
from pipelines.engine.decoding import DecodedBatch
from pipelines.engine.judgements import LateReadings
from schemas.dead_letters import DeadLetter, encode_dead_letter
from schemas.readings import MAX_ROWS, Rows, encode_rows
from schemas.revisions import RevisionRequest, encode_revision
from schemas.topics import DEAD_LETTERS, READINGS, REVISIONS


class ReadingsWriter:
    """Writes decoded rows to the same partition of `readings`, and dead letters beside them."""

    def __init__(self, producer: AckedProducer) -> None:
        """Take the producer."""
        self._producer = producer

    def write(self, items: list[DecodedBatch]) -> None:
        """Send rows, all rows of one uplink in one record, and dead letters."""
        for item in items:
            for piece in pieces(item.rows):
                self._producer.send(READINGS.name, item.partition, encode_rows(piece))
            for letter in item.letters:
                send_letter(self._producer, letter)

    def flush(self) -> None:
        """Return when the broker has acknowledged everything."""
        self._producer.settle()

    def close(self) -> None:
        """Nothing more to let go of."""


def pieces(rows: Rows, most: int = MAX_ROWS) -> list[Rows]:
    """Cut rows into records of at most `most` rows, between uplinks only; rows of one offset that are more stay in one record.

    Readers skip what is at or below the offset they have done: of an offset in two records they could lose the second.
    """
    cut: list[Rows] = []
    start = 0
    while len(rows) - start > most:
        end = start + most
        boundary = np.flatnonzero(rows["offset"][start + 1 : end + 1] != rows["offset"][start:end])
        if len(boundary):
            end = start + 1 + int(boundary[-1])
        else:
            end = start + int(np.searchsorted(rows["offset"][start:], rows["offset"][start], side="right"))
        cut.append(rows[start:end])
        start = end
    if start < len(rows):
        cut.append(rows[start:])
    return cut


def send_letter(producer: AckedProducer, letter: DeadLetter) -> None:
    """Queue a dead letter; an organization's letters share a partition."""
    producer.send(
        DEAD_LETTERS.name,
        letter.organization % DEAD_LETTERS.partitions,
        encode_dead_letter(letter),
        key=str(letter.organization).encode(),
    )


class RevisionWriter:
    """Writes requests to judge sensors again."""

    def __init__(self, producer: AckedProducer) -> None:
        """Take the producer."""
        self._producer = producer

    def write(self, items: list[LateReadings]) -> None:
        """Send a request for each sensor with late readings or a correction."""
        for item in items:
            request = RevisionRequest(
                sensor=item.sensor,
                device=item.device,
                organization=item.organization,
                measured_from=item.measured_from,
                partition=item.partition,
                offset=item.offset,
                reason=item.reason,
                clock=item.clock,
            )
            REVISIONS_REQUESTED.labels(request.reason).inc()
            self._producer.send(REVISIONS.name, item.partition, encode_revision(request), key=str(item.sensor).encode())

    def flush(self) -> None:
        """Return when the broker has acknowledged everything."""
        self._producer.settle()

    def close(self) -> None:
        """Nothing more to let go of."""
