"""No request body is read of somebody unnamed, or beyond its limit of size and time: what a change or an import may hold at most."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers import CLOSE, Answer, refusal
from api.callers import TOKEN_HEADER, TOKEN_MISSING
from pipelines.connectors.metrics import API_REFUSALS, AUTH_REFUSALS

MAX_BODY_BYTES: Final = 256 * 1_024
"""A policy with a hundred bands has 20 kB."""

MAX_IMPORT_BYTES: Final = 5_000_000
IMPORT_PATH: Final = "/api/v1/imports"

MAX_IMPORTS: Final = 2
"""Files held by a process at once; the next is told to come back."""

BODY_SECONDS: Final = 60.0
"""5 MB at 700 kbit/s; a slower sender only holds a socket."""

READERS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


BUSY: Final = refusal(503, "busy", "Other imports are under way: send the file again in a few seconds.", CLOSE, (b"retry-after", b"2"))


class BodyLimit:
    """Reads a body whole before anybody else does, and refuses one without a token, or one that is too large or too slow."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before this app."""
        self._app = app
        self._imports = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] in READERS:
            await self._app(scope, receive, send)
        elif not _header(scope, TOKEN_HEADER):
            AUTH_REFUSALS.labels("token_missing").inc()
            await _refuse(refusal(401, "token_missing", TOKEN_MISSING, CLOSE), send)
        elif scope["path"] != IMPORT_PATH:
            await self._serve(scope, receive, send, MAX_BODY_BYTES)
        elif self._imports >= MAX_IMPORTS:
            await _refuse(BUSY, send)
        else:
            self._imports += 1
            try:
                await self._serve(scope, receive, send, MAX_IMPORT_BYTES)
            finally:
                self._imports -= 1

    async def _serve(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        """Read the body, and hand it on where it is within its limits."""
        announced = _header(scope, "content-length")
        body: bytes | None = None
        if not (announced.isdigit() and int(announced) > limit):
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    body = await _read(receive, limit)
            except TimeoutError:
                await _refuse(refusal(408, "body_too_slow", "The body did not come in time: send it again.", CLOSE), send)
                return
        if body is None:
            await _refuse(refusal(413, "body_too_large", f"The body must not be larger than {limit:,} bytes.", CLOSE), send)
            return
        told: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return told.pop() if told else await receive()

        await self._app(scope, replayed, send)


def _header(scope: Scope, wanted: str) -> bytes:
    """Return a header's value, empty where it was not sent."""
    return next((bytes(value) for name, value in scope["headers"] if name == wanted.encode()), b"")


async def _refuse(answer: Answer, send: Send) -> None:
    API_REFUSALS.labels(answer.code).inc()
    await answer.send(send)


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
