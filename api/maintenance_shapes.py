"""What maintenance is declared and ended with, and what it looks like. Only the form is held here; when it may be, the domain says."""

from typing import Annotated, Literal

from pydantic import Field

from api.registry_requests import InstantText, Order
from api.shapes import Instant, Shape


class MaintenanceOrder(Order):
    """Maintenance in [from, to), with a comment that says why; without `from` it begins as soon as it can."""

    from_: Annotated[InstantText | None, Field(alias="from")] = None
    to: InstantText


class MaintenanceEnd(Order):
    """Maintenance ends sooner than declared, with a comment that says why; without `to` as soon as it can."""

    to: InstantText | None = None


class MaintenanceAnswer(Shape):
    """A window declared for a unit; `declared_to` is when it was to end, `to` when it does."""

    id: int
    organization: int
    site: int
    unit: int
    from_: Annotated[Instant, Field(serialization_alias="from")]
    to: Instant
    declared_to: Instant
    declared_by: str
    declared_at: Instant
    comment: str
    ended_by: str | None
    ended_at: Instant | None
    end_comment: str | None
    revoked_by: str | None
    revoked_at: Instant | None
    revocation_comment: str | None


class MaintenanceChanged(Shape):
    """What became of a declaration, an end or a revocation; sensors are judged again at `judged_again_at`, null where nothing need be."""

    outcome: Literal["created", "changed", "unchanged"]
    judged_again_at: Instant | None
    items: list[MaintenanceAnswer]


class RetoldAnswer(Shape):
    """An excursion whose alarm would change: `opened_before` and `opened_after` are when it is told, null where it is held back."""

    outcome: Literal["suppressed", "told", "moved"]
    sensor: int
    unit: int
    band: str
    started_at: Instant
    ended_at: Instant | None
    opened_before: Instant | None
    opened_after: Instant | None
    peak_celsius: float | None
    exposure_seconds: float


class MaintenancePreview(Shape):
    """What maintenance said of the past would change as of now: between when, rows that were judged, and excursions told otherwise."""

    units: list[int]
    from_: Annotated[Instant | None, Field(serialization_alias="from")]
    to: Instant | None
    judged: int
    changes: list[RetoldAnswer]
