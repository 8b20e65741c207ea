"""Mean kinetic temperature: the vectors of the contract's section 10, and effects as integers that decimal arithmetic makes."""

import itertools
from decimal import Decimal, localcontext

import pytest

from pipelines.domain.kinetic import SCALE, effect, mean_kinetic_celsius

HOUR = 3_600_000
DAY = 24 * HOUR

VECTORS = [
    ([(5, DAY)], 5.0),
    ([(5, 23 * HOUR), (20, HOUR)], 6.5508),
    ([(5, 20 * HOUR), (12, 4 * HOUR)], 6.6501),
    ([(5, 47 * HOUR // 2), (25, HOUR // 2)], 6.4924),
    ([(22, 29 * DAY), (40, DAY)], 23.5996),
    ([(20, HOUR), (25, HOUR)], 22.8320),
]


@pytest.mark.parametrize(("profile", "expected"), VECTORS)
def test_profiles_of_the_contract_have_its_mean_kinetic_temperatures(profile: list[tuple[int, int]], expected: float) -> None:
    weighted = sum(effect(celsius * 100) * ms for celsius, ms in profile)
    known = sum(ms for _, ms in profile)

    assert mean_kinetic_celsius(weighted, known) == pytest.approx(expected, abs=5e-5)


def test_an_effect_is_the_nearest_integer_in_decimal_arithmetic() -> None:
    with localcontext(prec=80):
        exact = (Decimal(-10_000) / (Decimal("273.15") + Decimal("8.01"))).exp() * SCALE

    assert abs(effect(801) - exact) <= Decimal("0.5")


def test_effects_grow_with_every_hundredth_from_the_coldest_to_the_hottest_possible() -> None:
    effects = [effect(hundredths) for hundredths in range(-10_000, 15_001, 7)]

    assert all(one < other for one, other in itertools.pairwise(effects))
    assert effects[0] > 0
