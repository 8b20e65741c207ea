"""Runs a simulation: the history at full speed, then real time, with progress on the way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from infra.simulator.fleet import Fleet
from infra.simulator.mischief import Mischief
from infra.simulator.sender import LANES, Sender, Tally
from infra.simulator.stages import Stage
from infra.simulator.traffic import DeviceTraffic, lanes, traffic_of
from pipelines.connectors.clock import monotonic, now_ms

TELL_SECONDS: Final = 2.0
LIVE_TELL_SECONDS: Final = 10.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated; times in ms."""

    fleet: Fleet
    application: str
    mischief: Mischief
    interval: int
    quick: bool = False
    """Things happen 60 times faster in the live part."""


@dataclass(frozen=True, slots=True)
class Span:
    """A history from `begin` to `end` (ms UTC) with a reading each `interval` ms."""

    begin: int
    end: int
    interval: int

    @property
    def readings(self) -> int:
        """About how many each device has."""
        return (self.end - self.begin) // self.interval


class Simulation:
    """One fleet through its history and its live part."""

    def __init__(self, plan: Plan, sender: Sender, tell: Tell) -> None:
        """Describe the simulation; `tell` is given a line now and then."""
        self._plan = plan
        self._sender = sender
        self._tell = tell
        self._traffic: list[DeviceTraffic] = traffic_of(plan.fleet, plan.application, plan.mischief)
        self._origin: int | None = None

    async def history(self, span: Span) -> None:
        """Post a history, in event-time order per device, as fast as it is taken."""
        self._origin = span.begin
        expected = span.readings * len(self._traffic)
        stage = Stage.history(span.begin, span.end, span.interval)
        began = self._sender.tally.acknowledged

        def line(done: int, rate: float) -> str:
            return f"history: {done - began:,} of about {expected:,} uplinks taken, {rate:,.0f}/s"

        async with told(self._sender.tally, self._tell, TELL_SECONDS, line):
            await self._sender.run(lanes(self._traffic, stage, LANES), paced=False)

    async def live(self, duration: float | None) -> None:
        """Send in real time for so many seconds, or until the sender is told to stop."""
        begin = now_ms()
        end = None if duration is None else begin + round(duration * 1000)
        make = Stage.quick if self._plan.quick else Stage.live
        stage = make(begin, end, self._plan.interval, begin if self._origin is None else self._origin)

        def line(done: int, rate: float) -> str:
            return f"live: {done:,} uplinks taken in all, {rate:,.1f}/s"

        async with told(self._sender.tally, self._tell, LIVE_TELL_SECONDS, line):
            await self._sender.run(lanes(self._traffic, stage, LANES), paced=True)


@contextlib.asynccontextmanager
async def told(tally: Tally, tell: Tell, seconds: float, line: Callable[[int, float], str]) -> AsyncIterator[None]:
    """Tell a line made of the uplinks taken and their rate every so many seconds, and once at the end."""
    started, first = monotonic(), tally.acknowledged

    async def keep_telling() -> None:
        done, at = first, started
        while True:
            await asyncio.sleep(seconds)
            now, then, at, before, done = monotonic(), at, monotonic(), done, tally.acknowledged
            tell(line(done, (done - before) / (now - then)))

    telling = asyncio.create_task(keep_telling())
    try:
        yield
    finally:
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await telling
    tell(line(tally.acknowledged, (tally.acknowledged - first) / max(0.001, monotonic() - started)))


def summary(tally: Tally, seconds: float) -> dict[str, Any]:
    """Return the counts of a whole simulation for JSON."""
    return {
        "sent": tally.total,
        "acknowledged": tally.acknowledged,
        "refused": tally.refused,
        "given_up": tally.given_up,
        "retries": tally.retries,
        "sent_as": {kind.value: count for kind, count in sorted(tally.sent.items())},
        "seconds": round(seconds, 1),
        "acknowledged_per_second": round(tally.acknowledged / seconds, 1) if seconds else None,
    }
