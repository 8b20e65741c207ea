"""Posts lanes of uplinks as The Things Stack does, each in order: the next one only after the one before was taken.

Unlike The Things Stack it tries again until an uplink is taken, so that what it counts as acknowledged can be compared.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from infra.simulator.http_client import Connection, Target
from infra.simulator.journal import Journal
from infra.simulator.traffic import Uplink, UplinkKind
from pipelines.connectors.clock import now_ms

WEBHOOK_PATH: Final = "/api/webhooks/ttn"
LANES: Final = 64
"""Connections at once: enough to keep the broker busy, few enough for two cores."""
FIRST_DELAY_SECONDS: Final = 0.05
LONGEST_DELAY_SECONDS: Final = 2.0
SHARE_EVERY: Final = 32
"""A lane whose answers are always there already gives way after so many uplinks."""
REFUSALS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


class RefusedError(Exception):
    """The other side will not take any uplink of ours; trying again is of no use."""


@dataclass(slots=True)
class Tally:
    """What became of the uplinks so far."""

    sent: Counter[UplinkKind] = field(default_factory=Counter)
    """Uplinks begun, by kind; each counts once however often it was tried."""
    acknowledged: int = 0
    refused: int = 0
    """Answered with a status that no retry mends, such as 413."""
    retries: int = 0
    given_up: int = 0
    """Begun but not acknowledged when it was time to stop."""

    @property
    def total(self) -> int:
        """Uplinks begun."""
        return self.sent.total()


def target_of(api_url: str, secret: str) -> Target:
    """Return the webhook of an API with the headers The Things Stack sends; raises ValueError on a bad URL."""
    return Target.of(
        f"{api_url.rstrip('/')}{WEBHOOK_PATH}",
        {
            "X-Coldstream-Secret": secret,
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "TheThingsStack/3.32.1 (linux/amd64)",
            "X-Tts-Domain": "eu1.cloud.thethings.network",
            # A stand-in for a secret that must never be stored or logged; a test looks for it everywhere.
            "X-Downlink-Apikey": "NNSXS.THISDUMMYKEYMUSTNOTBEKEPT.ANYWHERE",
            "X-Downlink-Push": "https://eu1.cloud.thethings.network/api/v3/as/applications/a/webhooks/w/devices/d/down/push",
            "X-Downlink-Replace": "https://eu1.cloud.thethings.network/api/v3/as/applications/a/webhooks/w/devices/d/down/replace",
        },
    )


class Sender:
    """Sends lanes of uplinks and keeps the tally."""

    def __init__(self, target: Target, journal: Journal | None = None) -> None:
        """Send to a target; nothing is sent yet."""
        self._target = target
        self._journal = journal or Journal(None)
        self._stopping = asyncio.Event()
        self.tally = Tally()

    def stop(self) -> None:
        """Begin no further uplink; those under way are finished."""
        self._stopping.set()

    async def run(self, lanes: Iterable[Iterator[Uplink]], *, paced: bool) -> None:
        """Send every lane to its end, all lanes at once; `paced` waits until each uplink is due.

        Raises RefusedError when the other side refuses us altogether.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for lane in lanes:
                    group.create_task(self._lane(lane, paced=paced))
        except* RefusedError as refused:
            raise refused.exceptions[0] from None
        finally:
            self._journal.flush()

    async def _lane(self, lane: Iterator[Uplink], *, paced: bool) -> None:
        connection = Connection(self._target)
        try:
            for place, uplink in enumerate(lane):
                if paced:
                    await self._until(uplink.due_at)
                elif place % SHARE_EVERY == 0:
                    await asyncio.sleep(0)
                if self._stopping.is_set():
                    return
                self.tally.sent[uplink.kind] += 1
                await self._deliver(connection, uplink)
        finally:
            connection.close()

    async def _until(self, due_at: int) -> None:
        left = (due_at - now_ms()) / 1000
        if left > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), left)

    async def _deliver(self, connection: Connection, uplink: Uplink) -> None:
        """Try until the uplink is taken, refused, or it is time to stop."""
        tries, delay = 0, FIRST_DELAY_SECONDS
        while True:
            tries += 1
            try:
                status = await connection.post(uplink.body)
            except (ConnectionError, TimeoutError):
                status = HTTPStatus.SERVICE_UNAVAILABLE
            if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
                self.tally.acknowledged += 1
                self._journal.write(uplink, now_ms(), tries)
                return
            if status in REFUSALS:
                message = f"the webhook answers {status}: is the secret the one in the registry, and the URL the API's?"
                raise RefusedError(message)
            if status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.TOO_MANY_REQUESTS:
                self.tally.refused += 1
                return
            if self._stopping.is_set():
                self.tally.given_up += 1
                return
            self.tally.retries += 1
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY_SECONDS)
