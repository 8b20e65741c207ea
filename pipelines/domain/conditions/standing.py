"""What a state stands in, as the fact that began it: for who compares a machine with what is on record. Judges nothing."""

from typing import assert_never

from pipelines.domain.conditions.battery_low import BatteryState, Charged, Low, Reviving, Sagging
from pipelines.domain.conditions.clock_wrong import ClockState, Wrong
from pipelines.domain.conditions.door_open import OpenTooLong
from pipelines.domain.conditions.facts import ConditionBegan, ConditionKind, OpenTime, Rejections, SameValue
from pipelines.domain.conditions.frozen_value import Frozen
from pipelines.domain.conditions.possible_excursion import Possible
from pipelines.domain.conditions.sensor import SensorConditions
from pipelines.domain.conditions.sensor_fault import Faulty


def standing_of_sensor(state: SensorConditions) -> tuple[ConditionBegan, ...]:
    """Return what a sensor stands in; the evidence is that of now, as far as it goes on after the beginning."""
    found: list[ConditionBegan] = []
    low = _low_of(state.battery)
    if low is not None:
        found.append(ConditionBegan(ConditionKind.BATTERY_LOW, low.started_at, low.opened_at, low.level))
    door, value, fault = state.door, state.frozen, state.fault
    if isinstance(door, OpenTooLong):
        found.append(ConditionBegan(ConditionKind.DOOR_OPEN, door.started_at, door.opened_at, OpenTime(door.known_ms)))
    if isinstance(value, Frozen):
        same = SameValue(value.stretch.value, value.stretch.readings, value.stretch.held_ms)
        found.append(ConditionBegan(ConditionKind.FROZEN_VALUE, value.stretch.started_at, value.opened_at, same))
    if isinstance(fault, Faulty):
        found.append(ConditionBegan(ConditionKind.SENSOR_FAULT, fault.started_at, fault.opened_at, fault.seen))
    return tuple(found)


def standing_of_clock(state: ClockState) -> tuple[ConditionBegan, ...]:
    """Return what a device's clock stands in."""
    if not isinstance(state, Wrong):
        return ()
    return (ConditionBegan(ConditionKind.CLOCK_WRONG, state.started_at, state.opened_at, Rejections(state.count)),)


def standing_of_run(state: Possible) -> ConditionBegan:
    """Return the possible excursion that a pending run stands in."""
    return ConditionBegan(ConditionKind.POSSIBLE_EXCURSION, state.started_at, state.started_at, state.run)


def _low_of(state: BatteryState) -> Low | None:
    match state:
        case Charged() | Sagging():
            return None
        case Low():
            return state
        case Reviving():
            return state.low
        case _:
            assert_never(state)
