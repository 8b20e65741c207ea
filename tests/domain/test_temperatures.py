"""Temperatures from text and numbers, rounded in decimal."""

from decimal import Decimal

import pytest

from pipelines.domain.decimals import NotANumber
from pipelines.domain.temperatures import UnreadableTemperature, believed, hundredths


@pytest.mark.parametrize(
    ("celsius", "meant"),
    [
        ("5.005", 501),
        ("-5.005", -501),
        ("5.00499999999999999999999999999999999999999999999999", 500),
        ("0.005", 1),
        ("-0.004", 0),
        (" +8 ", 800),
        (".5", 50),
        ("8.", 800),
        ("1e1", 1000),
        ("1e-999999999", 0),
        ("0e999999999", 0),
        (5.005, 501),
        (2.675, 268),
        (-18, -1800),
        (Decimal("1.115"), 112),
    ],
)
def test_hundredths_are_rounded_half_away_from_zero_in_decimal(celsius: str | float, meant: int) -> None:
    assert hundredths(celsius) == meant


@pytest.mark.parametrize("text", ["", " ", "nan", "-NaN", "inf", "-Infinity", "150.005", "-100.005", "327.67", "1e999999999"])
def test_an_empty_or_impossible_temperature_is_a_fault_mark(text: str) -> None:
    assert believed(text) is None


@pytest.mark.parametrize(("text", "meant"), [("150.004", 15_000), ("-100.004", -10_000), ("85.0", 8500), ("0", 0)])
def test_possible_is_decided_after_rounding(text: str, meant: int) -> None:
    assert believed(text) == meant


@pytest.mark.parametrize("text", ["warm", "5,5", "5 °C", "1_0", "\u0665", "0x10", "--5", "5.5.5", "e5", "9" * 500])
def test_text_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UnreadableTemperature):
        believed(text)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), Decimal("NaN"), True, 10**40])
def test_what_is_no_finite_number_has_no_hundredths(number: float) -> None:
    with pytest.raises(NotANumber):
        hundredths(number)
