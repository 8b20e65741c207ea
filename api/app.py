"""The whole API in one place: every part is named in `create_app`, and nothing happens before the server starts it.

The webhook and the WebSocket stand ahead of FastAPI as plain ASGI endpoints, because a route of the framework costs three times
as much as all the rest of taking an uplink.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

import structlog

from api import background
from api.answers import AsgiApp, Receive, Scope, Send
from api.callers import Callers, OrganizationTable
from api.commands.transaction import Changes
from api.database import Database
from api.health import Health, Part
from api.ingest import webhook
from api.ingest.senders import Senders
from api.ingest.ticks import Ticker
from api.ingest.webhook import Webhook
from api.live.endpoint import LiveEndpoint
from api.live.hub import Hub
from api.live.sweeper import Sweeper
from api.managers import Managers
from api.outbox_watch import OutboxWatch, waiting_events
from api.queries.organizations import valid_senders
from api.queries.places import PlaceTable
from api.replays.ledger import Ledger
from api.replays.replaying import Replays
from api.rest import create_rest
from api.routes.context import Context
from api.settings import ApiSettings
from pipelines.connectors.errors import Retryable
from pipelines.connectors.garbage import spare_collections
from pipelines.connectors.kafka_loop import LoopProducer
from pipelines.connectors.redis import Channels
from pipelines.connectors.stack_auth import Memberships, SigningKeys, TokenVerifier, stack_auth_client
from pipelines.connectors.stack_auth_permissions import Permissions
from schemas.topics import DEAD_LETTERS, UPLINKS

log = structlog.get_logger()


class Application:
    """The root of the ASGI app: starts the parts, and sends each connection to the endpoint it is for."""

    def __init__(self, start: Callable[[], AbstractAsyncContextManager["Endpoints"]]) -> None:
        """Take what starts the parts when the server says so."""
        self._start = start
        self._endpoints: Endpoints | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or the server's own start and stop."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._live(receive, send)
            return
        assert self._endpoints is not None, "the server must run the lifespan first"
        if kind == "websocket":
            await self._endpoints.live(scope, receive, send)
        elif scope["path"] == webhook.PATH:
            await self._endpoints.webhook(scope, receive, send)
        else:
            await self._endpoints.rest(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        async with AsyncExitStack() as stack:
            try:
                self._endpoints = await stack.enter_async_context(self._start())
            except Exception as error:
                log.exception("the API cannot start")
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                raise
            await send({"type": "lifespan.startup.complete"})
            await receive()  # lifespan.shutdown
        await send({"type": "lifespan.shutdown.complete"})


class Endpoints:
    """What answers."""

    def __init__(self, webhook: AsgiApp, live: AsgiApp, rest: AsgiApp) -> None:
        """Take one for each kind of connection."""
        self.webhook = webhook
        self.live = live
        self.rest = rest


def create_app(settings: ApiSettings) -> Application:
    """Return the API for these settings; the server starts its parts."""
    return Application(partial(start, settings))


@asynccontextmanager
async def start(settings: ApiSettings) -> AsyncIterator[Endpoints]:
    """Start every part, hand out the endpoints, and stop the parts in reverse."""
    database = Database(settings.database)
    channels = Channels(settings.redis, settings.process)
    stack_auth = stack_auth_client()
    producer = LoopProducer(settings.kafka.ingest_producer(settings.process))

    keys = SigningKeys(settings.stack_auth, stack_auth)
    memberships = Memberships(settings.stack_auth, stack_auth)
    callers = Callers(TokenVerifier(settings.stack_auth, keys), memberships, OrganizationTable(database))
    managers = Managers(callers, memberships, Permissions(settings.stack_auth, stack_auth))
    changes = Changes(settings.database)
    places = PlaceTable(database)
    senders = Senders(partial(valid_senders, database))
    replays = Replays(database, Ledger(settings.database), producer, settings.kafka)
    hub = Hub(channels)
    health = Health(
        {
            Part.KAFKA: partial(producer.check_topics, (UPLINKS, DEAD_LETTERS), 1.5),
            Part.SECRETS: partial(check_secrets, senders),
            Part.DATABASE: database.check,
            Part.REDIS: channels.ping,
            Part.AUTH_KEYS: keys.check,
        },
    )
    jobs: dict[str, background.Job] = {
        "secrets": senders.run,
        "outbox_watch": OutboxWatch(partial(waiting_events, database)).run,
        "live_events": hub.run,
        "live_sweeper": Sweeper(hub, callers).run,
    }
    if settings.ticks_enabled:
        jobs["ticks"] = Ticker(producer, health, settings.process).run

    async with AsyncExitStack() as stack:
        stack.push_async_callback(producer.close)
        stack.push_async_callback(stack_auth.aclose)
        stack.push_async_callback(channels.close)
        await database.open()
        stack.push_async_callback(database.close)
        await changes.open()
        stack.push_async_callback(changes.close)
        await stack.enter_async_context(background.running(**jobs))
        spare_collections()
        log.info("the API has started", process=settings.process, ticks=settings.ticks_enabled)
        yield Endpoints(
            webhook=Webhook(producer, senders),
            live=LiveEndpoint(hub, callers, places, settings.allowed_origins),
            rest=create_rest(Context(callers, database, places, managers, changes), health, settings.sandbox_sign_in_url, replays),
        )


async def check_secrets(senders: Senders) -> None:
    """Return when webhooks can be authenticated; raises Retryable before the first load."""
    if not senders.loaded:
        message = "secrets have not been loaded from the database yet"
        raise Retryable(message)
