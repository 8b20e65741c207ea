"""What REST answers look like: the source of the OpenAPI schema. Temperatures degrees Celsius, times ISO 8601 UTC with milliseconds."""

from datetime import UTC, datetime
from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from pipelines.domain.recording import Reason
from schemas.events import UnitState


def iso(instant: datetime) -> str:
    """Return an instant as ISO 8601 UTC with milliseconds, further digits cut off."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


Instant = Annotated[
    datetime,
    PlainSerializer(iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-25T04:22:00.123Z"]}),
]


class Shape(BaseModel):
    """Every answer's base: frozen, and built by our own queries."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, ser_json_inf_nan="null")


Item = TypeVar("Item")


class Page(Shape, Generic[Item]):
    """Some of a list; pass `next` as `cursor` for what comes after it."""

    items: list[Item]
    next: str | None


class ErrorDetail(Shape):
    """What is wrong."""

    code: str
    message: str


class ErrorAnswer(Shape):
    """Every error."""

    error: ErrorDetail


class SignInAnswer(Shape):
    """Where the page sends people to sign in; null but in a local stack."""

    sandbox_sign_in_url: str | None


class OrganizationAnswer(Shape):
    """An organization the caller is a member of."""

    id: int
    name: str
    archived_at: Instant | None


class UserAnswer(Shape):
    """The caller."""

    id: str
    name: str
    email: str


class MeAnswer(Shape):
    """The caller, until when, and what they may see."""

    user: UserAnswer
    token_expires_at: Instant
    organizations: list[OrganizationAnswer]


class SiteAnswer(Shape):
    """A site."""

    id: int
    organization: int
    name: str
    time_zone: str
    units: int
    archived_at: Instant | None


class LatestAnswer(Shape):
    """The newest values by measured_at; `fault` is the reason of a fault mark."""

    sensor: int
    unit: int
    measured_at: Instant
    received_at: Instant
    temperature_celsius: float | None
    humidity_percent: float | None
    battery_volts: float | None
    battery_percent: int | None
    door_open: bool | None
    fault: str | None


class ReadingAnswer(LatestAnswer):
    """A reading, a fault mark, or values without a temperature; as corrected, and as it was measured and stored."""

    late: bool
    raw_temperature_celsius: float | None
    corrected: bool


class BucketAnswer(Shape):
    """What is known of one stretch of time."""

    sensor: int
    start: Instant = Field(serialization_alias="from")
    end: Instant = Field(serialization_alias="to")
    count: int
    faults: int
    known_seconds: float
    min_celsius: float | None
    max_celsius: float | None
    mean_celsius: float | None


class ExcursionFacts(Shape):
    """What is common to an excursion and its versions; `version` is known since `known_at`."""

    id: UUID
    version: int
    organization: int
    unit: int
    sensor: int
    device: int
    band: str
    kind: str
    side: str
    severity: str
    limit_celsius: float
    policy_version: int
    started_at: Instant
    opened_at: Instant
    ended_at: Instant | None
    closed_at: Instant | None
    ended_by: str | None
    late: bool
    known_at: Instant
    peak_celsius: float | None
    mean_celsius: float | None
    degree_minutes: float | None
    exposure_seconds: float | None
    known_seconds: float | None
    unknown_seconds: float | None
    samples: int | None
    largest_gap_seconds: float | None


class ExcursionAnswer(ExcursionFacts):
    """An excursion as it stands, or stood; `as_of` says when the running figures of an open one were written."""

    site: int
    reason: Reason | None
    as_of: Instant | None


class VersionAnswer(ExcursionFacts):
    """What was believed of an excursion from `known_at` on; `changed` names the fields that differ from the version before."""

    reason: Reason
    superseded_by: UUID | None
    changed: list[str]


class ExcursionDetailAnswer(ExcursionAnswer):
    """An excursion with its history."""

    versions: list[VersionAnswer]


class DeviceAnswer(Shape):
    """The device a sensor is a probe of."""

    id: int
    dev_eui: str
    name: str
    brand_id: str
    model_id: str


