"""Hand-made cases of every rule of excursions.md sections 1, 2 and 4, one line each.

Series are minute:degrees (x a fault mark); a value is known for 15 minutes at most; the limit is 8 °C unless it says
otherwise. Expected are `started opened ended closed` in minutes.
"""

from typing import NamedTuple

import pytest

from pipelines.domain.evaluate import judge
from pipelines.domain.policy import Side, SustainedBand
from tests.domain.timeline import MINUTE, band, judged, on_paper, rows, versions


class Case(NamedTuple):
    """One line of the table."""

    name: str
    series: str
    band: SustainedBand
    until: str
    found: list[str]


OUT_OF_RANGE = [
    Case("the_limit_itself_is_in_range", "0:8 5:7", band(), "9", []),
    Case("a_hundredth_above_is_out_of_range", "0:8.01 5:7", band(), "9", ["0 0 5 5"]),
    Case("the_limit_itself_is_out_of_range_when_inclusive", "0:8 5:7.99", band(inclusive=True), "9", ["0 0 5 5"]),
    Case("low_is_out_below", "0:2 5:1.99 9:2", band("2", side=Side.LOW), "9", ["5 5 9 9"]),
    Case("low_inclusive_is_out_at_the_limit", "0:2 5:2.01", band("2", side=Side.LOW, inclusive=True), "9", ["0 0 5 5"]),
    Case("a_limit_below_zero_works_alike", "0:-0.49 5:-0.5", band("-0.5", side=Side.LOW, inclusive=True), "9", ["5 5 - -"]),
    Case("a_signal_in_range_has_no_excursion", "0:8 5:2 10:-40", band(), "20", []),
    Case("a_fault_mark_is_not_in_range_and_not_out", "0:x 5:x", band(), "20", []),
]

HOLD = [
    Case("without_hold_it_opens_at_its_first_reading", "0:9", band(), "0", ["0 0 - -"]),
    Case("it_opens_between_readings_when_the_hold_is_reached", "0:9 10:9", band(hold=12), "20", ["0 12 - -"]),
    Case("it_opens_after_the_last_reading_while_its_value_holds", "0:9", band(hold=10), "20", ["0 10 - -"]),
    Case("it_opens_exactly_at_the_end_of_known_time", "0:9", band(hold=15), "20", ["0 15 - -"]),
    Case("a_millisecond_more_of_hold_than_is_known_does_not_open", "0:9", band(hold="15.0005"), "60", []),
    Case("it_opens_at_until", "0:9", band(hold=10), "10", ["0 10 - -"]),
    Case("it_does_not_open_after_until", "0:9", band(hold="10.0005"), "10", []),
    Case("a_recovered_reading_before_the_hold_ends_it_without_trace", "0:9 9:7 10:7", band(hold=10), "60", []),
    Case("a_recovered_reading_at_the_very_instant_of_opening_ends_it", "0:9 10:7", band(hold=10), "60", []),
    Case("a_recovered_reading_a_millisecond_later_closes_it", "0:9 10.0005:7", band(hold=10), "60", ["0 10 10.0005 10.0005"]),
    Case("a_reading_out_at_the_instant_of_opening_opens_it", "0:9 10:9", band(hold=10), "10", ["0 10 - -"]),
    Case("a_reading_inside_at_the_instant_of_opening_opens_it", "0:9 10:7.9", band(hold=10, margin="1"), "10", ["0 10 - -"]),
    Case("a_fault_mark_at_the_instant_of_opening_opens_it", "0:9 10:x", band(hold=10), "10", ["0 10 - -"]),
    Case("two_runs_do_not_add_up", "0:9 6:7 7:9 13:7", band(hold=10), "60", []),
    Case("a_reading_at_until_counts", "0:9 10:7", band(), "10", ["0 0 10 10"]),
    Case("a_reading_after_until_is_ignored", "0:9 10.0005:7", band(), "10", ["0 0 - -"]),
]

UNKNOWN = [
    Case("unknown_time_does_not_count", "0:9 40:9", band(hold=20), "60", ["0 45 - -"]),
    Case("a_value_is_known_for_the_max_gap_only", "0:9 20:9 40:9", band(hold=31), "60", ["0 41 - -"]),
    Case("unknown_time_does_not_end_a_pending_run", "0:9 300:9", band(hold=16), "400", ["0 301 - -"]),
    Case("a_fault_mark_makes_it_unknown_at_once", "0:9 4:x 10:9", band(hold=6), "60", ["0 12 - -"]),
    Case("a_second_fault_mark_changes_nothing", "0:9 4:x 6:x 10:9", band(hold=6), "60", ["0 12 - -"]),
    Case("a_fault_mark_does_not_end_an_open_excursion", "0:9 5:x 10:8.5 12:7", band(), "60", ["0 0 12 12"]),
    Case("silence_keeps_it_open", "0:9", band(), "9999", ["0 0 - -"]),
    Case("a_fault_mark_first_starts_no_run", "0:x 5:9", band(), "9", ["5 5 - -"]),
]

