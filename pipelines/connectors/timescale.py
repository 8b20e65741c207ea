"""PostgreSQL or TimescaleDB by psycopg 3: where the database is and how a flow connects to it."""

from dataclasses import dataclass
from typing import Final

import psycopg

from pipelines.connectors.errors import Retryable
from pipelines.connectors.settings import setting

STATEMENT_SECONDS: Final = 60
"""How long a statement may take, and how long a COPY of a process that was stopped within it keeps its locks."""

IDLE_SECONDS: Final = 15
"""How long a transaction may stand without a statement: as long as a cell's lease, so that who takes it over need not wait for more."""


@dataclass(frozen=True, slots=True)
class DatabaseConfig:
    """Where the database is."""

    url: str

    @classmethod
    def from_environment(cls) -> "DatabaseConfig":
        """Return the configuration that DATABASE_URL names."""
        return cls(url=setting("DATABASE_URL"))

    def connect(self, application_name: str) -> psycopg.Connection:
        """Return a connection in UTC with bounded waits; raises Retryable when the database does not answer."""
        try:
            return psycopg.connect(
                self.url,
                application_name=application_name,
                connect_timeout=10,
                keepalives_idle=15,
                keepalives_interval=5,
                keepalives_count=3,
                tcp_user_timeout=30_000,
                options=f"-c timezone=UTC -c statement_timeout={STATEMENT_SECONDS}s -c idle_in_transaction_session_timeout={IDLE_SECONDS}s "
                "-c tcp_keepalives_idle=15 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3",
            )
        except psycopg.OperationalError as error:
            message = f"the database does not answer: {error}"
            raise Retryable(message) from error
