"""What the registry says of a device over time: its sensors, the units they watch, and the terms in force at an instant.

Values only; engine.registry and the API load them, each in its own way.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

import msgspec


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is in force from when on: instants ascending, and a number for each."""

    starts: tuple[int, ...]
    numbers: tuple[int, ...]

    def at(self, instant: int) -> int:
        """Return the number in force at an instant, 0 for none."""
        index = bisect_right(self.starts, instant)
        return self.numbers[index - 1] if index else 0


NOTHING: Final = Timeline((), ())


@dataclass(frozen=True, slots=True)
class Assignment:
    """A sensor watches a unit in [valid_from, valid_to)."""

    id: int
    unit: int
    valid_from: int
    valid_to: int | None


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """The terms of a reading."""

    unit: int
    assignment: int
    policy: int
    configuration: int
    calibration: int
    """Hundredths of a degree, added to what was measured."""
    is_corrected: bool = False
    """A person corrected what is known of the sensor then: a row is not judged live, but by a revision, which knows how."""


class Sensor(msgspec.Struct, frozen=True, gc=False):
    """One probe, and the terms in force from when on: instants ascending (ms UTC), None where it is assigned to no unit."""

    id: int
    probe: str
    starts: tuple[int, ...]
    stamps: tuple[Stamp | None, ...]

    def stamp(self, measured_at: int) -> Stamp | None:
        """Return the terms in force at an instant (ms UTC), or None where the sensor is assigned to no unit."""
        index = bisect_right(self.starts, measured_at)
        return self.stamps[index - 1] if index else None


@dataclass(frozen=True, slots=True)
class Terms:
    """What the registry says of one sensor over time."""

    assignments: tuple[Assignment, ...]
    configurations: Timeline
    calibrations: Timeline
    policies: dict[int, Timeline]
    """By unit."""
    corrected: tuple[tuple[int, int], ...] = ()
    """[since, until) (ms UTC) of the stretches that people corrected."""

    def sensor(self, number: int, probe: str) -> Sensor:
        """Return the sensor, with its stamp between any two instants at which something changes."""
        starts = {instant for one in self.assignments for instant in (one.valid_from, one.valid_to) if instant is not None}
        for timeline in (self.configurations, self.calibrations, *self.policies.values()):
            starts.update(timeline.starts)
        starts.update(edge for stretch in self.corrected for edge in stretch)
        ordered = tuple(sorted(starts))
        return Sensor(number, probe, ordered, tuple(self._at(instant) for instant in ordered))

    def _at(self, instant: int) -> Stamp | None:
        for assignment in self.assignments:
            if assignment.valid_from <= instant and (assignment.valid_to is None or instant < assignment.valid_to):
                return Stamp(
                    assignment.unit,
                    assignment.id,
                    self.policies.get(assignment.unit, NOTHING).at(instant),
                    self.configurations.at(instant),
                    self.calibrations.at(instant),
                    any(since <= instant < until for since, until in self.corrected),
                )
        return None


@dataclass(frozen=True, slots=True)
class Device:
    """A registered device and its sensors by probe."""

    id: int
    organization: int
    sensors: dict[str, Sensor]
