"""The simple judges of `cumulative`, `mean` and `mkt` against cases worked out by hand.

Series are written as in `notation.py`: minute:degrees, x a fault mark, @ the version. The maximum gap is 15 minutes.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest

from tests.domain.notation import MINUTE, Times, minutes, series
from tests.domain.simple_judge import Side
from tests.domain.simple_judge_cumulative import Band as CumulativeBand
from tests.domain.simple_judge_cumulative import judge_cumulative
from tests.domain.simple_judge_mean import Band as MeanBand
from tests.domain.simple_judge_mean import judge_mean
from tests.domain.simple_judge_mkt import Band as MktBand
from tests.domain.simple_judge_mkt import e, judge_mkt
from tests.domain.simple_judge_signal import Excursion

OPEN = (None, None, None)
HOUR = 60


def budget(
    allowed: float,
    window: float | None = 60,
    *,
    rearm: float = 0,
    limit: float = 8,
    side: Side = "high",
    inclusive: bool = False,
) -> CumulativeBand:
    return {
        "name": "warm",
        "side": side,
        "limit": round(limit * 100),
        "inclusive": inclusive,
        "window": None if window is None else minutes(window),
        "budget": minutes(allowed),
        "rearm": minutes(rearm),
    }


def average(window: float = 10, *, limit: float = 8, min_known: int = 500, side: Side = "high", inclusive: bool = False) -> MeanBand:
    return {
        "name": "warm",
        "side": side,
        "limit": round(limit * 100),
        "inclusive": inclusive,
        "window": minutes(window),
        "min_known": min_known,
    }


def kinetic(window: float = 60, *, limit: float = 8, margin: float = 0, min_known: int = 0, inclusive: bool = False) -> MktBand:
    return {
        "name": "warm",
        "side": "high",
        "limit": round(limit * 100),
        "inclusive": inclusive,
        "window": minutes(window),
        "min_known": min_known,
        "margin": round(margin * 100),
    }


def times(found: Sequence[Excursion]) -> list[Times]:
    """The times of what was found, in minutes."""

    def paper(at: int | None) -> float | None:
        return None if at is None else at / MINUTE

    return [
        (
            one["band"],
            one["started_at"] / MINUTE,
            one["opened_at"] / MINUTE,
            paper(one["ended_at"]),
            paper(one["closed_at"]),
            one["ended_by"],
        )
        for one in found
    ]


def shown(opened: float, ended: float | None = None, by: str = "recovery", started: float | None = None) -> tuple[object, ...]:
    """One row of `times` for a kind whose end and closing are one instant."""
    end = OPEN if ended is None else (ended, ended, by)
    return ("warm", opened if started is None else started, opened, *end)


# When cumulative opens


def test_cumulative_opens_at_the_instant_exposure_reaches_the_budget_between_readings() -> None:
    found = judge_cumulative(series("0:9 5:7 10:9"), [[budget(12)]], minutes(20))

    assert times(found) == [shown(17)]


@pytest.mark.parametrize(("until", "is_open"), [(11.999, False), (12, True)])
def test_cumulative_opens_at_the_horizon_but_not_beyond(until: float, is_open: bool) -> None:
    found = judge_cumulative(series("0:9"), [[budget(12)]], minutes(until))

    assert times(found) == ([shown(12)] if is_open else [])


def test_budget_reached_exactly_at_a_cold_reading_opens_there() -> None:
    found = judge_cumulative(series("0:9 10:7"), [[budget(10)]], minutes(20))

    assert times(found) == [shown(10)]


def test_budget_reached_exactly_at_a_fault_mark_opens_there() -> None:
    found = judge_cumulative(series("0:9 10:x"), [[budget(10)]], minutes(200))

    assert times(found) == [shown(10)]


def test_budget_reached_exactly_where_the_value_ceases_to_be_known_opens_there() -> None:
    found = judge_cumulative(series("0:9"), [[budget(15)]], minutes(200))

    assert times(found) == [shown(15)]


def test_unknown_time_adds_no_exposure() -> None:
    found = judge_cumulative(series("0:9 30:9"), [[budget(20)]], minutes(40))

    assert times(found) == [shown(35)]


@pytest.mark.parametrize(("inclusive", "is_open"), [(True, True), (False, False)])
def test_limit_itself_is_exposure_only_when_inclusive(inclusive: bool, is_open: bool) -> None:
    found = judge_cumulative(series("0:8"), [[budget(10, inclusive=inclusive)]], minutes(12))

    assert times(found) == ([shown(10)] if is_open else [])


# When cumulative ends


def test_cumulative_ends_where_exposure_falls_from_the_budget() -> None:
    found = judge_cumulative(series("0:9 10:9 20:7 30:7 40:7 50:7 60:7"), [[budget(15, window=30)]], minutes(70))

    assert times(found) == [shown(15, 35)]


def test_rearm_is_how_far_exposure_must_fall_below_the_budget() -> None:
    found = judge_cumulative(series("0:9 10:9 20:7 30:7 40:7 50:7 60:7"), [[budget(15, window=30, rearm=5)]], minutes(70))

    assert times(found) == [shown(15, 40)]


def test_flat_exposure_at_the_bound_does_not_end_it_until_it_falls() -> None:
    found = judge_cumulative(series("0:9 10:7 20:7 30:7 40:7"), [[budget(10, window=30)]], minutes(50))

    assert times(found) == [shown(10, 30)]


def test_touch_that_falls_at_once_is_an_excursion_of_length_zero() -> None:
    found = judge_cumulative(series("0:9 10:7 20:9 30:7 40:7"), [[budget(20, window=30)]], minutes(50))

    assert times(found) == [shown(30, 30)]


def test_touch_under_a_value_still_out_of_range_stays_open() -> None:
    found = judge_cumulative(series("0:9 10:7 20:9 30:9 35:7 45:7"), [[budget(20, window=30)]], minutes(50))

    assert times(found) == [shown(30, 35)]


def test_exposure_that_falls_in_unknown_time_ends_it_at_the_next_reading_in_range() -> None:
    found = judge_cumulative(series("0:9 10:x 70:9 72:7"), [[budget(10, window=30)]], minutes(80))

    assert times(found) == [shown(10, 72)]


def test_exposure_grown_again_by_the_reading_in_range_keeps_it_open() -> None:
    found = judge_cumulative(series("0:9 10:x 40:9 52:7 62:7"), [[budget(10, window=30)]], minutes(63))

    assert times(found) == [shown(10)]


def test_silence_closes_nothing() -> None:
    found = judge_cumulative(series("0:9"), [[budget(10, window=30)]], minutes(1000))

    assert times(found) == [shown(10)]


@pytest.mark.parametrize(("until", "end"), [(35, None), (35.001, 35)])
def test_cumulative_closes_only_before_the_horizon(until: float, end: float | None) -> None:
    found = judge_cumulative(series("0:9 10:9 20:7 30:7"), [[budget(15, window=30)]], minutes(until))

    assert times(found) == [shown(15, end)]


def test_cumulative_opens_again_after_it_closed() -> None:
    found = judge_cumulative(series("0:9 10:7 20:7 30:7 35:9 45:7"), [[budget(10, window=30)]], minutes(50))

    assert times(found) == [shown(10, 30), shown(45)]


def test_window_null_never_forgets_and_stays_open_until_the_assignment_ends() -> None:
    text = "0:9 10:7 500:9 510:7 900:7"

    found = judge_cumulative(series(text), [[budget(20, window=None)]], minutes(2000), minutes(1000))

    assert times(found) == [shown(510, 1000, "assignment")]
    assert found[0]["known"] + found[0]["unknown"] == minutes(1000)


# Versions and numbers of cumulative


def test_lower_budget_of_a_new_version_opens_at_its_first_reading() -> None:
    found = judge_cumulative(series("0:9 8:9 10:7 12:7@1"), [[budget(20)], [budget(5)]], minutes(20))

    assert times(found) == [shown(12)]


def test_higher_budget_of_a_new_version_holds_at_the_instant_of_its_first_reading() -> None:
    found = judge_cumulative(series("0:9 10:9@1 20:7@1"), [[budget(10)], [budget(15)]], minutes(20))

    assert times(found) == [shown(15)]


def test_exposure_is_measured_against_each_values_own_limit() -> None:
    found = judge_cumulative(series("0:9 8:9@1 20:9@1"), [[budget(10)], [budget(10, limit=10)]], minutes(30))

    assert times(found) == []


def test_run_in_a_band_that_is_gone_ends_at_that_reading_and_nothing_is_kept() -> None:
    text = "0:9 12:9@1 15:9 20:9 24:7"

    found = judge_cumulative(series(text), [[budget(10)], []], minutes(30))

    assert times(found) == [shown(10, 12, "policy")]


def test_nothing_opens_at_the_very_instant_its_band_is_gone() -> None:
    found = judge_cumulative(series("0:9 10:9@1"), [[budget(10)], []], minutes(30))

    assert times(found) == []


def test_nothing_opens_at_the_very_instant_the_assignment_ends() -> None:
    found = judge_cumulative(series("0:9"), [[budget(10)]], minutes(30), minutes(10))

    assert times(found) == []


def test_numbers_begin_where_what_led_to_the_opening_began() -> None:
    found = judge_cumulative(series("0:7 10:9 20:9.5 25:7 35:7"), [[budget(14, window=18)]], minutes(40))

    assert times(found) == [shown(24, 29)]
    assert found[0] == {
        "band": "warm",
        "started_at": minutes(24),
        "opened_at": minutes(24),
        "ended_at": minutes(29),
        "closed_at": minutes(29),
        "ended_by": "recovery",
        "peak": 950,
        "mean": Fraction(4 * 700 + 10 * 900 + 5 * 950 + 4 * 700, 23),
        "degree_ms": minutes(10) * 100 + minutes(5) * 150,
        "exposure": minutes(15),
        "known": minutes(23),
        "unknown": 0,
        "samples": 4,
        "largest_gap": minutes(10),
    }


# Mean


def test_mean_opens_at_the_windows_end_with_the_windows_start() -> None:
    found = judge_mean(series("10:9 20:7"), [[average()]], minutes(25))

    assert times(found) == [shown(20, started=10)]


@pytest.mark.parametrize(("until", "is_open"), [(19.999, False), (20, True)])
def test_window_is_judged_if_its_end_is_not_after_the_horizon(until: float, is_open: bool) -> None:
    found = judge_mean(series("10:9"), [[average()]], minutes(until))

    assert times(found) == ([shown(20, started=10)] if is_open else [])


def test_mean_closes_at_the_end_of_the_first_window_in_range_and_ended_where_it_was_last_out() -> None:
    found = judge_mean(series("0:9 10:9 20:7 30:9"), [[average()]], minutes(35))

    assert times(found) == [("warm", 0, 10, 20, 30, "recovery")]


def test_window_that_is_not_judged_neither_closes_nor_extends() -> None:
    found = judge_mean(series("0:9 10:7 14.999:x 30:7"), [[average()]], minutes(45))

    assert times(found) == [("warm", 0, 10, 10, 40, "recovery")]


def test_window_known_for_exactly_the_fraction_is_judged() -> None:
    found = judge_mean(series("0:9 10:7 15:x"), [[average()]], minutes(45))

    assert times(found) == [("warm", 0, 10, 10, 20, "recovery")]


def test_window_of_which_nothing_is_known_is_never_judged() -> None:
    found = judge_mean(series("0:9 10:x"), [[average(min_known=0)]], minutes(100))

    assert times(found) == [shown(10, started=0)]


@pytest.mark.parametrize(
    ("side", "inclusive", "is_out"),
    [("high", False, False), ("high", True, True), ("low", False, False), ("low", True, True)],
)
def test_mean_exactly_at_the_limit_is_out_only_when_inclusive(side: Side, inclusive: bool, is_out: bool) -> None:
    found = judge_mean(series("0:9 5:7"), [[average(side=side, inclusive=inclusive)]], minutes(10))

    assert times(found) == ([shown(10, started=0)] if is_out else [])


def test_window_is_judged_by_the_version_of_the_last_reading_before_its_end() -> None:
    versions = [[average(limit=8)], [average(limit=10)]]

    at_the_end = judge_mean(series("0:9 10:9@1"), versions, minutes(15))
    before_it = judge_mean(series("0:9 9:9@1"), versions, minutes(15))

    assert times(at_the_end) == [shown(10, started=0)]
    assert times(before_it) == []


def test_first_window_of_a_band_that_came_in_its_middle_knows_only_what_came_with_it() -> None:
    found = judge_mean(series("0:5 4:9@1"), [[], [average()]], minutes(12))

    assert times(found) == [shown(10, started=0)]
    assert (found[0]["mean"], found[0]["samples"]) == (Fraction(900), 1)
    assert (found[0]["known"], found[0]["unknown"], found[0]["largest_gap"]) == (minutes(8), minutes(4), minutes(8))


def test_mean_numbers_take_in_the_reading_whose_value_is_known_at_the_windows_start() -> None:
    found = judge_mean(series("8:9.5 11:9 20:7"), [[average()]], minutes(30))

    assert times(found) == [("warm", 10, 20, 20, 30, "recovery")]
    assert (found[0]["peak"], found[0]["samples"], found[0]["mean"]) == (950, 2, Fraction(905))


def test_mean_window_that_ends_with_the_assignment_is_not_judged() -> None:
    opening = judge_mean(series("0:9"), [[average()]], minutes(30), minutes(10))
    closing = judge_mean(series("0:9 10:7"), [[average()]], minutes(30), minutes(20))

    assert times(opening) == []
    assert times(closing) == [("warm", 0, 10, 20, 20, "assignment")]


def test_mean_window_that_ends_where_its_band_is_gone_is_not_judged() -> None:
    opening = judge_mean(series("0:9 10:9@1"), [[average()], []], minutes(30))
    closing = judge_mean(series("0:9 10:7 20:7@1"), [[average()], []], minutes(30))

    assert times(opening) == []
    assert times(closing) == [("warm", 0, 10, 20, 20, "policy")]


def test_value_that_ceases_to_be_known_at_the_windows_start_is_none_of_its_readings() -> None:
    found = judge_mean(series("0:7.5 17:9"), [[average(15)]], minutes(30))

    assert times(found) == [shown(30, started=15)]
    assert (found[0]["samples"], found[0]["mean"]) == (1, Fraction(900))


def test_windows_before_the_epoch_are_aligned_as_well() -> None:
    found = judge_mean(series("-15:9 -10:7 -2:9"), [[average()]], minutes(0))

    assert times(found) == [("warm", -20, -10, -10, 0, "recovery")]


# Mean kinetic temperature


@pytest.mark.parametrize(
    ("profile", "kelvin"),
    [
        ([(24, 500)], "5.0000"),
        ([(23, 500), (1, 2000)], "6.5508"),
        ([(20, 500), (4, 1200)], "6.6501"),
        ([(23.5, 500), (0.5, 2500)], "6.4924"),
        ([(29, 2200), (1, 4000)], "23.5996"),
        ([(1, 2000), (1, 2500)], "22.8320"),
    ],
)
def test_table_of_e_gives_the_published_mean_kinetic_temperatures(profile: list[tuple[float, int]], kelvin: str) -> None:
    weight = sum((Decimal(hours) for hours, _ in profile), Decimal(0))
    average_e = sum((Decimal(hours) * e(value) for hours, value in profile), Decimal(0)) / weight

    found = Decimal(-10_000) / (average_e / Decimal(10) ** 40).ln() - Decimal("273.15")

    assert round(found, 4) == Decimal(kelvin)


@pytest.mark.parametrize(("limit", "is_out"), [(6.55, True), (6.56, False)])
def test_a_day_with_one_hour_at_20_degrees_is_judged_as_section_10_says(limit: float, is_out: bool) -> None:
    rows = [(minutes(HOUR * hour), 2000 if hour == 23 else 500, 0, minutes(HOUR)) for hour in range(24)]

    found = judge_mkt(rows, [[kinetic(HOUR * 24, limit=limit, min_known=1000)]], minutes(HOUR * 24))

    assert bool(found) == is_out


def test_mkt_opens_at_the_first_whole_millisecond_out_of_range() -> None:
    found = judge_mkt(series("0:7 10:9"), [[kinetic()]], minutes(25))
    cold, warm = e(800) - e(700), e(900) - e(800)

    assert [one["opened_at"] for one in found] == [minutes(10) + minutes(10) * cold // warm + 1]


@pytest.mark.parametrize(("inclusive", "opened"), [(True, 0), (False, None)])
def test_mkt_exactly_at_the_limit_is_out_only_when_inclusive(inclusive: bool, opened: int | None) -> None:
    found = judge_mkt(series("0:8"), [[kinetic(inclusive=inclusive)]], minutes(10))

    assert [one["opened_at"] for one in found] == ([] if opened is None else [opened + 1])


@pytest.mark.parametrize(("min_known", "opened"), [(0, 1), (250, minutes(5)), (750, minutes(15)), (751, None)])
def test_mkt_is_judged_while_enough_of_the_window_is_known(min_known: int, opened: int | None) -> None:
    found = judge_mkt(series("0:9"), [[kinetic(20, min_known=min_known)]], minutes(100))

    assert [one["opened_at"] for one in found] == ([] if opened is None else [opened])


def test_mkt_opens_in_unknown_time_when_the_cold_leaves_the_window() -> None:
    found = judge_mkt(series("0:5 10:9 15:x"), [[kinetic(20)]], minutes(60))

    assert len(found) == 1
    assert minutes(20) < found[0]["opened_at"] < minutes(30)
    assert found[0]["ended_at"] is None


def test_mkt_ends_only_at_a_known_instant() -> None:
    found = judge_mkt(series("0:9 10:x 40:7"), [[kinetic(20)]], minutes(60))

    assert [(one["opened_at"], one["ended_at"]) for one in found] == [(1, minutes(40) + 1)]


def test_mkt_ends_no_earlier_than_the_margin_inside_the_limit() -> None:
    text = "0:9 10:7.8 20:7.8 30:7 40:7"

    found = judge_mkt(series(text), [[kinetic(10, margin=0.5)]], minutes(50))
    enough = minutes(30) + -(-minutes(10) * (e(780) - e(750)) // (e(780) - e(700)))

    assert [one["ended_at"] for one in found] == [enough]


@pytest.mark.parametrize(("after", "is_closed"), [(0, False), (1, True)])
def test_mkt_closes_only_before_the_horizon(after: int, is_closed: bool) -> None:
    text, policy = "0:9 10:7.8 20:7.8 30:7 40:7", [[kinetic(10, margin=0.5)]]
    closed_at = judge_mkt(series(text), policy, minutes(50))[0]["closed_at"]
    assert closed_at is not None

    found = judge_mkt(series(text), policy, closed_at + after)

    assert [one["closed_at"] for one in found] == [closed_at if is_closed else None]


def test_mkt_measures_each_value_against_its_own_versions_limit() -> None:
    found = judge_mkt(series("0:7 10:9@1 20:9@1"), [[kinetic()], [kinetic(limit=10)]], minutes(35))

    assert found == []


def test_mkt_numbers_begin_a_window_before_the_opening_but_not_before_the_first_reading() -> None:
    found = judge_mkt(series("5:7 10:9 20:9"), [[kinetic()]], minutes(30))

    assert found[0]["known"] == minutes(25)
    assert (found[0]["samples"], found[0]["exposure"], found[0]["degree_ms"]) == (3, minutes(20), minutes(20) * 100)
