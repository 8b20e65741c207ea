"""How often a sensor reports and what follows from it: max gap, patience before it is offline, calibration; and what a defrost looks like to it.

Seconds and degrees come in as decimals or doubles; integers go out: milliseconds and hundredths of a degree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from pipelines.domain.circumstances_document import CircumstancesError, parse_profile
from pipelines.domain.decimals import NotANumber, scaled
from pipelines.domain.registration.refusals import Refused
from pipelines.domain.suppression import DefrostProfile

DEFAULT_INTERVAL_MS: Final = 900_000
"""Common for refrigerator loggers; a device that reports less often than every 45 min would be taken as offline."""
GAP_IN_INTERVALS: Final = 3
MIN_OFFLINE_AFTER_MS: Final = 600_000
"""The default patience is three intervals, and at least this (excursions.md section 7)."""

MOST_UNATTENDED_MS: Final = 3_600_000
"""The longest interval that takes the default's place without a person. Our own: its max gap is three hours."""

MIN_INTERVAL_MS: Final = 1_000
MAX_INTERVAL_MS: Final = 7 * 86_400_000
MAX_PATIENCE_MS: Final = 30 * 86_400_000
MAX_CALIBRATION: Final = 2_000
"""20 degrees, in hundredths: a probe that is further off is broken."""

FIELDS: Final = ("expected_interval_seconds", "max_gap_seconds", "offline_after_seconds", "calibration_celsius")

COLUMNS: Final = (
    "expected_interval_ms",
    "max_gap_ms",
    "offline_after_ms",
    "calibration_hundredths",
    "defrost_period_ms",
    "defrost_peak_hundredths",
    "defrost_duration_ms",
)
"""Of `sensor_configurations`."""

Number = Decimal | float | int


@dataclass(frozen=True, slots=True)
class SensorTerms:
    """One version of a sensor's configuration."""

    expected_interval_ms: int
    max_gap_ms: int
    offline_after_ms: int
    calibration_hundredths: int
    defrost: DefrostProfile | None = None
    """What a person said, or took over, of the unit's defrosts; None: nothing is excused as one."""

    def to_row(self) -> dict[str, int | None]:
        """Return COLUMNS as they say it."""
        one = self.defrost
        profile = (None, None, None) if one is None else (one.period_ms, one.peak_hundredths, one.duration_ms)
        own = (self.expected_interval_ms, self.max_gap_ms, self.offline_after_ms, self.calibration_hundredths)
        return dict(zip(COLUMNS, own + profile, strict=True))

    def said(self) -> dict[str, int]:
        """Return what the log of changes says of it: what is there."""
        return {column: value for column, value in self.to_row().items() if value is not None}


def from_row(row: Mapping[str, Any]) -> SensorTerms:
    """Return the terms that COLUMNS say."""
    period, peak, duration = row["defrost_period_ms"], row["defrost_peak_hundredths"], row["defrost_duration_ms"]
    profile = None if period is None else DefrostProfile(period, peak, duration)
    return SensorTerms(row["expected_interval_ms"], row["max_gap_ms"], row["offline_after_ms"], row["calibration_hundredths"], profile)


def defrost_profile(written: object) -> DefrostProfile | None:
    """Return the profile that an object with period_seconds, peak_celsius and duration_seconds says, None for null; raises Refused."""
    try:
        return None if written is None else parse_profile(written)
    except CircumstancesError as error:
        raise Refused(error.field, error.reason) from error


def default_gap(interval_ms: int) -> int:
    """Return how long a value is known at most, for a sensor that reports this often."""
    return GAP_IN_INTERVALS * interval_ms


def default_patience(interval_ms: int) -> int:
    """Return after how long a silent device is offline, for one that reports this often."""
    return max(GAP_IN_INTERVALS * interval_ms, MIN_OFFLINE_AFTER_MS)


def why_left_to_a_person(interval_ms: int, in_force_ms: int) -> str | None:
    """Return why an interval that was learned must not be taken over without a person; None where it may be.

    How long a value is known and how long silence is no news follow it. So it may be no longer than the one in force, which would
    make a fault the norm, and no shorter than half, which may be an alarm's pace. One that nobody chose has room up to an hour.
    """
    if in_force_ms == DEFAULT_INTERVAL_MS:
        return f"it is longer than {MOST_UNATTENDED_MS // 1_000} s" if interval_ms > MOST_UNATTENDED_MS else None
    if interval_ms > in_force_ms:
        return f"it is longer than the {in_force_ms / 1_000:g} s in force"
    return f"it is less than half of the {in_force_ms / 1_000:g} s in force" if 2 * interval_ms < in_force_ms else None


def sensor_terms(given: Mapping[str, Number | None], before: SensorTerms | None = None) -> SensorTerms:
    """Return the terms that some given fields make (FIELDS; None is not given), with what was `before` or the defaults for the rest.

    A gap or patience that was the default of the interval before follows a new interval; a defrost profile stays. Raises Refused.
    """
    interval = _milliseconds(given, "expected_interval_seconds")
    if interval is None:
        interval = before.expected_interval_ms if before else DEFAULT_INTERVAL_MS
    _within("expected_interval_seconds", interval, MIN_INTERVAL_MS, MAX_INTERVAL_MS)
    gap = _milliseconds(given, "max_gap_seconds")
    if gap is None:
        follows = before is None or before.max_gap_ms == default_gap(before.expected_interval_ms)
        gap = default_gap(interval) if before is None or follows else before.max_gap_ms
    patience = _milliseconds(given, "offline_after_seconds")
    if patience is None:
        follows = before is None or before.offline_after_ms == default_patience(before.expected_interval_ms)
        patience = default_patience(interval) if before is None or follows else before.offline_after_ms
    _within("max_gap_seconds", gap, interval, MAX_PATIENCE_MS)
    _within("offline_after_seconds", patience, interval, MAX_PATIENCE_MS)
    return SensorTerms(interval, gap, patience, _calibration(given, before), None if before is None else before.defrost)


def _calibration(given: Mapping[str, Number | None], before: SensorTerms | None) -> int:
    value = given.get("calibration_celsius")
    if value is None:
        return before.calibration_hundredths if before else 0
    hundredths = _scaled("calibration_celsius", value, 2)
    if abs(hundredths) > MAX_CALIBRATION:
        raise Refused("calibration_celsius", f"must lie within {MAX_CALIBRATION // 100} degrees of 0: it is added to what the sensor says")
    return hundredths


def _milliseconds(given: Mapping[str, Number | None], field: str) -> int | None:
    value = given.get(field)
    return None if value is None else _scaled(field, value, 3)


def _scaled(field: str, value: Number, places: int) -> int:
    try:
        return scaled(value, places)
    except NotANumber as error:
        raise Refused(field, "must be a number of sensible size") from error


def _within(field: str, milliseconds: int, least: int, most: int) -> None:
    if milliseconds < least:
        reason = "expected_interval_seconds, " if least > MIN_INTERVAL_MS or field != "expected_interval_seconds" else ""
        raise Refused(field, f"must be at least {reason}{least / 1000:g}")
    if milliseconds > most:
        raise Refused(field, f"must be at most {most / 1000:g} (seconds)")
