"""A dashboard that only counts: one WebSocket client of every site, and how long after acceptance it was told."""

import asyncio
import contextlib
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from pipelines.connectors.clock import now_ms
from pipelines.domain.instants import parse_instant
from schemas.events import AlertData, Event, EventName, ReadingData

TOKEN_PATH: Final = "/sandbox/stack-auth/token"  # noqa: S105 - an address
TOKEN_SECONDS: Final = 12 * 3600
AGAIN_SECONDS: Final = 1.0
KEPT: Final = 100_000
"""Newest latencies that the percentiles are taken from."""


class _Batch(msgspec.Struct):
    readings: list[ReadingData]


_EVENT: Final = msgspec.json.Decoder(Event)
_ALERT: Final = msgspec.json.Decoder(AlertData)
_READING: Final = msgspec.json.Decoder(ReadingData)
_BATCH: Final = msgspec.json.Decoder(_Batch)


@dataclass(slots=True)
class Heard:
    """What the dashboard was told."""

    events: Counter[str] = field(default_factory=Counter)
    readings: int = 0
    connections: int = 0
    resyncs: int = 0
    """How often it was told that it missed something."""
    reading_ms: deque[int] = field(default_factory=lambda: deque(maxlen=KEPT))
    """Acceptance of a reading's uplink to its frame."""
    alert_ms: deque[int] = field(default_factory=lambda: deque(maxlen=KEPT))
    """Acceptance of what caused an alert (an uplink, or the tick that passed a deadline) to its frame; of those found late none."""
    found_late: int = 0
    """Alerts that late readings led to."""
    since: int = 0
    """Latencies of what was accepted before this instant (ms UTC) are left out."""

    def take(self, text: str | bytes, at: int) -> None:
        """Count a frame that came at an instant (ms UTC); frames about the connection are passed over."""
        frame = text if isinstance(text, bytes) else text.encode()
        if b'"event"' not in frame:
            self.resyncs += b'"resync"' in frame
            return
        event = _EVENT.decode(text)
        self.events[event.event] += 1
        match EventName(event.event):
            case EventName.READING:
                self._reading(_READING.decode(event.data), at)
            case EventName.READINGS:
                for reading in _BATCH.decode(event.data).readings:
                    self._reading(reading, at)
            case EventName.ALERT_TRIGGERED | EventName.ALERT_RESOLVED:
                self._alert(_ALERT.decode(event.data), at)
            case EventName.UNIT_STATE_CHANGED:
                pass

    def _alert(self, alert: AlertData, at: int) -> None:
        if alert.reason == "late":
            self.found_late += 1
        elif alert.caused_by_received_at is not None and (accepted_at := parse_instant(alert.caused_by_received_at)) >= self.since:
            self.alert_ms.append(at - accepted_at)

    def _reading(self, reading: ReadingData, at: int) -> None:
        self.readings += 1
        if (accepted_at := parse_instant(reading.received_at)) >= self.since:
            self.reading_ms.append(at - accepted_at)


class Listener:
    """Keeps a WebSocket open, subscribed to every site, until it is told to stop."""

    def __init__(self, api_url: str, sandbox_url: str, user: str, sites: list[int]) -> None:
        """Describe the dashboard; nothing is connected yet."""
        self._address = f"ws{api_url.removeprefix('http')}/ws"
        self._sandbox_url = sandbox_url
        self._user = user
        self._sites = sites
        self._subscribed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.heard = Heard()

    async def start(self, seconds: float) -> None:
        """Connect and subscribe; raises TimeoutError when that takes longer than `seconds`."""
        self._task = asyncio.create_task(self._keep_listening())
        await asyncio.wait_for(self._subscribed.wait(), seconds)

    async def stop(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _keep_listening(self) -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError, httpx.HTTPError):
                await self._listen()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _listen(self) -> None:
        token = await mint(self._sandbox_url, self._user)
        async with connect(self._address, proxy=None, compression=None, max_size=None, max_queue=None) as socket:
            await socket.send(msgspec.json.encode({"type": "authenticate", "token": token}).decode())
            for site in self._sites:
                await socket.send(msgspec.json.encode({"type": "subscribe:site", "site": site}).decode())
            waiting = len(self._sites)
            async for frame in socket:
                at = now_ms()
                if waiting and is_subscribed(frame):
                    waiting -= 1
                    if not waiting:
                        self.heard.connections += 1
                        self._subscribed.set()
                self.heard.take(frame, at)


def is_subscribed(frame: str | bytes) -> bool:
    """Say whether a frame confirms a subscription."""
    decoded = msgspec.json.decode(frame)
    return isinstance(decoded, dict) and decoded.get("type") == "subscribed"


async def mint(sandbox_url: str, user: str) -> str:
    """Return an access token of the sandbox's; raises httpx.HTTPError."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        order = {"user": user, "expires_in": TOKEN_SECONDS}
        answer = await client.post(f"{sandbox_url}{TOKEN_PATH}", json=order)
        body: dict[str, Any] = answer.raise_for_status().json()
        return str(body["access_token"])


def percentile(values: list[int], share: float) -> int | None:
    """Return the smallest value that at least `share` of all reach (nearest rank); None when there is none."""
    if not values:
        return None
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * round(share * 1000) // 1000))
    return ordered[rank - 1]


def latency(values: deque[int]) -> dict[str, int | None]:
    """Return how many there are, p50 and p99, in ms."""
    listed = list(values)
    return {"count": len(listed), "p50": percentile(listed, 0.5), "p99": percentile(listed, 0.99)}
