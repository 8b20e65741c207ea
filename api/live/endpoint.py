"""`/ws`: the protocol of one connection, as docs/api.md describes it. A plain ASGI endpoint."""

import asyncio
from typing import Final, assert_never
from urllib.parse import urlsplit

import structlog

from api.answers import Receive, Scope, Send
from api.callers import Caller, Callers
from api.live import frames
from api.live.client import Client, CloseCode, Place
from api.live.hub import Hub
from api.queries.places import Places
from pipelines.connectors.clock import monotonic
from pipelines.connectors.errors import Retryable
from pipelines.connectors.metrics import LIVE_CLOSED, LIVE_FRAMES
from pipelines.connectors.stack_auth import TokenRefused

PATH: Final = "/ws"

MAX_CLIENTS: Final = 12_000
"""In one process: above the budget of 10,000 per box, below its limit of open files."""

MAX_PLACES: Final = 1_000
"""Sites and units one client may subscribe to."""

FIRST_MESSAGE_SECONDS: Final = 5.0
"""A page sends its token at once; a stranger may not hold a socket."""

MAX_ID: Final = 2**31 - 1

log = structlog.get_logger()


class LiveEndpoint:
    """The endpoint."""

    def __init__(
        self,
        hub: Hub,
        callers: Callers,
        places: Places,
        allowed_origins: frozenset[str],
        first_message_seconds: float = FIRST_MESSAGE_SECONDS,
    ) -> None:
        """Let in these callers, from these origins and the page's own."""
        self._hub = hub
        self._callers = callers
        self._places = places
        self._allowed_origins = allowed_origins
        self._first_message_seconds = first_message_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection to its end."""
        await receive()  # websocket.connect
        if scope["path"] != PATH or not is_own_origin(scope, self._allowed_origins):
            await close(send, CloseCode.REFUSED)
            return
        await send({"type": "websocket.accept"})
        if len(self._hub.clients) >= MAX_CLIENTS:
            await close(send, CloseCode.TRY_LATER)
            return
        caller = await self._first_caller(receive)
        if isinstance(caller, CloseCode):
            await close(send, caller)
            return
        if caller is not None:
            await self._serve(Client(caller, monotonic()), receive, send)

    async def _first_caller(self, receive: Receive) -> Caller | CloseCode | None:
        """Return who the first message says it is, the code to close with, or None for a client that hung up."""
        try:
            async with asyncio.timeout(self._first_message_seconds):
                message = await receive()
        except TimeoutError:
            return CloseCode.UNAUTHENTICATED
        if message["type"] != "websocket.receive":
            return None
        try:
            request = frames.decode_request(text_of(message))
            if isinstance(request, frames.Authenticate):
                return await self._callers.of_token(request.token)
        except (frames.UnreadableRequest, TokenRefused):
            return CloseCode.UNAUTHENTICATED
        except Retryable:
            return CloseCode.TRY_LATER
        return CloseCode.UNAUTHENTICATED

    async def _serve(self, client: Client, receive: Receive, send: Send) -> None:
        self._hub.add(client)
        client.send(frames.authenticated(client.caller.user.id, client.caller.user.expires_at))
        reader = asyncio.create_task(self._read(client, receive))
        writer = asyncio.create_task(write(client, send))
        try:
            await asyncio.wait((reader, writer, client.closing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            reader.cancel()
            writer.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)
            await self._hub.remove(client)
        if client.closing.done():
            await close(send, client.closing.result())
        elif not reader.cancelled() and reader.exception() is not None:
            raise reader.exception()  # type: ignore[misc]  # it is not None

    async def _read(self, client: Client, receive: Receive) -> None:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return
            try:
                request = frames.decode_request(text_of(message))
            except frames.UnreadableRequest as error:
                client.send(frames.failed("bad_message", f"This is none of the messages that docs/api.md lists: {error}"))
                continue
            await self._answer(client, request)

    async def _answer(self, client: Client, request: frames.Request) -> None:
        match request:
            case frames.Authenticate(token):
                await self._authenticate_again(client, token)
            case frames.SubscribeSite(site):
                await self._subscribe(client, ("site", site))
            case frames.SubscribeUnit(unit):
                await self._subscribe(client, ("unit", unit))
            case frames.UnsubscribeSite(site):
                await self._unsubscribe(client, ("site", site))
            case frames.UnsubscribeUnit(unit):
                await self._unsubscribe(client, ("unit", unit))
            case _:
                assert_never(request)

    async def _authenticate_again(self, client: Client, token: str) -> None:
        """Take a newer token of the same user; another user's ends the connection, as its subscriptions are not theirs."""
        try:
            caller = await self._callers.of_token(token)
        except TokenRefused:
            client.close(CloseCode.UNAUTHENTICATED)
            return
        except Retryable:
            client.send(frames.failed("unavailable", "Who you are cannot be checked right now: try again."))
            return
        if caller.user.id != client.caller.user.id:
            client.close(CloseCode.UNAUTHENTICATED)
            return
        client.caller = caller
        client.send(frames.authenticated(caller.user.id, caller.user.expires_at))

    async def _subscribe(self, client: Client, place: Place) -> None:
        kind, number = place
        if place not in client.places and len(client.places) >= MAX_PLACES:
            text = f"One connection may subscribe to {MAX_PLACES} sites and units."
            client.send(frames.failed("too_many_subscriptions", text, **{kind: number}))
            return
        try:
            organization = None
            if 1 <= number <= MAX_ID:
                organization = await self._places.organization_of(kind, number, client.caller.scope)
        except Retryable:
            client.send(frames.failed("unavailable", "The database does not answer: try again.", **{kind: number}))
            return
        if organization is None:
            client.send(frames.failed("not_found", f"There is no such {kind} among your organizations.", **{kind: number}))
            return
        await self._hub.subscribe(client, place, organization)
        client.send(frames.subscribed(kind, number))

    async def _unsubscribe(self, client: Client, place: Place) -> None:
        await self._hub.unsubscribe(client, place)
        client.send(frames.unsubscribed(*place))


async def write(client: Client, send: Send) -> None:
    """Send what waits for a client, until the connection ends."""
    while True:
        frame = await client.outbox.get()
        await send({"type": "websocket.send", "text": frame})
        LIVE_FRAMES.inc()


async def close(send: Send, code: CloseCode) -> None:
    """End a connection with a code, if it is still there."""
    LIVE_CLOSED.labels(int(code)).inc()
    try:
        await send({"type": "websocket.close", "code": int(code)})
    except (OSError, RuntimeError):
        return  # the client was faster


def text_of(message: dict[str, object] | Scope) -> str:
    """Return a message's text; raises UnreadableRequest for bytes."""
    text = message.get("text")
    if not isinstance(text, str):
        reason = "send text, not bytes"
        raise frames.UnreadableRequest(reason)
    return text


def is_own_origin(scope: Scope, allowed: frozenset[str]) -> bool:
    """Return whether a browser's page may connect: one from our own host, or of an allowed origin. Other clients send no origin."""
    headers = {name: value.decode("latin-1").lower() for name, value in scope["headers"] if name in {b"origin", b"host"}}
    origin = headers.get(b"origin")
    if origin is None:
        return True
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        return False
    return origin in allowed or (host != "" and host == headers.get(b"host"))
