"""The machine of condition `battery_low`: a sensor's battery, by the volts or the percent that its readings carry.

    charged --below the limit--> sagging --n in a row--> low --limit + margin or more--> reviving --n in a row--> charged

One reading of another kind starts the count anew: it takes n in a row to begin and n in a row to end, because a battery sags
in the cold and during a transmission, and recovers. Rows without a battery value change nothing, and so does time: silence
neither begins nor ends it, and there is no deadline. A row with volts and percent is low where either is, and recovered
where both are. It begins at the first of the readings that agreed and is settled by the last, and ends likewise. Downtime is nothing
special; a late row is not for this machine, its caller judges the stretch again.
"""

from enum import Enum
from typing import Final, assert_never

import msgspec

from pipelines.domain.conditions.facts import BatteryLevel, ConditionBegan, ConditionEnd, ConditionEnded, ConditionFacts, ConditionKind
from pipelines.domain.conditions.row import ConditionRow
from pipelines.domain.conditions.terms import BatteryTerms


class Charged(msgspec.Struct, frozen=True, array_like=True, tag="charged", gc=False):
    """Not known to be low."""


class Sagging(msgspec.Struct, frozen=True, array_like=True, tag="sagging", gc=False):
    """The newest readings were below the limit, not enough of them yet."""

    started_at: int
    readings: int


class Low(msgspec.Struct, frozen=True, array_like=True, tag="low", gc=False):
    """The battery is low."""

    started_at: int
    opened_at: int
    level: BatteryLevel


class Reviving(msgspec.Struct, frozen=True, array_like=True, tag="reviving", gc=False):
    """Low, but the newest readings were above the limit by the margin, not enough of them yet."""

    low: Low
    recovered_at: int
    readings: int


BatteryState = Charged | Sagging | Low | Reviving
CHARGED: Final = Charged()


class Cause(Enum):
    """What can move a battery's state."""

    BELOW = "a reading below the limit"
    INSIDE = "a reading at the limit or above, but not by the margin"
    ABOVE = "a reading above the limit by the margin"
    TERMS_ENDED = "the battery is no longer judged"
    ASSIGNMENT_ENDED = "the assignment ended"


_CHARGED_ONLY: Final = frozenset({Charged})
TRANSITIONS: Final[dict[tuple[type[BatteryState], Cause], frozenset[type[BatteryState]]]] = {
    (Charged, Cause.BELOW): frozenset({Sagging, Low}),
    (Charged, Cause.INSIDE): _CHARGED_ONLY,
    (Charged, Cause.ABOVE): _CHARGED_ONLY,
    (Sagging, Cause.BELOW): frozenset({Sagging, Low}),
    (Sagging, Cause.INSIDE): _CHARGED_ONLY,
    (Sagging, Cause.ABOVE): _CHARGED_ONLY,
    (Low, Cause.BELOW): frozenset({Low}),
    (Low, Cause.INSIDE): frozenset({Low}),
    (Low, Cause.ABOVE): frozenset({Reviving, Charged}),
    (Reviving, Cause.BELOW): frozenset({Low}),
    (Reviving, Cause.INSIDE): frozenset({Low}),
    (Reviving, Cause.ABOVE): frozenset({Reviving, Charged}),
    **{(state, Cause.TERMS_ENDED): _CHARGED_ONLY for state in (Charged, Sagging, Low, Reviving)},
    **{(state, Cause.ASSIGNMENT_ENDED): _CHARGED_ONLY for state in (Charged, Sagging, Low, Reviving)},
}
"""Every move a battery's state may make, by what moves it."""


def cause_of(row: ConditionRow, terms: BatteryTerms) -> Cause | None:
    """Return where a row's battery values stand to the limits; None where it has none that are judged."""
    cause: Cause | None = None
    if row.battery_percent is not None and terms.low_percent is not None:
        cause = _standing(row.battery_percent - terms.low_percent, terms.percent_margin)
    if row.battery_millivolts is not None and terms.low_millivolts is not None:
        volts = _standing(row.battery_millivolts - terms.low_millivolts, terms.millivolts_margin)
        if cause is None or Cause.BELOW in (cause, volts):
            return volts if cause is None else Cause.BELOW
        return Cause.INSIDE if Cause.INSIDE in (cause, volts) else Cause.ABOVE
    return cause


def on_reading(state: BatteryState, row: ConditionRow, terms: BatteryTerms | None) -> tuple[BatteryState, ConditionFacts]:
    """Return the state after the sensor's next row, and what was found there; the row must not be late."""
    if terms is None:
        return CHARGED, on_end(state, row.measured_at, ConditionEnd.TERMS)
    cause = cause_of(row, terms)
    if cause is None:
        return state, ()
    at = row.measured_at
    match state:
        case Charged():
            return _below(at, 1, row, terms) if cause is Cause.BELOW else (state, ())
        case Sagging():
            return _below(state.started_at, state.readings + 1, row, terms) if cause is Cause.BELOW else (CHARGED, ())
        case Low():
            return _above(Reviving(state, at, 1), row, terms) if cause is Cause.ABOVE else (state, ())
        case Reviving():
            if cause is not Cause.ABOVE:
                return state.low, ()
            return _above(Reviving(state.low, state.recovered_at, state.readings + 1), row, terms)
        case _:
            assert_never(state)


def on_end(state: BatteryState, at: int, ended_by: ConditionEnd) -> ConditionFacts:
    """End the condition, if it stands, because it is no longer judged from `at` on."""
    match state:
        case Charged() | Sagging():
            return ()
        case Low():
            return (_ended(state, at, at, ended_by, state.level),)
        case Reviving():
            return (_ended(state.low, at, at, ended_by, state.low.level),)
        case _:
            assert_never(state)


def _standing(above: int, margin: int) -> Cause:
    if above < 0:
        return Cause.BELOW
    return Cause.ABOVE if above >= margin else Cause.INSIDE


def _below(started_at: int, readings: int, row: ConditionRow, terms: BatteryTerms) -> tuple[BatteryState, ConditionFacts]:
    if readings < terms.readings:
        return Sagging(started_at, readings), ()
    low = Low(started_at, row.measured_at, _level(row))
    return low, (ConditionBegan(ConditionKind.BATTERY_LOW, started_at, row.measured_at, low.level),)


def _above(state: Reviving, row: ConditionRow, terms: BatteryTerms) -> tuple[BatteryState, ConditionFacts]:
    if state.readings < terms.readings:
        return state, ()
    return CHARGED, (_ended(state.low, state.recovered_at, row.measured_at, ConditionEnd.RECOVERY, _level(row)),)


def _ended(low: Low, ended_at: int, closed_at: int, ended_by: ConditionEnd, level: BatteryLevel) -> ConditionEnded:
    return ConditionEnded(ConditionKind.BATTERY_LOW, low.started_at, low.opened_at, ended_at, closed_at, ended_by, level)


def _level(row: ConditionRow) -> BatteryLevel:
    return BatteryLevel(row.battery_millivolts, row.battery_percent)
