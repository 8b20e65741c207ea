"""Who a webhook's secret belongs to: a table in memory, loaded from the database beside the hot path, never on it.

Only hashes are kept. When the database is away the last table stays in use.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from pipelines.connectors.clock import monotonic, now_ms
from pipelines.connectors.errors import Retryable
from pipelines.connectors.metrics import INGEST_SECRET_LOADS, INGEST_SECRETS, INGEST_SECRETS_LOADED_AT
from schemas.uplinks import Headers, uplink_headers

REFRESH_SECONDS: Final = 4.0
"""A revoked secret is refused, and a new one taken, after at most 5 s, the query included."""

LOAD_SECONDS: Final = 3.0
"""A load that takes longer is given up."""

RELOAD_SPACING_SECONDS: Final = 1.0
"""An unknown secret loads the table again, so that a new one works at once; a flood of them does so once a second."""

MAX_WAITING: Final = 100
"""Requests that may wait for such a load; further ones with an unknown secret are refused at once."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sender:
    """An application of an organization, as its secret names it."""

    digest: bytes
    """SHA-256 of the secret."""
    organization: int
    application: str
    headers: Headers
    """Of each of its uplinks' records, made once."""

    @classmethod
    def of(cls, digest: bytes, organization: int, application: str) -> "Sender":
        """Return the sender of a row of application_secrets."""
        return cls(digest, organization, application, uplink_headers(organization, application))


Load = Callable[[], Awaitable[Sequence[Sender]]]
"""Reads every valid secret; raises Retryable when the database does not answer."""


class Senders:
    """The table of valid secrets."""

    def __init__(self, load: Load) -> None:
        """Start empty: until the first load nobody can be told from a stranger."""
        self._load = load
        self._by_digest: dict[bytes, Sender] = {}
        self._loaded = False
        self._load_started_at = float("-inf")
        self._waiting = 0
        self._reloading: asyncio.Task[None] | None = None

    @property
    def loaded(self) -> bool:
        """Whether the table has ever been loaded."""
        return self._loaded

    def find(self, secret: bytes) -> Sender | None:
        """Return whose secret this is, or None."""
        digest = hashlib.sha256(secret).digest()
        sender = self._by_digest.get(digest)
        if sender is not None and hmac.compare_digest(sender.digest, digest):
            return sender
        return None

    async def find_after_reload(self, secret: bytes) -> Sender | None:
        """Return whose secret this is after the table was loaded once more; waits for at most one load and its spacing."""
        if self._waiting >= MAX_WAITING:
            return None
        self._waiting += 1
        try:
            if self._reloading is None:
                self._reloading = asyncio.create_task(self._reload_spaced())
            await asyncio.shield(self._reloading)
        finally:
            self._waiting -= 1
        return self.find(secret)

    async def run(self) -> None:
        """Load now and every REFRESH_SECONDS, for as long as the process lives."""
        while True:
            await self.load()
            await asyncio.sleep(REFRESH_SECONDS)

    async def load(self) -> None:
        """Load the table once; on failure the last one stays."""
        self._load_started_at = monotonic()
        try:
            found = await asyncio.wait_for(self._load(), LOAD_SECONDS)
        except (Retryable, TimeoutError) as error:
            INGEST_SECRET_LOADS.labels("failed").inc()
            log.warning("secrets not loaded, the last table stays in use", error=str(error), secrets=len(self._by_digest))
            return
        self._by_digest = {sender.digest: sender for sender in found}
        self._loaded = True
        INGEST_SECRET_LOADS.labels("loaded").inc()
        INGEST_SECRETS.set(len(found))
        INGEST_SECRETS_LOADED_AT.set(now_ms() / 1_000)

    async def _reload_spaced(self) -> None:
        try:
            await asyncio.sleep(max(0.0, self._load_started_at + RELOAD_SPACING_SECONDS - monotonic()))
            await self.load()
        finally:
            self._reloading = None
