"""Mean kinetic temperature (excursions.md sections 6 and 10): one integer per hundredth of a degree, so that all agree to the last digit.

`effect` is exp(-10000/K) scaled by 10^40 and rounded, K being the temperature in kelvin; 10000 K is the activation energy of
83.144 kJ/mol over the gas constant (source: USP <1160>). Sums of effects times known time can be merged; mean kinetic temperatures
never can.
"""

from decimal import Context, Decimal
from functools import cache
from math import log
from typing import Final

SCALE: Final = 10**40
"""An effect of 1."""

_DIGITS: Final = Context(prec=60)
_ACTIVATION: Final = Decimal(-10_000)
"""Kelvin."""
_ZERO_CELSIUS: Final = Decimal("273.15")


@cache  # at most one entry for each hundredth of a degree that is a possible temperature
def effect(hundredths: int) -> int:
    """Return round(exp(-10000/K) * 10^40) of a temperature in hundredths of a degree, in decimal arithmetic."""
    kelvin = _DIGITS.add(_DIGITS.divide(Decimal(hundredths), Decimal(100)), _ZERO_CELSIUS)
    return int(_DIGITS.multiply(_DIGITS.exp(_DIGITS.divide(_ACTIVATION, kelvin)), Decimal(SCALE)).to_integral_value())


def mean_kinetic_celsius(weighted_effect: int, known_ms: int) -> float:
    """Return the mean kinetic temperature of a sum of effects times ms over their known time, which must be above 0."""
    return -10_000 / log(weighted_effect / known_ms / SCALE) - 273.15
