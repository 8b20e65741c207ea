"""A stage is a stretch of simulated traffic with one pace: the history, or the live part. Pure; times in ms UTC."""

from dataclasses import dataclass
from typing import Final, Self

from infra.simulator.happenings import Happening
from infra.simulator.physics import DAY, HOUR, MINUTE, Failures


@dataclass(frozen=True, slots=True)
class Silence:
    """When the silent sensors do not send: `length` ms in each `period`, first `offset` ms after the stage begins."""

    period: int
    offset: int
    length: int

    def holds(self, since: int) -> bool:
        """Say whether it holds that many ms after the stage began."""
        return since >= self.offset and (since - self.offset) % self.period < self.length


@dataclass(frozen=True, slots=True)
class Stage:
    """From `begin` to `end` (None: for ever) every device sends each `interval` ms; 0: each at its model's own interval.

    `speed` is how many times faster than time things happen inside the units.
    """

    begin: int
    end: int | None
    interval: int
    speed: int
    origin: int
    """Where drift starts to count."""
    failures: Failures
    silence: Silence
    happenings: tuple[Happening, ...] = ()
    ramp: int = 0
    """ms in which the devices are switched on one after another."""

    def moment(self, at: int) -> int:
        """Return the time inside the units at an instant."""
        return self.begin + (at - self.begin) * self.speed

    @classmethod
    def history(cls, begin: int, end: int, interval: int) -> Self:
        """Return a stage of days: a failing compressor stands 5 h twice a week, a silent sensor skips an evening."""
        failures = Failures(origin=begin, period=84 * HOUR, offset=30 * HOUR, length=5 * HOUR)
        return cls(begin, end, interval, 1, begin, failures, Silence(period=6 * DAY, offset=4 * DAY, length=7 * HOUR))

    @classmethod
    def live(cls, begin: int, end: int | None, interval: int, origin: int) -> Self:
        """Return a stage at the true pace: the failing compressor stops after an hour, the silent sensor after two."""
        failures = Failures(origin=begin, period=DAY, offset=HOUR, length=4 * HOUR)
        return cls(begin, end, interval, 1, origin, failures, Silence(period=DAY, offset=2 * HOUR, length=3 * HOUR))

    @classmethod
    def quick(cls, begin: int, end: int | None, interval: int, origin: int) -> Self:
        """Return a stage for an impatient audience: a minute happens in a second, troubles begin after 8 and 25 s."""
        failures = Failures(origin=begin, period=90 * MINUTE, offset=8 * MINUTE, length=30 * MINUTE)
        return cls(begin, end, interval, QUICK, origin, failures, Silence(period=150_000, offset=25_000, length=50_000))


QUICK: Final = 60
"""Speed of the quick stage."""
