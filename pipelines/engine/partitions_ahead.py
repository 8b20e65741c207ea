"""Makes sure that a partitioned table has a partition for what is about to be inserted; on hypertables there is nothing to do."""

from collections.abc import Iterable
from typing import Final

import psycopg

WEEK_MS: Final = 7 * 24 * 60 * 60 * 1000
"""Instants are remembered by week: a partition of any of our tables is a whole number of weeks."""

ENSURE: Final = "SELECT ensure_partitions(%s, to_timestamp(%s), to_timestamp(%s))"


class PartitionsAhead:
    """Remembers for which weeks one table has been asked about."""

    def __init__(self, table: str) -> None:
        """Name the table."""
        self._table = table
        self._weeks: set[int] = set()

    def forget(self, _connection: psycopg.Connection) -> None:
        """Remember nothing: on a new connection the last transaction may not have gone through."""
        self._weeks.clear()

    def ensure(self, connection: psycopg.Connection, instants: Iterable[int]) -> None:
        """Create what is missing for some instants (ms UTC), in the caller's transaction or one of its own."""
        weeks = {instant // WEEK_MS for instant in instants} - self._weeks
        for week in sorted(weeks):
            connection.execute(ENSURE, (self._table, week * WEEK_MS / 1000, (week + 1) * WEEK_MS / 1000 - 1))
        self._weeks |= weeks
