"""A WebSocket client of every site in a thread of its own, and the times from acceptance to its frames."""

import asyncio
import json
import threading
import urllib.request
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from infra.demo.listener import Listener
from infra.local.local_stack import LocalStack
from infra.sandbox.stack_auth_state import DEFAULT_TEAM, DEFAULT_USER

CONNECT_SECONDS: Final = 30.0
TEAM: Final = DEFAULT_TEAM
"""Whose fleet a bench makes, so that the sandbox's user sees it."""


@dataclass(frozen=True, slots=True)
class Told:
    """Times from acceptance to the frame, in ms, since the last look."""

    readings: list[int]
    alerts: list[int]


class Dashboard:
    """Listens as long as the block lasts."""

    def __init__(self, stack: LocalStack, sites: Sequence[int]) -> None:
        """Describe it."""
        self._listener = Listener(stack.api_url, stack.settings["SANDBOX_URL"], DEFAULT_USER, list(sites))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        """Connect and subscribe."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listener.start(CONNECT_SECONDS), self._loop).result(CONNECT_SECONDS + 5)
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        asyncio.run_coroutine_threadsafe(self._listener.stop(), self._loop).result(CONNECT_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def readings(self) -> int:
        """How many readings it was told, in all."""
        return self._listener.heard.readings

    @property
    def found_late(self) -> int:
        """How many alerts it was told that late readings led to, in all."""
        return self._listener.heard.found_late

    def require_whole(self) -> None:
        """Raise RuntimeError where it was not told everything: it had to connect again, or was told to fetch what it missed."""
        heard = self._listener.heard
        if heard.connections != 1 or heard.resyncs:
            raise RuntimeError(f"what the dashboard heard is not all: connected {heard.connections} times, told of {heard.resyncs} gaps")

    def forget_before(self, instant: int) -> None:
        """Leave out what is accepted before an instant (ms UTC)."""
        self._listener.heard.since = instant
        self.take()

    def take(self) -> Told:
        """Return what was heard since the last time."""
        heard = self._listener.heard
        return Told(taken(heard.reading_ms), taken(heard.alert_ms))


def taken(values: deque[int]) -> list[int]:
    """Take out what is in a deque that another thread fills."""
    return [values.popleft() for _ in range(len(values))]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of all reach; not a number where there is none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[max(1, -(-len(ordered) * round(share * 1000) // 1000)) - 1]


def access_token(stack: LocalStack) -> str:
    """Return a token of the sandbox's user, good for an hour."""
    order = json.dumps({"user": DEFAULT_USER, "expires_in": 3600}).encode()
    request = urllib.request.Request(
        f"{stack.settings['SANDBOX_URL']}/sandbox/stack-auth/token", order, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["access_token"])
