"""Posts streams of uplinks as The Things Stack does, each in order: the next one only after the one before was taken.

Unlike The Things Stack it tries again until an uplink is taken, so that what it counts as acknowledged can be compared.
One loop serves thousands of streams: whichever has the uplink that is due first is next, as soon as a connection is free.
"""

import asyncio
import heapq
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Final

from infra.simulator.http_client import NO_ANSWER, Connection, Target
from infra.simulator.journal import Journal
from infra.simulator.tally import Tally
from infra.simulator.uplink import Uplink
from pipelines.connectors.clock import monotonic, now_ms

WEBHOOK_PATH: Final = "/api/webhooks/ttn"
CONNECTIONS: Final = 64
"""Connections at once: enough to keep the broker busy, few enough for two cores."""
FIRST_DELAY_SECONDS: Final = 0.05
LONGEST_DELAY_SECONDS: Final = 2.0
GRAIN_SECONDS: Final = 0.004
"""A paced run looks for what is due no more often than this, so that a busy second costs 250 looks and not 2,000."""
SWEEP_SECONDS: Final = 0.25
"""How often requests without an answer are looked for, and the journal is written out."""
REFUSALS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


class RefusedError(Exception):
    """The other side will not take any uplink of ours; trying again is of no use."""


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


class _Stream:
    """A stream of uplinks and what has become of the one at its head."""

    __slots__ = ("delay", "rest", "tries", "uplink")

    def __init__(self, rest: Iterator[Uplink], uplink: Uplink) -> None:
        self.rest = rest
        self.uplink = uplink
        self.tries = 0
        self.delay = FIRST_DELAY_SECONDS


class Sender:
    """Sends streams of uplinks and keeps the tally."""

    def __init__(self, target: Target, journal: Journal | None = None) -> None:
        """Send to a target; nothing is sent yet."""
        self._target = target
        self._journal = journal or Journal(None)
        self._run: _Run | None = None
        self._is_stopping = False
        self.tally = Tally()

    def stop(self, patience_seconds: float = 0.0) -> None:
        """Begin no further uplink; those under way are finished, and tried again for so long where they are not taken."""
        self._is_stopping = True
        if self._run is not None:
            self._run.stop(patience_seconds)

    async def run(self, streams: Iterable[Iterator[Uplink]], *, paced: bool) -> None:
        """Send every stream to its end, all at once; `paced` waits until each uplink is due.

        Raises RefusedError when the other side refuses us altogether.
        """
        if self._is_stopping:
            return
        self._run = _Run(self._target, self._journal, self.tally, paced=paced)
        try:
            await self._run.through(streams)
        finally:
            self._run = None
            self._journal.flush()


class _Run:
    """One run of a sender: callbacks on the event loop, without a task for a stream or a request."""

    def __init__(self, target: Target, journal: Journal, tally: Tally, *, paced: bool) -> None:
        self._journal = journal
        self._tally = tally
        self._is_paced = paced
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._due: list[tuple[int, int, _Stream]] = []
        """A heap: the streams whose next uplink has not been begun."""
        self._again: list[tuple[float, int, _Stream]] = []
        """A heap: the streams whose uplink is to be tried again, by the monotonic clock."""
        self._order = 0
        self._idle = [Connection(target, self._on_answer) for _ in range(CONNECTIONS)]
        """The one used last is used next: a slow fleet keeps few connections, and keeps them."""
        self._under_way: dict[Connection, _Stream] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._is_stopping = False
        self._tries_until = 0.0
        """Once it is stopping, by the monotonic clock."""

    async def through(self, streams: Iterable[Iterator[Uplink]]) -> None:
        """Send everything; raises RefusedError."""
        for place, rest in enumerate(streams):
            uplink = next(rest, None)
            if uplink is not None:
                self._due.append((uplink.due_at, place, _Stream(rest, uplink)))
        heapq.heapify(self._due)
        self._order = len(self._due)
        sweeping = self._loop.create_task(self._sweep())
        try:
            self._pump()
            await self._ended
        finally:
            sweeping.cancel()
            if self._timer is not None:
                self._timer.cancel()
            for connection in (*self._idle, *self._under_way):
                connection.close()

    def stop(self, patience_seconds: float) -> None:
        """Begin nothing more; what waits for another try gets it now, and further ones for so long."""
        self._is_stopping = True
        self._tries_until = monotonic() + patience_seconds
        self._due.clear()
        self._again = [(0.0, order, stream) for _, order, stream in self._again]
        self._pump()

    def _pump(self) -> None:
        """Begin whatever is due while a connection is free; then see to it that we are called again."""
        now, idle = monotonic(), self._idle
        while self._again and idle and self._again[0][0] <= now:
            self._try(heapq.heappop(self._again)[2])
        wall = now_ms()
        while self._due and idle and (not self._is_paced or self._due[0][0] <= wall):
            stream = heapq.heappop(self._due)[2]
            self._tally.sent[stream.uplink.kind] += 1
            if self._is_paced:
                self._tally.fall_behind((wall - stream.uplink.due_at) / 1000)
            self._try(stream)
        if not self._under_way and not self._due and not self._again:
            self._end()
        elif idle:
            self._wake_in(now, wall)

    def _try(self, stream: _Stream) -> None:
        connection = self._idle.pop()
        self._under_way[connection] = stream
        stream.tries += 1
        connection.post(stream.uplink.body)

    def _wake_in(self, now: float, wall: int) -> None:
        """Look again when the next uplink is due, unless that is arranged already."""
        waits = []
        if self._due and self._is_paced:
            waits.append((self._due[0][0] - wall) / 1000)
        if self._again:
            waits.append(self._again[0][0] - now)
        if not waits:
            return
        wait = max(GRAIN_SECONDS, min(waits))
        if self._timer is None or self._timer_at > now + wait:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = now + wait
            self._timer = self._loop.call_later(wait, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._pump()

    def _on_answer(self, connection: Connection, status: int) -> None:
        stream = self._under_way.pop(connection, None)
        if stream is None or self._ended.done():
            return
        self._idle.append(connection)
        tally = self._tally
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            tally.acknowledged += 1
            tally.acknowledged_after.add(monotonic() - connection.posted_at)
            self._journal.write(stream.uplink, now_ms(), stream.tries)
            self._advance(stream)
        elif status in REFUSALS:
            message = f"the webhook answers {status}: is the secret the one in the registry, and the URL the API's?"
            self._end(RefusedError(message))
            return
        elif status not in {NO_ANSWER, HTTPStatus.TOO_MANY_REQUESTS} and status < HTTPStatus.INTERNAL_SERVER_ERROR:
            tally.refused += 1
            self._advance(stream)
        elif self._is_stopping and monotonic() >= self._tries_until:
            tally.given_up += 1
        else:
            tally.retries += 1
            self._order += 1
            heapq.heappush(self._again, (monotonic() + stream.delay, self._order, stream))
            stream.delay = min(stream.delay * 2, LONGEST_DELAY_SECONDS)
        self._pump()

    def _advance(self, stream: _Stream) -> None:
        """Take the stream's next uplink; a stream that has none is done."""
        if self._is_stopping:
            return
        uplink = next(stream.rest, None)
        if uplink is not None:
            stream.uplink, stream.tries, stream.delay = uplink, 0, FIRST_DELAY_SECONDS
            self._order += 1
            heapq.heappush(self._due, (uplink.due_at, self._order, stream))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = monotonic()
            for connection in list(self._under_way):
                connection.expire(now)
            self._journal.flush()

    def _end(self, error: Exception | None = None) -> None:
        if self._ended.done():
            return
        if error is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error)
