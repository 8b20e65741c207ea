"""The simple judge's numbers, and its reading of a new version in the middle, on cases worked out by hand.

Series are written as in `notation.py`: minute:degrees, x a fault mark, @ the version. The maximum gap is 15 minutes.
"""

from fractions import Fraction

import pytest

from tests.domain.notation import MINUTE, band, excursions, minutes, times
from tests.domain.simple_judge import Band

OPEN = (None, None, None)


# A new version in the middle


def test_run_keeps_its_start_and_collected_time_under_a_new_version() -> None:
    found = times("0:9 8:9@1 12:9@1", [band(hold=10)], [band(hold=20)], until=40)

    assert found == [("warm", 0, 20, *OPEN)]


def test_shorter_hold_already_reached_opens_at_the_first_reading_of_the_new_version() -> None:
    found = times("0:9 8:9@1", [band(hold=20)], [band(hold=5)], until=40)

    assert found == [("warm", 0, 8, *OPEN)]


def test_old_hold_no_longer_applies_at_the_instant_of_the_new_versions_first_reading() -> None:
    found = times("0:9 10:9@1", [band(hold=10)], [band(hold=12)], until=40)

    assert found == [("warm", 0, 12, *OPEN)]


def test_value_is_judged_by_the_version_it_was_stamped_with() -> None:
    found = times("0:9 10:9@1 20:9@1", [band(8)], [band(10)], until=40)

    assert found == [("warm", 0, 0, 10, 10, "recovery")]


def test_recovered_reading_of_a_new_version_ends_a_pending_run_although_its_hold_is_reached() -> None:
    found = times("0:9 10:7@1", [band(hold=20)], [band(hold=5)], until=40)

    assert found == []


def test_counts_of_a_run_carry_on_and_the_new_minimum_applies() -> None:
    found = times(
        "0:9 8:9@1 12:9@1",
        [band(hold=5, min_samples=4)],
        [band(hold=5, min_samples=3)],
        until=40,
    )

    assert found == [("warm", 0, 12, *OPEN)]


def test_time_inside_the_margin_carries_on_under_a_new_version() -> None:
    old, new = [band(hold=10, margin=1)], [band(hold=12, margin=1)]

    found = times("0:9 2:7.5 8:7.5@1 15:9@1", old, new, until=40)

    assert found == [("warm", 15, 27, *OPEN)]


def test_reading_that_would_both_open_and_end_a_run_by_its_new_hold_opens_it() -> None:
    old, new = [band(hold=10, margin=1)], [band(hold=5, margin=1)]

    found = times("0:9 6:7.5 12:7.5@1", old, new, until=40)

    assert found == [("warm", 0, 12, *OPEN)]


def test_new_hold_reached_by_margin_time_alone_ends_the_run() -> None:
    old, new = [band(hold=10, margin=1)], [band(hold=5, margin=1)]

    found = times("0:9 4:7.5 12:9@1 16:9@1", old, new, until=40)

    assert found == [("warm", 12, 17, *OPEN)]


def test_recovery_keeps_its_start_and_time_and_closes_where_the_new_hold_is_reached() -> None:
    old = [band(recovery_hold=20)]

    assert times("0:9 5:7 13:7@1", old, [band(recovery_hold=5)], until=60) == [("warm", 0, 0, 5, 13, "recovery")]
    assert times("0:9 5:7 13:7@1 20:7@1", old, [band(recovery_hold=25)], until=60) == [("warm", 0, 0, 5, 30, "recovery")]


def test_recovery_completed_by_the_new_hold_makes_its_own_reading_come_too_late() -> None:
    found = times("0:9 5:7 13:9@1", [band(recovery_hold=20)], [band()], until=20)

    assert found == [("warm", 0, 0, 5, 13, "recovery"), ("warm", 13, 13, *OPEN)]


def test_open_excursion_ends_by_policy_where_its_band_is_gone() -> None:
    found = times(
        "0:9 5:7 9:9@1",
        [band(recovery_hold=10)],
        [band(name="other", hold=9)],
        until=11,
    )

    assert found == [("warm", 0, 0, 9, 9, "policy")]


def test_pending_run_leaves_no_trace_where_its_band_is_gone_even_at_the_instant_of_its_hold() -> None:
    found = times("0:9 10:9@1 12:9", [band(hold=10)], [band(name="other", hold=60)], until=20)

    assert found == []


def test_band_of_the_other_side_is_another_band() -> None:
    found = times("0:9 5:9@1 8:1@1", [band()], [band(2, side="low")], until=8)

    assert found == [("warm", 0, 0, 5, 5, "policy"), ("warm", 8, 8, *OPEN)]


