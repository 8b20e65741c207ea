"""Exact decimal rounding, half away from zero, into scaled integers.

Everything that decides is an integer; this is the one place where a decimal becomes one. Binary fractions never take
part: a float stands for the shortest decimal that names it.
"""

from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal
from typing import Final

MAX_DIGITS: Final = 30
"""Digits before the point that are still worth scaling; a longer number is refused before it can fill the memory."""

_ROUNDING: Final = Context(prec=MAX_DIGITS + 10, rounding=ROUND_HALF_UP, Emin=MIN_EMIN, Emax=MAX_EMAX)
"""Decimal's ROUND_HALF_UP is half away from zero."""


class NotANumber(ValueError):
    """The value is no finite number, or absurdly large."""


def exact(number: Decimal | float) -> Decimal:
    """Return the decimal a number stands for: 5.005 is 5.005, whatever its binary form.

    Raises NotANumber for NaN, infinities, booleans and magnitudes of more than MAX_DIGITS digits.
    """
    if isinstance(number, bool):
        message = "a truth value is not a number"
        raise NotANumber(message)
    decimal = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    if not decimal.is_finite() or (decimal != 0 and decimal.adjusted() >= MAX_DIGITS):
        message = "not a finite number of sensible size"
        raise NotANumber(message)
    return decimal


def scaled(number: Decimal | float, places: int) -> int:
    """Return a number times 10**places (places 0 to 9), rounded half away from zero.

    Raises NotANumber as `exact` does.
    """
    decimal = exact(number)
    if decimal == 0:
        return 0  # also spares zeros of absurd exponents
    rounded = decimal.quantize(Decimal((0, (1,), -places)), context=_ROUNDING)
    return int(rounded.scaleb(places, context=_ROUNDING))
