"""One change of the registry: a transaction that no other change runs beside, that knows who may change what, and writes it down.

The lock comes first and the clock is read behind it, so that what takes effect 8 s later is committed 5 s before that: it is
checked before the commit. Nothing is kept unless everything is.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, overload

import psycopg
import structlog
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from api.errors import ApiError, bad_request, conflict, not_found
from api.managers import Manager, forbidden
from api.parameters import EPOCH, aware
from pipelines.connectors.clock import monotonic
from pipelines.connectors.errors import Retryable
from pipelines.connectors.metrics import REGISTRY_CHANGES
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.domain.registration.effective import ALLOWANCE_MS, LEAD_MS, first_takes_effect_at, takes_effect_at

MAX_CONNECTIONS: Final = 4
"""Changes run one after the other; the rest wait here or in the database."""

WAIT_SECONDS: Final = 5.0
LOCK_MS: Final = 10_000
"""How long a change waits for the one before it: a large import takes some seconds."""
STATEMENT_MS: Final = 60_000
"""For the statements of a large import."""

LOCK: Final = "SELECT version FROM registry_state FOR UPDATE"
DRY: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
"""Instead of the lock, where nothing is written: all is read as of one moment."""
SCOPE: Final = "SELECT id, team_id FROM organizations WHERE team_id = ANY(%(teams)s)"
CLOCK: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now"
RECORD: Final = """
INSERT INTO registry_changes (user_id, organization_id, kind, thing_id, action, effective_at, before, after, comment)
VALUES (%(user)s, %(organization)s, %(kind)s, %(thing)s, %(action)s, %(effective_at)s, %(before)s, %(after)s, %(comment)s)
"""

TOO_LONG: Final = (
    f"The database took longer than {STATEMENT_MS // 1_000} s for it, so nothing was kept: send a large file in several parts."
)

log = structlog.get_logger()

Row = dict[str, Any]
Connection = psycopg.AsyncConnection[Row]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change."""

    outcome: str
    """`created`, `changed` or `unchanged`."""
    organization: int
    id: int
    effective_at: datetime | None = None

    @property
    def status(self) -> int:
        """The status that answers it."""
        return 201 if self.outcome == "created" else 200


@dataclass(slots=True)
class Transaction:
    """A change under way."""

    connection: Connection
    user: str
    now: int
    """ms UTC by the database's clock, read once no other change could be made."""
    scope: dict[int, bool]
    """The caller's organizations, and whether they may change each."""
    comment: str = ""
    allowance: int = ALLOWANCE_MS
    promised: list[int] = field(default_factory=list)
    """Instants (ms UTC) at which something takes effect, the commit being in time."""
    recorded: list[tuple[str, str]] = field(default_factory=list)
    """Kind and action of each change written down."""
    spare: int = 0
    """ms that the commit might take when it was checked that it comes in time."""
    checked_at: float = 0.0
    """By the monotonic clock, seconds."""
    is_dry: bool = False
    """Nothing may be written: it only shows what would be."""

    @property
    def now_at(self) -> datetime:
        """The instant of the change."""
        return aware(self.now)

    @property
    def earliest(self) -> datetime:
        """The earliest instant at which what is changed now can take effect."""
        return aware(self.now + LEAD_MS + self.allowance)

    @property
    def organizations(self) -> list[int]:
        """The ids of the caller's organizations: every query is held to them."""
        return list(self.scope)

    async def rows(self, query: str, parameters: Mapping[str, object]) -> list[Row]:
        """Return what a statement finds."""
        async with self.connection.cursor(binary=True) as cursor:
            await cursor.execute(query.encode(), parameters)
            return await cursor.fetchall()

    async def pages(self, query: str, parameters: Mapping[str, object], most: int) -> AsyncIterator[list[Row]]:
        """Yield what a statement finds, so many rows at a time: others of the event loop have their turn between."""
        async with self.connection.cursor(name="pages") as cursor:
            await cursor.execute(query.encode(), parameters, binary=True)
            while page := await cursor.fetchmany(most):
                yield page

    async def row(self, query: str, parameters: Mapping[str, object]) -> Row | None:
        """Return the first row that a statement finds."""
        found = await self.rows(query, parameters)
        return found[0] if found else None

    async def execute(self, statement: str, parameters: Mapping[str, object]) -> None:
        """Run a statement that returns nothing."""
        await self.connection.execute(statement.encode(), parameters)

    async def insert(self, statement: str, parameters: Mapping[str, object]) -> int:
        """Run an INSERT ... RETURNING id and return the id."""
        row = await self.row(statement, parameters)
        assert row is not None, "an INSERT without ON CONFLICT returns its row"
        return int(row["id"])

    async def mine(self, what: str, query: str, thing: int) -> Row:
        """Return the row of a thing that the caller may change; the query takes `id` and `scope` and finds `organization_id`.

        A thing of another organization is not found; of an organization that the caller may only read, forbidden.
        """
        row = await self.row(query, {"id": thing, "scope": self.organizations})
        if row is None:
            raise not_found(what)
        self.allow(row["organization_id"])
        return row

    async def clock(self) -> int:
        """Return the database's clock, ms UTC; a statement of its own, as one that waits for a lock may read it before."""
        row = await self.row(CLOCK, {})
        assert row is not None, "the clock answers"
        return int(row["now"])

    def allow(self, organization: int) -> None:
        """Return when the caller may change an organization; it is not found, or forbidden, otherwise."""
        if organization not in self.scope:
            raise not_found("organization")
        if not self.scope[organization]:
            raise forbidden()

    def takes_effect(self, asked: datetime | None, newest: datetime | None) -> datetime:
        """Return from when on a new version on a timeline holds, `newest` being the last on it; raises TooEarly or Refused."""
        instant = takes_effect_at(milliseconds(asked), self.now, milliseconds(newest), self.allowance)
        self.promised.append(instant)
        return aware(instant)

    def first_takes_effect(self, asked: datetime | None, name: str) -> datetime:
        """Return from when on something holds that never did before, up to 35 days back; raises Refused."""
        instant = first_takes_effect_at(milliseconds(asked), self.now, name, self.allowance)
        if asked is None:
            self.promised.append(instant)
        return aware(instant)

    async def record(
        self,
        outcome: Outcome,
        kind: str,
        action: str,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
    ) -> Outcome:
        """Write a change down and return its outcome."""
        values = {
            "user": self.user,
            "organization": outcome.organization,
            "kind": kind,
            "thing": outcome.id,
            "action": action,
            "effective_at": outcome.effective_at,
            "before": None if before is None else Jsonb(before),
            "after": None if after is None else Jsonb(after),
            "comment": self.comment,
        }
        await self.execute(RECORD, values)
        self.recorded.append((kind, action))
        return outcome

    async def check_in_time(self) -> None:
        """Raise the answer that asks to try again when the commit would come too late for what it promises."""
        if not self.promised:
            return
        began = monotonic()
        self.spare = min(self.promised) - LEAD_MS - await self.clock()
        if self.spare < 0:
            raise _busy()
        self.checked_at = began

    def warn_if_late(self) -> None:
        """Log, behind the commit, that it came later than what it promises allows: some decoders may stamp by the old terms for a moment."""
        took = (monotonic() - self.checked_at) * 1_000
        if self.promised and took > self.spare:
            log.warning("a change was committed late", late_ms=round(took - self.spare), changes=self.recorded[:10], user=self.user)


