"""Times as devices write them: seconds or milliseconds since 1970, ISO 8601, or an object of year, month by name, day and so on."""

from typing import Any, Final

from pipelines.domain.decoders.numbers import number_of
from pipelines.domain.instants import UnreadableInstant, parse_instant

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EARLIEST_SECONDS: Final = 1_000_000_000
_LATEST_SECONDS: Final = 100_000_000_000
_LATEST_MILLISECONDS: Final = 100_000_000_000_000


def instant_of(value: object) -> int | None:
    """Return ms UTC, or None for what is no time after 2001."""
    if isinstance(value, dict):
        return _from_parts(value)
    parsed = number_of(value)
    if parsed is not None:
        number = parsed[0]
        if _EARLIEST_SECONDS <= number < _LATEST_SECONDS:
            return int(number * 1000)
        return int(number) if _LATEST_SECONDS <= number < _LATEST_MILLISECONDS else None
    return _from_text(value) if isinstance(value, str) else None


def _from_text(text: str) -> int | None:
    try:
        return parse_instant(text)
    except UnreadableInstant:
        return None


def _from_parts(parts: dict[str, Any]) -> int | None:
    month = parts.get("month")
    if isinstance(month, str) and month[:3].lower() in MONTHS:
        month = MONTHS.index(month[:3].lower()) + 1
    numbers = [parts.get("year"), month, *(parts.get(name, 0) for name in ("day", "hours", "minutes", "seconds"))]
    if not all(isinstance(number, int) and 0 <= number <= 9999 for number in numbers):  # noqa: PLR2004 - the calendar's years
        return None
    year, month, day, hour, minute, second = numbers
    return _from_text(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
