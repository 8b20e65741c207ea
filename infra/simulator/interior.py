"""What a device finds to measure at an instant: the unit's physics, and what happens to the unit by its timetable."""

from typing import Final

from infra.simulator import physics
from infra.simulator.catalog import FACTS
from infra.simulator.chance import key_of
from infra.simulator.fleet import Device, Trouble, Unit
from infra.simulator.frame import Sample
from infra.simulator.happenings import Timetable, What
from infra.simulator.physics import DAY, Climate, Failures
from infra.simulator.stages import Stage

ONCE: Final = 10_000 * DAY
"""Period of a failure that does not come again."""


class Interior:
    """One unit as one of its devices sees it; it counts the openings of the door from report to report."""

    def __init__(self, unit: Unit, device: Device) -> None:
        """Begin with a door that was never opened."""
        self._climate = unit.climate
        self._facts = FACTS[device.model]
        self._is_failing = unit.trouble is Trouble.FAILING
        self._charge = 100 - key_of(device.key, 52) % 40
        self._opened = 0
        self._reported_at = 0

    def sample(self, stage: Stage, timetable: Timetable, at: int) -> Sample:
        """Return what there is to measure at an instant (ms UTC)."""
        climate, moment, facts = self._climate, stage.moment(at), self._facts
        warmth = physics.let_in(climate, moment)
        failures: tuple[Failures, ...] = (stage.failures,) if self._is_failing else ()
        is_open, openings, minutes = self._door(moment) if facts.sees_door or facts.feels_door else (False, 0, 0)
        clock = at
        if timetable:
            warmth += _happening(climate, stage, timetable, at)
            failures += _failures(stage, timetable)
            is_open = is_open or timetable.now(What.DOOR_OPEN, at) is not None
            wrong = timetable.now(What.DEVICE_CLOCK, at)
            clock += wrong.by if wrong is not None else 0
        return Sample(
            inside=physics.inside(climate, moment, origin=stage.origin, warmth=warmth, failures=failures),
            humidity=min(100.0, physics.humidity(climate, moment, warmth)),
            volts=2.9 + self._charge / 400,
            charge=self._charge,
            clock=clock,
            around=physics.around(climate, moment) if facts.feels_room else 0.0,
            door_open=is_open,
            openings=openings,
            last_opening_minutes=minutes,
        )

    def _door(self, moment: int) -> tuple[bool, int, int]:
        """Return whether the door is open, how often it was opened so far, and the minutes of the newest opening."""
        opened, length = physics.door_openings(self._climate, moment, self._reported_at or moment)
        self._reported_at = max(self._reported_at, moment)
        self._opened = (self._opened + opened) & 0xFFFFFF
        return physics.door_is_open(self._climate, moment), self._opened, length // physics.MINUTE


def _happening(climate: Climate, stage: Stage, timetable: Timetable, at: int) -> float:
    """Return the warming by doors left open and defrosts."""
    open_doors = (
        physics.left_open(climate, (at - window.begin) * stage.speed, (window.end - window.begin) * stage.speed)
        for window in timetable.windows(What.DOOR_OPEN)
    )
    defrosts = (physics.defrosting(at - window.begin, window.end - window.begin) for window in timetable.windows(What.DEFROST))
    return max(open_doors, default=0.0) + sum(defrosts)


def _failures(stage: Stage, timetable: Timetable) -> tuple[Failures, ...]:
    return tuple(
        Failures(origin=stage.moment(window.begin), period=ONCE, offset=0, length=(window.end - window.begin) * stage.speed)
        for window in timetable.windows(What.COMPRESSOR_OFF)
    )