class Changes:
    """The connections on which changes are made."""

    def __init__(self, config: DatabaseConfig) -> None:
        """Prepare; `open` starts it."""
        options = (
            f"-c timezone=UTC -c statement_timeout={STATEMENT_MS} -c lock_timeout={LOCK_MS} "
            f"-c idle_in_transaction_session_timeout={STATEMENT_MS}"
        )
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            config.url,
            open=False,
            min_size=0,
            max_size=MAX_CONNECTIONS,
            timeout=WAIT_SECONDS,
            check=AsyncConnectionPool.check_connection,
            kwargs={
                "row_factory": dict_row,
                "application_name": "api_changes",
                "connect_timeout": 3,
                "keepalives_idle": 15,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 15_000,
                "options": options,
            },
        )

    async def open(self) -> None:
        """Begin to connect, without waiting for it."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close(timeout=1.0)

    @asynccontextmanager
    async def transaction(
        self,
        manager: Manager,
        comment: str = "",
        allowance: int = ALLOWANCE_MS,
        *,
        is_dry: bool = False,
    ) -> AsyncIterator[Transaction]:
        """Run a change; what it did is kept when the block ends well. A dry one waits for no other, holds up none, and can write nothing.

        Raises ApiError 403 for a caller who may change nothing, 503 when another change or a statement takes too long, Retryable
        when the database does not answer.
        """
        if not manager.managed_teams:
            raise forbidden()
        try:
            async with self._pool.connection() as connection, connection.transaction():
                transaction = await begin(connection, manager, comment, allowance, DRY if is_dry else LOCK)
                transaction.is_dry = is_dry
                yield transaction
                if not is_dry:
                    await transaction.check_in_time()
            if not is_dry:
                transaction.warn_if_late()
            for kind, action in transaction.recorded:
                REGISTRY_CHANGES.labels(kind, action).inc()
        except psycopg.errors.LockNotAvailable as error:
            raise _busy() from error
        except psycopg.errors.QueryCanceled as error:
            raise ApiError(503, "query_too_long", TOO_LONG) from error
        except (psycopg.errors.UniqueViolation, psycopg.errors.ExclusionViolation) as error:
            raise conflict("exists", "Something of that name came into being at the same moment: look again, then try again.") from error
        except (psycopg.DataError, UnicodeEncodeError) as error:
            raise bad_request("Something in the body is not plain text or out of range.") from error
        except (psycopg.OperationalError, PoolTimeout, PoolClosed, TooManyRequests) as error:
            message = f"the database does not answer: {error}"
            raise Retryable(message) from error


async def begin(connection: Connection, manager: Manager, comment: str, allowance: int, first: str) -> Transaction:
    """Run the first statement, which takes the lock (or says that none is needed), read the clock behind it, and find the caller's organizations."""
    transaction = Transaction(connection, manager.user, 0, {}, comment, allowance)
    await transaction.execute(first, {})
    transaction.now = await transaction.clock()
    for found in await transaction.rows(SCOPE, {"teams": sorted(manager.teams | manager.managed_teams)}):
        transaction.scope[found["id"]] = found["team_id"] in manager.managed_teams
    return transaction


@overload
def milliseconds(instant: datetime) -> int: ...
@overload
def milliseconds(instant: None) -> None: ...
@overload
def milliseconds(instant: datetime | None) -> int | None: ...
def milliseconds(instant: datetime | None) -> int | None:
    """Return an instant as ms UTC."""
    return None if instant is None else (instant - EPOCH) // timedelta(milliseconds=1)


def _busy() -> ApiError:
    return ApiError(503, "busy", "Another change of the registry is under way: try again in a few seconds.")
