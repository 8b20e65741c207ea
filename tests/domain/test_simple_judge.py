"""The simple judge against cases worked out by hand from sections 1 to 4 of the contract.

Series are written as in `notation.py`: minute:degrees, x a fault mark, @ the version. The maximum gap is 15 minutes.
"""

import pytest

from tests.domain.notation import band, times
from tests.domain.simple_judge import Side

OPEN = (None, None, None)


# Out of range, recovered, inside the margin


@pytest.mark.parametrize(
    ("side", "inclusive", "value", "is_out"),
    [
        ("high", False, "8", False),
        ("high", False, "8.01", True),
        ("high", True, "7.99", False),
        ("high", True, "8", True),
        ("low", False, "8", False),
        ("low", False, "7.99", True),
        ("low", True, "8.01", False),
        ("low", True, "8", True),
    ],
)
def test_limit_itself_is_out_of_range_only_when_inclusive(side: Side, inclusive: bool, value: str, is_out: bool) -> None:
    policy = [band(side=side, inclusive=inclusive)]

    found = times(f"0:{value}", policy, until=0)

    assert found == ([("warm", 0, 0, *OPEN)] if is_out else [])


@pytest.mark.parametrize(
    ("side", "inclusive", "margin", "value", "is_recovered"),
    [
        ("high", False, 0, "8", True),
        ("high", True, 0, "7.99", True),
        ("high", False, 0.5, "7.51", False),
        ("high", False, 0.5, "7.5", True),
        ("low", False, 0.5, "8.49", False),
        ("low", True, 0.5, "8.5", True),
    ],
)
def test_recovered_is_the_margin_back_inside_the_limit(side: Side, inclusive: bool, margin: float, value: str, is_recovered: bool) -> None:
    policy = [band(side=side, inclusive=inclusive, margin=margin)]
    out = "9" if side == "high" else "7"

    found = times(f"0:{out} 5:{value}", policy, until=10)

    assert found == [("warm", 0, 0, *((5, 5, "recovery") if is_recovered else OPEN))]


# Rule 1, breaching


def test_run_starts_at_its_first_reading_out_of_range() -> None:
    policy = [band(hold=10)]

    found = times("0:8 5:9 10:10 15:9", policy, until=20)

    assert found == [("warm", 5, 15, *OPEN)]


def test_recovered_reading_ends_a_pending_run_and_nothing_happened() -> None:
    policy = [band(hold=10)]

    found = times("0:9 5:7 10:9 15:9 19:7", policy, until=60)

    assert found == []


def test_reading_inside_the_margin_neither_adds_to_a_pending_run_nor_ends_it() -> None:
    policy = [band(hold=10, margin=1)]

    found = times("0:9 6:7.5 12:9 20:9", policy, until=20)

    assert found == [("warm", 0, 16, *OPEN)]


def test_margin_values_held_for_the_hold_end_a_pending_run_at_that_instant() -> None:
    policy = [band(hold=10, margin=1)]

    found = times("0:9 6:7.5 12:7.5 17:9 24:9", policy, until=30)

    assert found == [("warm", 17, 27, *OPEN)]


def test_reading_out_of_range_at_the_instant_the_margin_ends_a_run_starts_a_new_one() -> None:
    policy = [band(hold=10, margin=1)]

    found = times("0:9 6:7.5 16:9 22:9", policy, until=30)

    assert found == [("warm", 16, 26, *OPEN)]


def test_reading_out_of_range_just_before_the_margin_ends_a_run_carries_it_on() -> None:
    policy = [band(hold=10, margin=1)]

    found = times("0:9 6:7.5 15:9 22:9", policy, until=30)

    assert found == [("warm", 0, 19, *OPEN)]


def test_time_inside_the_margin_counts_from_the_last_reading_out_of_range() -> None:
    policy = [band(hold=10, margin=1)]

    found = times("0:9 2:7.5 10:9 12:7.5 20:9 22:9", policy, until=30)

    assert found == [("warm", 0, 26, *OPEN)]


