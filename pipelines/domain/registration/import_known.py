"""What the registry holds of what an import names: the part of it that a plan is made against. Instants are ms UTC."""

from dataclasses import dataclass, field

from pipelines.domain.registration.sensor_terms import SensorTerms

UnitKey = tuple[str, str]
"""Names of a site and of a unit there."""

SensorKey = tuple[str, str]
"""Device EUI and probe."""


@dataclass(frozen=True, slots=True)
class KnownSite:
    """A site."""

    id: int
    time_zone: str
    is_archived: bool


@dataclass(frozen=True, slots=True)
class KnownUnit:
    """A unit, and the newest policy version that it is or will be judged by."""

    id: int
    kind: str
    is_archived: bool
    policy_version: int | None
    policy_at: int | None
    is_watched: bool
    """A sensor is, was or will be assigned to it."""


@dataclass(frozen=True, slots=True)
class KnownPolicy:
    """A policy's newest version."""

    id: int
    version: int
    version_id: int
    is_archived: bool


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device as it is described."""

    id: int
    name: str
    brand_id: str
    model_id: str


@dataclass(frozen=True, slots=True)
class KnownAssignment:
    """A sensor's last assignment."""

    id: int
    unit: int
    valid_from: int
    valid_to: int | None


@dataclass(frozen=True, slots=True)
class KnownSensor:
    """A sensor with its newest configuration and last assignment."""

    id: int
    is_archived: bool
    terms: SensorTerms | None
    terms_at: int | None
    assignment: KnownAssignment | None


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that an import's lines name and that is there."""

    sites: dict[str, KnownSite] = field(default_factory=dict)
    units: dict[UnitKey, KnownUnit] = field(default_factory=dict)
    policies: dict[str, KnownPolicy] = field(default_factory=dict)
    devices: dict[str, KnownDevice] = field(default_factory=dict)
    sensors: dict[SensorKey, KnownSensor] = field(default_factory=dict)
