"""The machine of condition `possible_excursion`, a band's: a pending run whose collected and unknown time together reach the hold.

    not possible --collected + unknown time = hold--> possible --the run opens, is dropped or ends--> not possible

It follows the band's own machine (`excursion`) and judges nothing again: between two rows both kinds of time grow in a way
that is known beforehand, so the instant has a closed form, `possible_at`. Known time inside the margin is neither. A run that
opens or is dropped at that very instant was never merely possible. Its caller shows it each step of the band: the band before
it, and after it. Downtime is nothing special: the same rows and clocks give the same facts, however they were batched.
A late row is not for this machine; its caller judges the stretch again.
"""

from enum import Enum
from typing import Final, assert_never

import msgspec

from pipelines.domain.conditions.facts import ConditionBegan, ConditionEnd, ConditionEnded, ConditionFacts, ConditionKind, PendingRun
from pipelines.domain.excursion import deadline as moves_at
from pipelines.domain.excursion_states import Breaching, InRange, Open, Reading, Recovering
from pipelines.domain.policy import Standing, SustainedBand


class BandView(msgspec.Struct, frozen=True, gc=False):
    """A sustained band as of the sensor's newest row: its state, that row, and the band of the version in force."""

    run: InRange | Breaching | Open | Recovering
    newest: Reading
    band: SustainedBand


class NotPossible(msgspec.Struct, frozen=True, array_like=True, tag="not_possible", gc=False):
    """There is no pending run, or it cannot have reached its hold."""


class Possible(msgspec.Struct, frozen=True, array_like=True, tag="possible", gc=False):
    """A pending run may have reached its hold."""

    started_at: int
    run: PendingRun


PossibleState = NotPossible | Possible
NOT_POSSIBLE: Final = NotPossible()


class Cause(Enum):
    """What can move it."""

    REACHED = "collected and unknown time reach the hold"
    RUN_OPENED = "the run opened"
    RUN_DROPPED = "the run was dropped"
    BAND_ENDED = "the band is gone from the policy"
    ASSIGNMENT_ENDED = "the assignment ended"


_NOT_POSSIBLE_ONLY: Final = frozenset({NotPossible})
TRANSITIONS: Final[dict[tuple[type[PossibleState], Cause], frozenset[type[PossibleState]]]] = {
    (NotPossible, Cause.REACHED): frozenset({Possible}),
    **{(Possible, cause): _NOT_POSSIBLE_ONLY for cause in Cause if cause is not Cause.REACHED},
}
"""Every move it may make, by what moves it."""


def possible_at(view: BandView) -> int | None:
    """Return the instant (ms UTC) from which the band's run is possible if no further row comes; None where it never is.

    It is the newest row's where the hold was reached before; None also where the run opens or is dropped no later.
    """
    run, newest, band = view.run, view.newest, view.band
    if not isinstance(run, Breaching):
        return None
    at = newest.measured_at
    unknown_ms = at - run.started_at - run.tally.known_ms
    wait_ms = band.hold_ms - run.out_ms - unknown_ms
    if wait_ms <= 0:
        return at
    if newest.temperature is not None and band.standing(newest.temperature) is not Standing.OUT:
        wait_ms += newest.max_gap_ms
    moves = moves_at(run, newest, band)
    return at + wait_ms if moves is None or moves > at + wait_ms else None


def deadline(state: PossibleState, view: BandView) -> int | None:
    """Return the instant (ms UTC) at which the condition begins, or its run moves, if no further row comes; None where neither does."""
    match state:
        case NotPossible():
            return possible_at(view)
        case Possible():
            return moves_at(view.run, view.newest, view.band)
        case _:
            assert_never(state)


def on_clock(state: PossibleState, before: BandView, until: int) -> tuple[PossibleState, ConditionFacts]:
    """Begin, and end, what does so at or before `until` (ms UTC) if no row comes; `before` is the band before that clock is passed."""
    run = before.run
    if not isinstance(run, Breaching):
        return state, ()
    facts: ConditionFacts = ()
    if isinstance(state, NotPossible):
        at = possible_at(before)
        if at is None or at > until:
            return state, ()
        state = Possible(at, PendingRun(before.band.name, run.started_at))
        facts = (ConditionBegan(ConditionKind.POSSIBLE_EXCURSION, at, at, state.run),)
    moves = moves_at(run, before.newest, before.band)
    if moves is None or moves > until:
        return state, facts
    temperature = before.newest.temperature
    assert temperature is not None, "nothing has a deadline after a fault mark"
    is_out = before.band.standing(temperature) is Standing.OUT
    return NOT_POSSIBLE, facts + on_end(state, moves, ConditionEnd.OPENED if is_out else ConditionEnd.RECOVERY)


def on_reading(state: PossibleState, before: BandView | None, after: BandView | None, at: int) -> tuple[PossibleState, ConditionFacts]:
    """Return the state after the sensor's next row, a reading or a fault mark at `at` (ms UTC), and what was found up to it.

    `before` is the band before the row and before the deadlines that it passes (None where there was none), `after` the
    band after it (None where the row's policy has none of that name and side).
    """
    facts = ConditionFacts()
    if before is not None:
        state, facts = on_clock(state, before, at - 1)
    if after is None:
        return NOT_POSSIBLE, facts + on_end(state, at, ConditionEnd.TERMS)
    run = after.run
    if isinstance(state, Possible) and not (isinstance(run, Breaching) and run.started_at == state.run.run_started_at):
        opened = isinstance(run, Open | Recovering) and run.started_at == state.run.run_started_at
        facts += on_end(state, at, ConditionEnd.OPENED if opened else ConditionEnd.RECOVERY)
        state = NOT_POSSIBLE
    state, begun = on_clock(state, after, at)
    return state, facts + begun


def on_end(state: PossibleState, at: int, ended_by: ConditionEnd) -> ConditionFacts:
    """End the condition at `at`, if it stands; what moves before `at` must have been passed."""
    if not isinstance(state, Possible):
        return ()
    return (ConditionEnded(ConditionKind.POSSIBLE_EXCURSION, state.started_at, state.started_at, at, at, ended_by, state.run),)
