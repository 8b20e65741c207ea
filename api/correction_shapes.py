"""What corrections are asked with, and what they look like. Only the form is held here; what the values may be, the command says."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from api.registry_requests import InstantText, Number, Order, ThingId
from api.shapes import Instant, Shape


class CorrectionOrder(Order):
    """Every correction's base: from when on, and a comment that says why, which must be there."""

    from_: Annotated[InstantText, Field(alias="from")]


class CalibrationOrder(CorrectionOrder):
    """The calibration of a sensor was this one; `to` left out: and will be."""

    kind: Literal["calibration"]
    sensor: ThingId
    to: InstantText | None = None
    calibration_celsius: Number


class MarkOrder(CorrectionOrder):
    """Readings of a sensor are not to be believed (flag), or as if they had never come (delete); `to` left out: up to now."""

    kind: Literal["flag", "delete"]
    sensor: ThingId
    to: InstantText | None = None


class MoveOrder(CorrectionOrder):
    """A sensor has watched this unit since then, or nothing (null)."""

    kind: Literal["assignment"]
    sensor: ThingId
    unit: ThingId | None


class SwapOrder(CorrectionOrder):
    """Two sensors have watched each other's unit since then."""

    kind: Literal["swap"]
    sensor: ThingId
    other: ThingId


class PolicyOrder(CorrectionOrder):
    """A unit is judged by this policy version from then on."""

    kind: Literal["policy"]
    unit: ThingId
    policy_version: ThingId


AnyOrder = Annotated[CalibrationOrder | MarkOrder | MoveOrder | SwapOrder | PolicyOrder, Field(discriminator="kind")]


class CorrectionAnswer(Shape):
    """One correction, in [from, to); what follows `to` the timelines of sensor and unit say."""

    id: int
    organization: int
    kind: Literal["calibration", "flag", "delete", "assignment", "policy"]
    sensor: int | None
    unit: int | None
    from_: Annotated[Instant, Field(serialization_alias="from")]
    to: Instant
    calibration_celsius: float | None
    policy_version: int | None
    made_by: str
    made_at: Instant
    comment: str
    revoked_by: str | None
    revoked_at: Instant | None
    revocation_comment: str | None


class Corrected(Shape):
    """What became of a correction; sensors are judged again at `effective_at`, null where nothing need be."""

    outcome: Literal["created", "changed", "unchanged"]
    effective_at: Instant | None
    items: list[CorrectionAnswer]


class ExcursionFacts(Shape):
    """What is, or would be, on record of an excursion."""

    unit: int
    started_at: Instant
    opened_at: Instant
    ended_at: Instant | None
    closed_at: Instant | None
    ended_by: str | None
    peak_celsius: float | None
    exposure_seconds: float


class ExcursionChange(Shape):
    """One excursion that would change; `before` is null for a new one, `after` for one that would be voided."""

    outcome: Literal["new", "changed", "voided"]
    id: UUID
    sensor: int
    band: str
    kind: str
    side: str
    severity: str
    before: ExcursionFacts | None
    after: ExcursionFacts | None


class CorrectedStretchAnswer(Shape):
    """What would be kept of the past."""

    kind: str
    sensor: int | None
    unit: int | None
    from_: Annotated[Instant, Field(serialization_alias="from")]
    to: Instant


class PreviewAnswer(Shape):
    """What a correction would change as of now: rows it lies over, rows that would be judged again, and excursions."""

    corrections: list[CorrectedStretchAnswer]
    readings: int
    judged: int
    changes: list[ExcursionChange]