def test_unknown_time_neither_counts_to_the_hold_nor_ends_a_pending_run() -> None:
    policy = [band(hold=20)]

    found = times("0:9 60:9", policy, until=100)

    assert found == [("warm", 0, 65, *OPEN)]


def test_unknown_time_does_not_count_as_time_inside_the_margin() -> None:
    policy = [band(hold=20, margin=1)]

    found = times("0:9 2:7.5 60:9 70:9 79:7", policy, until=100)

    assert found == [("warm", 0, 78, 79, 79, "recovery")]


def test_fault_mark_makes_the_temperature_unknown_at_once() -> None:
    policy = [band(hold=10)]

    found = times("0:9 5:x 12:9", policy, until=30)

    assert found == [("warm", 0, 17, *OPEN)]


# Rule 2, opening


def test_hold_is_reached_between_readings_to_the_millisecond() -> None:
    policy = [band(hold=10.5)]

    found = times("0:9 14:7", policy, until=20)

    assert found == [("warm", 0, 10.5, 14, 14, "recovery")]


def test_hold_is_reached_after_the_last_reading_while_its_value_holds() -> None:
    policy = [band(hold=15)]

    assert times("0:9", policy, until=60) == [("warm", 0, 15, *OPEN)]
    assert times("0:9", [band(hold=15.001)], until=60) == []


def test_recovered_reading_at_the_very_instant_of_the_hold_prevents_opening() -> None:
    policy = [band(hold=10)]

    assert times("0:9 10:7", policy, until=20) == []
    assert times("0:9 10.001:7", policy, until=20) == [("warm", 0, 10, 10.001, 10.001, "recovery")]


@pytest.mark.parametrize("row", ["10:9", "10:7.5", "10:x"])
def test_any_other_row_at_the_very_instant_of_the_hold_does_not_prevent_opening(
    row: str,
) -> None:
    policy = [band(hold=10, margin=1)]

    found = times(f"0:9 {row} 11:7", policy, until=20)

    assert found == [("warm", 0, 10, 11, 11, "recovery")]


def test_excursion_opens_only_up_to_until_and_at_it() -> None:
    policy = [band(hold=10)]

    assert times("0:9", policy, until=10) == [("warm", 0, 10, *OPEN)]
    assert times("0:9", policy, until=9.999) == []


def test_opening_waits_for_the_minimum_of_readings_out_of_range() -> None:
    policy = [band(hold=5, min_samples=2)]

    assert times("0:9", policy, until=30) == []
    assert times("0:9 12:9", policy, until=30) == [("warm", 0, 12, *OPEN)]
    assert times("0:9 4:9", policy, until=30) == [("warm", 0, 5, *OPEN)]


def test_reading_inside_the_margin_is_no_reading_out_of_range() -> None:
    policy = [band(hold=5, min_samples=2, margin=1)]

    found = times("0:9 6:7.5 8:9", policy, until=30)

    assert found == [("warm", 0, 8, *OPEN)]


def test_without_hold_a_run_opens_at_its_start_whatever_min_samples_says() -> None:
    policy = [band(min_samples=3)]

    found = times("3:9", policy, until=3)

    assert found == [("warm", 3, 3, *OPEN)]


# Rules 3 to 5, open, recovering, closing


def test_margin_and_silence_keep_an_excursion_open() -> None:
    policy = [band(margin=1)]

    found = times("0:9 5:7.5 300:7.5 600:x", policy, until=10_000)

    assert found == [("warm", 0, 0, *OPEN)]


def test_without_recovery_hold_the_first_recovered_reading_closes_at_once() -> None:
    policy = [band(min_samples=3)]

    found = times("0:9 5:7 10:9 15:8", policy, until=15)

    assert found == [
        ("warm", 0, 0, 5, 5, "recovery"),
        ("warm", 10, 10, 15, 15, "recovery"),
    ]


def test_recovery_collects_known_time_and_ends_the_excursion_where_it_started() -> None:
    policy = [band(recovery_hold=20)]

    found = times("0:9 5:7 60:7 70:7", policy, until=100)

    assert found == [("warm", 0, 0, 5, 65, "recovery")]


