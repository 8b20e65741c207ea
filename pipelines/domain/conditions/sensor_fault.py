"""The machine of condition `sensor_fault`: a sensor whose values cannot be true.

    believed --fault mark--> doubted --n marks without a reading between--> faulty --reading--> believed

It begins with the first of the marks, is settled by the n-th, and ends with the next reading that is believed; the reason is that of the
newest mark. Rows that are neither change nothing, and so does time: a probe that was broken when it was last heard of is
broken, and there is no deadline. A device that is silent is offline, which is another condition. A late row is not for this machine.
"""

from enum import Enum
from typing import Final, assert_never

import msgspec

from pipelines.domain.conditions.facts import ConditionBegan, ConditionEnd, ConditionEnded, ConditionFacts, ConditionKind, FaultMarks
from pipelines.domain.conditions.row import ConditionRow
from pipelines.domain.conditions.terms import FaultTerms


class Believed(msgspec.Struct, frozen=True, array_like=True, tag="believed", gc=False):
    """The newest value was believed, or there was none."""


class Doubted(msgspec.Struct, frozen=True, array_like=True, tag="doubted", gc=False):
    """Fault marks, not enough of them yet."""

    started_at: int
    marks: int


class Faulty(msgspec.Struct, frozen=True, array_like=True, tag="faulty", gc=False):
    """The sensor is faulty."""

    started_at: int
    opened_at: int
    seen: FaultMarks


FaultState = Believed | Doubted | Faulty
BELIEVED: Final = Believed()


class Cause(Enum):
    """What can move it."""

    FAULT_MARK = "a fault mark"
    READING = "a reading"
    TERMS_ENDED = "faults are no longer judged"
    ASSIGNMENT_ENDED = "the assignment ended"


_BELIEVED_ONLY: Final = frozenset({Believed})
TRANSITIONS: Final[dict[tuple[type[FaultState], Cause], frozenset[type[FaultState]]]] = {
    (Believed, Cause.FAULT_MARK): frozenset({Doubted, Faulty}),
    (Doubted, Cause.FAULT_MARK): frozenset({Doubted, Faulty}),
    (Faulty, Cause.FAULT_MARK): frozenset({Faulty}),
    **{(state, Cause.READING): _BELIEVED_ONLY for state in (Believed, Doubted, Faulty)},
    **{(state, Cause.TERMS_ENDED): _BELIEVED_ONLY for state in (Believed, Doubted, Faulty)},
    **{(state, Cause.ASSIGNMENT_ENDED): _BELIEVED_ONLY for state in (Believed, Doubted, Faulty)},
}
"""Every move it may make, by what moves it."""


def on_reading(state: FaultState, row: ConditionRow, terms: FaultTerms | None) -> tuple[FaultState, ConditionFacts]:
    """Return the state after the sensor's next row, and what was found there; the row must not be late."""
    at, reason = row.measured_at, row.fault
    if terms is None:
        return BELIEVED, on_end(state, at, ConditionEnd.TERMS)
    if reason is None:
        return (state, ()) if row.raw_temperature is None else (BELIEVED, on_end(state, at, ConditionEnd.RECOVERY))
    match state:
        case Believed():
            started_at, marks = at, 1
        case Doubted():
            started_at, marks = state.started_at, state.marks + 1
        case Faulty():
            return Faulty(state.started_at, state.opened_at, FaultMarks(state.seen.marks + 1, reason)), ()
        case _:
            assert_never(state)
    if marks < terms.marks:
        return Doubted(started_at, marks), ()
    seen = FaultMarks(marks, reason)
    return Faulty(started_at, at, seen), (ConditionBegan(ConditionKind.SENSOR_FAULT, started_at, at, seen),)


def on_end(state: FaultState, at: int, ended_by: ConditionEnd) -> ConditionFacts:
    """End the condition at `at`, if it stands."""
    if not isinstance(state, Faulty):
        return ()
    return (ConditionEnded(ConditionKind.SENSOR_FAULT, state.started_at, state.opened_at, at, at, ended_by, state.seen),)
