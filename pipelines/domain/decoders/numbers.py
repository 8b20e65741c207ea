"""Numbers as devices write them: plain, as text with a unit, in Fahrenheit; and the words and values that mean there is none."""

import re
from decimal import Decimal
from typing import Final

from pipelines.domain.decimals import NotANumber, exact

_TEXT: Final = re.compile(r"\s*([+-]?(?:\d{1,9}(?:\.\d{1,12})?|\.\d{1,12}))\s*,?\s*([^\d\s(,;]{0,12})\s*(?:\([^)]{0,40}\))?\s*", re.ASCII)

SENTINELS: Final = frozenset(
    Decimal(text)
    for text in (
        *("327.67", "-327.68", "327.66", "-327.67", "327.6", "327.65", "3276.7", "-3276.8", "3276.6", "32767", "-32768"),
        *(
            "6553.5",
            "655.35",
            "65535",
            "6553.4",
            "-127",
            "-273.15",
            "-273",
            "-999",
            "999",
            "-9999",
            "9999",
            "-1000",
            "-999.9",
            "999.9",
            "2147483647",
        ),
    )
)
"""Numbers by which one device or another says that it has no value (0x7FFF, 0x8000 and 0xFFFF in several scales, DS18B20's -127)."""


def number_of(value: object) -> tuple[Decimal, str] | None:
    """Return a value as an exact number and the unit written behind it, or None where it is no number."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float, Decimal)):
        try:
            return exact(value), ""
        except NotANumber:
            return None
    if isinstance(value, str) and len(value) <= 64:  # noqa: PLR2004 - longer text is no number anybody wrote
        match = _TEXT.fullmatch(value)
        if match is not None:
            return Decimal(match[1]), match[2]
    return None


def is_fahrenheit(unit: str) -> bool:
    """Return whether a unit is Fahrenheit."""
    return unit.strip("° ").lower() in {"f", "℉", "fahrenheit", "degf"}


def from_fahrenheit(number: Decimal) -> Decimal:
    """Return degrees Celsius."""
    return (number - 32) * 5 / 9
