"""The conditions that a sensor's rows decide, in one state: battery, door, frozen value and fault.

`on_row` takes the sensor's rows in order of `measured_at` under the terms of each, `on_clock` the deadlines between them. A row that is
not newer than the newest one is late and must not be passed in. One that is newer, but older than a deadline passed without it, is news all
the same (a door that was closed in time and is heard of late): what it says is so right after that deadline. A device's clock and a band's
possible excursion live by other records and have states of their own (`clock_wrong`, `possible_excursion`).
"""

from typing import Final

import msgspec

from pipelines.domain.conditions import battery_low, door_open, frozen_value, sensor_fault
from pipelines.domain.conditions.battery_low import CHARGED, BatteryState
from pipelines.domain.conditions.door_open import CLOSED, DoorState
from pipelines.domain.conditions.facts import ConditionEnd, ConditionFacts
from pipelines.domain.conditions.frozen_value import NO_VALUE, FrozenState
from pipelines.domain.conditions.row import ConditionRow
from pipelines.domain.conditions.sensor_fault import BELIEVED, FaultState
from pipelines.domain.conditions.terms import ConditionTerms


class SensorConditions(msgspec.Struct, frozen=True, array_like=True):
    """The conditions of one sensor so far. Encodes with msgspec as it is."""

    judged_at: int | None
    """The newer of the newest row and the last deadline passed (ms UTC); None before the first row."""
    battery: BatteryState = CHARGED
    door: DoorState = CLOSED
    frozen: FrozenState = NO_VALUE
    fault: FaultState = BELIEVED
    newest_at: int | None = None
    """When the newest row was measured (ms UTC), where a deadline after it was passed; None where it was at `judged_at`."""


FRESH: Final = SensorConditions(None)
"""A sensor of which nothing has been judged."""


def is_late(state: SensorConditions, at: int) -> bool:
    """Tell whether a row measured at `at` (ms UTC) is not newer than the newest one."""
    newest_at = newest_of(state)
    return newest_at is not None and at <= newest_at


def newest_of(state: SensorConditions) -> int | None:
    """Return when the newest row was measured (ms UTC), None before the first."""
    return state.judged_at if state.newest_at is None else state.newest_at


def instant_of(state: SensorConditions, at: int) -> int:
    """Return the instant (ms UTC) from which on a row or an end at `at` counts: after everything already judged."""
    return at if state.judged_at is None else max(at, state.judged_at + 1)


def next_deadline(state: SensorConditions) -> int | None:
    """Return the instant (ms UTC) at which a condition moves if no further row comes, or None."""
    return door_open.deadline(state.door)


def on_row(state: SensorConditions, row: ConditionRow, terms: ConditionTerms) -> tuple[SensorConditions, ConditionFacts]:
    """Return the state after the sensor's next row, and what was found up to it, in order of time; the row must not be late."""
    assert not is_late(state, row.measured_at), "a late row is not judged"
    measured_at, at = row.measured_at, instant_of(state, row.measured_at)
    if at != measured_at:
        row = msgspec.structs.replace(row, measured_at=at)
    door, facts = door_open.on_reading(state.door, row, terms.door)
    battery, found = battery_low.on_reading(state.battery, row, terms.battery)
    frozen, of_value = frozen_value.on_reading(state.frozen, row, terms.frozen)
    fault, of_fault = sensor_fault.on_reading(state.fault, row, terms.fault)
    if found or of_value or of_fault:
        facts += found + of_value + of_fault
    return SensorConditions(at, battery, door, frozen, fault, None if at == measured_at else measured_at), facts


def on_clock(state: SensorConditions, until: int) -> tuple[SensorConditions, ConditionFacts]:
    """Pass the deadlines up to and at `until` (ms UTC)."""
    due_at = door_open.deadline(state.door)
    if due_at is None or due_at > until:
        return state, ()
    door, facts = door_open.on_clock(state.door, until)
    return SensorConditions(due_at, state.battery, door, state.frozen, state.fault, newest_of(state)), facts


def on_assignment_end(state: SensorConditions, at: int) -> tuple[SensorConditions, ConditionFacts]:
    """End every condition at the assignment's end, after the deadlines before it; the next assignment starts afresh.

    The end must be after everything already judged (`instant_of`). A row at `at` belongs to the next assignment and is not late.
    """
    assert state.judged_at is None or at > state.judged_at, "an end counts from after what is judged"
    newest_at = state.newest_at
    state, facts = on_clock(state, at - 1)
    facts += battery_low.on_end(state.battery, at, ConditionEnd.ASSIGNMENT)
    facts += door_open.on_end(state.door, at, ConditionEnd.ASSIGNMENT)
    facts += frozen_value.on_end(state.frozen, at, ConditionEnd.ASSIGNMENT)
    facts += sensor_fault.on_end(state.fault, at, ConditionEnd.ASSIGNMENT)
    return SensorConditions(at - 1, newest_at=newest_at), facts