def test_recovery_that_silence_cuts_short_does_not_close() -> None:
    policy = [band(recovery_hold=16)]

    found = times("0:9 5:7", policy, until=1000)

    assert found == [("warm", 0, 0, *OPEN)]


def test_recovery_collects_values_inside_the_margin_and_does_not_restart() -> None:
    policy = [band(recovery_hold=12, margin=1)]

    found = times("0:9 5:7 8:7.5 11:7 14:7.5", policy, until=30)

    assert found == [("warm", 0, 0, 5, 17, "recovery")]


def test_reading_inside_the_margin_starts_no_recovery() -> None:
    policy = [band(recovery_hold=5, margin=1)]

    found = times("0:9 5:7.5 12:7", policy, until=30)

    assert found == [("warm", 0, 0, 12, 17, "recovery")]


def test_recovery_waits_for_the_minimum_of_readings_not_out_of_range() -> None:
    policy = [band(recovery_hold=5, min_samples=3, margin=1)]

    assert times("0:9 5:7 12:7.5", policy, until=60) == [("warm", 0, 0, *OPEN)]
    assert times("0:9 5:7 12:7.5 20:7.5", policy, until=60) == [("warm", 0, 0, 5, 20, "recovery")]


def test_reading_out_of_range_voids_a_recovery_and_the_excursion_goes_on() -> None:
    policy = [band(recovery_hold=10)]

    found = times("0:9 5:7 14:9 20:7", policy, until=40)

    assert found == [("warm", 0, 0, 20, 30, "recovery")]


def test_reading_out_of_range_at_the_instant_of_completion_comes_too_late() -> None:
    policy = [band(recovery_hold=10)]

    found = times("0:9 5:7 15:9", policy, until=20)

    assert found == [("warm", 0, 0, 5, 15, "recovery"), ("warm", 15, 15, *OPEN)]


def test_reading_out_of_range_is_in_time_where_the_recovery_lacks_readings() -> None:
    policy = [band(recovery_hold=10, min_samples=2, hold=1)]

    found = times("0:9 1:9 5:7 15:9", policy, until=20)

    assert found == [("warm", 0, 1, *OPEN)]


def test_fault_mark_at_the_instant_of_completion_does_not_prevent_closing() -> None:
    policy = [band(recovery_hold=10)]

    found = times("0:9 5:7 15:x", policy, until=60)

    assert found == [("warm", 0, 0, 5, 15, "recovery")]


def test_excursion_closes_only_up_to_until_and_at_it() -> None:
    policy = [band(recovery_hold=10)]

    assert times("0:9 5:7", policy, until=15) == [("warm", 0, 0, 5, 15, "recovery")]
    assert times("0:9 5:7", policy, until=14.999) == [("warm", 0, 0, *OPEN)]


# Section 1, and bands beside each other


def test_order_of_arrival_changes_nothing() -> None:
    policy = [band(hold=10)]

    found = times("15:7 0:9 5:9", policy, until=60)

    assert found == [("warm", 0, 10, 15, 15, "recovery")]


def test_first_row_of_a_time_stays_and_a_reading_takes_the_place_of_a_fault_mark() -> None:
    policy = [band()]

    assert times("0:7 0:9", policy, until=60) == []
    assert times("0:9 0:x", policy, until=60) == [("warm", 0, 0, *OPEN)]
    assert times("0:x 0:9 0:7", policy, until=60) == [("warm", 0, 0, *OPEN)]


def test_reading_at_until_counts_and_one_after_it_does_not() -> None:
    policy = [band()]

    assert times("0:9 5:7", policy, until=5) == [("warm", 0, 0, 5, 5, "recovery")]
    assert times("0:9 5:7", policy, until=4.999) == [("warm", 0, 0, *OPEN)]


def test_bands_have_their_own_runs() -> None:
    policy = [
        band(hold=10, name="b"),
        band(10, name="a"),
        band(2, name="c", side="low"),
    ]

    found = times("0:9 5:11 12:1 15:5", policy, until=60)

    assert found == [
        ("a", 5, 5, 12, 12, "recovery"),
        ("b", 0, 10, 12, 12, "recovery"),
        ("c", 12, 12, 15, 15, "recovery"),
    ]