MARGIN = [
    Case("inside_the_margin_neither_adds_nor_ends", "0:9 5:7.8 9:9", band(hold=10, margin="0.5"), "60", ["0 14 - -"]),
    Case("back_by_the_margin_is_recovered", "0:9 5:7.5 9:9", band(hold=10, margin="0.5"), "60", ["9 19 - -"]),
    Case("a_hundredth_less_is_inside", "0:9 5:7.51 9:9", band(hold=10, margin="0.5"), "60", ["0 14 - -"]),
    Case("the_limit_is_inside_a_margin", "0:9 5:8 9:7.5", band(margin="0.5"), "60", ["0 0 9 9"]),
    Case("the_limit_is_recovered_without_margin", "0:9 5:8", band(), "60", ["0 0 5 5"]),
    Case("an_inclusive_limit_is_not_recovered_without_margin", "0:9 5:8 6:7.99", band(inclusive=True), "60", ["0 0 6 6"]),
    Case("low_is_inside_up_to_the_margin", "0:1 5:2.49 9:2.5", band("2", side=Side.LOW, margin="0.5"), "60", ["0 0 9 9"]),
    Case("a_margin_keeps_an_open_one_open", "0:9 5:7.9 100:7.9", band(margin="0.5"), "200", ["0 0 - -"]),
    Case(
        "inside_for_the_hold_ends_a_pending_run",
        "0:9 1:7.8 12:9",
        band(hold=10, margin="0.5"),
        "60",
        ["12 22 - -"],
    ),
    Case(
        "inside_for_a_millisecond_less_does_not",
        "0:9 1:7.8 10.9995:9",
        band(hold=10, margin="0.5"),
        "60",
        ["0 19.9995 - -"],
    ),
    Case(
        "out_at_the_instant_the_margin_ends_it_starts_a_new_run",
        "0:9 1:7.8 11:9",
        band(hold=10, margin="0.5"),
        "60",
        ["11 21 - -"],
    ),
    Case(
        "time_inside_counts_since_the_last_reading_out",
        "0:9 1:7.8 7:9 8:7.8 14:9",
        band(hold=10, margin="0.5"),
        "60",
        ["0 22 - -"],
    ),
    Case(
        "time_inside_adds_up_over_several_readings_and_unknown_time",
        "0:9 1:7.8 5:x 50:7.8 56:9",
        band(hold=10, margin="0.5"),
        "100",
        ["56 66 - -"],
    ),
    Case(
        "unknown_time_is_not_time_inside",
        "0:9 1:7.8 5:x 50:7.8 55:9",
        band(hold=10, margin="0.5"),
        "100",
        ["0 64 - -"],
    ),
    Case(
        "out_at_the_instant_starts_anew_even_when_it_would_be_the_sample_missing",
        "0:9 10:7.8 20:9",
        band(hold=10, margin="0.5", min_samples=2),
        "25",
        [],
    ),
]

MIN_SAMPLES = [
    Case("one_sample_and_silence_do_not_open", "0:9", band(hold=10, min_samples=2), "60", []),
    Case(
        "the_second_sample_opens_where_the_hold_is_long_reached",
        "0:9 14:9",
        band(hold=10, min_samples=2),
        "60",
        ["0 14 - -"],
    ),
    Case("the_hold_still_has_to_be_reached", "0:9 5:9", band(hold=10, min_samples=2), "60", ["0 10 - -"]),
    Case("samples_inside_do_not_count", "0:9 12:7.9 13:9", band(hold=10, min_samples=2, margin="1"), "60", ["0 13 - -"]),
    Case("a_recovered_reading_before_the_sample_ends_it", "0:9 12:7 13:9", band(hold=10, min_samples=2), "20", []),
    Case("without_hold_one_sample_is_enough", "0:9", band(min_samples=5), "0", ["0 0 - -"]),
]

