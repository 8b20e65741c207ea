"""One row of a sensor as the condition machines see it. Values only."""

import msgspec

from schemas.reasons import RejectReason


class ConditionRow(msgspec.Struct, frozen=True, gc=False):
    """A reading, a fault mark, or values beside a temperature. None is what the row does not tell."""

    measured_at: int
    """ms UTC."""
    max_gap_ms: int
    """How long a value is known at most, by the row's sensor configuration; above 0."""
    raw_temperature: int | None = None
    """Hundredths as the sensor said it: without the calibration, whose change would look like a change of the value."""
    fault: RejectReason | None = None
    """Of a fault mark: why its value is not believed."""
    battery_millivolts: int | None = None
    battery_percent: int | None = None
    door_open: bool | None = None
