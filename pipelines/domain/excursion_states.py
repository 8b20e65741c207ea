"""The states of one band of kind `sustained`, what moves it, and every move it may make.

Data only: `excursion` is the machine, `windowed_states` has those of the other kinds. States are encoded into snapshots as they are, so a changed field is a new version of
the snapshot.
"""

from enum import Enum
from typing import Final

import msgspec

from pipelines.domain.figures import Tally


class Reading(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One row of a sensor: a reading, or a fault mark where `temperature` is None, with the terms it is judged by."""

    measured_at: int
    """ms UTC."""
    temperature: int | None
    """Hundredths of a degree Celsius."""
    max_gap_ms: int
    """How long the value is known at most; above 0."""
    policy: int
    """Number of the policy version in force; of no meaning for a fault mark."""


class InRange(msgspec.Struct, frozen=True, array_like=True, tag="in_range", gc=False):
    """No run."""


class Breaching(msgspec.Struct, frozen=True, array_like=True, tag="breaching", gc=False):
    """A pending run: out of range, hold not yet reached."""

    started_at: int
    out_ms: int
    """Known time collected out of range."""
    inside_ms: int
    """Known time inside the margin since the last reading out of range."""
    samples_out: int
    tally: Tally


class Open(msgspec.Struct, frozen=True, array_like=True, tag="open", gc=False):
    """An open excursion."""

    started_at: int
    opened_at: int
    tally: Tally


class Recovering(msgspec.Struct, frozen=True, array_like=True, tag="recovering", gc=False):
    """An open excursion with a recovery under way."""

    started_at: int
    opened_at: int
    recovered_at: int
    """`measured_at` of the reading that began the recovery."""
    back_ms: int
    """Known time collected since."""
    samples_back: int
    """Readings not out of range since, the first included."""
    ended: Tally
    """As of `recovered_at`: what counts if the recovery completes."""
    tally: Tally
    """Up to now: what counts if it does not."""


SustainedState = InRange | Breaching | Open | Recovering
Run = Breaching | Open | Recovering

IN_RANGE: Final = InRange()


class Cause(Enum):
    """What can move a band."""

    OUT = "a reading out of range"
    INSIDE = "a reading inside the margin"
    RECOVERED = "a recovered reading"
    FAULT_MARK = "a fault mark"
    DEADLINE = "a deadline passed"
    POLICY_ENDED = "the band is gone from the policy"
    ASSIGNMENT_ENDED = "the assignment ended"


_IN_RANGE_ONLY: Final = frozenset({InRange})

TRANSITIONS: Final[dict[tuple[type[SustainedState], Cause], frozenset[type[SustainedState]]]] = {
    (InRange, Cause.OUT): frozenset({Breaching, Open}),
    (InRange, Cause.INSIDE): _IN_RANGE_ONLY,
    (InRange, Cause.RECOVERED): _IN_RANGE_ONLY,
    (Breaching, Cause.OUT): frozenset({Breaching, Open}),
    (Breaching, Cause.INSIDE): frozenset({Breaching, Open, InRange}),
    (Breaching, Cause.RECOVERED): _IN_RANGE_ONLY,
    (Breaching, Cause.DEADLINE): frozenset({Open, InRange}),
    (Open, Cause.OUT): frozenset({Open}),
    (Open, Cause.INSIDE): frozenset({Open}),
    (Open, Cause.RECOVERED): frozenset({Recovering, InRange}),
    (Recovering, Cause.OUT): frozenset({Open, Breaching}),
    (Recovering, Cause.INSIDE): frozenset({Recovering, InRange}),
    (Recovering, Cause.RECOVERED): frozenset({Recovering, InRange}),
    (Recovering, Cause.DEADLINE): _IN_RANGE_ONLY,
    **{(state, Cause.FAULT_MARK): frozenset({state}) for state in (InRange, Breaching, Open, Recovering)},
    **{(state, Cause.POLICY_ENDED): _IN_RANGE_ONLY for state in (InRange, Breaching, Open, Recovering)},
    **{(state, Cause.ASSIGNMENT_ENDED): _IN_RANGE_ONLY for state in (InRange, Breaching, Open, Recovering)},
}
"""Every move a band may make, by what moves it. A pair that is missing cannot happen."""
