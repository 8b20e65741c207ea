"""A slope is found among noise and outliers, and a bound is as strict as the run is long."""

import random

import pytest

from tests.soak.slopes import Bound, judge, theil_sen

MINUTES_20 = [10.0 * place for place in range(120)]
HOURS_4 = [10.0 * place for place in range(1_440)]
MEMORY = Bound("MB", 1.0, 4.0)


def leaking(at: list[float], per_hour: float) -> list[float]:
    """Return a memory that grows, with noise and an outlier in ten."""
    chance = random.Random(3)
    return [100 + per_hour * second / 3600 + chance.uniform(-0.3, 0.3) + (50 if chance.random() < 0.1 else 0) for second in at]


def test_a_slope_is_the_same_with_outliers() -> None:
    assert theil_sen([0, 1, 2, 3, 4], [0, 2, 4, 6, 100]) == pytest.approx(2, abs=0.01)


def test_a_slope_needs_two_instants() -> None:
    with pytest.raises(ValueError, match="two instants"):
        theil_sen([1, 1], [0, 5])


@pytest.mark.parametrize(
    ("at", "per_hour", "holds"), [(MINUTES_20, 5, True), (MINUTES_20, 60, False), (HOURS_4, 0, True), (HOURS_4, 5, False)]
)
def test_a_short_run_finds_a_fast_leak_and_a_long_one_also_a_slow_one(at: list[float], per_hour: float, holds: bool) -> None:
    verdict = judge("memory", at, leaking(at, per_hour), MEMORY)

    assert verdict is not None
    assert verdict.holds is holds
    assert verdict.slope == pytest.approx(per_hour, abs=2)


def test_what_fills_up_in_the_first_half_is_not_growth() -> None:
    warming = [min(second, 400) for second in MINUTES_20]

    verdict = judge("memory", MINUTES_20, warming, MEMORY)

    assert verdict is not None
    assert verdict.slope == 0
    assert verdict.first < verdict.last == 400


def test_too_few_samples_give_no_verdict() -> None:
    assert judge("memory", [0, 10, 20], [1, 2, 3], MEMORY) is None
