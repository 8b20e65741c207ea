"""What a policy document says of conditions: defaults, switched off, refused with the field's name, and written back whole."""

from typing import Any

import pytest

from pipelines.domain.conditions.document import conditions_document
from pipelines.domain.conditions.facts import ConditionKind
from pipelines.domain.conditions.terms import DEFAULT_TERMS, NO_TERMS, Alert, BatteryTerms, ConditionTerms, FrozenTerms
from pipelines.domain.policy import NO_POLICY
from pipelines.domain.policy_document import PolicyError, parse_policy


def parsed(conditions: object) -> ConditionTerms:
    """Return the terms that a policy document with these conditions describes."""
    return parse_policy({"bands": [{"name": "warm", "side": "high", "limit_celsius": 8}], "conditions": conditions}).conditions


@pytest.mark.parametrize("conditions", [None, {}, {"battery_low": None}])
def test_what_is_not_named_is_judged_by_its_defaults_and_told_to_nobody(conditions: object) -> None:
    terms = parsed(conditions)

    assert terms == DEFAULT_TERMS
    assert terms == NO_POLICY.conditions
    assert terms.frozen is None
    judged = (terms.battery, terms.door, terms.fault, terms.clock, terms.possible)
    assert [None if one is None else one.alert for one in judged] == [Alert.NONE] * 5


@pytest.mark.parametrize("kind", ConditionKind)
@pytest.mark.parametrize("named", [{}, {"enabled": True}])
def test_a_condition_that_is_named_warns_unless_it_says_otherwise_and_no_other_does(kind: ConditionKind, named: object) -> None:
    shown = conditions_document(parsed({kind.value: named}))

    assert {name for name, one in shown.items() if one.get("alert", "none") != "none"} == {kind.value}
    assert shown[kind.value]["alert"] == "warning"
    assert parsed({kind.value: {"alert": "none"}}) == parsed(shown | {kind.value: shown[kind.value] | {"alert": "none"}})


def test_fields_are_read_in_volts_seconds_and_degrees() -> None:
    terms = parsed(
        {
            "battery_low": {"low_percent": 0, "low_volts": 2.95, "volts_margin": 0.05, "alert": "critical"},
            "frozen_value": {"after_seconds": 3600, "coarse_celsius": 0.25},
        }
    )

    assert terms.battery == BatteryTerms(low_percent=0, low_millivolts=2_950, millivolts_margin=50, alert=Alert.CRITICAL)
    assert terms.frozen == FrozenTerms(after_ms=3_600_000, coarse_hundredths=25)


def test_each_condition_can_be_switched_off() -> None:
    assert parsed({name: {"enabled": False} for name in conditions_document(DEFAULT_TERMS)}) == NO_TERMS


@pytest.mark.parametrize("terms", [DEFAULT_TERMS, NO_TERMS, ConditionTerms(frozen=FrozenTerms(after_ms=1_500), door=None)])
def test_a_document_written_back_is_the_same_terms_with_no_field_left_out(terms: ConditionTerms) -> None:
    assert parsed(conditions_document(terms)) == terms


@pytest.mark.parametrize(
    ("conditions", "refusal"),
    [
        ([], "conditions: must be an object with a condition by its name"),
        ({"noise": {}}, "conditions.noise: there is no such condition: battery_low, clock_wrong"),
        ({"door_open": 300}, "conditions.door_open: must be an object with the condition's fields"),
        ({"door_open": {"seconds": 300}}, "conditions.door_open.seconds: there is no such field: enabled, alert, open_seconds"),
        ({"door_open": {"enabled": "no"}}, "conditions.door_open.enabled: must be true or false"),
        ({"door_open": {"open_seconds": "300"}}, "conditions.door_open.open_seconds: must be a number"),
        ({"door_open": {"open_seconds": True}}, "conditions.door_open.open_seconds: must be a number"),
        ({"door_open": {"open_seconds": 0}}, "conditions.door_open.open_seconds: must lie within 0.001 and 3.16224e+07"),
        ({"door_open": {"open_seconds": float("nan")}}, "conditions.door_open.open_seconds: must be a finite number of sensible size"),
        ({"battery_low": {"low_percent": 101}}, "conditions.battery_low.low_percent: must lie within 0 and 100"),
        ({"sensor_fault": {"marks": 1.5}}, "conditions.sensor_fault.marks: must be a whole number"),
        ({"clock_wrong": {"alert": "loud"}}, "conditions.clock_wrong.alert: must be one of none, warning, critical"),
        ({"possible_excursion": {"hold_seconds": 1}}, "conditions.possible_excursion.hold_seconds: there is no such field: enabled, alert"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_field(conditions: Any, refusal: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parsed(conditions)

    assert str(refused.value).startswith(refusal)
