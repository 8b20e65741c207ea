"""Temperatures as integers: hundredths of a degree Celsius, rounded once, half away from zero.

Nothing here knows a sensor model; a model's own range and sentinels are the decoder's business.
"""

import re
from decimal import Decimal
from typing import Final

from pipelines.domain.decimals import NotANumber, scaled

LOWEST_POSSIBLE: Final = -10_000
HIGHEST_POSSIBLE: Final = 15_000
"""Range in hundredths outside which a value cannot be true where no model is known (excursions.md section 7)."""

_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?", re.ASCII)
_NO_NUMBER: Final = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE | re.ASCII)
_MAX_TEXT: Final = 400
"""Characters of a number; longer text is no temperature anybody wrote."""


class UnreadableTemperature(ValueError):
    """The text is neither a decimal number nor a way of saying that there is none."""


def hundredths(celsius: str | Decimal | float) -> int:
    """Return hundredths of a degree from degrees Celsius, rounded half away from zero in decimal: 5.005 is 501.

    Raises NotANumber for NaN, infinities and absurd sizes, UnreadableTemperature for text that is no decimal number.
    """
    if isinstance(celsius, str):
        text = celsius.strip()
        if len(text) > _MAX_TEXT or not _DECIMAL.fullmatch(text):
            message = f"not a decimal number: {text[:40]!r}"
            raise UnreadableTemperature(message)
        return scaled(Decimal(text), 2)
    return scaled(celsius, 2)


def is_possible(temperature: int) -> bool:
    """Tell whether a temperature in hundredths can be true where no model is known."""
    return LOWEST_POSSIBLE <= temperature <= HIGHEST_POSSIBLE


def believed(text: str) -> int | None:
    """Return hundredths of a degree from text, or None for a fault mark: empty, not a number, or impossible.

    Raises UnreadableTemperature for text that is nothing of the kind.
    """
    stripped = text.strip()
    if not stripped or _NO_NUMBER.fullmatch(stripped):
        return None
    try:
        temperature = hundredths(stripped)
    except NotANumber:
        return None  # too long to scale: a number, and surely not a temperature
    return temperature if is_possible(temperature) else None
