"""By what conditions are judged: one frozen value of a policy version (`document` reads it), with a default for everything.

Where a figure is our own it is chosen so that a healthy sensor in a cold room never raises the condition. None switches one off.
A condition that a policy names warns unless it says otherwise; what none names is judged and told to nobody (`ConditionTerms`).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS


class Alert(StrEnum):
    """Who is told of a condition, and how much it matters."""

    NONE = "none"
    """Nobody: it is shown, and kept in its history."""
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class BatteryTerms:
    """When a battery is low: several readings in a row below a limit, in percent or volts, whichever the device tells."""

    low_percent: int | None = 20
    """Below it is low. Our own: the steps in which most devices tell it are 5 or 10 percent."""
    percent_margin: int = 5
    low_millivolts: int | None = None
    """Off until set: full and empty lie elsewhere for each chemistry (a lithium-thionyl cell is as good as empty at 3.0 V, two
    alkaline cells are nearly full there)."""
    millivolts_margin: int = 100
    """Our own: more than the steps of a battery's voltage as devices tell it, and than what a transmission takes from it."""
    readings: int = 6
    """In a row, to begin and to end. Our own: batteries sag in the cold and recover; their level moves over weeks, so waiting is free."""
    alert: Alert = Alert.WARNING


@dataclass(frozen=True, slots=True)
class DoorTerms:
    """When a door has been open too long."""

    open_ms: int = 5 * MINUTE_MS
    """Known time open. Our own: stocking a refrigerator takes minutes."""
    alert: Alert = Alert.WARNING


@dataclass(frozen=True, slots=True)
class FrozenTerms:
    """When a value is frozen: unchanged for this long, this often, and far longer than the sensor ever was before."""

    after_ms: int = 12 * HOUR_MS
    """Known time. Our own: a compressor's cycle takes under an hour, and a full cold store moves by a hundredth within half a day."""
    readings: int = 30
    """Our own: half a day of readings every 20 min or more often."""
    changes: int = 50
    """How often the value must have changed before: otherwise it is not known to vary."""
    coarse_hundredths: int = 10
    """A sensor whose finest step seen is this or more is not judged: in steps of a tenth of a degree or more a good freezer stands still
    over a quiet weekend. A DS18B20 at 12 bits (0.06) is judged, at 10 (0.25) it is not."""
    times_longest: int = 3
    """How many times the longest unchanged stretch before this one it must be. Our own."""
    alert: Alert = Alert.WARNING


@dataclass(frozen=True, slots=True)
class FaultTerms:
    """When a sensor is faulty."""

    marks: int = 1
    """Fault marks without a reading between them. One: a value that cannot be true raises its own condition (excursions.md section 7)."""
    alert: Alert = Alert.WARNING


@dataclass(frozen=True, slots=True)
class ClockTerms:
    """When a device's clock is wrong."""

    rejections: int = 3
    """Uplinks rejected as `clock_wrong`..."""
    within_ms: int = 24 * HOUR_MS
    """...within this, to begin. Our own: one may be a message that was kept somewhere for weeks."""
    quiet_ms: int = 48 * HOUR_MS
    """Without any, to end. Our own: some devices send their history once a day."""
    alert: Alert = Alert.WARNING


@dataclass(frozen=True, slots=True)
class PossibleTerms:
    """Who is told of a possible excursion. Its limits and holds are the bands' own."""

    alert: Alert = Alert.WARNING


@dataclass(frozen=True, slots=True)
class ConditionTerms:
    """One version of the terms of conditions; what it leaves out is judged and told to nobody.

    So policies written before there were conditions, and readings judged by no policy, tell what they told before. Frozen values
    are not looked for unless a person asks for it.
    """

    battery: BatteryTerms | None = BatteryTerms(alert=Alert.NONE)
    door: DoorTerms | None = DoorTerms(alert=Alert.NONE)
    frozen: FrozenTerms | None = None
    fault: FaultTerms | None = FaultTerms(alert=Alert.NONE)
    clock: ClockTerms | None = ClockTerms(alert=Alert.NONE)
    possible: PossibleTerms | None = PossibleTerms(alert=Alert.NONE)


DEFAULT_TERMS: Final = ConditionTerms()
NO_TERMS: Final = ConditionTerms(battery=None, door=None, frozen=None, fault=None, clock=None, possible=None)
"""Nothing is judged."""
