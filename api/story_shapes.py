"""What a device's story looks like: part of the OpenAPI schema, as api.shapes."""

from uuid import UUID

from pydantic import Field

from api.shapes import DeviceAnswer, Instant, ReplayAnswer, Shape
from pipelines.domain.story import VerdictCode
from schemas.events import UnitState


class VerdictAnswer(Shape):
    """Why, and what to do."""

    code: VerdictCode
    healthy: bool
    sentence: str
    what_to_do: str


class StoryAssignmentAnswer(Shape):
    """Which unit a sensor watched, and when; `to` is null while it does."""

    unit: int
    unit_name: str
    site: int
    site_name: str
    start: Instant = Field(serialization_alias="from")
    end: Instant | None = Field(serialization_alias="to")


class StoryPolicyAnswer(Shape):
    """The policy version that judges a unit now."""

    name: str
    version: int


class StorySensorAnswer(Shape):
    """A sensor of the device."""

    sensor: int
    probe: str
    state: UnitState
    latest_at: Instant | None
    latest_celsius: float | None
    latest_fault: str | None
    assignments: list[StoryAssignmentAnswer]
    policy: StoryPolicyAnswer | None


class StoryEndAnswer(Shape):
    """How many of its uplinks ended in one way; `since` null counts since ever."""

    ended_as: str
    reason: str | None
    uplinks: int
    since: Instant | None
    last_at: Instant


class StoryEntryAnswer(Shape):
    """One reading, fault mark or dead letter, and what became of it."""

    received_at: Instant
    measured_at: Instant | None
    ended_as: str
    reason: str | None
    sentence: str
    sensor: int | None
    unit: int | None
    temperature_celsius: float | None
    late: bool
    letter: UUID | None
    replay: ReplayAnswer | None


class StoryAnswer(Shape):
    """All that is known of a device EUI in one organization, and the verdict."""

    dev_eui: str
    organization: int
    as_of: Instant
    verdict: VerdictAnswer
    device: DeviceAnswer | None
    last_heard_at: Instant | None
    offline_since: Instant | None
    sensors: list[StorySensorAnswer]
    probes_heard: list[str]
    ends: list[StoryEndAnswer]
    waiting_letters: int
    recent: list[StoryEntryAnswer]
