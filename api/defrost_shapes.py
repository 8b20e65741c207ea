"""What the defrosts of a unit look like to a sensor, as learned: what REST answers look like, and the order that takes it over."""

from pydantic import Field

from api.registry_requests import DefrostGiven, Order, Text
from api.registry_shapes import DefrostAnswer
from api.shapes import Instant, Shape


class DefrostEvidenceAnswer(Shape):
    """What bears a profile out: rises that the band would tell of, those that began a period apart, and what the median one of these was like."""

    rises: int
    explained: int
    period_seconds: float
    jitter_seconds: float
    peak_celsius: float
    duration_seconds: float
    decay_seconds: float
    start: Instant = Field(serialization_alias="from")
    end: Instant = Field(serialization_alias="to")


class DefrostProposalAnswer(Shape):
    """What is learned of a sensor from a stretch, above a band's limit; `why` says why no profile is proposed."""

    sensor: int
    band: str
    start: Instant = Field(serialization_alias="from")
    end: Instant = Field(serialization_alias="to")
    readings: int
    in_force: DefrostAnswer | None
    proposal: DefrostAnswer | None
    evidence: DefrostEvidenceAnswer | None
    why: str | None


class AcceptDefrost(Order):
    """Take over the profile that is proposed; where one is named, that one, if it is still borne out. `band`: above whose limit to look."""

    band: Text | None = None
    defrost: DefrostGiven | None = None
