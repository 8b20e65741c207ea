"""Runs a simulation: the history at full speed, then real time, with progress on the way."""

from dataclasses import dataclass, replace
from typing import Any, Final

from infra.simulator.fleet import Fleet
from infra.simulator.happenings import Happening
from infra.simulator.mischief import Mischief
from infra.simulator.progress import Progress
from infra.simulator.sender import Sender
from infra.simulator.stages import Stage
from infra.simulator.tally import Tally
from infra.simulator.traffic import DeviceTraffic, traffic_of
from pipelines.connectors.clock import now_ms

HISTORY_TELL_SECONDS: Final = 2.0
LIVE_TELL_SECONDS: Final = 10.0
READY_PER_MS: Final = 15
"""Devices whose first uplink is ready in a millisecond: the live part begins when all of them are."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated; times in ms."""

    fleet: Fleet
    application: str
    mischief: Mischief
    interval: int
    """0: each device at its model's own."""
    quick: bool = False
    """Things happen 60 times faster in the live part."""
    ramp: int = 0
    """ms in which the devices are switched on in the live part."""
    happenings: tuple[Happening, ...] = ()

    def happenings_of(self, *, history: bool) -> tuple[Happening, ...]:
        """Return what happens in the history, or in the live part."""
        return tuple(one for one in self.happenings if one.in_history == history)


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

    def __init__(self, plan: Plan, sender: Sender, progress: Progress) -> None:
        """Describe the simulation."""
        self._plan = plan
        self._sender = sender
        self._progress = progress
        self._traffic: list[DeviceTraffic] = traffic_of(plan.fleet, plan.application, plan.mischief)
        self._origin: int | None = None

    async def history(self, span: Span) -> None:
        """Post a history, in event-time order per device, as fast as it is taken."""
        self._origin = span.begin
        expected = span.readings * len(self._traffic)
        stage = replace(Stage.history(span.begin, span.end, span.interval), happenings=self._plan.happenings_of(history=True))
        began = self._sender.tally.acknowledged

        def line(tally: Tally, rate: float) -> str:
            done = tally.acknowledged - began
            left = f", {max(0, expected - done) / rate:,.0f} s left" if rate else ""
            return f"history: {done:,} of about {expected:,} uplinks taken, {rate:,.0f}/s{left}{_again(tally)}"

        async with self._progress.watching(self._sender.tally, HISTORY_TELL_SECONDS, line):
            await self._sender.run((one.uplinks(stage) for one in self._traffic), paced=False)

    async def live(self, duration: float | None) -> None:
        """Send in real time for so many seconds, or until the sender is told to stop."""
        begin = now_ms() + len(self._traffic) // READY_PER_MS
        end = None if duration is None else begin + round(duration * 1000)
        make = Stage.quick if self._plan.quick else Stage.live
        stage = replace(
            make(begin, end, self._plan.interval, begin if self._origin is None else self._origin),
            happenings=self._plan.happenings_of(history=False),
            ramp=self._plan.ramp,
        )

        def line(tally: Tally, rate: float) -> str:
            return f"live: {tally.acknowledged:,} uplinks taken in all, {rate:,.1f}/s{_again(tally)}"

        async with self._progress.watching(self._sender.tally, LIVE_TELL_SECONDS, line):
            await self._sender.run((one.uplinks(stage) for one in self._traffic), paced=True)


def _again(tally: Tally) -> str:
    return f", {tally.retries:,} tried again" if tally.retries else ""


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
        "acknowledged_after_ms": tally.acknowledged_after.shown(),
        "behind_schedule_ms": tally.behind.shown(),
    }
