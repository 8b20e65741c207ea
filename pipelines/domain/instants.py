"""Instants as integers: milliseconds UTC since 1970, truncated, to and from ISO 8601 text.

It reads no clock, and no calendar but the Gregorian one of `datetime`.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_DAY_MS: Final = 86_400_000
_EARLIEST: Final = (date.min.toordinal() - _EPOCH_DAY) * _DAY_MS
_LATEST: Final = (date.max.toordinal() - _EPOCH_DAY + 1) * _DAY_MS - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_INSTANT: Final = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
    r"(?:[Tt ](?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?"
    r"(?: ?(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?))?)?",
    re.ASCII,
)


_SHORTEST_PLAIN: Final = len("2026-11-25T09:00:00.1Z")


class UnreadableInstant(ValueError):
    """The text is no ISO 8601 date and time between the years 1 and 9999."""


def parse_instant(text: str) -> int:
    """Return milliseconds UTC since 1970 from ISO 8601 text.

    A time without a zone is UTC, a date alone is its midnight, and digits beyond the millisecond are cut off.
    Raises UnreadableInstant.
    """
    # Nearly all are written as The Things Stack does, and of one minute there are many.
    if len(text) >= _SHORTEST_PLAIN and text[-1] == "Z" and text[16] == ":" and text[19] == "." and text.isascii():
        second, fraction = text[17:19], text[20:-1]
        if second.isdigit() and fraction.isdigit() and second < "60":
            minute = _minute(text[:16])
            if minute is not None:
                return minute + int(second) * 1000 + int(fraction[:3].ljust(3, "0"))
    return _any_instant(text)


@lru_cache(maxsize=4_096)
def _minute(text: str) -> int | None:
    """Return the instant of a date, hour and minute without a zone, in UTC; None where it is none."""
    try:
        return _any_instant(f"{text}:00Z")
    except UnreadableInstant:
        return None


def _any_instant(text: str) -> int:
    stripped = text.strip()
    match = _INSTANT.fullmatch(stripped)
    if match is None:
        raise _unreadable(stripped)
    try:
        day = date(int(match["year"]), int(match["month"]), int(match["day"])).toordinal() - _EPOCH_DAY
    except ValueError:
        raise _unreadable(stripped) from None
    hour, minute, second = (int(match[unit] or 0) for unit in ("hour", "minute", "second"))
    offset = _offset_minutes(match["zone"])
    if hour > 23 or minute > 59 or second > 59 or offset is None:  # noqa: PLR2004 - the clock's own numbers
        raise _unreadable(stripped)
    milliseconds = int((match["fraction"] or "")[:3].ljust(3, "0"))
    instant = day * _DAY_MS + ((hour * 60 + minute - offset) * 60 + second) * 1000 + milliseconds
    if not _EARLIEST <= instant <= _LATEST:
        raise _unreadable(stripped)
    return instant


def format_instant(instant: int) -> str:
    """Return ISO 8601 text in UTC with milliseconds, such as 2026-01-01T00:00:00.000Z."""
    moment = _EPOCH + timedelta(milliseconds=instant)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _offset_minutes(zone: str | None) -> int | None:
    """Return minutes east of UTC, or None when the zone names no possible offset."""
    if zone is None or zone in "Zz":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - the clock's own numbers
        return None
    return (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)


def _unreadable(text: str) -> UnreadableInstant:
    return UnreadableInstant(f"not an ISO 8601 time: {text[:60]!r}")
