"""Everything the checkers look at, as plain values; times in ms UTC, temperatures in hundredths of a degree."""

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from infra.simulator.journal import JournalLine
from pipelines.domain.policy import Policy

Key = tuple[str, int]
"""A reading: device EUI and `measured_at`."""
Told = tuple[str, int]
"""An excursion's or condition's id and its version."""


@dataclass(frozen=True, slots=True)
class StoredReading:
    """A row of the hypertable."""

    dev_eui: str
    sensor: int
    measured_at: int
    temperature: int | None
    is_fault: bool
    is_late: bool


Facts = tuple[object, ...]
Line = TypeVar("Line")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an excursion; `facts` is all that it says beside its number, its reason and when it became known."""

    excursion: uuid.UUID
    version: int
    reason: str
    sensor: int
    band: str
    started_at: int
    opened_at: int
    ended_at: int | None
    closed_at: int | None
    peak: int | None
    facts: Facts


@dataclass(frozen=True, slots=True)
class Condition:
    """One version of a condition of a device, a sensor or a band."""

    condition: uuid.UUID
    version: int
    dev_eui: str
    started_at: int
    ended_at: int | None
    closed_at: int | None
    kind: str
    is_told: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """What a sensor is judged by from an instant on."""

    effective_at: int
    max_gap_ms: int
    offline_after_ms: int


@dataclass(frozen=True, slots=True)
class Sensor:
    """A registered sensor with all its terms and policies, newest last."""

    number: int
    dev_eui: str
    terms: tuple[Terms, ...]
    policies: tuple[tuple[int, int], ...]
    """(effective_at, policy version)."""


@dataclass(slots=True)
class Tables:
    """What the database says."""

    readings: list[StoredReading] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)
    put_aside: int = 0
    """Bodies that ingest put straight to dead letters."""
    letters: dict[str, int] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)
    current: set[Facts] = field(default_factory=set)
    conditions: list[Condition] = field(default_factory=list)
    outbox: int = 0
    sensors: list[Sensor] = field(default_factory=list)
    policies: dict[int, Policy] = field(default_factory=dict)


class Via:
    """Where an event was seen."""

    WEBSOCKET: Final = "websocket"
    ALERTING: Final = "alerting"
    REVISIONS: Final = "revisions"
    LINE: Final = "line"


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the subscriber's tape."""

    via: str
    at: int
    """When it was seen; for `alerting` when it was written, by the record's timestamp."""
    note: str = ""
    """For `line`: connected, gone or resync."""
    sensor: int = 0
    """For `revisions`: the sensor that asks to be judged again."""
    event: msgspec.Raw = msgspec.Raw(b"")


class Fault(msgspec.Struct, frozen=True):
    """One injected fault: from when to when a part could not do its work."""

    kind: str
    part: str
    began_at: int
    healed_at: int


@dataclass(slots=True)
class Evidence:
    """All of it."""

    journal: list[JournalLine]
    tables: Tables
    tape: list[Seen]
    faults: list[Fault]
    until: int
    """As of when: everything has settled."""
    repeats: int = 0
    """Requests that reached the API beyond the senders' own tries, where a proxy stands between and repeats them."""


def read_lines(path: Path, kind: type[Line]) -> list[Line]:
    """Return the lines of a file of JSON; a last line that is cut off is left out."""
    *lines, _rest = path.read_bytes().split(b"\n")
    decoder = msgspec.json.Decoder(kind)
    return [decoder.decode(line) for line in lines]


def judged_again(evidence: Evidence) -> set[int]:
    """Return the sensors with late readings, by the store's reckoning or by detect's: one that came after its gap was over is late to it."""
    late = {row.sensor for row in evidence.tables.readings if row.is_late}
    return late | {seen.sensor for seen in evidence.tape if seen.via == Via.REVISIONS and seen.sensor}
