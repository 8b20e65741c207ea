"""What a replay is asked with and what it answers: part of the OpenAPI schema, as api.shapes."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.parameters import MAX_CURSOR_LENGTH, MAX_ID
from api.replays.plan import Status
from api.shapes import Instant, Shape

MOST_LETTERS = 1_000

SELECTORS = ("organization", "kind", "reason", "dev_eui", "from_", "to")

InstantText = Annotated[str, Field(max_length=40, description="ISO 8601; without a zone it is UTC")]


class ReplayOrder(BaseModel):
    """Which letters: either their ids, or a filter of which all that is given must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ids: Annotated[list[UUID], Field(max_length=MOST_LETTERS)] | None = None
    organization: Annotated[int, Field(ge=1, le=MAX_ID)] | None = None
    kind: Literal["rejected", "unassigned"] | None = None
    reason: Annotated[str, Field(pattern="^[a-z0-9_]{1,64}$")] | None = None
    dev_eui: Annotated[str, Field(pattern="^[0-9A-Fa-f]{16}$")] | None = None
    from_: Annotated[InstantText | None, Field(alias="from")] = None
    to: InstantText | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_LETTERS)] = 200
    cursor: Annotated[str, Field(max_length=MAX_CURSOR_LENGTH)] | None = None
    dry_run: bool = False
    again: bool = False

    @model_validator(mode="after")
    def names_letters(self) -> Self:
        """Hold that letters are named in one way, so that nobody replays everything by leaving all out."""
        named = [name for name in SELECTORS if getattr(self, name) is not None]
        if (self.ids is None) == (not named):
            message = "name the letters either by ids or by organization, kind, reason, dev_eui, from, to"
            raise ValueError(message)
        return self


class ForeseenAnswer(Shape):
    """A reading, fault mark or value that a replay would store."""

    sensor: int
    unit: int
    probe: str
    measured_at: Instant
    temperature_celsius: float | None
    fault: str | None


class ProspectAnswer(Shape):
    """How an uplink would end today."""

    ended_as: str
    reason: str | None
    detail: str
    readings: list[ForeseenAnswer]


class ReplayedAnswer(Shape):
    """What became of one letter; dev_eui, reason and received_at are null where there is no such letter."""

    id: UUID
    dev_eui: str | None
    reason: str | None
    received_at: Instant | None
    status: Status
    message: str
    becomes: ProspectAnswer | None
    partition: int | None
    offset: int | None


class ReplaysAnswer(Shape):
    """What became of all; pass `next` as `cursor` with the same filter for the letters after these."""

    dry_run: bool
    counts: dict[str, int]
    next: str | None
    items: list[ReplayedAnswer]


class ReasonAnswer(Shape):
    """A reason in words; `replay` says whether writing the uplink again can end better."""

    reason: str
    about: Literal["uplink", "value"]
    meaning: str
    what_to_do: str
    replay: Literal["helps", "seldom", "never"]
