"""The machine of condition `frozen_value`: a sensor that goes on telling the very same hundredth, although it used to vary.

    no value --reading--> varying --the same for long enough--> frozen --another value--> varying

A sensor in a well insulated store may tell one value for hours, and one that tells half degrees all day: both work. So it
takes more than a count. While it varies the machine learns how often the value has changed, its finest step (the resolution
seen) and its longest unchanged stretch; a stretch is frozen only where all of `FrozenTerms` hold against these. What it learns
from a frozen stretch is its step alone: such a stretch is no measure of a healthy one. Values are taken before calibration.
Fault marks and rows without a temperature change nothing; time is known for the max gap at most, and unknown time counts
for nothing. Only a reading shows that a value is still the same, so there is no deadline. A late row is not for this machine.
"""

from enum import Enum
from typing import Final, assert_never

import msgspec

from pipelines.domain.conditions.facts import ConditionBegan, ConditionEnd, ConditionEnded, ConditionFacts, ConditionKind, SameValue
from pipelines.domain.conditions.row import ConditionRow
from pipelines.domain.conditions.terms import FrozenTerms


class Stretch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Readings of one value in a row."""

    value: int
    started_at: int
    seen_at: int
    max_gap_ms: int
    held_ms: int
    """Known time from the first to the newest."""
    readings: int


class Learned(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is known of how the sensor varies."""

    changes: int
    finest: int | None
    """The smallest step from one reading to the next (hundredths); None before the first."""
    longest_ms: int
    """The longest stretch that ended by itself."""


class NoValue(msgspec.Struct, frozen=True, array_like=True, tag="no_value", gc=False):
    """No reading yet."""


class Varying(msgspec.Struct, frozen=True, array_like=True, tag="varying", gc=False):
    """Not frozen, as far as is known."""

    stretch: Stretch
    learned: Learned


class Frozen(msgspec.Struct, frozen=True, array_like=True, tag="frozen", gc=False):
    """Frozen."""

    stretch: Stretch
    learned: Learned
    opened_at: int


FrozenState = NoValue | Varying | Frozen
NO_VALUE: Final = NoValue()
NOTHING_LEARNED: Final = Learned(0, None, 0)


class Cause(Enum):
    """What can move it."""

    SAME = "a reading of the same value, or the first"
    OTHER = "a reading of another value"
    TERMS_ENDED = "frozen values are no longer looked for"
    ASSIGNMENT_ENDED = "the assignment ended"


_NO_VALUE_ONLY: Final = frozenset({NoValue})
TRANSITIONS: Final[dict[tuple[type[FrozenState], Cause], frozenset[type[FrozenState]]]] = {
    (NoValue, Cause.SAME): frozenset({Varying}),
    (Varying, Cause.SAME): frozenset({Varying, Frozen}),
    (Varying, Cause.OTHER): frozenset({Varying}),
    (Frozen, Cause.SAME): frozenset({Frozen}),
    (Frozen, Cause.OTHER): frozenset({Varying}),
    **{(state, Cause.TERMS_ENDED): _NO_VALUE_ONLY for state in (NoValue, Varying, Frozen)},
    **{(state, Cause.ASSIGNMENT_ENDED): _NO_VALUE_ONLY for state in (NoValue, Varying, Frozen)},
}
"""Every move it may make, by what moves it."""


def on_reading(state: FrozenState, row: ConditionRow, terms: FrozenTerms | None) -> tuple[FrozenState, ConditionFacts]:
    """Return the state after the sensor's next row, and what was found there; the row must not be late."""
    if terms is None:
        return NO_VALUE, on_end(state, row.measured_at, ConditionEnd.TERMS)
    value = row.raw_temperature
    if value is None:
        return state, ()
    match state:
        case NoValue():
            return Varying(_first(value, row), NOTHING_LEARNED), ()
        case Varying():
            stretch = state.stretch
            if stretch.value != value:
                return Varying(_first(value, row), _varied(state.learned, stretch, value)), ()
            stretch = _continued(stretch, row)
            if not is_frozen(stretch, state.learned, terms):
                return Varying(stretch, state.learned), ()
            began = ConditionBegan(ConditionKind.FROZEN_VALUE, stretch.started_at, row.measured_at, _same(stretch))
            return Frozen(stretch, state.learned, row.measured_at), (began,)
        case Frozen():
            if state.stretch.value == value:
                return Frozen(_continued(state.stretch, row), state.learned, state.opened_at), ()
            learned = Learned(state.learned.changes, _finer(state.learned, state.stretch.value, value), state.learned.longest_ms)
            return Varying(_first(value, row), learned), on_end(state, row.measured_at, ConditionEnd.RECOVERY)
        case _:
            assert_never(state)


def is_frozen(stretch: Stretch, learned: Learned, terms: FrozenTerms) -> bool:
    """Tell whether a stretch is long for a sensor of which this is known."""
    return (
        stretch.held_ms >= terms.after_ms
        and stretch.readings >= terms.readings
        and learned.changes >= terms.changes
        and learned.finest is not None
        and learned.finest < terms.coarse_hundredths
        and stretch.held_ms >= terms.times_longest * learned.longest_ms
    )


def on_end(state: FrozenState, at: int, ended_by: ConditionEnd) -> ConditionFacts:
    """End the condition at `at`, if it stands."""
    if not isinstance(state, Frozen):
        return ()
    started_at, detail = state.stretch.started_at, _same(state.stretch)
    return (ConditionEnded(ConditionKind.FROZEN_VALUE, started_at, state.opened_at, at, at, ended_by, detail),)


def _first(value: int, row: ConditionRow) -> Stretch:
    return Stretch(value, row.measured_at, row.measured_at, row.max_gap_ms, 0, 1)


def _continued(stretch: Stretch, row: ConditionRow) -> Stretch:
    at = row.measured_at
    held_ms = stretch.held_ms + min(at - stretch.seen_at, stretch.max_gap_ms)
    return Stretch(stretch.value, stretch.started_at, at, row.max_gap_ms, held_ms, stretch.readings + 1)


def _varied(learned: Learned, ended: Stretch, value: int) -> Learned:
    return Learned(learned.changes + 1, _finer(learned, ended.value, value), max(learned.longest_ms, ended.held_ms))


def _finer(learned: Learned, value: int, other: int) -> int:
    step = abs(other - value)
    return step if learned.finest is None or step < learned.finest else learned.finest


def _same(stretch: Stretch) -> SameValue:
    return SameValue(stretch.value, stretch.readings, stretch.held_ms)
