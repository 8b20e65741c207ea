"""Reads a request's body within bounds of size and time; what is larger or slower is not read to its end."""

import asyncio
from enum import Enum
from typing import Final

from api.answers import Receive
from schemas.uplinks import MAX_BODY_BYTES

BODY_SECONDS: Final = 10.0
"""The Things Stack sends 1 to 4 kB and gives up after 5 s; a slower sender only holds a socket."""


class NoBody(Enum):
    """Why there is no body."""

    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    GONE = "gone"
    """The sender hung up."""


async def read_body(receive: Receive) -> bytes | NoBody:
    """Return the whole body, or why there is none."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(receive)
    except TimeoutError:
        return NoBody.TOO_SLOW


async def _read(receive: Receive) -> bytes | NoBody:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        return body if len(body) <= MAX_BODY_BYTES else NoBody.TOO_LARGE
    chunks: list[bytes] = []
    size = 0
    while message["type"] == "http.request":
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            return NoBody.TOO_LARGE
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)
        message = await receive()
    return NoBody.GONE
