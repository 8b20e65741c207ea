"""The API's connections to the database: few, read-only, bounded in time. Holds no query."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from api.errors import ApiError
from pipelines.connectors.errors import Retryable
from pipelines.connectors.timescale import DatabaseConfig

MAX_CONNECTIONS: Final = 10
"""A process has one core; more connections would only wait for it."""

MAX_WAITING: Final = 2_000
"""Requests that may wait for a connection, about as many as are served while one waits; the next is told to come back."""

WAIT_SECONDS: Final = 5.0
"""How long a request waits for a connection."""

STATEMENT_MS: Final = 10_000
"""A query that takes longer is ended: narrow the range instead."""

CONNECT_SECONDS: Final = 3

Row = dict[str, Any]
Parameters = Mapping[str, object]


class Database:
    """A pool of read-only connections in UTC; opened empty, so that the process starts without a database."""

    def __init__(self, config: DatabaseConfig) -> None:
        """Prepare; `open` starts it."""
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[Row]] = AsyncConnectionPool(
            config.url,
            open=False,
            min_size=1,
            max_size=MAX_CONNECTIONS,
            max_waiting=MAX_WAITING,
            timeout=WAIT_SECONDS,
            reconnect_timeout=2.0,
            check=AsyncConnectionPool.check_connection,
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "application_name": "api",
                "connect_timeout": CONNECT_SECONDS,
                "keepalives_idle": 15,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 15_000,
                "options": f"-c timezone=UTC -c statement_timeout={STATEMENT_MS} -c default_transaction_read_only=on",
            },
        )

    async def open(self) -> None:
        """Begin to connect, without waiting for it."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close(timeout=1.0)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[Row]]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except psycopg.errors.QueryCanceled as error:
            text = "The query took too long: ask for a shorter range or fewer units."
            raise ApiError(503, "query_too_long", text) from error
        except (psycopg.OperationalError, PoolTimeout, PoolClosed, TooManyRequests) as error:
            message = f"the database does not answer: {error}"
            raise Retryable(message) from error

    async def rows(self, query: str, parameters: Parameters) -> list[Row]:
        """Return all rows of a query; raises Retryable when the database does not answer."""
        async with self._connection() as connection, connection.cursor(binary=True) as cursor:
            await cursor.execute(query.encode(), parameters)
            return await cursor.fetchall()

    async def row(self, query: str, parameters: Parameters) -> Row | None:
        """Return the first row of a query, or None."""
        async with self._connection() as connection, connection.cursor(binary=True) as cursor:
            await cursor.execute(query.encode(), parameters)
            return await cursor.fetchone()

    async def check(self) -> None:
        """Return when the database answers and is migrated; raises Retryable otherwise."""
        try:
            await self.row("SELECT 1 FROM registry_state", {})
        except psycopg.errors.UndefinedTable as error:
            message = "the database is not migrated: run `coldstream migrate`"
            raise Retryable(message) from error
