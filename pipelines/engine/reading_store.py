"""Writes rows of the topic `readings` into the hypertable: rows, each uplink's end and flow_progress in one transaction.

COPY straight into the hypertable; on a conflict, COPY into a session's staging table and insert what is absent, in key order.
After the commit the newest readings are published as a hint. Judges nothing.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import errors

from pipelines.connectors.live import LivePublisher
from pipelines.connectors.metrics import FLOW_COMMIT_ROWS, FLOW_COMMIT_SECONDS, STORE_COPIES, STORE_READINGS, STORE_REPLAYS, STORE_UPLINKS
from pipelines.domain.partition_clock import GRACE_MS
from pipelines.engine.clock_metrics import show_clock, show_published
from pipelines.engine.conflicts import Places, keep_conflicting
from pipelines.engine.copying import copy_payload
from pipelines.engine.end_tables import add_device_ends, add_ends, keep_replay_ends
from pipelines.engine.latest import LatestReadings
from pipelines.engine.lease import Fence, unfenced
from pipelines.engine.partitions_ahead import WEEK_MS, PartitionsAhead
from pipelines.engine.progress import NOTHING_DONE, Progress
from pipelines.engine.reading_columns import (
    READING_COLUMNS,
    first_of_each,
    reading_columns,
)
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.source import Batch
from pipelines.engine.unpack import fresh_rows
from pipelines.engine.uplink_ends import REPLAYED, Counted, End, counted, device_ends, ends_of, replay_ends
from schemas.readings import STORED_KINDS, RowKind, Rows
from schemas.reasons import name_of_code

FLOW: Final = "store_readings"

COMMIT_ROWS: Final = 20_000
"""Rows that are committed at once without waiting for a flush; measured: larger ones gain nothing (timescale.md 3)."""

COPY_READINGS: Final = f"COPY readings ({', '.join(READING_COLUMNS)}) FROM STDIN (FORMAT binary)"
COPY_STAGING: Final = f"COPY readings_staging ({', '.join(READING_COLUMNS)}) FROM STDIN (FORMAT binary)"
CREATE_STAGING: Final = "CREATE TEMPORARY TABLE IF NOT EXISTS readings_staging (LIKE readings) ON COMMIT DELETE ROWS"
INSERT_ABSENT: Final = f"""
INSERT INTO readings ({", ".join(READING_COLUMNS)})
SELECT {", ".join(READING_COLUMNS)} FROM readings_staging ORDER BY sensor_id, measured_at
ON CONFLICT (sensor_id, measured_at) DO UPDATE SET
  temperature = excluded.temperature, reason = NULL, uplink_partition = excluded.uplink_partition,
  uplink_offset = excluded.uplink_offset, received_after_ms = excluded.received_after_ms
