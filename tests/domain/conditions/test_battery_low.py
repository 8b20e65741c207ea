"""Low batteries: percent below 20, five above to recover, three readings in a row either way; rows are minute:,what."""

import pytest

from pipelines.domain.conditions.facts import BatteryLevel, ConditionKind
from pipelines.domain.conditions.sensor import on_row
from pipelines.domain.conditions.terms import DEFAULT_TERMS, NO_TERMS, BatteryTerms, ConditionTerms
from tests.domain.conditions.notation import found, judged, on_paper, rows

THREE = ConditionTerms(battery=BatteryTerms(low_percent=20, percent_margin=5, readings=3), door=None, fault=None)
VOLTS = ConditionTerms(battery=BatteryTerms(low_percent=20, low_millivolts=2_800, millivolts_margin=100, readings=2))


@pytest.mark.parametrize(
    ("series", "told"),
    [
        ("0:,19% 1:,19%", []),
        ("0:,19% 1:,19% 2:,19%", ["battery_low + 0 2"]),
        ("0:,20% 1:,20% 2:,20%", []),
        ("0:,19% 1:,20% 2:,19% 3:,19% 4:,18%", ["battery_low + 2 4"]),
        ("0:,19% 1:4.5 2:,19% 3:x 4:,19%", ["battery_low + 0 4"]),
        ("0:,1% 1:,1% 2:,1% 3:,24% 4:,24% 5:,24% 6:,24%", ["battery_low + 0 2"]),
        ("0:,1% 1:,1% 2:,1% 3:,25% 4:,25% 5:,24% 6:,25% 7:,25%", ["battery_low + 0 2"]),
        ("0:,1% 1:,1% 2:,1% 3:,25% 4:,25% 5:,99%", ["battery_low + 0 2", "battery_low - 3 5 recovery"]),
    ],
)
def test_it_takes_readings_in_a_row_to_begin_and_to_end(series: str, told: list[str]) -> None:
    assert found(series, THREE) == told


def test_a_battery_that_sags_each_night_and_recovers_is_not_low() -> None:
    nights = " ".join(f"{30 * n}:,{19 if n % 3 else 40}%" for n in range(30))

    assert found(nights, THREE) == []


@pytest.mark.parametrize(
    ("series", "told"),
    [
        ("0:,2799mV 1:,2799mV", ["battery_low + 0 1"]),
        ("0:,2799mV,90% 1:,2799mV,90%", ["battery_low + 0 1"]),
        ("0:,3600mV,19% 1:,3600mV,19%", ["battery_low + 0 1"]),
        ("0:,2799mV 1:,19% 2:,2900mV,24% 3:,2900mV,24%", ["battery_low + 0 1"]),
        ("0:,2799mV 1:,19% 2:,2899mV,25% 3:,2899mV,25%", ["battery_low + 0 1"]),
        ("0:,2799mV 1:,19% 2:,2900mV,25% 3:,2900mV", ["battery_low + 0 1", "battery_low - 2 3 recovery"]),
    ],
)
def test_either_value_makes_it_low_and_both_must_recover(series: str, told: list[str]) -> None:
    assert found(series, VOLTS) == told


def test_volts_are_not_judged_until_somebody_says_what_is_low() -> None:
    series = " ".join(f"{n}:,1000mV" for n in range(20))

    assert found(series, DEFAULT_TERMS) == []


def test_silence_neither_begins_nor_ends_it() -> None:
    assert found("0:,1% 1:,1% 90000:,1%", THREE, until=1e6) == ["battery_low + 0 90000"]


def test_it_tells_what_the_battery_had() -> None:
    _, (began, ended) = judged(rows("0:,19% 1:,19% 2:,17% 3:,90% 4:,90% 5:,91%"), THREE, 5)

    assert began.kind is ConditionKind.BATTERY_LOW
    assert (began.detail, ended.detail) == (BatteryLevel(None, 17), BatteryLevel(None, 91))


def test_terms_that_no_longer_judge_it_end_it_even_while_it_recovers() -> None:
    state, _ = judged(rows("0:,1% 1:,1% 2:,1% 3:,90%"), THREE, 3)

    _, facts = on_row(state, rows("4:4.5")[0], NO_TERMS)

    assert on_paper(facts) == ["battery_low - 4 4 terms"]
