"""How often sensors report, as learned: what REST answers look like, and the orders that accept it."""

from pydantic import Field

from api.registry_requests import Number, Order
from api.shapes import Instant, Shape


class ProposedIntervalAnswer(Shape):
    """An interval, and what bears it out: `gaps` that are it or a multiple of it, `singles` of them it itself, the share of time they fill."""

    interval_seconds: float
    gaps: int
    singles: int
    explained_fraction: float
    jitter_seconds: float
    start: Instant = Field(serialization_alias="from")
    end: Instant = Field(serialization_alias="to")


class GapsAnswer(Shape):
    """How many gaps are from so long up to so long, the end excluded."""

    from_seconds: float
    to_seconds: float
    gaps: int


class ExpectedIntervalAnswer(Shape):
    """What is learned of a sensor from the uplinks of a stretch; `why` says why no interval is proposed."""

    sensor: int
    start: Instant = Field(serialization_alias="from")
    end: Instant = Field(serialization_alias="to")
    in_force_seconds: float | None
    proposal: ProposedIntervalAnswer | None
    why: str | None
    uplinks: int
    gaps: int
    quantiles: dict[str, float]
    """Seconds by percent: so many percent of the gaps are no longer."""
    longest_gap_seconds: float
    histogram: list[GapsAnswer]


class IntervalSettingAnswer(Shape):
    """Whether `coldstream intervals accept` takes over what is proposed for an organization's sensors."""

    organization: int
    accept_by_itself: bool


class AcceptInterval(Order):
    """Take over the interval that is proposed; where one is named, only if that is still it."""

    expected_interval_seconds: Number | None = None


class IntervalSetting(Order):
    """Whether proposals are taken over without a person."""

    accept_by_itself: bool
