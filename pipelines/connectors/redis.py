"""Redis by redis-py: only a hint. Losing it loses no fact; whoever listens is told to fetch again.

Bytes in, bytes out (never decode_responses). Decides nothing about who may hear what.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from pipelines.connectors.errors import Retryable
from pipelines.connectors.settings import setting

TIMEOUT_SECONDS: Final = 2.0
"""For connecting and for an answer: a hint that takes longer is not worth waiting for."""

KEEPALIVE_SECONDS: Final = 10
"""A silent connection is asked for a sign of life this often; with USER_TIMEOUT_MS a half-open one is noticed."""

USER_TIMEOUT_MS: Final = 10_000
"""The kernel gives a connection up when what was sent stays unacknowledged for this long."""

POLL_SECONDS: Final = 1.0
"""Longest wait for a message before the connection is looked after."""

KEEPALIVE_CHANNEL: Final = b"live:keepalive"
"""Always subscribed, so that the connection is one that listens from its first moment. A publisher that dropped events says so here."""


@dataclass(frozen=True, slots=True)
class RedisConfig:
    """Where Redis is."""

    url: str

    @classmethod
    def from_environment(cls) -> "RedisConfig":
        """Return the configuration that REDIS_URL names."""
        return cls(url=setting("REDIS_URL"))

    def client(self, name: str) -> redis.Redis:
        """Return a blocking client, for flows that publish; it connects on first use and tries each call twice."""
        return redis.Redis.from_url(
            self.url,
            client_name=name,
            decode_responses=False,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )

    def async_client(self, name: str) -> redis.asyncio.Redis:
        """Return a client for the event loop without retries of its own: Channels does them, so that a gap is noticed."""
        return redis.asyncio.Redis.from_url(
            self.url,
            client_name=name,
            decode_responses=False,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=AsyncRetry(NoBackoff(), 0),
            health_check_interval=KEEPALIVE_SECONDS,
            socket_keepalive=True,
            socket_keepalive_options={socket.TCP_USER_TIMEOUT: USER_TIMEOUT_MS},
        )


class Channels:
    """One subscription connection of this process: channels come and go, messages come out in order."""

    def __init__(self, config: RedisConfig, name: str) -> None:
        """Prepare; connects when `messages` is first asked."""
        self._client = config.async_client(name)
        self._subscription: redis.asyncio.client.PubSub | None = None
        self._wanted: dict[bytes, asyncio.Event] = {}
        """Channels to listen to; the event is set once Redis has confirmed one."""
        self._asked: set[bytes] = set()
        """Channels that Redis has been asked for on this connection."""
        self._commands = asyncio.Lock()

    async def subscribe(self, channel: str) -> None:
        """Listen to a channel from now on, also after a reconnect; returns when Redis has confirmed it, or is away.

        Where Redis is away, the reconnect tells whoever listens that something may have been missed.
        """
        confirmed = self._wanted.setdefault(channel.encode(), asyncio.Event())
        await self._align(channel)
        if self._subscription is not None:
            try:
                await asyncio.wait_for(confirmed.wait(), TIMEOUT_SECONDS)
            except TimeoutError:
                return

    async def unsubscribe(self, channel: str) -> None:
        """Stop listening to a channel."""
        self._wanted.pop(channel.encode(), None)
        await self._align(channel)

    async def _align(self, channel: str) -> None:
        """Make the subscription what is wanted by now; one command at a time, so that the last wish counts."""
        name = channel.encode()
        async with self._commands:
            subscription = self._subscription
            if subscription is None or (name in self._wanted) == (name in self._asked):
                return
            try:
                if name in self._wanted:
                    self._asked.add(name)
                    await subscription.subscribe(name)
                else:
                    self._asked.discard(name)
                    await subscription.unsubscribe(name)
            except (RedisError, OSError):
                return  # `messages` notices the same failure and says so

    async def messages(self) -> AsyncIterator[tuple[bytes, bytes]]:
        """Connect, subscribe to all wanted channels, and yield (channel, message) until the connection fails (Retryable).

        The first thing yielded is an empty message of KEEPALIVE_CHANNEL: from there on nothing is missed, until another one comes.
        """
        subscription = self._client.pubsub()
        for confirmed in self._wanted.values():
            confirmed.clear()
        try:
            async with self._commands:
                self._asked = set(self._wanted)
                await subscription.subscribe(*self._asked, KEEPALIVE_CHANNEL)
                self._subscription = subscription
            while True:
                message = await subscription.get_message(timeout=POLL_SECONDS)
                if message is None:
                    continue
                if message["type"] == "message":
                    yield message["channel"], message["data"]
                elif message["type"] == "subscribe" and message["channel"] == KEEPALIVE_CHANNEL:
                    yield KEEPALIVE_CHANNEL, b""
                elif message["type"] == "subscribe" and message["channel"] in self._wanted:
                    self._wanted[message["channel"]].set()
        except (RedisError, OSError) as error:
            text = f"the connection to Redis failed: {error}"
            raise Retryable(text) from error
        finally:
            self._subscription = None
            await subscription.aclose()  # type: ignore[no-untyped-call]

    async def ping(self) -> None:
        """Return when Redis answers; raises Retryable when it does not."""
        try:
            await self._client.ping()
        except (RedisError, OSError) as error:
            message = f"Redis does not answer: {error}"
            raise Retryable(message) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
