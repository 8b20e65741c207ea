"""Percentiles of many lengths of time from a few counters, and the lag that is asked for now and then."""

import pytest

from infra.simulator.spread import Spread
from infra.simulator.tally import Tally


def test_nothing_counted_has_no_percentile() -> None:
    assert Spread().shown() == {"p50": None, "p95": None, "p99": None, "max": None}


@pytest.mark.parametrize(("share", "ms"), [(0.5, 5.1), (0.95, 9.6), (0.99, 10.0)])
def test_a_percentile_is_right_to_a_tenth_of_a_millisecond(share: float, ms: float) -> None:
    spread = Spread()

    for tenth in range(1, 101):
        spread.add(tenth / 10_000)

    assert spread.percentile_ms(share) == pytest.approx(ms, abs=0.11)


def test_long_ones_are_right_to_a_millisecond_and_the_longest_is_kept() -> None:
    spread = Spread()

    for seconds in (0.25, 1.5, 900.0, -0.001):
        spread.add(seconds)

    assert spread.percentile_ms(0.75) == pytest.approx(1501, abs=1)
    assert (spread.count, spread.shown()["max"], spread.percentile_ms(0.99)) == (4, 900_000, 900_000)


def test_the_lag_is_the_worst_since_it_was_last_asked_for() -> None:
    tally = Tally()
    for seconds in (0.1, 2.0, 0.3):
        tally.fall_behind(seconds)

    first, second = tally.take_lag(), tally.take_lag()

    assert (first, second, tally.behind.count) == (2.0, 0.0, 3)
