"""A database connection that comes back: a transaction is tried again, from its start, while the database is away.

Only errors of the connection are tried again, such as its end after a transaction stood still for too long; anything the database refuses
is an error of ours and stops the flow.
"""

from collections.abc import Callable
from typing import Final, Protocol

import psycopg
import structlog
from psycopg import errors

from pipelines.connectors.errors import Retryable
from pipelines.connectors.metrics import DATABASE_CONNECTIONS, DATABASE_RETRIES
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.engine.arrays import register_arrays

FIRST_WAIT_SECONDS: Final = 0.2
LONGEST_WAIT_SECONDS: Final = 5.0

Work = Callable[[psycopg.Connection], None]


class Stop(Protocol):
    """Says whether the process was asked to stop, and can wait for it."""

    def __call__(self) -> bool:
        """Return whether a stop was asked for."""

    def wait(self, seconds: float) -> bool:
        """Sleep, at most until a stop is asked for; return whether it was."""


class Reconnecting:
    """Runs pieces of work on one connection, reconnecting as needed."""

    def __init__(self, config: DatabaseConfig, application_name: str, stop: Stop) -> None:
        """Connect lazily."""
        self._config = config
        self._name = application_name
        self._stop = stop
        self._connection: psycopg.Connection | None = None
        self._preparations: list[Work] = []
        self._log = structlog.get_logger().bind(flow=application_name)

    def on_connect(self, prepare: Work) -> None:
        """Have a piece of work run, and committed, on every new connection."""
        self._preparations.append(prepare)

    def transact(self, work: Work) -> None:
        """Run `work` until it went through; raises Retryable when a stop is asked for while the database is away."""
        wait = FIRST_WAIT_SECONDS
        while (error := self._try(work, retry_seconds=wait)) is not None:
            if self._stop.wait(wait):
                message = "asked to stop while the database is away; the snapshot stays where it was"
                raise Retryable(message) from error
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    def attempt(self, work: Work) -> bool:
        """Run `work` once; return whether it went through, False while the database is away."""
        return self._try(work) is None

    def close(self) -> None:
        """Close the connection."""
        self._drop()

    def _try(self, work: Work, **also_told: float) -> Exception | None:
        try:
            work(self._connected())
        except (psycopg.OperationalError, psycopg.InterfaceError, errors.IdleInTransactionSessionTimeout, Retryable) as error:
            self._drop()
            DATABASE_RETRIES.labels(self._name).inc()
            self._log.warning("database_away", reason=str(error).strip(), **also_told)
            return error
        return None

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            connection = self._config.connect(self._name)
            try:
                register_arrays(connection)
                for prepare in self._preparations:
                    prepare(connection)
                connection.commit()
                connection.autocommit = True
            except BaseException:
                connection.close()
                raise
            DATABASE_CONNECTIONS.labels(self._name).inc()
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
