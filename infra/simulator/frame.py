"""A sample is what there is to measure, a payload what a device makes of it; the numbers a frame is written with. Pure."""

import math
from typing import Any, Final

import msgspec

OLDEST_MS: Final = 35 * 86_400_000
NEWEST_MS: Final = 5 * 60_000
"""A time from OLDEST before to NEWEST after the instant of reception is believed."""


class Sample(msgspec.Struct, frozen=True, gc=False):
    """What there is to measure: degrees Celsius, percent, volts; `charge` is the battery's in percent."""

    inside: float
    humidity: float
    volts: float
    charge: int
    clock: int
    """What the device takes the time for, ms UTC."""
    around: float = 0.0
    door_open: bool = False
    openings: int = 0
    last_opening_minutes: int = 0

    @property
    def millivolts(self) -> int:
        """The battery's."""
        return round(self.volts * 1000)


Entries = list[tuple[int, Sample]]
"""What a log holds: when it was measured (ms UTC, the true time) and what."""


class Payload(msgspec.Struct, frozen=True, gc=False):
    """One frame as the Application Server delivers it, and the temperature that must come of it."""

    port: int
    raw: bytes
    decoded: dict[str, Any]
    hundredths: int | None
    """Hundredths of a degree Celsius inside the unit; None when the frame carries none."""
    history: tuple[tuple[int, int], ...] = ()
    """What must come of a frame from the log: when measured (ms UTC) and hundredths of a degree."""


def believed(measured_at: int, received_at: int) -> bool:
    """Say whether a time of measurement is believed; both in ms UTC."""
    return received_at - OLDEST_MS <= measured_at <= received_at + NEWEST_MS


def nearest(value: float) -> int:
    """Round half up, as a device's integer arithmetic does."""
    return math.floor(value + 0.5)


def half_away(numerator: int, denominator: int) -> int:
    """Divide and round half away from zero, as readings are rounded."""
    whole = (2 * abs(numerator) + denominator) // (2 * denominator)
    return whole if numerator >= 0 else -whole


def signed(number: int) -> bytes:
    """Write 16 bits, the high byte first."""
    return number.to_bytes(2, "big", signed=True)


def unsigned(number: int) -> bytes:
    """Write 16 bits, the high byte first."""
    return number.to_bytes(2, "big")