RECOVERY = [
    Case("without_recovery_hold_it_closes_at_once", "0:9 5:7", band(), "5", ["0 0 5 5"]),
    Case("it_closes_between_readings", "0:9 5:7 10:7", band(recovery_hold=8), "60", ["0 0 5 13"]),
    Case("it_closes_after_the_last_reading", "0:9 5:7", band(recovery_hold=15), "60", ["0 0 5 20"]),
    Case("it_closes_at_until", "0:9 5:7", band(recovery_hold=10), "15", ["0 0 5 15"]),
    Case("it_does_not_close_after_until", "0:9 5:7", band(recovery_hold="10.0005"), "15", ["0 0 - -"]),
    Case("a_further_recovered_reading_does_not_restart_it", "0:9 5:7 9:6", band(recovery_hold=10), "60", ["0 0 5 15"]),
    Case("silence_completes_no_recovery", "0:9 5:7", band(recovery_hold="15.0005"), "999", ["0 0 - -"]),
    Case("unknown_time_does_not_count_in_a_recovery", "0:9 5:7 7:x 30:7", band(recovery_hold=10), "60", ["0 0 5 38"]),
    Case("values_inside_count_in_a_recovery", "0:9 5:7 7:7.9", band(recovery_hold=10, margin="1"), "60", ["0 0 5 15"]),
    Case("values_inside_start_no_recovery", "0:9 5:7.9 9:7", band(recovery_hold=10, margin="1"), "60", ["0 0 9 19"]),
    Case("a_reading_out_before_voids_it", "0:9 5:7 14:9 20:7", band(recovery_hold=10), "60", ["0 0 20 30"]),
    Case(
        "a_reading_out_at_its_completion_comes_too_late",
        "0:9 5:7 15:9",
        band(recovery_hold=10),
        "60",
        ["0 0 5 15", "15 15 - -"],
    ),
    Case("a_new_run_there_has_to_hold", "0:9 9:9 15:7 25:9", band(hold=12, recovery_hold=10), "30", ["0 12 15 25"]),
    Case("a_fault_mark_at_its_completion_completes_it", "0:9 5:7 15:x", band(recovery_hold=10), "60", ["0 0 5 15"]),
    Case("a_recovery_needs_its_samples", "0:9 5:7", band(recovery_hold=10, min_samples=2), "60", ["0 0 - -"]),
    Case("the_second_sample_closes_it", "0:9 5:7 18:7", band(recovery_hold=10, min_samples=2), "60", ["0 0 5 18"]),
    Case("a_sample_inside_counts_too", "0:9 5:7 18:7.9", band(recovery_hold=10, min_samples=2, margin="1"), "60", ["0 0 5 18"]),
    Case("without_recovery_hold_one_sample_closes", "0:9 1:9 9:7", band(hold=1, min_samples=2), "60", ["0 1 9 9"]),
    Case(
        "a_recovery_voided_starts_over",
        "0:9 5:7 6:7 7:9 8:7 19:7",
        band(recovery_hold=10, min_samples=2),
        "60",
        ["0 0 8 19"],
    ),
    Case("one_may_follow_another", "0:9 5:7 6:9 7:7", band(), "60", ["0 0 5 5", "6 6 7 7"]),
]

INPUT = [
    Case("order_does_not_matter", "10:7 0:9 5:9", band(hold=10), "60", []),
    Case("a_duplicate_is_dropped_and_the_first_row_stays", "0:9 5:9 5:7", band(), "60", ["0 0 - -"]),
    Case("a_reading_takes_a_fault_marks_place", "0:9 5:x 5:7", band(), "60", ["0 0 5 5"]),
    Case("a_fault_mark_does_not_take_a_readings_place", "0:9 5:7 5:x", band(), "60", ["0 0 5 5"]),
    Case("of_two_readings_over_a_fault_mark_the_first_stays", "0:9 5:x 5:7 5:9", band(), "60", ["0 0 5 5"]),
    Case("no_reading_at_all_is_no_excursion", "", band(), "60", []),
]

ALL = OUT_OF_RANGE + HOLD + UNKNOWN + MARGIN + MIN_SAMPLES + RECOVERY + INPUT


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_rule(case: Case) -> None:
    found = judged(case.series, case.band, until=case.until)

    assert on_paper(found) == case.found


def test_the_case_names_are_unique() -> None:
    names = [case.name for case in ALL]

    assert len(set(names)) == len(names)


def test_bands_do_not_interfere() -> None:
    alone = [band(hold=10, margin="1"), band("30", name="hot"), band("2", name="cold", side=Side.LOW, recovery_hold=5)]
    series = "0:9 8:31 9:1 12:7 20:9 35:1 36:4 50:9 65:9"

    together = judged(series, tuple(alone), until=90)

    apart = [excursion for one in alone for excursion in judged(series, one, until=90)]
    assert together == sorted(apart, key=lambda excursion: (excursion.band, excursion.started_at))


def test_the_max_gap_may_change_from_reading_to_reading() -> None:
    short, long = rows("0:9", max_gap=5), rows("30:9", max_gap=40)

    found = judge(short + long, versions(band(hold=40)), 100 * MINUTE)

    assert on_paper(found) == ["0 65 - -"]


def test_the_end_of_an_assignment_closes_what_is_open() -> None:
    found = judged("0:9 5:9", band(), until=60, ends_at=30)

    assert on_paper(found) == ["0 0 30 30"]
    assert found[0].ended_by == "assignment"


def test_the_end_of_an_assignment_leaves_no_trace_of_a_pending_run() -> None:
    assert judged("0:9", band(hold=10), until=60, ends_at=9) == []
    assert judged("0:9", band(hold=10), until=60, ends_at=10) == []


def test_the_end_of_an_assignment_ends_a_recovery_under_way_as_open() -> None:
    found = judged("0:9 5:7", band(recovery_hold=10), until=60, ends_at=14)

    assert on_paper(found) == ["0 0 14 14"]


def test_deadlines_before_the_end_of_an_assignment_are_passed() -> None:
    found = judged("0:9 5:7", band(recovery_hold=10), until=60, ends_at=16)

    assert on_paper(found) == ["0 0 5 15"]
    assert found[0].ended_by == "recovery"


def test_an_assignment_that_ends_after_until_has_not_ended() -> None:
    found = judged("0:9", band(), until=10, ends_at=11)

    assert on_paper(found) == ["0 0 - -"]
