"""What the condition machines find: a condition began, or ended, with the instants and the evidence it stands on.

Offline is the devices' own (`engine.devices`) and keeps its own fact. Values only.
"""

from enum import StrEnum

import msgspec

from schemas.reasons import RejectReason


class ConditionKind(StrEnum):
    """Every condition with a machine here; the value is its name everywhere outside the code."""

    BATTERY_LOW = "battery_low"
    DOOR_OPEN = "door_open"
    FROZEN_VALUE = "frozen_value"
    SENSOR_FAULT = "sensor_fault"
    CLOCK_WRONG = "clock_wrong"
    POSSIBLE_EXCURSION = "possible_excursion"


class ConditionEnd(StrEnum):
    """What ended a condition."""

    RECOVERY = "recovery"
    """What it was about is over; of a possible excursion: its run was dropped."""
    OPENED = "opened"
    """A possible excursion became one."""
    TERMS = "terms"
    """The terms in force no longer judge it; of a possible excursion: its band is gone from the policy."""
    ASSIGNMENT = "assignment"
    """The sensor's assignment ended; of a clock: the device watches nothing any more."""
    REBUILT = "rebuilt"
    """What is kept was read from the log anew, and the condition on record does not follow from it."""


class BatteryLevel(msgspec.Struct, frozen=True, array_like=True, tag="battery_level", gc=False):
    """What the reading said that settled it; at an end without one, what began it."""

    millivolts: int | None
    percent: int | None


class OpenTime(msgspec.Struct, frozen=True, array_like=True, tag="open_time", gc=False):
    """How long the door is known to have stood open."""

    known_ms: int


class SameValue(msgspec.Struct, frozen=True, array_like=True, tag="same_value", gc=False):
    """The value that came again and again."""

    raw_temperature: int
    """Hundredths, before calibration."""
    readings: int
    held_ms: int
    """Known time from the first of them to the last."""


class FaultMarks(msgspec.Struct, frozen=True, array_like=True, tag="fault_marks", gc=False):
    """How many fault marks without a reading between them, and what the newest says."""

    marks: int
    reason: RejectReason


class Rejections(msgspec.Struct, frozen=True, array_like=True, tag="rejections", gc=False):
    """How many uplinks were rejected since it began, those that led to it included."""

    count: int


class PendingRun(msgspec.Struct, frozen=True, array_like=True, tag="pending_run", gc=False):
    """The pending run that may be an excursion."""

    band: str
    run_started_at: int


Detail = BatteryLevel | OpenTime | SameValue | FaultMarks | Rejections | PendingRun


class ConditionBegan(msgspec.Struct, frozen=True, tag="condition_began"):
    """A condition stands: it began at `started_at` and was settled at `opened_at` (ms UTC)."""

    kind: ConditionKind
    started_at: int
    opened_at: int
    detail: Detail


class ConditionEnded(msgspec.Struct, frozen=True, tag="condition_ended"):
    """A condition is over since `ended_at`, settled at `closed_at`; `started_at` is that of its beginning."""

    kind: ConditionKind
    started_at: int
    opened_at: int
    ended_at: int
    closed_at: int
    ended_by: ConditionEnd
    detail: Detail


ConditionFact = ConditionBegan | ConditionEnded
ConditionFacts = tuple[ConditionFact, ...]
