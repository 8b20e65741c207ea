"""A fleet and everything that happens to it, as values: what a seed draws, a run carries out and a failure is cut down to.

Imports nothing of the product. Any part of the happenings may be left out and the rest is still a fleet's life: that is what shrinking needs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from tests.domain.random_series import Band


@dataclass(frozen=True, slots=True)
class Assignment:
    """A sensor watches a unit, whose policy versions are these, up to an end (ms UTC) or without one."""

    number: int
    unit: int
    versions: tuple[int, ...]
    ends_at: int | None


@dataclass(frozen=True, slots=True)
class Sensor:
    """A probe of a device; probes of one device come in one uplink at times."""

    number: int
    device: int
    organization: int
    partition: int
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """What a probe measured, with the terms in force then."""

    sensor: int
    assignment: int
    at: int
    """ms UTC."""
    value: int | None
    """Hundredths; None for a fault mark."""
    policy: int
    max_gap: int
    bare: bool = False
    """Without a temperature, such as humidity alone: no fault mark, and nothing that excursions look at."""


@dataclass(frozen=True, slots=True)
class Uplink:
    """Rows of one device that come under one offset: of several probes, or some history of one."""

    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Clock:
    """Ticks of every partition up to an instant (ms UTC)."""

    to: int


class Said(StrEnum):
    """What a person says of what a sensor measured in a stretch of time."""

    CALIBRATION = "its temperatures were off by so much"
    FLAG = "they are not to be believed"
    DELETE = "they never were"


@dataclass(frozen=True, slots=True)
class Correction:
    """A person corrects what a sensor measured in [since, until) (ms UTC); of two of a kind the later one holds, where both speak."""

    sensor: int
    said: Said
    since: int
    until: int
    offset: int = 0
    """Hundredths, of a calibration: what is added to what was measured."""


class What(StrEnum):
    """What a part of the system does next, or what befalls it; `count` is how many records, seconds, calls or epochs."""

    DETECT = "detect judges records"
    ANSWERS = "detect takes answers"
    RECORD = "detect's recorder commits"
    DETECT_EPOCH = "detect keeps a snapshot"
    DETECT_DIES = "detect dies, and starts from an older snapshot"
    DETECT_DIES_AT_CALL = "detect dies at a later call"
    STORE = "the store takes records"
    ASK = "revise reads requests"
    REVISE = "revise waits, and carries out what is due"
    REVISE_EPOCH = "revise keeps a snapshot"
    REVISE_DIES = "revise dies, and starts from an older snapshot"
    REVISE_DIES_AT_CALL = "revise dies at a later call"
    OVERTAKEN = "detect records something while revise judges"
    DATABASE_DROPS = "the database drops the connection of a later call"
    ROWS_AGAIN = "decode writes its newest records again"
    ENDS_AGAIN = "decode starts anew, and says ends of assignments again"


@dataclass(frozen=True, slots=True)
class Act:
    """Something done or suffered."""

    what: What
    count: int = 0


Event = Uplink | Clock | Act | Correction


@dataclass(frozen=True, slots=True)
class Fleet:
    """Who there is, under which terms, and all that happens, in order. At the end everything is let come to rest."""

    seed: int
    kind: str
    sensors: tuple[Sensor, ...]
    policies: dict[int, tuple[Band, ...]]
    events: tuple[Event, ...]
    settle_ms: int
    """How far beyond everything the clock goes at the end: longer than any hold, gap or window."""
    most_rows: int | None = None
    """Rows kept of a sensor that waits, and read of a stretch at once, where they are other bounds than the product's."""

    @property
    def rows(self) -> Iterator[Row]:
        """Every row, in the order it came."""
        return (row for event in self.events if isinstance(event, Uplink) for row in event.rows)

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """What people corrected, in the order they did."""
        return tuple(event for event in self.events if isinstance(event, Correction))

    @property
    def corrected_rows(self) -> Iterator[Row]:
        """Every row as it is because of all corrections, in the order it came; none that never was."""
        said = self.corrections
        for row in self.rows:
            of_it = [one for one in said if one.sensor == row.sensor and one.since <= row.at < one.until]
            if any(one.said is Said.DELETE for one in of_it):
                continue
            value = row.value
            for one in [one for one in of_it if one.said is Said.CALIBRATION][-1:]:
                value = None if value is None else value + one.offset
            if any(one.said is Said.FLAG for one in of_it):
                value = None
            yield replace(row, value=value)

    @property
    def partitions(self) -> tuple[int, ...]:
        """The partitions that have sensors."""
        return tuple(sorted({sensor.partition for sensor in self.sensors}))

    def ends_of(self, sensor: int) -> dict[int, int]:
        """Return when assignments of a sensor end (ms UTC), by number."""
        return {
            one.number: one.ends_at for each in self.sensors if each.number == sensor for one in each.assignments if one.ends_at is not None
        }
