"""Faulty sensors. Rows are minute:degrees, x and s are fault marks."""

import pytest

from pipelines.domain.conditions.facts import FaultMarks
from pipelines.domain.conditions.sensor import on_row
from pipelines.domain.conditions.terms import DEFAULT_TERMS, NO_TERMS, ConditionTerms, FaultTerms
from schemas.reasons import RejectReason
from tests.domain.conditions.notation import found, judged, on_paper, rows

THREE = ConditionTerms(battery=None, door=None, fault=FaultTerms(marks=3))


@pytest.mark.parametrize(
    ("series", "told"),
    [
        ("0:x", ["sensor_fault + 0 0"]),
        ("0:x 1:s 2:x", ["sensor_fault + 0 0"]),
        ("0:x 1:4.5", ["sensor_fault + 0 0", "sensor_fault - 1 1 recovery"]),
        ("0:x 1:,90%,open 2:4.5", ["sensor_fault + 0 0", "sensor_fault - 2 2 recovery"]),
    ],
)
def test_one_value_that_cannot_be_true_is_enough_unless_told_otherwise(series: str, told: list[str]) -> None:
    assert found(series, DEFAULT_TERMS) == told


@pytest.mark.parametrize(
    ("series", "told"),
    [
        ("0:x 1:x", []),
        ("0:x 1:x 2:4.5 3:x 4:x", []),
        ("0:x 1:x 2:,90% 3:s", ["sensor_fault + 0 3"]),
        ("0:4.5 1:x 2:x 3:x 4:x 9:4.5", ["sensor_fault + 1 3", "sensor_fault - 9 9 recovery"]),
    ],
)
def test_it_can_take_several_marks_without_a_reading_between_them(series: str, told: list[str]) -> None:
    assert found(series, THREE) == told


def test_silence_does_not_mend_a_probe() -> None:
    assert found("0:x", DEFAULT_TERMS, until=1e6) == ["sensor_fault + 0 0"]


def test_the_reason_is_that_of_the_newest_mark() -> None:
    _, (began, ended) = judged(rows("0:x 1:x 2:s 3:x 4:s 5:4.5"), THREE, 5)

    assert began.detail == FaultMarks(3, RejectReason.SENTINEL)
    assert ended.detail == FaultMarks(5, RejectReason.SENTINEL)


def test_terms_that_no_longer_judge_it_end_it() -> None:
    state, _ = judged(rows("0:x"), DEFAULT_TERMS, 0)

    _, facts = on_row(state, rows("1:x")[0], NO_TERMS)

    assert on_paper(facts) == ["sensor_fault - 1 1 terms"]
