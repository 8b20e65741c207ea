"""The machine of condition `door_open`: a door that has been open for longer than `open_seconds` of known time.

    closed --open--> ajar --door_open_seconds of known time--> open --closed--> closed

What a row says about the door is known until the next row that says so, and for the sensor's max gap at most; rows that say
nothing about it change nothing. Unknown time counts for nothing and ends nothing, as for excursions: a door that was last
seen open, then not heard of, has neither been closed nor open. It begins with the first row that said open and is settled at the
deadline, which may lie between rows; a row that says closed at that very instant, or before, leaves no trace. The deadline
stands in the state, so a clock needs no terms: those of the newest row about the door hold. A late row is not for this machine.
"""

from enum import Enum
from typing import Final, assert_never

import msgspec

from pipelines.domain.conditions.facts import ConditionBegan, ConditionEnd, ConditionEnded, ConditionFacts, ConditionKind, OpenTime
from pipelines.domain.conditions.row import ConditionRow
from pipelines.domain.conditions.terms import DoorTerms


class Closed(msgspec.Struct, frozen=True, array_like=True, tag="closed", gc=False):
    """Not known to be open."""


class Ajar(msgspec.Struct, frozen=True, array_like=True, tag="ajar", gc=False):
    """Open, not yet too long."""

    started_at: int
    known_ms: int
    """Known time open up to `seen_at`."""
    seen_at: int
    """`measured_at` of the newest row that said open."""
    max_gap_ms: int
    due_at: int | None
    """When it has been open too long if no further row comes; None where it is unknown before."""


class OpenTooLong(msgspec.Struct, frozen=True, array_like=True, tag="open_too_long", gc=False):
    """Open for too long."""

    started_at: int
    opened_at: int
    known_ms: int
    seen_at: int
    max_gap_ms: int


DoorState = Closed | Ajar | OpenTooLong
CLOSED: Final = Closed()


class Cause(Enum):
    """What can move a door's state."""

    OPEN = "a row that says open"
    CLOSED = "a row that says closed"
    DEADLINE = "a deadline passed"
    TERMS_ENDED = "the door is no longer judged"
    ASSIGNMENT_ENDED = "the assignment ended"


_CLOSED_ONLY: Final = frozenset({Closed})
TRANSITIONS: Final[dict[tuple[type[DoorState], Cause], frozenset[type[DoorState]]]] = {
    (Closed, Cause.OPEN): frozenset({Ajar, OpenTooLong}),
    (Ajar, Cause.OPEN): frozenset({Ajar, OpenTooLong}),
    (Ajar, Cause.DEADLINE): frozenset({OpenTooLong}),
    (OpenTooLong, Cause.OPEN): frozenset({OpenTooLong}),
    **{(state, Cause.CLOSED): _CLOSED_ONLY for state in (Closed, Ajar, OpenTooLong)},
    **{(state, Cause.TERMS_ENDED): _CLOSED_ONLY for state in (Closed, Ajar, OpenTooLong)},
    **{(state, Cause.ASSIGNMENT_ENDED): _CLOSED_ONLY for state in (Closed, Ajar, OpenTooLong)},
}
"""Every move a door's state may make, by what moves it."""


def on_reading(state: DoorState, row: ConditionRow, terms: DoorTerms | None) -> tuple[DoorState, ConditionFacts]:
    """Return the state after the sensor's next row, and what was found up to it; deadlines before it are passed first."""
    at = row.measured_at
    state, passed = on_clock(state, at - 1)
    if terms is None:
        return CLOSED, passed + on_end(state, at, ConditionEnd.TERMS)
    if row.door_open is None:
        return state, passed
    if not row.door_open:
        return CLOSED, passed + on_end(state, at, ConditionEnd.RECOVERY)
    match state:
        case Closed():
            after, found = _open(at, 0, row, terms)
        case Ajar():
            after, found = _open(state.started_at, _known_ms(state, at), row, terms)
        case OpenTooLong():
            after, found = OpenTooLong(state.started_at, state.opened_at, _known_ms(state, at), at, row.max_gap_ms), ()
        case _:
            assert_never(state)
    return after, passed + found


def deadline(state: DoorState) -> int | None:
    """Return the instant (ms UTC) at which the state moves if no further row comes, or None."""
    return state.due_at if isinstance(state, Ajar) else None


def on_clock(state: DoorState, until: int) -> tuple[DoorState, ConditionFacts]:
    """Pass the deadline if it lies at or before `until` (ms UTC)."""
    if not isinstance(state, Ajar) or state.due_at is None or state.due_at > until:
        return state, ()
    opened_at = state.due_at
    open_time = OpenTime(state.known_ms + opened_at - state.seen_at)
    after = OpenTooLong(state.started_at, opened_at, state.known_ms, state.seen_at, state.max_gap_ms)
    return after, (ConditionBegan(ConditionKind.DOOR_OPEN, state.started_at, opened_at, open_time),)


def on_end(state: DoorState, at: int, ended_by: ConditionEnd) -> ConditionFacts:
    """End the condition at `at`, if it stands; deadlines before `at` must have been passed."""
    if not isinstance(state, OpenTooLong):
        return ()
    detail = OpenTime(_known_ms(state, at))
    return (ConditionEnded(ConditionKind.DOOR_OPEN, state.started_at, state.opened_at, at, at, ended_by, detail),)


def _open(started_at: int, known_ms: int, row: ConditionRow, terms: DoorTerms) -> tuple[DoorState, ConditionFacts]:
    """Let a row say open, when the door is known to have been open for `known_ms` before it."""
    at, gap_ms = row.measured_at, row.max_gap_ms
    wait_ms = terms.open_ms - known_ms
    if wait_ms <= 0:
        began = ConditionBegan(ConditionKind.DOOR_OPEN, started_at, at, OpenTime(known_ms))
        return OpenTooLong(started_at, at, known_ms, at, gap_ms), (began,)
    return Ajar(started_at, known_ms, at, gap_ms, at + wait_ms if wait_ms <= gap_ms else None), ()


def _known_ms(state: Ajar | OpenTooLong, at: int) -> int:
    return state.known_ms + min(at - state.seen_at, state.max_gap_ms)
