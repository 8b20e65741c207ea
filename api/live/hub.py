"""Which clients get which event: one Redis channel per organization that has clients here, kept as long as it has.

Subscriptions are kept under (organization, place), so that an event can reach no client of another organization.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Final, Protocol

import msgspec
import structlog

from api.live.client import Client, Place
from api.live.fanout import Frames, fan_out
from api.live.frames import RESYNC_REDIS
from pipelines.connectors.errors import Retryable
from pipelines.connectors.metrics import LIVE_CLIENTS, LIVE_EVENTS, LIVE_RESYNCS, LIVE_UNREADABLE
from pipelines.connectors.redis import KEEPALIVE_CHANNEL
from schemas.events import live_channel

FIRST_BACKOFF_SECONDS: Final = 0.2
MAX_BACKOFF_SECONDS: Final = 5.0
"""Redis is a hint: it is asked again soon, and never by all processes in step with anything."""

log = structlog.get_logger()

Key = tuple[int, str, int]
"""(organization, `site` or `unit`, id)."""


class EventSource(Protocol):
    """Where events come from: Channels of Redis, or a fake of it."""

    async def subscribe(self, channel: str) -> None:
        """Listen to a channel from now on."""
        ...

    async def unsubscribe(self, channel: str) -> None:
        """Stop listening to a channel."""
        ...

    def messages(self) -> AsyncIterator[tuple[bytes, bytes]]:
        """Yield (channel, message) until the connection fails (Retryable); the first is an empty one of KEEPALIVE_CHANNEL."""
        ...


class Hub:
    """The clients of this process and what they subscribed to."""

    def __init__(self, source: EventSource) -> None:
        """Listen to this source."""
        self._source = source
        self.clients: set[Client] = set()
        self._watching: defaultdict[Key, set[Client]] = defaultdict(set)
        self._places_of: defaultdict[int, int] = defaultdict(int)
        """How many watched places each organization has."""

    def add(self, client: Client) -> None:
        """Take a client in."""
        self.clients.add(client)
        LIVE_CLIENTS.set(len(self.clients))

    async def remove(self, client: Client) -> None:
        """Let a client go, with all its subscriptions."""
        self.clients.discard(client)
        LIVE_CLIENTS.set(len(self.clients))
        for place in list(client.places):
            await self.unsubscribe(client, place)

    async def subscribe(self, client: Client, place: Place, organization: int) -> None:
        """Send a place's events to a client from now on; whether it may see them was decided before."""
        if place in client.places:
            return
        client.places[place] = organization
        key = (organization, *place)
        if not self._watching[key]:
            self._places_of[organization] += 1
        self._watching[key].add(client)
        await self._source.subscribe(live_channel(organization))

    async def unsubscribe(self, client: Client, place: Place) -> None:
        """Stop sending a place's events to a client."""
        organization = client.places.pop(place, None)
        if organization is None:
            return
        key = (organization, *place)
        self._watching[key].discard(client)
        if self._watching[key]:
            return
        del self._watching[key]
        self._places_of[organization] -= 1
        if not self._places_of[organization]:
            del self._places_of[organization]
            await self._source.unsubscribe(live_channel(organization))

    async def run(self) -> None:
        """Deliver events for as long as the process lives, connecting again whenever Redis is lost."""
        backoff = FIRST_BACKOFF_SECONDS
        while True:
            try:
                async for channel, message in self._source.messages():
                    if channel == KEEPALIVE_CHANNEL:
                        backoff = FIRST_BACKOFF_SECONDS
                        self._resync()
                    else:
                        self.deliver(channel, message)
                        await asyncio.sleep(0)  # a burst must not fill the outboxes before anybody could send
            except Retryable as error:
                log.warning("no live events for now", error=str(error), again_in_seconds=backoff)
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, MAX_BACKOFF_SECONDS)

    def deliver(self, channel: bytes, message: bytes) -> None:
        """Queue a published event for every client that is to get it."""
        try:
            frames = fan_out(message, self._is_watched(channel))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            LIVE_UNREADABLE.labels("not_an_event").inc()
            log.error("not an event", channel=channel.decode(errors="replace"), error=str(error))  # noqa: TRY400 - the error's text says it all
            return
        if live_channel(frames.organization).encode() != channel:
            LIVE_UNREADABLE.labels("foreign_channel").inc()
            log.error("an event on another organization's channel", channel=channel.decode(), organization=frames.organization)
            return
        LIVE_EVENTS.labels(frames.event).inc()
        if frames.droppable:
            self._send_readings(frames)
        else:
            self._send_once(frames)

    def _is_watched(self, channel: bytes) -> "WatchedUnits":
        return WatchedUnits(self._watching, channel)

    def _send_readings(self, frames: Frames) -> None:
        for client in self._watching.get((frames.organization, "site", frames.site), ()):
            client.send_reading(frames.to_site)
        for unit, frame in frames.to_units:
            for client in self._watching.get((frames.organization, "unit", unit), ()):
                client.send_reading(frame)

    def _send_once(self, frames: Frames) -> None:
        to = set(self._watching.get((frames.organization, "site", frames.site), ()))
        for unit, _ in frames.to_units:
            to |= self._watching.get((frames.organization, "unit", unit), set())
        for client in to:
            client.send(frames.to_site)

    def _resync(self) -> None:
        LIVE_RESYNCS.labels("redis").inc(len(self.clients))
        for client in self.clients:
            client.send(RESYNC_REDIS)


class WatchedUnits:
    """Says of a unit whether anybody of a channel's organization watches it."""

    __slots__ = ("_organization", "_watching")

    def __init__(self, watching: defaultdict[Key, set[Client]], channel: bytes) -> None:
        """Take the subscriptions and the channel the event came on."""
        self._watching = watching
        self._organization = int(channel.rpartition(b":")[2] or -1)

    def __call__(self, unit: int) -> bool:
        """Return whether it is watched."""
        return (self._organization, "unit", unit) in self._watching
