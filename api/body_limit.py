"""No request body is read beyond its limit of size and time: what a change or an import may hold at most."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers import CLOSE, refusal

MAX_BODY_BYTES: Final = 256 * 1_024
"""A policy with a hundred bands has 20 kB."""

MAX_IMPORT_BYTES: Final = 5_000_000
IMPORT_PATH: Final = "/api/v1/imports"

BODY_SECONDS: Final = 60.0
"""5 MB at 700 kbit/s; a slower sender only holds a socket."""

READERS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class BodyLimit:
    """Reads a body whole before anybody else does, and refuses one that is too large or too slow."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before this app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] in READERS:
            await self._app(scope, receive, send)
            return
        limit = MAX_IMPORT_BYTES if scope["path"] == IMPORT_PATH else MAX_BODY_BYTES
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        body: bytes | None = None
        if not (announced.isdigit() and int(announced) > limit):
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    body = await _read(receive, limit)
            except TimeoutError:
                await refusal(408, "body_too_slow", "The body did not come in time: send it again.", CLOSE).send(send)
                return
        if body is None:
            await refusal(413, "body_too_large", f"The body must not be larger than {limit:,} bytes.", CLOSE).send(send)
            return
        told: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return told.pop() if told else await receive()

        await self._app(scope, replayed, send)


async def _read(receive: Receive, limit: int) -> bytes | None:
    """Return the whole body, empty where the sender hung up; None where it is too large."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            return None
        if not message.get("more_body"):
            return b"".join(chunks)