WHERE readings.temperature IS NULL AND excluded.temperature IS NOT NULL
RETURNING sensor_id, (extract(epoch FROM measured_at) * 1000)::bigint
"""


@dataclass(frozen=True, slots=True)
class PartitionRows:
    """Rows of one partition, in order, that were not read before."""

    partition: int
    rows: Rows


class ReadingStore:
    """A writer (engine.sinks) of the hypertable `readings`."""

    def __init__(self, database: Reconnecting, publisher: LivePublisher | None, *, fence: Fence = unfenced, skip_done: bool = True) -> None:
        """Take the database, where to publish and what fences; `skip_done=False` is for a test that shows what the skip is for."""
        self._database = database
        self._fence = fence
        self._progress = Progress(FLOW)
        self._latest = LatestReadings(publisher)
        self._pending: list[PartitionRows] = []
        self._rows = 0
        self._skip_done = skip_done
        self._partitions = PartitionsAhead("readings")
        self._read: dict[int, int] = {}
        """Offset of the newest row read, by partition; what decode_uplinks wrote again after a crash is dropped by it."""
        database.on_connect(self._connected)
        database.on_connect(self._partitions.forget)

    def write(self, items: list[Batch]) -> None:
        """Keep rows until a flush or the bound."""
        for item in items:
            done = self._read.get(item.partition, NOTHING_DONE) if self._skip_done else NOTHING_DONE
            rows, self._read[item.partition], dropped = fresh_rows([record.value for record in item.records], done)
            STORE_READINGS.labels("repeated").inc(dropped)
            self._pending.append(PartitionRows(item.partition, rows))
            ticks = rows["measured_at"][rows["kind"] == RowKind.TICK]
            if len(ticks):
                show_clock(FLOW, item.partition, int(ticks[-1]) - GRACE_MS)
            self._rows += len(rows)
        if self._rows >= COMMIT_ROWS:
            self.flush()

    def flush(self) -> None:
        """Commit what is pending; tries again while the database is away."""
        if not self._pending:
            return
        rows = np.concatenate([item.rows for item in self._pending])
        partitions = np.repeat(
            np.array([item.partition for item in self._pending], dtype=np.int64),
            [len(item.rows) for item in self._pending],
        )
        FLOW_COMMIT_ROWS.labels(FLOW).observe(len(rows))
        with FLOW_COMMIT_SECONDS.labels(FLOW).time():
            self._database.transact(lambda connection: self._store(connection, rows, partitions))
        self._pending.clear()
        self._rows = 0

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _connected(self, connection: psycopg.Connection) -> None:
        connection.execute(CREATE_STAGING)
        self._progress.load(connection)
        self._latest.load(connection)

    def _store(self, connection: psycopg.Connection, rows: Rows, partitions: npt.NDArray[np.int64]) -> None:
        if self._skip_done:
            fresh = self._progress.fresh(partitions, rows["offset"])
            rows, partitions = rows[fresh], partitions[fresh]
        if not len(rows):
            return
        reached = newest_offsets(rows, partitions)
        outcomes: Counter[str] = Counter()
        with connection.transaction():
            self._fence(connection, reached)
            inserted = self._insert(connection, rows, partitions, outcomes)
            ends = ends_of(rows, partitions, inserted)
            by_end = counted(ends)
            add_ends(connection, by_end)
            add_device_ends(connection, device_ends(ends))
            keep_replay_ends(connection, replay_ends(ends))
            events = self._latest.upsert(connection, rows[inserted])
            if self._skip_done:
                self._progress.advance(connection, reached)
        self._progress.committed(reached)
        self._latest.committed(rows[inserted], events)
        count_committed(by_end, outcomes)
        told = rows["received_at"][inserted & ((rows["flags"] & REPLAYED) == 0)]
        if events and len(told):
            show_published("readings", int(told.min()))

    def _insert(
        self, connection: psycopg.Connection, rows: Rows, partitions: npt.NDArray[np.int64], outcomes: Counter[str]
    ) -> npt.NDArray[np.bool_]:
        inserted = np.zeros(len(rows), dtype=np.bool_)
        stored = np.flatnonzero(np.isin(rows["kind"], STORED_KINDS) & (rows["sensor"] > 0))
        if not len(stored):
            return inserted
        first, contradicting = first_of_each(rows[stored])
        offered, contradicting = stored[first], stored[contradicting]
        self._partitions.ensure(connection, np.unique(rows["measured_at"][offered] // WEEK_MS * WEEK_MS).tolist())
        late = self._latest.late(rows[offered])
        payload = copy_payload(reading_columns(rows[offered], partitions[offered], late))
        straight = copied(connection, payload)
        taken = np.ones(len(offered), dtype=np.bool_) if straight else staged(connection, payload, rows[offered])
        inserted[offered[taken]] = True
        if len(contradicting):
            # Beside those already there: the table at hand decides what is a conflict.
            beside = reading_columns(rows[contradicting], partitions[contradicting], np.zeros(len(contradicting), dtype=np.bool_))
            copy_staging(connection, copy_payload(beside))
        if len(contradicting) or not straight:
            looked_at = np.concatenate([offered, contradicting])
            outcomes["conflicting"] = keep_conflicting(connection, replayed_places(rows[looked_at], partitions[looked_at]))
        outcomes["stored"] = int(taken.sum())
        outcomes["late"] = int((taken & late).sum())
        outcomes["duplicate"] = len(stored) - outcomes["stored"]
        return inserted


def count_committed(ends: dict[End, Counted], outcomes: Counter[str]) -> None:
    """Count what a transaction that is in has written."""
    for outcome, many in outcomes.items():
        STORE_READINGS.labels(outcome).inc(many)
    for (_, _, ended_as, reason), found in ends.items():
        STORE_UPLINKS.labels(ended_as, name_of_code(reason)).inc(found.uplinks)
        STORE_REPLAYS.labels(ended_as, name_of_code(reason)).inc(found.replayed)


def copied(connection: psycopg.Connection, payload: bytes) -> bool:
    """Write rows straight into the hypertable; return False, with nothing written, where any is there already."""
    try:
        with connection.transaction(), connection.cursor().copy(COPY_READINGS) as copy:
            copy.write(payload)
    except errors.UniqueViolation:
        STORE_COPIES.labels("staged").inc()
        return False
    STORE_COPIES.labels("straight").inc()
    return True


def staged(connection: psycopg.Connection, payload: bytes, rows: Rows) -> npt.NDArray[np.bool_]:
    """Insert what is absent; return which rows were really inserted (or took a fault's place)."""
    copy_staging(connection, payload)
    taken = set(connection.execute(INSERT_ABSENT).fetchall())
    keys: list[tuple[Any, ...]] = list(zip(rows["sensor"].tolist(), rows["measured_at"].tolist(), strict=True))
    return np.array([key in taken for key in keys], dtype=np.bool_)


def copy_staging(connection: psycopg.Connection, payload: bytes) -> None:
    """Add rows to the session's staging table, which a transaction's end empties."""
    with connection.cursor().copy(COPY_STAGING) as copy:
        copy.write(payload)


def newest_offsets(rows: Rows, partitions: npt.NDArray[np.int64]) -> dict[int, int]:
    """Return the newest offset of each partition among some rows."""
    reached: dict[int, int] = {}
    for partition in np.unique(partitions).tolist():
        reached[partition] = int(rows["offset"][partitions == partition].max())
    return reached


def replayed_places(rows: Rows, partitions: npt.NDArray[np.int64]) -> Places:
    """Return where replayed uplinks stand in `uplinks`."""
    replayed = (rows["flags"] & REPLAYED) != 0
    return partitions[replayed].tolist(), rows["offset"][replayed].tolist()
