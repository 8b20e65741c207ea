"""The states of a sustained band whose runs may be excused, what moves it, and every move it may make.

Data only; `suppressing` is the machine. `run` is the band's own state, as if nothing were suppressed. States are encoded into snapshots
as they are, so a changed field is a new version of the snapshot.
"""

from enum import Enum
from typing import Final

import msgspec

from pipelines.domain.excursion_states import Breaching, InRange, Open, Recovering, SustainedState
from pipelines.domain.suppression import Excuses


class Remembering(msgspec.Struct, frozen=True, array_like=True, tag="remembering", gc=False):
    """Nothing to excuse, but a defrost so lately that the next one cannot be due."""

    run: SustainedState
    last_defrost_at: int
    """Start of the last run that was taken for a defrost."""


class Excusable(msgspec.Struct, frozen=True, array_like=True, tag="excusable", gc=False):
    """A pending run that something may excuse once it opens."""

    run: Breaching
    excuses: Excuses
    last_defrost_at: int | None


class Withheld(msgspec.Struct, frozen=True, array_like=True, tag="withheld", gc=False):
    """An excursion that is held back: nobody was told."""

    run: Open | Recovering
    excuses: Excuses
    held_from: int
    """When it would have opened."""
    last_defrost_at: int | None


class OpenedLate(msgspec.Struct, frozen=True, array_like=True, tag="opened_late", gc=False):
    """An excursion that was held back and opened after all: its run's `opened_at` is when."""

    run: Open | Recovering
    excuses: Excuses
    held_from: int
    last_defrost_at: int | None


SuppressingState = Remembering | Excusable | Withheld | OpenedLate
"""A band that nothing excuses, and that remembers no defrost, is in a plain `SustainedState`."""


class SuppressionCause(Enum):
    """What can move such a band."""

    READING = "a reading"
    DEADLINE = "a deadline of its own passed"
    EXCUSE_ENDED = "the last excuse ended"


_ENDED: Final = frozenset({InRange, Remembering})
_BY_READING: Final = frozenset({InRange, Remembering, Excusable, Withheld})

SUPPRESSION_TRANSITIONS: Final[dict[tuple[type, SuppressionCause], frozenset[type]]] = {
    (InRange, SuppressionCause.READING): frozenset({InRange, Excusable, Withheld}),
    (Remembering, SuppressionCause.READING): _BY_READING,
    (Remembering, SuppressionCause.DEADLINE): _ENDED,
    (Excusable, SuppressionCause.READING): _BY_READING,
    (Excusable, SuppressionCause.DEADLINE): frozenset({InRange, Remembering, Withheld}),
    (Withheld, SuppressionCause.READING): _BY_READING | {OpenedLate},
    (Withheld, SuppressionCause.DEADLINE): _ENDED,
    (Withheld, SuppressionCause.EXCUSE_ENDED): frozenset({OpenedLate}),
    (OpenedLate, SuppressionCause.READING): _BY_READING | {OpenedLate},
    (OpenedLate, SuppressionCause.DEADLINE): _ENDED,
}
"""Every move it may make; InRange stands for any plain state. A pair that is missing cannot happen, and a fault mark moves nothing."""
