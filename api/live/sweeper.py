"""Looks after open connections once a second: ends those whose token expired, and those subscriptions whose member was removed."""

import asyncio
from collections import defaultdict
from typing import Final

import structlog

from api.callers import Caller, Callers
from api.live.client import Client, CloseCode
from api.live.frames import unsubscribed
from api.live.hub import Hub
from pipelines.connectors.clock import monotonic, now_ms
from pipelines.connectors.errors import Retryable
from pipelines.connectors.stack_auth import User

SWEEP_SECONDS: Final = 1.0

MEMBERSHIP_SECONDS: Final = 60.0
"""How often a client's memberships are looked at again."""

MAX_USERS_AT_ONCE: Final = 20
"""Users looked up side by side."""

log = structlog.get_logger()


class Sweeper:
    """Looks after the clients of a hub."""

    def __init__(self, hub: Hub, callers: Callers) -> None:
        """Take the hub and who says what a user may see."""
        self._hub = hub
        self._callers = callers

    async def run(self) -> None:
        """Sweep for as long as the process lives."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await self.sweep(now_ms(), monotonic())

    async def sweep(self, now: int, tick: float) -> None:
        """Sweep once; `now` in ms UTC, `tick` in monotonic seconds."""
        due: dict[str, list[Client]] = defaultdict(list)
        for client in list(self._hub.clients):
            if client.caller.user.expires_at <= now:
                client.close(CloseCode.UNAUTHENTICATED)
            elif tick - client.checked_at >= MEMBERSHIP_SECONDS:
                due[client.caller.user.id].append(client)
        slots = asyncio.Semaphore(MAX_USERS_AT_ONCE)
        await asyncio.gather(*(self._check(clients[0].caller.user, clients, tick, slots) for clients in due.values()))

    async def _check(self, user: User, clients: list[Client], tick: float, slots: asyncio.Semaphore) -> None:
        async with slots:
            try:
                organizations = (await self._callers.of_user(user)).organizations
            except Retryable as error:
                log.warning("memberships cannot be checked, connections are ended", user=user.id, error=str(error))
                for client in clients:
                    client.close(CloseCode.TRY_LATER)
                return
        scope = {organization.id for organization in organizations}
        for client in clients:
            client.checked_at = tick
            client.caller = Caller(client.caller.user, organizations)
            for place, organization in list(client.places.items()):
                if organization not in scope:
                    await self._hub.unsubscribe(client, place)
                    client.send(unsubscribed(*place, reason="not_found"))
