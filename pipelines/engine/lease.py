"""A cell's lease in the database: only one process may work on a partition of a flow, and one that lost it cannot write.

Taking it gives an epoch that no other taking ever has. Each database transaction of the flow asks, in the same transaction, that its
partitions are still held under that epoch; the row lock of the asking holds off a taker until the commit. What a process that lost its
lease unknowingly (stopped for minutes, then continued) still sends to Kafka is harmless: its records repeat offsets that the new holder
writes too, and readers skip what is at or below the offset they have done. The clock is the database's alone.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import psycopg
import structlog
from psycopg import errors
from psycopg.rows import class_row

from pipelines.connectors.errors import Misconfigured, Retryable
from pipelines.connectors.host import ProcessIdentity, process_began
from pipelines.connectors.metrics import FLOW_LEASES
from pipelines.engine.reconnecting import Reconnecting

LEASE_SECONDS: Final = 15
"""Three epochs: two renewals may fail before another host may take the cell."""

STARTING_SECONDS: Final = 60
"""For as long at first: a cell that starts makes or opens its store, asks the brokers and loads its state before it renews."""

LOCK_SECONDS: Final = 5
"""How long a taker waits for a transaction that holds the lease's rows, before it says so and waits again.

The database ends a transaction that a stopped process left open, after IDLE_SECONDS, or STATEMENT_SECONDS in the middle of a COPY.
"""

MAKE_ROWS: Final = """
INSERT INTO cell_leases (flow, partition) SELECT %(flow)s, unnest(%(partitions)s::smallint[]) ORDER BY 2 ON CONFLICT DO NOTHING
"""
LOOK: Final = """
SELECT cell, host, pid, place, began, lock_file, renewed_at, ceil(extract(epoch FROM expires_at - now()))::int AS seconds_left
FROM cell_leases WHERE flow = %(flow)s AND partition = ANY(%(partitions)s) AND expires_at > now() ORDER BY partition
"""
LOCK_ROWS: Final = """
SELECT partition FROM cell_leases WHERE flow = %(flow)s AND partition = ANY(%(partitions)s) ORDER BY partition FOR UPDATE
"""
TAKE: Final = """
UPDATE cell_leases SET epoch = %(epoch)s, cell = %(cell)s, host = %(host)s, pid = %(pid)s, place = %(place)s, began = %(began)s,
  lock_file = %(lock_file)s, metrics_port = %(metrics_port)s, acquired_at = now(), renewed_at = now(),
  expires_at = now() + %(starting)s * interval '1 second', next_offset = NULL, lag = NULL, lag_before = NULL, per_second = NULL
WHERE flow = %(flow)s AND partition = ANY(%(partitions)s)
"""
RENEW: Final = """
UPDATE cell_leases AS held SET renewed_at = now(),
  expires_at = least(greatest(held.expires_at, now() + %(seconds)s * interval '1 second'), now() + interval '60 seconds'),
  next_offset = coalesce(read.next_offset, held.next_offset), lag_before = held.lag, lag = coalesce(read.lag, held.lag),
  per_second = (read.next_offset - held.next_offset) / greatest(extract(epoch FROM now() - held.renewed_at), 0.001)
