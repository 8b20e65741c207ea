"""What detect_excursions hands to its recorder: facts, each as of the record of `uplinks` that led to it."""

from dataclasses import dataclass

from pipelines.domain.conditions.facts import ConditionKind, Detail
from pipelines.domain.conditions.terms import Alert
from pipelines.domain.recording import Figures, Found
from schemas.events import UnitState
from schemas.revisions import LATE


@dataclass(frozen=True, slots=True)
class ExcursionFact:
    """An excursion opened (no `closed_at`) or closed."""

    as_of: int
    """Offset in `uplinks` of the row or tick that led to it: the same however the log was batched."""
    received_at: int
    """The broker's stamp of that record, ms UTC."""
    found: Found
    stale: bool = False
    """Found by a state that waits for a revision."""


@dataclass(frozen=True, slots=True)
class RunningFact:
    """Running figures of an open excursion, at most once a minute."""

    as_of: int
    at: int
    sensor: int
    band: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class OfflineFact:
    """A device went offline, or was heard again (`ended_at`)."""

    as_of: int
    received_at: int
    device: int
    sensor: int
    """One of the device's sensors, 0 for none: it says which unit to tell of."""
    unit: int
    organization: int
    started_at: int
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class ConditionChange:
    """A condition of a sensor, a device or a band began (no `closed_at`) or is over."""

    as_of: int
    received_at: int
    kind: ConditionKind
    device: int
    sensor: int
    """0 for a condition of the device itself."""
    unit: int
    organization: int
    band: str
    """Of a possible excursion; empty for the others."""
    alert: Alert
    started_at: int
    opened_at: int
    ended_at: int | None
    closed_at: int | None
    ended_by: str | None
    detail: Detail


@dataclass(frozen=True, slots=True)
class StateFact:
    """A sensor's state changed."""

    as_of: int
    sensor: int
    unit: int
    organization: int
    state: UnitState
    since: int


@dataclass(frozen=True, slots=True)
class SettledFact:
    """A sensor goes on from a revision: everything that was recorded of it as of later offsets is this, or is not so."""

    as_of: int
    received_at: int
    sensor: int
    since: int
    """Offset that the revision was as of."""
    after: int
    """ms UTC: the newest row that the revision knew. What opened up to it was the revision's to say."""
    until: int
    """ms UTC: how far it is judged now."""
    found: tuple[Found, ...]
    """What is open, and what opened or closed since."""
    states: tuple["StateFact", ...]
    """The state that the sensor is in now, where it is another than was shown."""
    possible: tuple[ConditionChange, ...] = ()
    """The possible excursions that stand now; no other of the sensor does."""
    reason: str = LATE
    """Why it was judged again."""


@dataclass(frozen=True, slots=True)
class StandingFact:
    """What a shard stands in once it has passed what was on record when it started: of what it knows nothing else stands."""

    as_of: int
    received_at: int
    until: int
    """ms UTC: the partition's clock."""
    devices: frozenset[int]
    """Those it knows: by them clocks are compared."""
    sensors: frozenset[int]
    """Those it knows the conditions of."""
    unsettled: frozenset[int]
    """Sensors that wait for a revision, which says what is possible of them."""
    standing: tuple[ConditionChange, ...]


Fact = StandingFact | SettledFact | ExcursionFact | RunningFact | OfflineFact | ConditionChange | StateFact


@dataclass(frozen=True, slots=True)
class Judged:
    """Facts of one partition in the order of `as_of`, and how far the partition was judged."""

    partition: int
    reached: int
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class LateReadings:
    """Late readings of one sensor, or a correction: a request to judge it again."""

    partition: int
    sensor: int
    device: int
    organization: int
    measured_from: int
    offset: int
    clock: int
    """The partition's clock (ms UTC)."""
    reason: str = LATE


Output = Judged | LateReadings