def test_deadline_before_the_new_version_is_judged_by_the_old_one() -> None:
    found = times("0:9 12:9@1", [band(hold=10)], [band(name="other", hold=60)], until=20)

    assert found == [("warm", 0, 10, 12, 12, "policy")]


def test_fault_mark_is_no_first_reading_of_a_new_version() -> None:
    found = times("0:9 5:x@1 12:9", [band()], [band(name="other")], until=20)

    assert found == [("warm", 0, 0, *OPEN)]


# The end of an assignment


def test_end_of_the_assignment_ends_an_open_excursion_and_drops_a_pending_one() -> None:
    policy = [band(), band(name="later", hold=30)]

    found = times("0:9 9:7", policy, until=60, assignment_end=9)

    assert found == [("warm", 0, 0, 9, 9, "assignment")]


@pytest.mark.parametrize("policy", [[band(hold=10)], [band(hold=10.001)]])
def test_hold_reached_only_at_the_end_of_the_assignment_opens_nothing(
    policy: list[Band],
) -> None:
    found = times("0:9", policy, until=60, assignment_end=10)

    assert found == []


def test_assignment_that_ends_after_until_has_not_ended_and_one_at_until_has() -> None:
    assert times("0:9", [band()], until=9, assignment_end=10) == [("warm", 0, 0, *OPEN)]
    assert times("0:9", [band()], until=10, assignment_end=10) == [("warm", 0, 0, 10, 10, "assignment")]


# Numbers


def test_numbers_of_a_closed_excursion_span_start_to_end_excluded() -> None:
    [found] = excursions("0:9 4:12 8:7.5 40:7 41:7", [band(margin=1, recovery_hold=1)], until=60)

    assert found == {
        "band": "warm",
        "started_at": 0,
        "opened_at": 0,
        "ended_at": minutes(40),
        "closed_at": minutes(41),
        "ended_by": "recovery",
        "peak": 1200,
        # 4 min at 9, 4 at 12, 15 at 7.5, then 17 unknown
        "mean": Fraction(4 * 900 + 4 * 1200 + 15 * 750, 23),
        "degree_ms": (4 * 100 + 4 * 400) * MINUTE,
        "exposure": minutes(8),
        "known": minutes(23),
        "unknown": minutes(17),
        "samples": 3,
        "largest_gap": minutes(32),
    }


def test_numbers_of_an_open_excursion_reach_until_and_count_a_reading_at_it() -> None:
    [found] = excursions("0:1 6:0 10:-3", [band(2, side="low")], until=10)

    assert found["peak"] == -300
    assert found["samples"] == 3
    assert found["known"] == minutes(10)
    assert found["unknown"] == 0
    assert found["mean"] == Fraction(6 * 100 + 4 * 0, 10)
    assert found["degree_ms"] == (6 * 100 + 4 * 200) * MINUTE
    assert found["exposure"] == minutes(10)
    assert found["largest_gap"] == minutes(6)


def test_mean_is_plain_where_no_time_is_known() -> None:
    [found] = excursions("5:9", [band()], until=5)

    assert found["mean"] == Fraction(900)
    assert found["known"] == found["unknown"] == found["largest_gap"] == 0


def test_recovery_not_yet_complete_counts_as_open() -> None:
    [found] = excursions("0:9 5:7", [band(recovery_hold=10)], until=8)

    assert found["ended_at"] is None
    assert found["samples"] == 2
    assert found["known"] == minutes(8)
    assert found["mean"] == Fraction(5 * 900 + 3 * 700, 8)
    assert found["exposure"] == minutes(5)


def test_fault_mark_cuts_known_time_but_is_no_reading() -> None:
    [found] = excursions("0:9 5:x 12:9", [band()], until=20)

    assert found["samples"] == 2
    assert found["known"] == minutes(13)
    assert found["unknown"] == minutes(7)
    assert found["largest_gap"] == minutes(12)


def test_every_value_is_measured_against_the_limit_of_its_own_version() -> None:
    [found] = excursions("0:12 5:12@1 10:9@1", [band(8)], [band(10, margin=9)], until=12)

    assert found["degree_ms"] == (5 * 400 + 5 * 200) * MINUTE
    assert found["exposure"] == minutes(10)


def test_inclusive_limit_itself_is_exposure_without_degree_minutes() -> None:
    [found] = excursions("0:8", [band(inclusive=True)], until=10)

    assert found["exposure"] == minutes(10)
    assert found["degree_ms"] == 0
