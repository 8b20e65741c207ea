"""What a checker may find: five kinds, each finding a sentence."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What is wrong."""

    LOST = "lost"
    """Acknowledged and not stored or not ended; recorded and not told; due and not recorded."""
    DOUBLED = "doubled"
    """Counted, recorded or told more than once."""
    PHANTOM = "phantom"
    """A reading, an excursion, an offline condition or an event that nothing sent led to."""
    WRONG = "wrong"
    """There, but not as what was sent makes it."""
    LATE = "late"
    """Told later than allowed."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.kind}: {self.text}"


@dataclass(frozen=True, slots=True)
class Delay:
    """How long after its instant one alert was first seen; times in ms."""

    at: int
    """When it was seen, ms UTC."""
    ms: int
    is_undisturbed: bool
    """Nothing was broken around the instant: it was held to the 4 s; otherwise to a heal."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was compared and what is wrong with it."""

    acknowledged: int
    """Uplinks of the journal."""
    readings: int
    """Rows of the hypertable."""
    excursions: int
    """Excursions that what was sent makes."""
    told: int
    """Alerts in the log of events."""
    late_sensors: int
    """Sensors with a late reading: they are judged again."""
    findings: list[Finding] = field(default_factory=list)
    delays: list[Delay] = field(default_factory=list)
    """Of every alert seen."""
    sensors: int = 0
    """Registered."""

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        return counts_of(self.findings)


def counts_of(findings: Iterable[Finding]) -> dict[str, int]:
    """Return how many findings of each kind there are, 0 included."""
    counted = Counter(finding.kind for finding in findings)
    return {kind.value: counted[kind] for kind in Kind}
