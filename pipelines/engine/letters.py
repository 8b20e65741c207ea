"""The writer (engine.sinks) of the hypertable `dead_letters`."""

from collections import Counter
from typing import Final
from uuid import UUID

import psycopg

from pipelines.connectors.metrics import FLOW_COMMIT_ROWS, FLOW_COMMIT_SECONDS, STORE_DEAD_LETTERS
from pipelines.engine.lease import Fence, unfenced
from pipelines.engine.partitions_ahead import PartitionsAhead
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.source import Batch, Record
from schemas.dead_letters import decode_dead_letter
from schemas.ids import dead_letter_id
from schemas.topics import DEAD_LETTERS

FLOW: Final = "store_dead_letters"

INSERT_LETTER: Final = """
INSERT INTO dead_letters (dead_letter_id, received_at, organization_id, application_id, kind, reason, detail, dev_eui, topic,
  uplink_partition, uplink_offset, part, raw, replay_of)
VALUES (%s, to_timestamp(%s / 1000.0), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""

COMMIT_LETTERS: Final = 2_000
COMMIT_BYTES: Final = 16 * 1_048_576
"""Letters, or bytes of them, that are committed at once without waiting for a flush."""


class LetterStore:
    """Writes dead letters into their hypertable; one that is there already changes nothing."""

    def __init__(self, database: Reconnecting, fence: Fence = unfenced) -> None:
        """Take the database and what fences."""
        self._database = database
        self._fence = fence
        self._pending: list[tuple[int, Record]] = []
        self._bytes = 0
        self._partitions = PartitionsAhead("dead_letters")
        database.on_connect(self._partitions.forget)

    def write(self, items: list[Batch]) -> None:
        """Keep records until a flush."""
        for item in items:
            self._pending += [(item.partition, record) for record in item.records]
            self._bytes += sum(len(record.value) for record in item.records)
            if len(self._pending) >= COMMIT_LETTERS or self._bytes >= COMMIT_BYTES:
                self.flush()

    def flush(self) -> None:
        """Commit what is pending; tries again while the database is away."""
        if not self._pending:
            return
        FLOW_COMMIT_ROWS.labels(FLOW).observe(len(self._pending))
        with FLOW_COMMIT_SECONDS.labels(FLOW).time():
            self._database.transact(self._store)
        for reason, many in Counter(decode_dead_letter(record.value).reason for _, record in self._pending).items():
            STORE_DEAD_LETTERS.labels(reason).inc(many)
        self._pending.clear()
        self._bytes = 0

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _store(self, connection: psycopg.Connection) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            self._fence(connection, {partition for partition, _ in self._pending})
            self._partitions.ensure(connection, (received_at_of(record) for _, record in self._pending))
            cursor.executemany(INSERT_LETTER, [letter_row(partition, record) for partition, record in self._pending])


def letter_row(partition: int, record: Record) -> tuple[object, ...]:
    """Return a dead letter's values; what ingest put aside is known by its own place in `dead_letters`."""
    letter = decode_dead_letter(record.value)
    own = letter.topic == DEAD_LETTERS.name
    place = (partition, record.offset) if own else (letter.partition, letter.offset)
    return (
        dead_letter_id(letter.topic, *place, letter.part),
        received_at_of(record),
        letter.organization,
        text(letter.application),
        letter.kind,
        letter.reason,
        text(letter.detail),
        text(letter.dev_eui),
        letter.topic,
        *place,
        letter.part,
        letter.raw,
        UUID(letter.replay_of) if letter.replay_of else None,
    )


def received_at_of(record: Record) -> int:
    """Return when the rejected uplink was received (ms UTC): what ingest put aside has only this record's own stamp."""
    return decode_dead_letter(record.value).received_at or record.stamp


def text(value: str) -> str:
    """Return text that PostgreSQL can store: it has no NUL."""
    return value.replace("\0", "\ufffd")
