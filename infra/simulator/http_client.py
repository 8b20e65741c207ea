"""A small HTTP/1.1 client for one kept connection: post a body, wait for the status, post the next one.

Ten times less work per request than a full client, so that the load generator does not become the bottleneck.
"""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from typing import Final, Self, cast
from urllib.parse import urlsplit

import httptools

TIMEOUT_SECONDS: Final = 5.0
"""After this The Things Stack gives up on a webhook."""


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

    def __init__(self) -> None:
        """Wait for the connection."""
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[int] | None = None
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
        """Hand the status to whoever waits for it."""
        status, keeps = self._parser.get_status_code(), self._parser.should_keep_alive()
        self._parser = httptools.HttpResponseParser(self)
        answer, self._answer = self._answer, None
        if not keeps:
            self.close()
        if answer is not None and not answer.done():
            answer.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request that is under way."""
        self.is_open = False
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(ConnectionError(f"the connection ended: {exc}" if exc else "the connection ended"))

    def send(self, data: bytes) -> "asyncio.Future[int]":
        """Write a whole request and return the future of its status."""
        assert self._transport is not None
        assert self._answer is None, "one request at a time"
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return self._answer

    def close(self) -> None:
        """End the connection."""
        self.is_open = False
        if self._transport is not None:
            self._transport.close()


class Connection:
    """Posts bodies to one target one after another, connecting again when needed."""

    def __init__(self, target: Target) -> None:
        """Connect with the first request."""
        self._target = target
        self._exchange: Exchange | None = None

    async def post(self, body: bytes) -> int:
        """Return the status of the answer.

        Raises ConnectionError or TimeoutError; the other side may have taken the body all the same.
        """
        exchange = await self._opened()
        target = self._target
        answer = exchange.send(b"%s%d\r\n\r\n%s" % (target.head, len(body), body))
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await answer
        except BaseException:
            exchange.close()
            raise

    async def _opened(self) -> Exchange:
        if self._exchange is not None and self._exchange.is_open:
            return self._exchange
        loop, target = asyncio.get_running_loop(), self._target
        context = ssl.create_default_context() if target.tls else None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                _, self._exchange = await loop.create_connection(Exchange, target.host, target.port, ssl=context)
        except OSError as error:
            message = f"{target.host}:{target.port} does not answer: {error}"
            raise ConnectionError(message) from error
        return self._exchange

    def close(self) -> None:
        """End the connection, if there is one."""
        with contextlib.suppress(RuntimeError):
            if self._exchange is not None:
                self._exchange.close()
