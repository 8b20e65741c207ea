"""What answers about the registry look like: timelines with what is planned, policies, secrets, changes."""

from typing import Any, Generic, Literal, TypeVar

from api.shapes import DeviceAnswer, Instant, Shape

Thing = TypeVar("Thing")


class Changed(Shape, Generic[Thing]):
    """What became of a change; `effective_at` is when it takes effect, null for at once."""

    outcome: Literal["created", "changed", "unchanged"]
    effective_at: Instant | None
    item: Thing


class TeamAnswer(Shape):
    """A Stack Auth team of the caller, the organization it is, and whether they may change it."""

    id: str
    name: str
    organization: int | None
    may_manage: bool


class AppliedPolicyAnswer(Shape):
    """From when on a unit is judged by a policy version."""

    policy: int
    name: str
    version: int
    policy_version: int
    effective_at: Instant


class UnitRegistrationAnswer(Shape):
    """A unit with everything it was, is and will be judged by, oldest first."""

    id: int
    organization: int
    site: int
    name: str
    kind: str
    archived_at: Instant | None
    policies: list[AppliedPolicyAnswer]


class AssignmentAnswer(Shape):
    """A sensor watches a unit in [valid_from, valid_to)."""

    id: int
    unit: int
    unit_name: str
    site: int
    valid_from: Instant
    valid_to: Instant | None


class DefrostAnswer(Shape):
    """What a defrost looks like to a sensor: how soon the next may begin, the warmest reading, how long it may last."""

    period_seconds: float
    peak_celsius: float
    duration_seconds: float


class ConfigurationVersionAnswer(Shape):
    """A version of a sensor's configuration."""

    id: int
    effective_at: Instant
    expected_interval_seconds: float
    max_gap_seconds: float
    offline_after_seconds: float
    calibration_celsius: float
    defrost: DefrostAnswer | None


class SensorRegistrationAnswer(Shape):
    """A sensor with all its assignments and configurations, past and planned, oldest first."""

    id: int
    organization: int
    probe: str
    archived_at: Instant | None
    device: DeviceAnswer
    assignments: list[AssignmentAnswer]
    configurations: list[ConfigurationVersionAnswer]


class PolicySummaryAnswer(Shape):
    """A policy, and how many units are judged by it now."""

    id: int
    organization: int
    name: str
    archived_at: Instant | None
    newest_version: int
    units: int


class PolicyVersionAnswer(Shape):
    """An immutable version of a policy."""

    id: int
    version: int
    created_at: Instant
    document: dict[str, Any]
    units: int


class PolicyDetailAnswer(PolicySummaryAnswer):
    """A policy with its versions, oldest first."""

    versions: list[PolicyVersionAnswer]


class PresetAnswer(Shape):
    """A policy to start from, and where its figures are from."""

    id: str
    name: str
    summary: str
    sources: list[str]
    document: dict[str, Any]


class SecretAnswer(Shape):
    """A webhook secret, without itself."""

    id: int
    organization: int
    application: str
    created_at: Instant
    revoked_at: Instant | None


class NewSecretAnswer(SecretAnswer):
    """A webhook secret, this once with itself."""

    secret: str


class ChangeAnswer(Shape):
    """Who changed what, when, from what to what."""

    id: int
    changed_at: Instant
    user: str
    organization: int
    kind: str
    thing: int
    action: str
    effective_at: Instant | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    comment: str


class ImportLineAnswer(Shape):
    """What became of a line of the file, or would; `errors` say what to do."""

    line: int
    outcome: Literal["created", "changed", "unchanged", "error"]
    site: str
    unit: str
    dev_eui: str
    probe: str
    changes: list[str]
    errors: list[str]


class ImportAnswer(Shape):
    """What an import did, or would do: all of it or nothing."""

    dry_run: bool
    written: bool
    effective_at: Instant | None
    lines: int
    counts: dict[str, int]
    totals: dict[str, int]
    items: list[ImportLineAnswer]
