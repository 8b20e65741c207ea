"""Shows how many committed events wait to be sent, and how old the oldest is, also while the flow that should send them is down.

Every API process looks for itself; the answer is the database's. Sends nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from api.database import Database
from pipelines.connectors.errors import Retryable
from pipelines.connectors.metrics import OUTBOX_AGE, OUTBOX_WAITING

LOOK_SECONDS: Final = 10.0
"""Between two looks; an alert waits for a minute anyway."""

WAITING: Final = """
SELECT count(*) AS events, coalesce(extract(epoch FROM now() - min(created_at)), 0)::double precision AS oldest_seconds FROM outbox
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in the outbox."""

    events: int
    oldest_seconds: float


Look = Callable[[], Awaitable[Waiting]]
"""Asks the database; raises Retryable when it does not answer."""


async def waiting_events(database: Database) -> Waiting:
    """Return what waits in the outbox right now."""
    row = await database.row(WAITING, {})
    assert row is not None, "an aggregate has one row"
    return Waiting(row["events"], row["oldest_seconds"])


class OutboxWatch:
    """Looks at the outbox."""

    def __init__(self, look: Look, every_seconds: float = LOOK_SECONDS) -> None:
        """Ask by this."""
        self._look = look
        self._every_seconds = every_seconds

    async def run(self) -> None:
        """Look for as long as the process lives; while the database is away the last answer stays."""
        while True:
            with suppress(Retryable):  # that the database is away is shown by coldstream_api_part_up
                waiting = await self._look()
                OUTBOX_WAITING.set(waiting.events)
                OUTBOX_AGE.set(waiting.oldest_seconds)
            await asyncio.sleep(self._every_seconds)
