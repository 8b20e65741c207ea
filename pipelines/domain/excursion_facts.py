"""What the excursion machine finds: facts are values, with every time and figure they stand on."""

from enum import StrEnum

import msgspec

from pipelines.domain.figures import Figures
from pipelines.domain.policy import Identity
from pipelines.domain.suppression import Tag


class EndedBy(StrEnum):
    """What ended an excursion."""

    RECOVERY = "recovery"
    POLICY = "policy"
    ASSIGNMENT = "assignment"


class HeldBack(msgspec.Struct, frozen=True):
    """That an excursion opened later than it would have, for it was excused until then."""

    from_at: int
    """When it would have opened."""
    tags: tuple[Tag, ...]
    """What was at hand to excuse it, from its start until it opened."""


class ExcursionOpened(msgspec.Struct, frozen=True, tag="excursion_opened"):
    """An excursion opened; figures over [started_at, opened_at], the reading at `opened_at` included."""

    band: str
    started_at: int
    opened_at: int
    figures: Figures
    identity: Identity
    """Which band it is of: another version may have another one of the name."""
    held_back: HeldBack | None = None


class ExcursionClosed(msgspec.Struct, frozen=True, tag="excursion_closed"):
    """An excursion closed; figures over [started_at, ended_at)."""

    band: str
    started_at: int
    opened_at: int
    ended_at: int
    closed_at: int
    ended_by: EndedBy
    figures: Figures
    identity: Identity
    held_back: HeldBack | None = None


class Suppressed(msgspec.Struct, frozen=True):
    """An excursion that was held back until it ended, or is still: nobody is told of it.

    `ended_at`, `closed_at` and `ended_by` are None while it lasts; figures over [started_at, ended_at), or up to now. Its
    exposure is what was suppressed.
    """

    band: str
    started_at: int
    held_from: int
    """When it would have opened."""
    ended_at: int | None
    closed_at: int | None
    ended_by: EndedBy | None
    figures: Figures
    identity: Identity
    tags: tuple[Tag, ...]
    """What was at hand to excuse it, from its start on."""


Fact = ExcursionOpened | ExcursionClosed
Facts = tuple[Fact, ...]
