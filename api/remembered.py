"""Answers remembered for a few seconds, and asked once however many want the same: for when ten thousand pages come back at once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, TypeVar

from pipelines.connectors.clock import monotonic

FRESH_SECONDS: Final = 5.0
"""How long an answer is believed."""

MAX_ANSWERS: Final = 20_000
"""Answers kept; the oldest goes first."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Remembered(Generic[Key, Value]):
    """Answers by key. What is not there (a false value) is asked again each time, so that something new shows at once."""

    def __init__(self, ask: Callable[[Key], Awaitable[Value]], seconds: float = FRESH_SECONDS) -> None:
        """Ask like this."""
        self._ask = ask
        self._seconds = seconds
        self._known: dict[Key, tuple[float, Value]] = {}
        self._asking: dict[Key, asyncio.Task[Value]] = {}

    async def get(self, key: Key) -> Value:
        """Return the answer, at most so many seconds old; a failure is the failure of all who waited for it."""
        known = self._known.get(key)
        if known is not None and monotonic() - known[0] < self._seconds:
            return known[1]
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._learn(key))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._asked(key, done))
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Ask again for everything: something known was changed."""
        self._known.clear()

    def _asked(self, key: Key, done: "asyncio.Task[Value]") -> None:
        self._asking.pop(key, None)
        if not done.cancelled():
            done.exception()  # looked at, also where nobody waits for it any longer

    async def _learn(self, key: Key) -> Value:
        value = await self._ask(key)
        self._known.pop(key, None)
        if value:
            while len(self._known) >= MAX_ANSWERS:
                self._known.pop(next(iter(self._known)))
            self._known[key] = (monotonic(), value)
        return value
