"""What is shown of a sensor at an instant. Series are minute:degrees, known for 15 minutes at most."""

import pytest

from pipelines.domain.policy import Side
from pipelines.domain.sensor import FRESH, SensorState, on_clock, on_reading
from pipelines.domain.sensor_view import open_excursions, possible_excursions, state_at
from tests.domain.timeline import MINUTE, band, ms, rows, versions

POLICIES = versions((band(hold=10, margin="1", recovery_hold=10), band("2", name="cold", side=Side.LOW)))


def after(series: str, clock: float) -> SensorState:
    """Judge a series up to a clock in minutes."""
    state = FRESH
    for row in rows(series):
        state = on_reading(state, row, POLICIES).state
    return on_clock(state, ms(clock), POLICIES).state


@pytest.mark.parametrize(
    ("series", "clock", "shown"),
    [
        ("", 5, "unknown"),
        ("0:5", 14, "in_range"),
        ("0:5", 15, "unknown"),
        ("0:5 2:x", 3, "unknown"),
        ("0:9", 9, "breaching"),
        ("0:9", 10, "excursion"),
        ("0:9", 500, "excursion"),
        ("0:9 2:x", 500, "unknown"),
        ("0:9 11:7", 12, "recovering"),
        ("0:9 11:7", 22, "in_range"),
        ("0:9 11:7 12:1", 22, "excursion"),
    ],
)
def test_the_state_of_a_sensor_is_the_worst_of_its_bands(series: str, clock: float, shown: str) -> None:
    assert state_at(after(series, clock), ms(clock)) == shown


def test_running_figures_go_up_to_the_clock() -> None:
    (found,) = open_excursions(after("0:9 5:9", 12), 12 * MINUTE, POLICIES)

    assert (found.band, found.opened_at, found.recovering_since) == ("warm", 10 * MINUTE, None)
    assert (found.figures.known_ms, found.figures.samples) == (12 * MINUTE, 2)


def test_running_figures_say_since_when_it_is_recovering() -> None:
    (found,) = open_excursions(after("0:9 11:7", 12), 12 * MINUTE, POLICIES)

    assert found.recovering_since == 11 * MINUTE
    assert found.figures.samples == 2


def test_a_clock_behind_the_newest_reading_is_taken_as_that_readings_time() -> None:
    (found,) = open_excursions(after("0:9 12:9", 12), 3 * MINUTE, POLICIES)

    assert found.figures.known_ms == 12 * MINUTE


def test_a_pending_run_is_possible_once_unknown_time_would_fill_its_hold() -> None:
    series = "0:9 2:x"

    assert possible_excursions(after(series, 9), 9 * MINUTE, POLICIES) == ()
    assert possible_excursions(after(series, 10), 10 * MINUTE, POLICIES) == ("warm",)


def test_known_time_inside_the_margin_makes_nothing_possible() -> None:
    series = "0:9 2:7.9 8:x"

    assert possible_excursions(after(series, 15), ms("15.9995"), POLICIES) == ()
    assert possible_excursions(after(series, 16), ms(16), POLICIES) == ("warm",)


def test_an_open_excursion_is_no_longer_only_possible() -> None:
    assert possible_excursions(after("0:9", 60), 60 * MINUTE, POLICIES) == ()
