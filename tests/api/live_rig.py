"""A WebSocket endpoint with everything around it in memory, driven frame by frame. For tests only."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from api.live.endpoint import LiveEndpoint
from api.live.hub import Hub
from api.live.sweeper import Sweeper
from pipelines.connectors.errors import Retryable
from pipelines.connectors.redis import KEEPALIVE_CHANNEL
from schemas.events import live_channel
from tests.api.people import Map, People

PATIENCE = 2.0
QUIET = 0.05


class FakeRedis:
    """A source of events that is fed, and broken, by hand."""

    def __init__(self) -> None:
        self.channels: set[str] = set()
        self.queue: asyncio.Queue[tuple[bytes, bytes] | None] = asyncio.Queue()

    async def subscribe(self, channel: str) -> None:
        self.channels.add(channel)

    async def unsubscribe(self, channel: str) -> None:
        self.channels.discard(channel)

    async def messages(self) -> AsyncIterator[tuple[bytes, bytes]]:
        yield KEEPALIVE_CHANNEL, b""
        while True:
            message = await self.queue.get()
            if message is None:
                text = "gone"
                raise Retryable(text)
            yield message

    def publish(self, organization: int, event: dict[str, Any]) -> None:
        channel = live_channel(organization)
        if channel in self.channels:
            self.queue.put_nowait((channel.encode(), json.dumps(event).encode()))

    def break_connection(self) -> None:
        self.queue.put_nowait(None)


class Socket:
    """One client's end of a connection."""

    def __init__(self, *, reads: bool = True) -> None:
        self.to_server: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.from_server: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        if reads:
            self.reads.set()
        self.to_server.put_nowait({"type": "websocket.connect"})

    async def receive(self) -> MutableMapping[str, Any]:
        return await self.to_server.get()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "websocket.send":
            await self.reads.wait()
        self.from_server.put_nowait(message)

    def say(self, **frame: Any) -> None:
        self.say_text(json.dumps(frame))

    def say_text(self, text: str) -> None:
        self.to_server.put_nowait({"type": "websocket.receive", "text": text})

    def hang_up(self) -> None:
        self.to_server.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def message(self) -> MutableMapping[str, Any]:
        return await asyncio.wait_for(self.from_server.get(), PATIENCE)

    async def frame(self) -> dict[str, Any]:
        message = await self.message()
        assert message["type"] == "websocket.send", message
        found: dict[str, Any] = json.loads(message["text"])
        return found

    async def close_code(self) -> int:
        while True:
            message = await self.message()
            if message["type"] == "websocket.close":
                return int(message["code"])

    async def is_quiet(self) -> bool:
        await asyncio.sleep(QUIET)
        return self.from_server.empty()


class Rig:
    """The endpoint and what it stands on."""

    def __init__(self) -> None:
        self.people = People()
        self.map = Map()
        self.redis = FakeRedis()
        self.hub = Hub(self.redis)
        callers = self.people.callers()
        self.sweeper = Sweeper(self.hub, callers)
        self.endpoint = LiveEndpoint(
            self.hub,
            callers,
            self.map,
            frozenset({"https://other.example"}),
            first_message_seconds=0.1,
        )
        self.tasks: list[asyncio.Task[None]] = []

    def connect(self, *, path: str = "/ws", origin: str | None = None, reads: bool = True) -> Socket:
        socket = Socket(reads=reads)
        headers = [(b"host", b"dash.example:8000")] + ([] if origin is None else [(b"origin", origin.encode())])
        scope = {"type": "websocket", "path": path, "headers": headers}
        self.tasks.append(asyncio.create_task(self.endpoint(scope, socket.receive, socket.send)))
        return socket

    async def signed_in(self, token: str = "ada", *, reads: bool = True) -> Socket:
        socket = self.connect(reads=True)
        assert (await socket.message())["type"] == "websocket.accept"
        socket.say(type="authenticate", token=token)
        assert (await socket.frame())["type"] == "authenticated"
        if not reads:
            socket.reads.clear()
        return socket

    async def watching(self, token: str = "ada", **places: int) -> Socket:
        socket = await self.signed_in(token)
        for kind, place in places.items():
            socket.say(type=f"subscribe:{kind}", **{kind: place})
            assert await socket.frame() == {"type": "subscribed", kind: place}
        return socket


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    job = asyncio.create_task(made.hub.run())
    try:
        yield made
    finally:
        for task in (job, *made.tasks):
            task.cancel()
        await asyncio.gather(job, *made.tasks, return_exceptions=True)
