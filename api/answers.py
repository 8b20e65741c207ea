"""Answers of the plain ASGI endpoints: bytes made once, without a framework in between."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import msgspec

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON_TYPE: Final = (b"content-type", b"application/json")
CLOSE: Final = (b"connection", b"close")
"""Sent where the rest of a request is not worth reading."""


def error_body(code: str, message: str) -> bytes:
    """Return the JSON of an error, in the one form that every route uses."""
    return msgspec.json.encode({"error": {"code": code, "message": message}})


class Answer:
    """A whole answer, encoded once and sent any number of times."""

    __slots__ = ("_body", "_start", "code", "status")

    def __init__(self, status: int, code: str, body: bytes, *headers: tuple[bytes, bytes]) -> None:
        """Take the status, what it says in one word, the JSON body and any headers beside its type and length."""
        self.status = status
        self.code = code
        self._start = {
            "type": "http.response.start",
            "status": status,
            "headers": [JSON_TYPE, (b"content-length", str(len(body)).encode()), *headers],
        }
        self._body = {"type": "http.response.body", "body": body}

    async def send(self, send: Send) -> None:
        """Send it."""
        await send(self._start)
        await send(self._body)


def refusal(status: int, code: str, message: str, *headers: tuple[bytes, bytes]) -> Answer:
    """Return an answer that says what is wrong and what to do about it."""
    return Answer(status, code, error_body(code, message), *headers)