class ConfigurationAnswer(Shape):
    """The newest configuration of a sensor in force."""

    effective_at: Instant
    calibration_celsius: float
    expected_interval_seconds: float
    max_gap_seconds: float
    offline_after_seconds: float


class SensorAnswer(Shape):
    """A sensor: one probe of a device."""

    id: int
    organization: int
    site: int | None
    unit: int | None
    probe: str
    device: DeviceAnswer
    state: UnitState
    since: Instant | None
    latest: LatestAnswer | None
    configuration: ConfigurationAnswer | None
    archived_at: Instant | None


class UnitAnswer(Shape):
    """A refrigerator, freezer, cold room or shipment as it stands."""

    id: int
    organization: int
    site: int
    name: str
    kind: str
    state: UnitState
    since: Instant | None
    latest: LatestAnswer | None
    open_excursions: list[ExcursionAnswer]
    archived_at: Instant | None


class ConditionAnswer(Shape):
    """A condition of a device (`sensor` is null), a sensor, or a band of it; `detail` is what it stands on. Open where `ended_at` is null."""

    id: UUID
    organization: int
    device: int
    sensor: int | None
    unit: int | None
    kind: str
    band: str | None
    alert: str
    started_at: Instant
    opened_at: Instant
    ended_at: Instant | None
    closed_at: Instant | None
    ended_by: str | None
    detail: dict[str, object] | None


class ConditionVersionAnswer(ConditionAnswer):
    """What was known of a condition from `known_at` on."""

    version: int
    known_at: Instant


class ConditionDetailAnswer(ConditionAnswer):
    """A condition with its history."""

    versions: list[ConditionVersionAnswer]


class BudgetAnswer(Shape):
    """What is left of the exposure that a cumulative band allows; `left_at_worst_seconds` if it was out of range whenever nothing was known."""

    band: str
    side: str
    limit_celsius: float
    window_seconds: float | None
    budget_seconds: float
    used_seconds: float
    left_seconds: float
    left_at_worst_seconds: float
    unknown_seconds: float
    used_up_at: Instant | None


class UnitSensorAnswer(SensorAnswer):
    """A sensor of the unit; `budgets` is null where there are too many readings to add up."""

    budgets: list[BudgetAnswer] | None


class UnitDetailAnswer(UnitAnswer):
    """A unit with its sensors, and the open conditions of these and of their devices."""

    sensors: list[UnitSensorAnswer]
    conditions: list[ConditionAnswer]


class PolicyAnswer(Shape):
    """Which policy version it is."""

    id: int
    name: str
    version: int
    policy_version: int
    effective_at: Instant


class PolicyInForceAnswer(Shape):
    """What a unit is judged by at an instant; `bands` and `conditions` as in the policy document, every field filled in."""

    unit: int
    at: Instant
    policy: PolicyAnswer | None
    bands: list[dict[str, object]]
    conditions: dict[str, dict[str, object]]


class ReplayAnswer(Shape):
    """One replay of a dead letter; place and outcome are null until they are known."""

    attempt: int
    replayed_at: Instant
    replayed_by: str
    partition: int | None
    offset: int | None
    outcome: str | None
    reason: str | None


class DeadLetterAnswer(Shape):
    """A rejected uplink, or a rejected value of one, and its newest replay; `replay_of` names the first letter of what came of a replay."""

    id: UUID
    organization: int
    application: str
    kind: Literal["rejected", "unassigned"]
    reason: str
    detail: str
    dev_eui: str
    received_at: Instant
    topic: str
    partition: int
    offset: int
    part: int
    size_bytes: int
    meaning: str
    what_to_do: str
    replay_of: UUID | None
    replay: ReplayAnswer | None


class DeadLetterDetailAnswer(DeadLetterAnswer):
    """A dead letter with its bytes and every replay, oldest first."""

    raw_base64: str
    replays: list[ReplayAnswer]


class UplinkEndAnswer(Shape):
    """How many uplinks of an organization ended how; replayed dead letters are counted apart."""

    organization: int
    ended_as: str
    reason: str | None
    uplinks: int
    replayed: int
