"""What happens at a set time of a simulation: a gateway out, a door left open, a clock that is wrong. Pure; times in ms UTC.

A happening says what, when, and to whom; a device's timetable is the happenings that are its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from infra.simulator.chance import fraction


class What(StrEnum):
    """What can happen."""

    GATEWAY_OUT = "gateway_out"
    """Gateways hear nothing. What no other gateway hears is lost; a device with a log sends it afterwards, newest first."""
    WEBHOOK_OUT = "webhook_out"
    """The network server keeps what it cannot deliver, and delivers it afterwards, newest first."""
    SILENT = "silent"
    """The device does not send."""
    REJOIN = "rejoin"
    """The device joins again; its frame count starts over."""
    PROBE_OFF = "probe_off"
    """The probe is not plugged in, where the model has a sign for it."""
    DOOR_OPEN = "door_open"
    """The unit's door stands open."""
    COMPRESSOR_OFF = "compressor_off"
    """The unit is not cooled."""
    DEFROST = "defrost"
    """The unit defrosts."""
    DEVICE_CLOCK = "device_clock"
    """The device's own clock is off by `by`: seen in its log and in the times it sends."""
    GATEWAY_CLOCK = "gateway_clock"
    """The gateways' clocks are off by `by`."""
    NETWORK_CLOCK = "network_clock"
    """The network server's clock is off by `by`: what it says the time of measurement is, is wrong."""


CLOCKS: Final = frozenset({What.DEVICE_CLOCK, What.GATEWAY_CLOCK, What.NETWORK_CLOCK})


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of a scenario; `begin` and `length` are ms from the beginning of its stage."""

    what: What
    begin: int
    length: int
    by: int = 0
    """ms; for clocks."""
    units: frozenset[int] = frozenset()
    """Numbers of units, from 1; empty: all."""
    site: str = ""
    """Empty: all."""
    gateway: int = 0
    """Number of the gateway at its site, from 1; 0: all."""
    share: float = 1.0
    """Of the units that it would concern, this share; which ones, the seed says."""
    in_history: bool = False

    def concerns(self, number: int, site: str, key: int, place: int) -> bool:
        """Say whether it concerns a unit: its number, its site, its key, and the happening's place in the scenario."""
        if self.units and number not in self.units:
            return False
        if self.site and site != self.site:
            return False
        return self.share >= 1 or fraction(key, place, 70) < self.share


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in which something is the case."""

    begin: int
    end: int
    by: int
    gateway: int

    def holds(self, at: int) -> bool:
        """Say whether an instant lies within."""
        return self.begin <= at < self.end


class Timetable:
    """The happenings of one device in one stage."""

    def __init__(self, begin: int, happenings: Iterable[Happening], number: int, site: str, key: int) -> None:
        """Keep what concerns this unit; `begin` is the stage's."""
        self._windows: dict[What, list[Window]] = {}
        for place, one in enumerate(happenings):
            if one.concerns(number, site, key, place):
                window = Window(begin + one.begin, begin + one.begin + one.length, one.by, one.gateway)
                self._windows.setdefault(one.what, []).append(window)

    def __bool__(self) -> bool:
        return bool(self._windows)

    def now(self, what: What, at: int) -> Window | None:
        """Return the first window in which something is the case at an instant."""
        return next((window for window in self._windows.get(what, ()) if window.holds(at)), None)

    def windows(self, what: What) -> list[Window]:
        """Return every window of something."""
        return self._windows.get(what, [])
