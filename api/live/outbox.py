"""What waits to be sent to one client: in order, bounded, readings dropped oldest first, alerts never.

A client that leaves even alerts unread is to be closed; it then connects again and fetches what it missed.
"""

import asyncio
from collections import deque
from typing import Final

from api.live.frames import RESYNC_DROPPED
from pipelines.connectors.metrics import LIVE_READINGS_DROPPED, LIVE_RESYNCS

MAX_READINGS: Final = 256
"""Frames of readings that wait for a slow client; older ones tell nothing that the next does not."""

MAX_KEPT: Final = 5_000
"""Alerts, state changes and answers that wait: a gateway's failure may tell of some thousand units at once. A client further
behind is not reading at all."""


class ClientTooSlow(Exception):
    """The client does not even keep up with alerts."""


class Outbox:
    """The frames that wait for one client."""

    __slots__ = ("_arrived", "_dropped", "_kept", "_next", "_readings")

    def __init__(self) -> None:
        """Start empty."""
        self._readings: deque[tuple[int, str]] = deque()
        self._kept: deque[tuple[int, str]] = deque()
        self._next = 0
        self._dropped = False
        self._arrived = asyncio.Event()

    def put_reading(self, frame: str) -> None:
        """Add a frame of readings, in place of the oldest one where there is no room."""
        if len(self._readings) >= MAX_READINGS:
            self._readings.popleft()
            self._dropped = True
            LIVE_READINGS_DROPPED.inc()
        self._readings.append((self._number(), frame))

    def put(self, frame: str) -> None:
        """Add a frame that must not be lost; raises ClientTooSlow where there is no room."""
        if len(self._kept) >= MAX_KEPT:
            raise ClientTooSlow
        self._kept.append((self._number(), frame))

    async def get(self) -> str:
        """Wait for the next frame; after readings were dropped, the last one says so."""
        while True:
            frame = self._take()
            if frame is not None:
                return frame
            self._arrived.clear()
            await self._arrived.wait()

    def _take(self) -> str | None:
        if self._kept and (not self._readings or self._kept[0][0] < self._readings[0][0]):
            return self._kept.popleft()[1]
        if self._readings:
            return self._readings.popleft()[1]
        if self._dropped:
            self._dropped = False
            LIVE_RESYNCS.labels("dropped").inc()
            return RESYNC_DROPPED
        return None

    def _number(self) -> int:
        self._next += 1
        self._arrived.set()
        return self._next
