"""Calls an ASGI endpoint with chosen messages and keeps what it sent. For tests only."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Message = MutableMapping[str, Any]
App = Callable[..., Awaitable[None]]


@dataclass
class Answered:
    """What an endpoint answered; status 0 where it did not."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


def whole(body: bytes) -> list[Message]:
    """A request whose body comes in one piece."""
    return [{"type": "http.request", "body": body, "more_body": False}]


async def call(
    app: App,
    messages: Iterable[Message],
    *,
    method: str = "POST",
    path: str = "/api/webhooks/ttn",
    headers: Iterable[tuple[str, str]] = (),
) -> Answered:
    """Call an endpoint; after the last message nothing more comes, as from a sender that just waits."""
    answered = Answered()
    waiting = iter(messages)

    async def receive() -> Message:
        message = next(waiting, None)
        if message is None:
            await asyncio.Event().wait()
            raise AssertionError
        return message

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answered.status = message["status"]
            answered.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            answered.body += message["body"]

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }
    await app(scope, receive, send)
    return answered