FROM unnest(%(partitions)s::smallint[], %(next)s::bigint[], %(lags)s::bigint[]) AS read (partition, next_offset, lag)
WHERE held.flow = %(flow)s AND held.partition = read.partition AND held.epoch = %(epoch)s
"""
HELD: Final = """
SELECT partition FROM cell_leases WHERE flow = %(flow)s AND partition = ANY(%(partitions)s) AND epoch = %(epoch)s ORDER BY partition FOR SHARE
"""
RELEASE: Final = "UPDATE cell_leases SET expires_at = '-infinity' WHERE flow = %(flow)s AND epoch = %(epoch)s"

Fence = Callable[[psycopg.Connection, Collection[int]], None]
"""Raises Misconfigured, in the caller's transaction, unless the partitions named are still this process's to write."""


class Holding(Protocol):
    """What a flow needs of its lease."""

    def fence(self, connection: psycopg.Connection, partitions: Collection[int]) -> None:
        """See Fence."""

    def renew(self, next_offsets: Mapping[int, int], lags: Mapping[int, int]) -> None:
        """Hold on for longer, and say how far the flow has read; raises Misconfigured when another process has taken it."""


def unfenced(_connection: psycopg.Connection, _partitions: Collection[int]) -> None:
    """Hold nothing back: for a writer that is alone with its database."""


class Unleased:
    """The Holding of a flow that is drawn or tested without a lease."""

    def fence(self, connection: psycopg.Connection, partitions: Collection[int]) -> None:
        """Hold nothing back."""

    def renew(self, next_offsets: Mapping[int, int], lags: Mapping[int, int]) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a partition now."""

    cell: str
    host: str
    pid: int
    place: str
    began: str
    lock_file: str
    renewed_at: datetime
    seconds_left: int


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who wants a lease: a process that already holds the lock of its recovery folder."""

    process: ProcessIdentity
    lock_file: str
    metrics_port: int | None


class CellLease:
    """The lease of one cell's partitions."""

    def __init__(self, database: Reconnecting, flow: str, cell: str, partitions: tuple[int, ...], claimant: Claimant) -> None:
        """Describe it; `acquire` takes it."""
        self._database = database
        self._flow = flow
        self._cell = cell
        self._partitions = partitions
        self._claimant = claimant
        self._epoch = 0
        self._log = structlog.get_logger().bind(flow=flow, cell=cell)

    def acquire(self) -> None:
        """Take the lease, waiting while the database is away or a transaction is open that was begun under the lease before.

        Raises Misconfigured, naming the holder, when the lease is held.

        A holder that is known to be dead is not waited for: its process is gone from this machine, or we hold the lock of
        its recovery folder.
        """
        self._database.transact(self._take)
        FLOW_LEASES.labels(self._flow, "taken").inc()
        self._log.info("lease_taken", epoch=self._epoch)

    def renew(self, next_offsets: Mapping[int, int], lags: Mapping[int, int]) -> None:
        """Hold on for LEASE_SECONDS from now; raises Misconfigured when another process has taken it.

        While the database is away nothing is renewed and the flow goes on: each of its transactions asks for itself.
        """

        def work(connection: psycopg.Connection) -> None:
            values = self._values() | {
                "next": [next_offsets.get(partition) for partition in self._partitions],
                "lags": [lags.get(partition) for partition in self._partitions],
            }
            if connection.execute(RENEW, values).rowcount != len(self._partitions):
                raise Misconfigured(self._lost(connection))

        renewed = self._database.attempt(work)
        FLOW_LEASES.labels(self._flow, "renewed" if renewed else "not_renewed").inc()

    def fence(self, connection: psycopg.Connection, partitions: Collection[int]) -> None:
        """Raise Misconfigured, in the caller's transaction, unless the partitions named are still held."""
        wanted = sorted(set(partitions))
        held = connection.execute(HELD, self._values() | {"partitions": wanted}).fetchall()
        if len(held) != len(wanted):
            raise Misconfigured(self._lost(connection))

    def release(self) -> None:
        """Let go, so that the next process need not wait; where the database is away the lease runs out by itself."""

        def work(connection: psycopg.Connection) -> None:
            connection.execute(RELEASE, self._values())

        self._database.attempt(work)
        self._database.close()

    def _take(self, connection: psycopg.Connection) -> None:
        values = self._values()
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
            try:
                connection.execute(MAKE_ROWS, values)
                connection.execute(LOCK_ROWS, values)
            except errors.UndefinedTable as error:
                message = "the database is older than this code: run `coldstream migrate`"
                raise Misconfigured(message) from error
            except errors.LockNotAvailable as error:
                message = f"whoever held a partition of {self._cell} is still in a transaction: waiting until it, or the database, ends it"
                raise Retryable(message) from error
            for holder in self._holders(connection):
                if not is_gone(holder, self._claimant):
                    raise Misconfigured(held_message(self._flow, self._cell, holder))
            row = connection.execute("SELECT nextval('cell_epochs')").fetchone()
            assert row is not None
            self._epoch = int(row[0])
            connection.execute(TAKE, values | {"epoch": self._epoch})

    def _holders(self, connection: psycopg.Connection) -> list[Holder]:
        with connection.cursor(row_factory=class_row(Holder)) as cursor:
            return cursor.execute(LOOK, self._values()).fetchall()

    def _lost(self, connection: psycopg.Connection) -> str:
        FLOW_LEASES.labels(self._flow, "lost").inc()
        holders = self._holders(connection)
        by = f"{holders[0].cell}, process {holders[0].pid} on {holders[0].host}, has it now" if holders else "it was given to another"
        return f"this process has lost the lease of {self._cell} while it did not run: {by}; this one has written nothing since and stops"

    def _values(self) -> dict[str, Any]:
        process = self._claimant.process
        return {
            "flow": self._flow,
            "cell": self._cell,
            "partitions": list(self._partitions),
            "epoch": self._epoch,
            "seconds": LEASE_SECONDS,
            "starting": STARTING_SECONDS,
            "host": process.host,
            "pid": process.pid,
            "place": process.place,
            "began": process.began,
            "lock_file": self._claimant.lock_file,
            "metrics_port": self._claimant.metrics_port,
        }


def is_gone(holder: Holder, claimant: Claimant, began: Callable[[int], str | None] = process_began) -> bool:
    """Return whether a holder whose lease has not run out is known not to run any more, or is the claimant itself.

    Known is only what this machine can show: the lock of the holder's recovery folder is in the claimant's hand, or the
    holder's process id, looked up in the same process namespace, is free or belongs to a later process.
    """
    if holder.lock_file and holder.lock_file == claimant.lock_file:
        return True
    process = claimant.process
    if not holder.place or holder.place != process.place:
        return False
    return (holder.pid, holder.began) == (process.pid, process.began) or began(holder.pid) != holder.began


def held_message(flow: str, cell: str, holder: Holder) -> str:
    """Say who holds a partition that a cell wants, and what to do."""
    return (
        f"{cell} cannot start: {holder.cell} holds partitions of {flow}, process {holder.pid} on {holder.host}, "
        f"last heard {holder.renewed_at:%Y-%m-%dT%H:%M:%SZ}. Stop that one first; if it is dead, its lease ends in {holder.seconds_left} s"
    )
