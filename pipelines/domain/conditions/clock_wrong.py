"""The machine of condition `clock_wrong`: a device whose own times cannot be believed, uplink after uplink.

    right --rejected--> questioned --n within a time--> wrong --a time without--> right
    questioned --that time without--> right

It belongs to a device, and it lives in the time of the log: the times that were rejected are what is wrong, so a
rejection counts when its uplink was received, in log order, each uplink once. It begins with the first of the n, and ends
where `quiet_ms` have passed without another; rejections too few to begin it are forgotten once none of them can count. Both deadlines
stand in the state, so a clock needs no terms. A rejection at the deadline's very instant carries it on. Rejections in log order are never late; a stamp that goes back counts as the newest.
"""

from enum import Enum
from typing import Final, assert_never

import msgspec

from pipelines.domain.conditions.facts import ConditionBegan, ConditionEnd, ConditionEnded, ConditionFacts, ConditionKind, Rejections
from pipelines.domain.conditions.terms import ClockTerms


class Right(msgspec.Struct, frozen=True, array_like=True, tag="right", gc=False):
    """Nothing is known against the device's clock."""


class Questioned(msgspec.Struct, frozen=True, array_like=True, tag="questioned", gc=False):
    """Rejections, not enough of them yet."""

    received_at: tuple[int, ...]
    """When, oldest first; always fewer than it takes."""
    due_at: int | None = None
    """When they are forgotten if no further one comes. None of one that an older version kept: it waits for the next rejection."""


class Wrong(msgspec.Struct, frozen=True, array_like=True, tag="wrong", gc=False):
    """The device's clock is wrong."""

    started_at: int
    opened_at: int
    newest_at: int
    count: int
    due_at: int
    """When it ends if no further rejection comes."""


ClockState = Right | Questioned | Wrong
RIGHT: Final = Right()


class Cause(Enum):
    """What can move it."""

    REJECTION = "an uplink rejected as clock_wrong"
    DEADLINE = "a deadline passed"
    TERMS_ENDED = "clocks are no longer judged"
    ASSIGNMENT_ENDED = "the device watches nothing any more"


_RIGHT_ONLY: Final = frozenset({Right})
TRANSITIONS: Final[dict[tuple[type[ClockState], Cause], frozenset[type[ClockState]]]] = {
    (Right, Cause.REJECTION): frozenset({Questioned, Wrong}),
    (Questioned, Cause.REJECTION): frozenset({Questioned, Wrong}),
    (Questioned, Cause.DEADLINE): _RIGHT_ONLY,
    (Wrong, Cause.REJECTION): frozenset({Wrong}),
    (Wrong, Cause.DEADLINE): _RIGHT_ONLY,
    **{(state, Cause.TERMS_ENDED): _RIGHT_ONLY for state in (Right, Questioned, Wrong)},
    **{(state, Cause.ASSIGNMENT_ENDED): _RIGHT_ONLY for state in (Right, Questioned, Wrong)},
}
"""Every move it may make, by what moves it."""


def on_rejection(state: ClockState, received_at: int, terms: ClockTerms | None) -> tuple[ClockState, ConditionFacts]:
    """Return the state after the device's next uplink that was rejected as `clock_wrong`, received at `received_at` (ms UTC).

    A deadline before it is passed first.
    """
    state, passed = on_clock(state, received_at - 1)
    if terms is None:
        return RIGHT, passed + on_end(state, received_at, ConditionEnd.TERMS)
    match state:
        case Right():
            after, found = _questioned((), received_at, terms)
        case Questioned():
            after, found = _questioned(state.received_at, max(received_at, state.received_at[-1]), terms)
        case Wrong():
            at = max(received_at, state.newest_at)
            after, found = Wrong(state.started_at, state.opened_at, at, state.count + 1, at + terms.quiet_ms), ()
        case _:
            assert_never(state)
    return after, passed + found


def deadline(state: ClockState) -> int | None:
    """Return the instant (ms UTC) at which the state moves if no further rejection comes, or None."""
    return None if isinstance(state, Right) else state.due_at


def on_clock(state: ClockState, until: int) -> tuple[ClockState, ConditionFacts]:
    """Pass the deadline if it lies at or before `until` (ms UTC)."""
    due_at = deadline(state)
    if due_at is None or due_at > until:
        return state, ()
    return RIGHT, on_end(state, due_at, ConditionEnd.RECOVERY)


def on_end(state: ClockState, at: int, ended_by: ConditionEnd) -> ConditionFacts:
    """End the condition at `at`, if it stands, and never before its newest rejection; a deadline before `at` must have been passed."""
    if not isinstance(state, Wrong):
        return ()
    at = max(at, state.newest_at)
    detail = Rejections(state.count)
    return (ConditionEnded(ConditionKind.CLOCK_WRONG, state.started_at, state.opened_at, at, at, ended_by, detail),)


def _questioned(before: tuple[int, ...], at: int, terms: ClockTerms) -> tuple[ClockState, ConditionFacts]:
    """Add a rejection to those before it that still count."""
    counted = (*(one for one in before if one > at - terms.within_ms), at)
    if len(counted) < terms.rejections:
        return Questioned(counted, at + terms.within_ms), ()
    began = ConditionBegan(ConditionKind.CLOCK_WRONG, counted[0], at, Rejections(len(counted)))
    return Wrong(counted[0], at, at, len(counted), at + terms.quiet_ms), (began,)
