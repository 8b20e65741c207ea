"""A small HTTP/1.1 client: one kept connection, one request under way on it, and a call when its answer is there.

No task, no future and no timer for a request, so that the load generator does not become the bottleneck.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self, cast
from urllib.parse import urlsplit

import httptools

from pipelines.connectors.clock import monotonic

TIMEOUT_SECONDS: Final = 5.0
"""After this The Things Stack gives up on a webhook."""
NO_ANSWER: Final = 0
"""Instead of a status: the connection ended or could not be made; the other side may have taken the body all the same."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post, and the request's head up to the length of its body."""

    host: str
    port: int
    tls: bool
    head: bytes

    @classmethod
    def of(cls, url: str, headers: dict[str, str]) -> Self:
        """Return the target of a URL; raises ValueError when it is no http(s) URL."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            message = f"{url!r} is no http:// or https:// URL"
            raise ValueError(message)
        tls = parts.scheme == "https"
        lines = [f"POST {parts.path or '/'} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(lines).encode() + b"\r\nContent-Length: "
        return cls(parts.hostname, parts.port or (443 if tls else 80), tls, head)


class Exchange(asyncio.Protocol):
    """One open connection; at most one request is under way on it."""

    def __init__(self, answered: Callable[[int], None]) -> None:
        """Wait for the connection; `answered` is called with each status, or with NO_ANSWER."""
        self._answered = answered
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._is_waiting = False
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def on_message_complete(self) -> None:
        """Hand on the status."""
        status = self._parser.get_status_code()
        if self._parser.should_keep_alive():
            self._parser = httptools.HttpResponseParser(self)
        else:
            self.close()
        if self._is_waiting:
            self._is_waiting = False
            self._answered(status)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """Say that the request which is under way will have no answer."""
        self.is_open = False
        if self._is_waiting:
            self._is_waiting = False
            self._answered(NO_ANSWER)

    def send(self, data: bytes) -> None:
        """Write a whole request."""
        assert self._transport is not None
        assert not self._is_waiting, "one request at a time"
        self._is_waiting = True
        self._transport.write(data)

    def close(self) -> None:
        """End the connection at once, whatever is still to be written."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()


class Connection:
    """Posts bodies to one target one after another, connecting again when needed."""

    def __init__(self, target: Target, answered: Callable[["Connection", int], None]) -> None:
        """Connect with the first request; `answered` is told of each answer, or of none."""
        self._target = target
        self._tell = answered
        self._exchange: Exchange | None = None
        self._connecting: asyncio.Task[None] | None = None
        self.posted_at = 0.0
        """By the monotonic clock."""

    def post(self, body: bytes) -> None:
        """Send a body; the answer, or that there is none, is told later, never from within this call."""
        target = self._target
        self.posted_at = monotonic()
        data = b"%s%d\r\n\r\n%s" % (target.head, len(body), body)
        exchange = self._exchange
        if exchange is not None and exchange.is_open:
            exchange.send(data)
        else:
            self._connecting = asyncio.get_running_loop().create_task(self._connect_and_send(data))

    async def _connect_and_send(self, data: bytes) -> None:
        loop, target = asyncio.get_running_loop(), self._target
        context = ssl.create_default_context() if target.tls else None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                _, exchange = await loop.create_connection(lambda: Exchange(self._on_answer), target.host, target.port, ssl=context)
        except (OSError, TimeoutError):
            self._on_answer(NO_ANSWER)
            return
        self._exchange = exchange
        exchange.send(data)

    def _on_answer(self, status: int) -> None:
        self._tell(self, status)

    def expire(self, now: float) -> None:
        """End the request under way when it has waited for too long; call this now and then while there is one."""
        if now - self.posted_at > TIMEOUT_SECONDS and self._exchange is not None:
            self._exchange.close()

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._exchange is not None:
            self._exchange.close()
        if self._connecting is not None:
            self._connecting.cancel()
