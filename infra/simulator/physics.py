"""How warm it is inside a unit at an instant: a pure function of the unit, its troubles and the time.

Sum of: set point, the compressor's saw tooth, what each opening of the door let in, a freezer's defrosts, a slow drift,
and the warming while the compressor has failed. Degrees Celsius as floats and ms UTC; rounding is the device's task.
The curves are plausible, not measured.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from infra.simulator.chance import between, fraction

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

DOOR_SLOT: Final = 75 * MINUTE
"""At most one opening begins in each slot."""
DOOR_COOLING: Final = 9 * MINUTE
"""Time constant with which let-in warmth goes away."""
BUSY_HOURS: Final = range(6, 19)
DEFROST_PERIOD: Final = 8 * HOUR
DEFROST_LENGTH: Final = 40 * MINUTE
DEFROST_PEAK: Final = 7.0
LEFT_OPEN_WARMING: Final = 20 * MINUTE
"""Time constant with which a unit whose door stands open warms."""
LEFT_OPEN_REACH: Final = 0.7
"""How much of the way to the room's temperature it goes then: the compressor runs all the while."""
REPAIR_COOLING: Final = 15 * MINUTE
"""Time constant with which a repaired unit cools down again."""
NOISE: Final = 0.08
DAILY_SWING: Final = 0.2
"""What of the room's daily cycle is felt inside."""


@dataclass(frozen=True, slots=True)
class Climate:
    """What a unit is like inside and around."""

    key: int
    """Sets this unit's chance apart from every other's."""
    set_point: float
    swing: float
    """Half of the compressor's saw tooth."""
    cycle: int
    """Length of the saw tooth in ms."""
    ambient: float
    warming: int
    """Time constant in ms with which it goes to `ambient` without cooling."""
    defrosts: bool = False
    drift_per_day: float = 0.0


@dataclass(frozen=True, slots=True)
class Failures:
    """When a failing compressor stands still: for `length` ms in each `period`, `offset` ms after `origin`."""

    origin: int
    period: int
    offset: int
    length: int


def inside(climate: Climate, at: int, *, origin: int, warmth: float, failures: tuple[Failures, ...] = ()) -> float:
    """Return the temperature inside at an instant; drift counts from `origin`, `warmth` is what the door let in."""
    degrees = climate.set_point + warmth + NOISE * between(-1, 1, climate.key, 2, at)
    degrees += DAILY_SWING * math.sin(math.tau * (at % DAY) / DAY - 2.0)
    degrees += climate.swing * _saw_tooth((at / climate.cycle + _trait(climate.key, 1)) % 1.0)
    if climate.defrosts:
        degrees += _defrost(climate, at)
    if failures:
        degrees += max(_failing(climate, at, failure) for failure in failures)
    if climate.drift_per_day:
        degrees += climate.drift_per_day * max(0, at - origin) / DAY
    return degrees


def around(climate: Climate, at: int) -> float:
    """Return the temperature of the room the unit stands in."""
    return climate.ambient + 1.5 * math.sin(math.tau * (at % DAY) / DAY - 2.0) + between(-0.1, 0.1, climate.key, 3, at)


def humidity(climate: Climate, at: int, warmth: float) -> float:
    """Return the relative humidity inside in percent; `warmth` is what the door let in."""
    return 48 + 14 * _trait(climate.key, 4) + 9 * warmth + between(-1, 1, climate.key, 5, at)


def door_is_open(climate: Climate, at: int) -> bool:
    """Say whether the door stands open at an instant."""
    return any(begin <= at < begin + length for begin, length in _openings(climate, at))


def door_openings(climate: Climate, at: int, since: int) -> tuple[int, int]:
    """Return how many openings ended in (since, at], at most 50, and the length of the last of them in ms."""
    ended = [
        (begin + length, length)
        for slot in range(max(since // DOOR_SLOT - 1, at // DOOR_SLOT - 50), at // DOOR_SLOT + 1)
        if (opening := _opening(climate.key, slot)) is not None
        for begin, length in [opening]
        if since < begin + length <= at
    ]
    return len(ended), ended[-1][1] if ended else 0


def _saw_tooth(phase: float) -> float:
    """Return -1..1: two fifths of a cycle cooling down, three fifths warming up."""
    return 1 - phase * 5 if phase < 0.4 else (phase - 0.4) / 0.3 - 1  # noqa: PLR2004 - two fifths


@lru_cache(maxsize=1 << 16)
def _opening(key: int, slot: int) -> tuple[int, int] | None:
    """Return begin and length of the opening in a slot, if there is one."""
    begin = slot * DOOR_SLOT + int(between(0, DOOR_SLOT, key, 6, slot))
    likely = 0.8 if begin % DAY // HOUR in BUSY_HOURS else 0.15
    if fraction(key, 7, slot) >= likely:
        return None
    return begin, int(between(15_000, 150_000, key, 8, slot))


@lru_cache(maxsize=1 << 16)
def _trait(key: int, number: int) -> float:
    """Return a fraction that a unit keeps for good."""
    return fraction(key, number)


def _openings(climate: Climate, at: int) -> list[tuple[int, int]]:
    """Return the openings whose effect can still be felt."""
    slot = at // DOOR_SLOT
    return [opening for one in (slot - 1, slot) if (opening := _opening(climate.key, one)) is not None]


def let_in(climate: Climate, at: int) -> float:
    """Return by how many degrees the openings of the door have warmed the inside, as far as can still be felt."""
    total = 0.0
    for begin, length in _openings(climate, at):
        if at < begin:
            continue
        reach = 0.16 * (climate.ambient - climate.set_point) * min(1.0, length / 120_000)
        opened = reach * min(at - begin, length) / length
        total += opened * math.exp(-max(0, at - begin - length) / DOOR_COOLING)
    return total


def left_open(climate: Climate, since: int, length: int) -> float:
    """Return the warming by a door that was opened `since` ms ago and closed after `length` ms."""
    if since < 0:
        return 0.0
    warmed = LEFT_OPEN_REACH * (climate.ambient - climate.set_point) * (1 - math.exp(-min(since, length) / LEFT_OPEN_WARMING))
    return warmed * math.exp(-max(0, since - length) / DOOR_COOLING)


def defrosting(since: int, length: int) -> float:
    """Return the warming by a defrost that began `since` ms ago and lasts `length` ms."""
    return DEFROST_PEAK * math.sin(math.pi * since / length) if 0 <= since < length else 0.0


def _defrost(climate: Climate, at: int) -> float:
    return defrosting((at + int(DEFROST_PERIOD * _trait(climate.key, 9))) % DEFROST_PERIOD, DEFROST_LENGTH)


def _failing(climate: Climate, at: int, failures: Failures) -> float:
    """Return the warming by the failure that is on, or what is left of the last one."""
    since = (at - failures.origin - failures.offset) % failures.period
    if at < failures.origin + failures.offset:
        return 0.0
    warmed = (climate.ambient - climate.set_point) * (1 - math.exp(-min(since, failures.length) / climate.warming))
    return warmed * math.exp(-max(0, since - failures.length) / REPAIR_COOLING)
