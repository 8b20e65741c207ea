"""What changes of the registry are asked with. Only the form is held here; what the values may be, the domain says."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.parameters import MAX_ID

Text = Annotated[str, Field(max_length=1_000)]
Number = Annotated[float, Field(allow_inf_nan=False)]
ThingId = Annotated[int, Field(ge=1, le=MAX_ID)]
InstantText = Annotated[str, Field(max_length=40, description="ISO 8601; without a zone it is UTC")]


class Order(BaseModel):
    """Every body's base: a field that is not known is refused, and a comment may say why the change is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    comment: Text = ""


class TimedOrder(Order):
    """A change that takes effect at an instant; left out it is the earliest possible."""

    effective_at: InstantText | None = None


class NewOrganization(Order):
    """A Stack Auth team becomes an organization."""

    team: Text
    name: Text


class OrganizationChange(Order):
    """A new name."""

    name: Text


class NewSite(Order):
    """A place."""

    organization: ThingId
    name: Text
    time_zone: Text = "UTC"


class SiteChange(Order):
    """What is given is changed."""

    name: Text | None = None
    time_zone: Text | None = None


class NewUnit(TimedOrder):
    """A refrigerator, freezer, cold room or shipment, and what it is judged by from the start."""

    site: ThingId
    name: Text
    kind: Text = "refrigerator"
    policy_version: ThingId | None = None


class UnitChange(Order):
    """What is given is changed."""

    name: Text | None = None
    kind: Text | None = None
    site: ThingId | None = None


class UnitPolicyOrder(TimedOrder):
    """Judge a unit by this version."""

    policy_version: ThingId


class DefrostGiven(BaseModel):
    """What a defrost looks like to a sensor: how soon the next may begin, the warmest reading, how long it may last."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    period_seconds: Number
    peak_celsius: Number
    duration_seconds: Number


class TermsGiven(TimedOrder):
    """How often a sensor reports, and what follows from it; `defrost` null: no longer any."""

    expected_interval_seconds: Number | None = None
    max_gap_seconds: Number | None = None
    offline_after_seconds: Number | None = None
    calibration_celsius: Number | None = None
    defrost: DefrostGiven | None = None


class NewSensor(Order):
    """One probe of a device."""

    organization: ThingId
    dev_eui: Text
    probe: Text = ""
    name: Text | None = None
    brand_id: Text | None = None
    model_id: Text | None = None
    unit: ThingId | None = None
    assigned_from: InstantText | None = None
    expected_interval_seconds: Number | None = None
    max_gap_seconds: Number | None = None
    offline_after_seconds: Number | None = None
    calibration_celsius: Number | None = None


class SensorChange(Order):
    """What is given is changed, for the device."""

    name: Text | None = None
    brand_id: Text | None = None
    model_id: Text | None = None


class AssignmentOrder(TimedOrder):
    """Let a sensor watch this unit."""

    unit: ThingId


class NewPolicy(Order):
    """A policy's first version: a document, or a preset's."""

    organization: ThingId
    name: Text
    document: dict[str, Any] | None = None
    preset: Text | None = None


class PolicyChange(Order):
    """A new name."""

    name: Text


class NewVersion(Order):
    """A policy's next version."""

    document: dict[str, Any]


class NewSecret(Order):
    """A secret for the webhook of this application."""

    organization: ThingId
    application: Text


NOTHING_SAID = Order()
NO_INSTANT = TimedOrder()
