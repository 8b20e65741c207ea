"""What the excursion machine finds: facts are values, with every time and figure they stand on."""

from enum import StrEnum

import msgspec

from pipelines.domain.figures import Figures
from pipelines.domain.policy import Identity


class EndedBy(StrEnum):
    """What ended an excursion."""

    RECOVERY = "recovery"
    POLICY = "policy"
    ASSIGNMENT = "assignment"


class ExcursionOpened(msgspec.Struct, frozen=True, tag="excursion_opened"):
    """An excursion opened; figures over [started_at, opened_at], the reading at `opened_at` included."""

    band: str
    started_at: int
    opened_at: int
    figures: Figures
    identity: Identity
    """Which band it is of: another version may have another one of the name."""


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


Fact = ExcursionOpened | ExcursionClosed
Facts = tuple[Fact, ...]
