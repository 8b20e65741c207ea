"""Bytewax's kept state around the queue of revisions of one partition: the adapter, and nothing more."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import psycopg
from bytewax.operators import StatefulBatchLogic

from pipelines.connectors.clock import monotonic
from pipelines.connectors.errors import Misconfigured
from pipelines.connectors.metrics import REVISIONS_WAITING
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.revision_queue import Revision, RevisionQueue
from pipelines.engine.source import Batch, Flush
from pipelines.engine.stretches import stored_offsets
from schemas.revisions import decode_revision

LOOK_SECONDS: Final = 0.25
"""How often what waits is looked at."""

AT_ONCE: Final = 10
"""Revisions of a partition that are handed on in one turn: the others' turn comes between."""

AT_ONCE_OF_ALL: Final = 64
"""...and of all partitions between two looks: a cell renews its lease only between turns."""

_SNAPSHOT_VERSION: Final = 1


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    version: int
    waiting: dict[int, Revision]


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(_Kept)


class StoredOffsets:
    """How far readings are stored, asked of the database at most every LOOK_SECONDS for all partitions together."""

    def __init__(self, database: Reconnecting) -> None:
        """Take the database."""
        self._database = database
        self._offsets: dict[int, int] = {}
        self._looked_at = float("-inf")
        self.left = AT_ONCE_OF_ALL
        """Revisions that may be handed on until the next look."""

    def of(self, partition: int, now: float) -> int:
        """Return the offset up to which a partition's readings are stored; what was known before while the database is away."""
        if now - self._looked_at >= LOOK_SECONDS:
            self._database.attempt(self._look)
            self._looked_at, self.left = now, AT_ONCE_OF_ALL
        return self._offsets.get(partition, -1)

    def _look(self, connection: psycopg.Connection) -> None:
        self._offsets = stored_offsets(connection)


class RevisionLogic(StatefulBatchLogic[Batch | Flush, Revision | Flush, bytes]):
    """The queue of one partition; the key of Flush items keeps nothing and hands one of them on."""

    def __init__(self, offsets: StoredOffsets, snapshot: bytes | None) -> None:
        """Go on from a snapshot, None for none; raises Misconfigured on one that this code cannot read."""
        self._offsets = offsets
        self._queue = RevisionQueue(read_snapshot(snapshot), monotonic())
        self._look_at = self._next_look()

    def on_batch(self, values: list[Batch | Flush]) -> tuple[Iterable[Revision | Flush], bool]:
        """Take requests in."""
        batches = [value for value in values if isinstance(value, Batch)]
        if not batches:
            return [value for value in values if isinstance(value, Flush)][:1], True
        now = monotonic()
        if not len(self._queue):
            self._look_at = self._next_look()
        for batch in batches:
            for record in batch.records:
                self._queue.add(decode_revision(record.value), now)
        return [], False

    def on_notify(self) -> tuple[Iterable[Revision | Flush], bool]:
        """Hand on what may be carried out."""
        now = monotonic()
        self._look_at = self._next_look()
        waiting = next(iter(self._queue.kept().values()), None)
        if waiting is None:
            return [], False
        stored = self._offsets.of(waiting.partition, now)
        due = self._queue.due(stored, now, min(AT_ONCE, self._offsets.left))
        self._offsets.left -= len(due)
        REVISIONS_WAITING.labels(waiting.partition).set(len(self._queue))
        return due, False

    def notify_at(self) -> datetime | None:
        """Ask for a look while anything waits; further requests do not put it off."""
        return self._look_at if len(self._queue) else None

    def _next_look(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=LOOK_SECONDS)

    def snapshot(self) -> bytes:
        """Return what waits."""
        return _ENCODER.encode(_Kept(_SNAPSHOT_VERSION, self._queue.kept()))


def read_snapshot(content: bytes | None) -> dict[int, Revision]:
    """Return what waited, by sensor; raises Misconfigured on an unknown version or a damaged snapshot."""
    if content is None:
        return {}
    try:
        kept = _DECODER.decode(content)
    except msgspec.DecodeError as error:
        message = f"a snapshot of revise_excursions cannot be read: {error}; run the code that wrote it"
        raise Misconfigured(message) from error
    if kept.version != _SNAPSHOT_VERSION:
        message = (
            f"a snapshot of revise_excursions has version {kept.version}; this code reads {_SNAPSHOT_VERSION}: run the code that wrote it"
        )
        raise Misconfigured(message)
    return kept.waiting


def revision_logic(offsets: StoredOffsets) -> Callable[[bytes | None], RevisionLogic]:
    """Return what builds the logic of a key from its snapshot."""
    return lambda snapshot: RevisionLogic(offsets, snapshot)
