"""Connections to the tables in memory, as psycopg's are used: transactions, cursors, and calls at which they break or their process dies."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipelines.engine import reviser
from tests.truth.fuses import Fuses, Killed
from tests.truth.tables import Kept, MemoryTables


class NoStop:
    """Nobody asks to stop, and nobody waits."""

    def __call__(self) -> bool:
        """Return whether a stop was asked for."""
        return False

    def wait(self, seconds: float) -> bool:  # noqa: ARG002
        """Return at once."""
        return False


class MemoryDatabase:
    """Stands where DatabaseConfig does, for one process."""

    def __init__(self, tables: MemoryTables, fuses: Fuses, process: str) -> None:
        self._tables = tables
        self._fuses = fuses
        self._process = process
        self.after_reading: Callable[[], None] | None = None
        """Done once, after the next transaction that only reads."""

    def connect(self, _application_name: str) -> "MemoryConnection":
        """Return a connection."""
        return MemoryConnection(self, self._tables, self._fuses, self._process)


class Rows:
    """What a statement returned."""

    def __init__(self, rows: list[tuple[Any, ...]], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows."""
        return self._rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the first row."""
        return self._rows[0] if self._rows else None


class Adapters:
    """Takes what the product registers."""

    def register_dumper(self, *_: object) -> None:
        """Take a dumper."""


class MemoryConnection:
    """One connection; until its first commit it is within a transaction, as psycopg's are."""

    def __init__(self, database: MemoryDatabase, tables: MemoryTables, fuses: Fuses, process: str) -> None:
        self._database = database
        self._tables = tables
        self._fuses = fuses
        self._process = process
        self._undo: Kept | None = tables.begin()
        self._reads_only = False
        self.adapters = Adapters()
        self.autocommit = False

    def execute(self, statement: str, values: Any = ()) -> Rows:
        """Carry out a statement."""
        self._burn()
        self._reads_only |= statement == reviser.READ_ONLY
        return Rows(*self._tables.execute(statement, values))

    def commit(self) -> None:
        """Keep what was done since the connection was made."""
        if self._undo is not None:
            self._tables.keep()
        self._undo = None

    def close(self) -> None:
        """Let go of the connection, and of what is not committed."""
        if self._undo is not None:
            self._tables.undo(self._undo)
        self._undo = None

    def _burn(self) -> None:
        """Count a call; the connection of a process that dies of it is gone, with what it has not committed."""
        try:
            self._fuses.burn(self._process, to_database=True)
        except Killed:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all or nothing. The connection may break after the commit too: who asked for it does not know then."""
        before = self._tables.begin()
        try:
            yield
            self._fuses.burn(self._process, to_database=True)
        except BaseException:
            self._tables.undo(before)
            raise
        self._tables.keep()
        was_reading, self._reads_only = self._reads_only, False
        self._fuses.burn(self._process, to_database=True)
        if was_reading and (hook := self._database.after_reading) is not None:
            self._database.after_reading = None
            hook()

    @contextmanager
    def cursor(self, name: str | None = None) -> Iterator["MemoryCursor"]:  # noqa: ARG002
        """Return a cursor."""
        yield MemoryCursor(self)


class MemoryCursor:
    """A cursor, streaming or not."""

    def __init__(self, connection: MemoryConnection) -> None:
        self._connection = connection
        self._rows: Iterable[tuple[Any, ...]] = ()
        self.itersize = 0

    def execute(self, statement: str, values: Any = ()) -> None:
        """Carry out a statement."""
        self._rows = self._connection.execute(statement, values)

    def executemany(self, statement: str, several: Sequence[Any]) -> None:
        """Carry out a statement for each of some values."""
        for values in several:
            self._connection.execute(statement, values)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)
