"""How far of `uplinks` a flow's rows are in the database, kept in the same transaction as the rows: `flow_progress`.

It is what makes at-least-once delivery count once. The lease (engine.lease) keeps a second process of the same cell away; a position that
has moved all the same is refused here.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import psycopg

from pipelines.connectors.errors import Misconfigured
from pipelines.engine.reconnecting import Reconnecting
from schemas.partitions import DEVICE_PARTITIONS

NOTHING_DONE = -1


class Progress:
    """The offsets done by one flow, by partition."""

    def __init__(self, flow: str) -> None:
        """Know nothing yet; `load` reads the table."""
        self._flow = flow
        self._done: npt.NDArray[np.int64] = np.full(DEVICE_PARTITIONS, NOTHING_DONE, dtype=np.int64)

    def load(self, connection: psycopg.Connection) -> None:
        """Read what is committed."""
        self._done[:] = NOTHING_DONE
        for partition, position in connection.execute("SELECT partition, position FROM flow_progress WHERE flow = %s", (self._flow,)):
            self._done[partition] = position

    def done(self, partition: int) -> int:
        """Return the newest offset done in a partition, -1 for none."""
        return int(self._done[partition])

    def fresh(self, partitions: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which of some rows have not been done yet."""
        return np.asarray(offsets > self._done[partitions], dtype=np.bool_)

    def advance(self, connection: psycopg.Connection, reached: dict[int, int]) -> None:
        """Write new positions in the caller's transaction; raises Misconfigured when another process has moved one.

        `committed` must follow once the transaction is in.
        """
        if not reached:
            return
        partitions = list(reached)
        written = connection.execute(
            "INSERT INTO flow_progress (flow, partition, position) "
            "SELECT %(flow)s, wanted.partition, wanted.position "
            "FROM unnest(%(partitions)s::smallint[], %(positions)s::bigint[]) AS wanted (partition, position) "
            "ON CONFLICT (flow, partition) DO UPDATE SET position = excluded.position, updated_at = now() "
            "WHERE flow_progress.position < excluded.position "
            "AND flow_progress.position = ((%(before)s::bigint[])[array_position(%(partitions)s::smallint[], flow_progress.partition)])",
            {
                "flow": self._flow,
                "partitions": partitions,
                "positions": [reached[partition] for partition in partitions],
                "before": [self.done(partition) for partition in partitions],
            },
        ).rowcount
        if written != len(partitions):
            message = (
                f"another process has written as {self._flow} on one of the partitions {partitions}: "
                "only one may own a partition; this one stops"
            )
            raise Misconfigured(message)

    def committed(self, reached: dict[int, int]) -> None:
        """Remember positions whose transaction is in."""
        for partition, position in reached.items():
            self._done[partition] = position


def recorded_positions(database: Reconnecting, flow: str) -> Callable[[int], int]:
    """Return what says how far a flow had come in a partition when it was first asked: before this process wrote anything."""
    progress: list[Progress] = []

    def recorded(partition: int) -> int:
        if not progress:
            loaded = Progress(flow)
            database.transact(loaded.load)
            progress.append(loaded)
        return progress[0].done(partition)

    return recorded
