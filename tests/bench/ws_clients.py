"""Many WebSocket clients in one cheap process, each subscribed to the same site; they note when an event's frame has come.

Run as `python -m tests.bench.ws_clients HOST PORT TOKEN SITE COUNT`. Prints a JSON line once all are subscribed, and one with the times at
the end of its input. Speaks just as much of RFC 6455 as this takes: the server sends no fragments and no extensions.
"""

import asyncio
import json
import resource
import struct
import sys
import time
from typing import Any, Final, cast

import uvloop

AT_ONCE: Final = 100
"""Connections that are being opened at a time."""
CONNECT_SECONDS: Final = 300.0
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
LENGTH_16, LENGTH_64 = 126, 127
STAMP: Final = b'"sent_ns":'


class Clients:
    """What all of them have come to."""

    def __init__(self, token: str, site: int) -> None:
        """Say who they are and what they watch."""
        self.authenticate = text_frame(json.dumps({"type": "authenticate", "token": token}))
        self.subscribe = text_frame(json.dumps({"type": "subscribe:site", "site": site}))
        self.took_ms: list[float] = []
        self.broken = 0


class Client(asyncio.Protocol):
    """One of them."""

    def __init__(self, clients: Clients, host: str) -> None:
        """Belong to the others."""
        self._clients = clients
        self._host = host
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._upgraded = False
        self.subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(
            f"GET /ws HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: Y29sZHN0cmVhbS1iZW5jaA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it: none should end."""
        self._clients.broken += 1
        if not self.subscribed.done():
            self.subscribed.set_exception(ConnectionError(f"a connection ended: {exc}"))

    def data_received(self, data: bytes) -> None:
        """Take whole frames."""
        self._buffer += data
        if not self._upgraded:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self.subscribed.set_exception(ConnectionError(head.decode(errors="replace")))
                return
            self._upgraded, self._buffer = True, rest
            self._write(self._clients.authenticate)
        while (frame := self._next_frame()) is not None:
            self._take(*frame)

    def _next_frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, at = buffer[1] & 127, 2
        if length >= LENGTH_16:
            size = 2 if length == LENGTH_16 else 8
            if len(buffer) < at + size:
                return None
            length, at = int.from_bytes(buffer[at : at + size], "big"), at + size
        if len(buffer) < at + length:
            return None
        self._buffer = buffer[at + length :]
        return buffer[0] & 15, buffer[at : at + length]

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == TEXT:
            at = payload.find(STAMP)
            if at >= 0:
                sent_ns = int(payload[at + len(STAMP) :].split(b"}", 1)[0])
                self._clients.took_ms.append((time.time_ns() - sent_ns) / 1e6)
            elif b'"type":"authenticated"' in payload:
                self._write(self._clients.subscribe)
            elif b'"type":"subscribed"' in payload and not self.subscribed.done():
                self.subscribed.set_result(None)
        elif kind == PING:
            self._write(frame_of(PONG, payload))
        elif kind == CLOSE and not self.subscribed.done():
            self.subscribed.set_exception(ConnectionError(f"the server closed: {payload!r}"))

    def _write(self, frame: bytes) -> None:
        assert self._transport is not None
        self._transport.write(frame)


def text_frame(text: str) -> bytes:
    """Return a client's frame of text."""
    return frame_of(TEXT, text.encode())


def frame_of(kind: int, payload: bytes) -> bytes:
    """Return a client's frame, masked as the protocol wants it, with a mask of zeros."""
    size = len(payload)
    head = struct.pack("!BB", 128 | kind, 128 | size) if size < LENGTH_16 else struct.pack("!BBH", 128 | kind, 128 | LENGTH_16, size)
    return head + b"\0\0\0\0" + payload


async def run(host: str, port: int, token: str, site: int, count: int) -> None:
    """Connect them all, then wait for the end of the input."""
    loop = asyncio.get_running_loop()
    clients, gate = Clients(token, site), asyncio.Semaphore(AT_ONCE)

    async def connect() -> None:
        async with gate:
            _, client = await loop.create_connection(lambda: Client(clients, f"{host}:{port}"), host, port)
            await client.subscribed

    async with asyncio.timeout(CONNECT_SECONDS):
        await asyncio.gather(*(connect() for _ in range(count)))
    tell({"subscribed": count})
    await loop.run_in_executor(None, sys.stdin.read)
    tell({"took_ms": clients.took_ms, "broken": clients.broken})


def tell(line: dict[str, Any]) -> None:
    """Print a line."""
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(run(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
