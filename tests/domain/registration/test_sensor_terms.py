"""How a sensor's configuration follows from what is given, from what was before, and from the defaults."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pipelines.domain.registration.refusals import Refused
from pipelines.domain.registration.sensor_terms import Number, SensorTerms, defrost_profile, from_row, sensor_terms, why_left_to_a_person
from pipelines.domain.suppression import DefrostProfile


def test_with_nothing_given_a_sensor_has_the_defaults() -> None:
    assert sensor_terms({}) == SensorTerms(900_000, 2_700_000, 2_700_000, 0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"expected_interval_seconds": 60}, SensorTerms(60_000, 180_000, 600_000, 0)),
        ({"expected_interval_seconds": 1200}, SensorTerms(1_200_000, 3_600_000, 3_600_000, 0)),
        ({"expected_interval_seconds": Decimal("2.0005")}, SensorTerms(2_001, 6_003, 600_000, 0)),
        ({"max_gap_seconds": 900, "offline_after_seconds": 7200.0}, SensorTerms(900_000, 900_000, 7_200_000, 0)),
        ({"calibration_celsius": -0.005}, SensorTerms(900_000, 2_700_000, 2_700_000, -1)),
        ({"calibration_celsius": None}, SensorTerms(900_000, 2_700_000, 2_700_000, 0)),
    ],
)
def test_gap_and_patience_follow_from_the_interval_unless_given(given: dict[str, Number | None], expected: SensorTerms) -> None:
    assert sensor_terms(given) == expected


@pytest.mark.parametrize(
    ("seconds", "in_force", "why"),
    [
        (600, 600, None),
        (300, 600, None),
        (299, 600, "it is less than half of the 600 s in force"),
        (601, 600, "it is longer than the 600 s in force"),
        (28_800, 300, "it is longer than the 300 s in force"),
        (3_600, 900, None),
        (60, 900, None),
        (3_601, 900, "it is longer than 3600 s"),
    ],
)
def test_an_interval_is_taken_over_without_a_person_only_within_bounds(seconds: int, in_force: int, why: str | None) -> None:
    assert why_left_to_a_person(seconds * 1_000, in_force * 1_000) == why


def test_a_new_interval_takes_the_defaults_with_it_and_leaves_what_was_chosen() -> None:
    usual = sensor_terms({"expected_interval_seconds": 600, "calibration_celsius": 0.3})
    chosen = sensor_terms({"expected_interval_seconds": 600, "max_gap_seconds": 3_000})

    assert sensor_terms({"expected_interval_seconds": 1200}, usual) == SensorTerms(1_200_000, 3_600_000, 3_600_000, 30)
    assert sensor_terms({"expected_interval_seconds": 1200}, chosen) == SensorTerms(1_200_000, 3_000_000, 3_600_000, 0)
    assert sensor_terms({}, chosen) == chosen


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"expected_interval_seconds": 0}, "expected_interval_seconds"),
        ({"expected_interval_seconds": -1}, "expected_interval_seconds"),
        ({"expected_interval_seconds": 604_801}, "expected_interval_seconds"),
        ({"expected_interval_seconds": float("nan")}, "expected_interval_seconds"),
        ({"max_gap_seconds": 899.9}, "max_gap_seconds"),
        ({"max_gap_seconds": 2_592_001}, "max_gap_seconds"),
        ({"offline_after_seconds": 1}, "offline_after_seconds"),
        ({"calibration_celsius": 20.01}, "calibration_celsius"),
        ({"calibration_celsius": Decimal("1e40")}, "calibration_celsius"),
    ],
)
def test_what_is_out_of_bounds_is_named(given: dict[str, Number | None], field: str) -> None:
    with pytest.raises(Refused) as refused:
        sensor_terms(given)

    assert refused.value.field == field


PROFILE = {"period_seconds": 21_600, "peak_celsius": -8.5, "duration_seconds": 2_400}


def test_a_defrost_profile_stays_when_other_terms_change_and_is_told_by_columns_there_and_back() -> None:
    before = replace(sensor_terms({}), defrost=defrost_profile(PROFILE))

    terms = sensor_terms({"expected_interval_seconds": 60}, before)

    assert terms.defrost == DefrostProfile(21_600_000, -850, 2_400_000)
    assert from_row(terms.to_row()) == terms
    assert from_row(sensor_terms({}).to_row()) == sensor_terms({})
    assert terms.said()["defrost_peak_hundredths"] == -850
    assert "defrost_peak_hundredths" not in sensor_terms({}).said()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"period_seconds": 2_400}, "defrost.period_seconds"),
        ({"duration_seconds": 0}, "defrost.duration_seconds"),
        ({"peak_celsius": 1e9}, "defrost.peak_celsius"),
    ],
)
def test_a_profile_that_would_excuse_for_ever_or_never_is_refused(changed: dict[str, float], field: str) -> None:
    with pytest.raises(Refused) as found:
        defrost_profile(PROFILE | changed)

    assert found.value.field == field
