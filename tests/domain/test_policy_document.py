"""What a policy document means and what is refused (excursions.md section 3)."""

import json
from decimal import Decimal

import pytest

from pipelines.domain.band_document import to_document
from pipelines.domain.policy import (
    CumulativeBand,
    Kind,
    MeanBand,
    MktBand,
    Policy,
    Severity,
    Side,
    SustainedBand,
    quiet_range,
    warnings,
)
from pipelines.domain.policy_document import FIELDS, PolicyError, parse_policy

SUSTAINED = {"name": "a", "side": "high", "limit_celsius": 8}
CUMULATIVE = {**SUSTAINED, "kind": "cumulative", "window_seconds": 3600, "budget_seconds": 600}
MEAN = {**SUSTAINED, "kind": "mean", "window_seconds": 3600}
MKT = {**SUSTAINED, "kind": "mkt", "window_seconds": 3600}

GONE = object()


def one(base: dict[str, object], **fields: object) -> object:
    """Parse a policy of one band: a base with fields changed, or taken out where GONE."""
    written = {field: value for field, value in {**base, **fields}.items() if value is not GONE}
    return parse_policy({"bands": [written]}).bands[0]


def test_a_band_is_sustained_critical_exclusive_and_immediate_unless_it_says_otherwise() -> None:
    found = one(SUSTAINED)

    assert found == SustainedBand(
        "a",
        Side.HIGH,
        800,
        inclusive=False,
        hold_ms=0,
        min_samples=1,
        margin_hundredths=0,
        recovery_hold_ms=0,
        severity=Severity.CRITICAL,
    )


def test_null_for_an_optional_field_is_its_default() -> None:
    optional = [
        "kind",
        "inclusive",
        "hold_seconds",
        "min_samples",
        "recovery_margin_celsius",
        "recovery_hold_seconds",
        "severity",
    ]

    assert one(SUSTAINED, **dict.fromkeys(optional)) == one(SUSTAINED)
    assert one(CUMULATIVE, rearm_seconds=None) == one(CUMULATIVE)
    assert one(MEAN, min_known_fraction=None) == one(MEAN, min_known_fraction=0.5)


def test_each_kind_has_its_own_fields() -> None:
    assert one(CUMULATIVE, rearm_seconds=60) == CumulativeBand("a", Side.HIGH, 800, 3_600_000, 600_000, rearm_ms=60_000)
    assert one(CUMULATIVE, window_seconds=None) == CumulativeBand("a", Side.HIGH, 800, None, 600_000)
    assert one(MEAN, side="low") == MeanBand("a", Side.LOW, 800, 3_600_000)
    assert one(MKT, recovery_margin_celsius=1) == MktBand("a", 800, 3_600_000, margin_hundredths=100)


def test_fields_beside_bands_are_ignored() -> None:
    document = {"name": 7, "version": None, "bands": [SUSTAINED]}

    assert parse_policy(document) == Policy((SustainedBand("a", Side.HIGH, 800),))


@pytest.mark.parametrize(
    ("field", "written", "attribute", "meant"),
    [
        ("limit_celsius", 5.005, "limit_hundredths", 501),
        ("limit_celsius", Decimal("-0.005"), "limit_hundredths", -1),
        ("limit_celsius", Decimal("7.99499999999999999999999999999999"), "limit_hundredths", 799),
        ("recovery_margin_celsius", 0.335, "margin_hundredths", 34),
        ("hold_seconds", 0.0005, "hold_ms", 1),
        ("hold_seconds", -0.0004, "hold_ms", 0),
        ("recovery_hold_seconds", 1.0005, "recovery_hold_ms", 1001),
        ("min_samples", Decimal(3), "min_samples", 3),
    ],
)
def test_numbers_are_rounded_half_away_from_zero_in_decimal(field: str, written: object, attribute: str, meant: int) -> None:
    assert getattr(one(SUSTAINED, **{field: written}), attribute) == meant


def test_fractions_are_rounded_before_they_are_checked() -> None:
    found = one(MEAN, min_known_fraction=1.0004)

    assert isinstance(found, MeanBand)
    assert found.min_known_thousandths == 1000


REFUSED = [
    (SUSTAINED, {"limit": 8}, "limit"),
    (SUSTAINED, {"kind": "steady"}, "kind"),
    (SUSTAINED, {"kind": 1}, "kind"),
    (SUSTAINED, {"window_seconds": 60}, "window_seconds"),
    (SUSTAINED, {"window_seconds": None}, "window_seconds"),
    (SUSTAINED, {"min_known_fraction": None}, "min_known_fraction"),
    (CUMULATIVE, {"hold_seconds": None}, "hold_seconds"),
    (CUMULATIVE, {"recovery_margin_celsius": 0}, "recovery_margin_celsius"),
    (MEAN, {"budget_seconds": 1}, "budget_seconds"),
    (MEAN, {"recovery_margin_celsius": None}, "recovery_margin_celsius"),
    (MKT, {"min_samples": 1}, "min_samples"),
    (SUSTAINED, {"name": GONE}, "name"),
    (SUSTAINED, {"name": None}, "name"),
    (SUSTAINED, {"name": 5}, "name"),
    (SUSTAINED, {"side": GONE}, "side"),
    (SUSTAINED, {"side": "High"}, "side"),
    (SUSTAINED, {"side": ["high"]}, "side"),
    (SUSTAINED, {"limit_celsius": GONE}, "limit_celsius"),
    (SUSTAINED, {"limit_celsius": None}, "limit_celsius"),
    (SUSTAINED, {"limit_celsius": "8"}, "limit_celsius"),
    (SUSTAINED, {"limit_celsius": True}, "limit_celsius"),
    (SUSTAINED, {"limit_celsius": float("nan")}, "limit_celsius"),
    (SUSTAINED, {"limit_celsius": float("-inf")}, "limit_celsius"),
    (SUSTAINED, {"limit_celsius": Decimal("1e999999999")}, "limit_celsius"),
    (SUSTAINED, {"limit_celsius": 10**5000}, "limit_celsius"),
    (SUSTAINED, {"limit_celsius": 10**7}, "limit_celsius"),
    (SUSTAINED, {"inclusive": 1}, "inclusive"),
    (SUSTAINED, {"inclusive": "true"}, "inclusive"),
    (SUSTAINED, {"hold_seconds": -1}, "hold_seconds"),
    (SUSTAINED, {"hold_seconds": -0.0005}, "hold_seconds"),
    (SUSTAINED, {"hold_seconds": "60"}, "hold_seconds"),
    (SUSTAINED, {"hold_seconds": False}, "hold_seconds"),
    (SUSTAINED, {"recovery_hold_seconds": -1}, "recovery_hold_seconds"),
    (SUSTAINED, {"recovery_margin_celsius": -0.1}, "recovery_margin_celsius"),
    (SUSTAINED, {"min_samples": 0}, "min_samples"),
    (SUSTAINED, {"min_samples": -2}, "min_samples"),
    (SUSTAINED, {"min_samples": 1.5}, "min_samples"),
    (SUSTAINED, {"min_samples": "2"}, "min_samples"),
    (SUSTAINED, {"min_samples": True}, "min_samples"),
    (SUSTAINED, {"severity": "fatal"}, "severity"),
    (CUMULATIVE, {"window_seconds": GONE}, "window_seconds"),
    (CUMULATIVE, {"window_seconds": 0}, "window_seconds"),
    (CUMULATIVE, {"window_seconds": 0.0004}, "window_seconds"),
    (CUMULATIVE, {"window_seconds": -5}, "window_seconds"),
    (CUMULATIVE, {"budget_seconds": GONE}, "budget_seconds"),
    (CUMULATIVE, {"budget_seconds": None}, "budget_seconds"),
    (CUMULATIVE, {"budget_seconds": 0}, "budget_seconds"),
    (CUMULATIVE, {"budget_seconds": 3601}, "budget_seconds"),
    (CUMULATIVE, {"window_seconds": None, "budget_seconds": 0}, "budget_seconds"),
    (CUMULATIVE, {"rearm_seconds": 600}, "rearm_seconds"),
    (CUMULATIVE, {"rearm_seconds": -1}, "rearm_seconds"),
    (MEAN, {"window_seconds": None}, "window_seconds"),
    (MEAN, {"window_seconds": GONE}, "window_seconds"),
    (MEAN, {"window_seconds": 0}, "window_seconds"),
    (MEAN, {"min_known_fraction": 1.0005}, "min_known_fraction"),
    (MEAN, {"min_known_fraction": -0.001}, "min_known_fraction"),
    (MEAN, {"min_known_fraction": "1"}, "min_known_fraction"),
    (MKT, {"side": "low"}, "side"),
    (MKT, {"limit_celsius": 150.01}, "limit_celsius"),
    (MKT, {"limit_celsius": -100.01}, "limit_celsius"),
    (MKT, {"limit_celsius": -99, "recovery_margin_celsius": 1.01}, "recovery_margin_celsius"),
    (MKT, {"window_seconds": None}, "window_seconds"),
]


@pytest.mark.parametrize(("base", "fields", "named"), REFUSED)
def test_what_cannot_be_meant_is_refused_naming_band_and_field(base: dict[str, object], fields: dict[str, object], named: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        one(base, **fields)

    assert refusal.value.field == f"bands[0].{named}"
    assert str(refusal.value).startswith(f"bands[0].{named}: ")


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ([], "policy"),
        (None, "policy"),
        ({}, "bands"),
        ({"bands": None}, "bands"),
        ({"bands": []}, "bands"),
        ({"bands": {"a": SUSTAINED}}, "bands"),
        ({"bands": "abc"}, "bands"),
        ({"bands": [SUSTAINED, 7]}, "bands[1]"),
        ({"bands": [SUSTAINED, {**SUSTAINED, "side": "low"}]}, "bands[1].name"),
    ],
)
def test_a_document_without_bands_of_different_names_is_refused(document: object, named: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        parse_policy(document)

    assert refusal.value.field == named


def test_edges_that_are_still_allowed() -> None:
    one(CUMULATIVE, budget_seconds=3600, rearm_seconds=3599.999)
    one(CUMULATIVE, window_seconds=None, budget_seconds=10**9)
    one(MEAN, min_known_fraction=0)
    one(MKT, limit_celsius=150, recovery_margin_celsius=250)
    one(MKT, limit_celsius=150.004)


def test_numbers_may_come_from_json_with_decimals() -> None:
    text = '{"bands": [{"name": "a", "side": "low", "limit_celsius": 2.675, "hold_seconds": 1e2}]}'

    document = json.loads(text, parse_float=Decimal)

    assert parse_policy(document) == parse_policy(json.loads(text))
    assert parse_policy(document).bands[0].limit_hundredths == 268


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        ({"hold_seconds": 900}, True),
        ({"hold_seconds": 900.001}, False),
        ({"hold_seconds": 0}, False),
        ({"hold_seconds": 60, "min_samples": 2}, False),
        ({"hold_seconds": 0.001}, True),
    ],
)
def test_a_hold_that_one_sample_and_silence_can_fill_is_warned_about(fields: dict[str, object], *, warned: bool) -> None:
    policy = parse_policy({"bands": [{**SUSTAINED, **fields}]})

    found = warnings(policy, 900_000)

    assert len(found) == warned
    assert all("bands[0].hold_seconds" in warning for warning in found)


@pytest.mark.parametrize(
    "written",
    [
        SUSTAINED,
        {
            **SUSTAINED,
            "side": "low",
            "limit_celsius": -0.25,
            "inclusive": True,
            "hold_seconds": 0.001,
            "min_samples": 3,
            "recovery_margin_celsius": 0.5,
            "recovery_hold_seconds": 90,
            "severity": "warning",
        },
        CUMULATIVE,
        {**CUMULATIVE, "window_seconds": None, "rearm_seconds": 59.999},
        MEAN,
        {**MEAN, "side": "low", "min_known_fraction": 0.125},
        MKT,
        {**MKT, "min_known_fraction": 1, "recovery_margin_celsius": 2.25},
    ],
)
def test_a_band_is_written_with_every_field_of_its_kind_and_read_again_as_the_same_band(written: dict[str, object]) -> None:
    band = parse_policy({"bands": [written]}).bands[0]

    document = to_document(band)

    assert set(document) == FIELDS[Kind(str(document["kind"]))]
    assert document | {field: value for field, value in written.items() if value is not None} == document
    assert parse_policy({"bands": [json.loads(json.dumps(document))]}).bands == (band,)


def test_the_quiet_range_is_what_no_band_calls_out_of_range() -> None:
    high, low = SustainedBand("h", Side.HIGH, 800), SustainedBand("l", Side.LOW, 200)

    assert quiet_range(Policy((high, low))) == (200, 800)
    assert quiet_range(Policy((SustainedBand("h", Side.HIGH, 800, inclusive=True),)))[1] == 799
    assert quiet_range(Policy((SustainedBand("l", Side.LOW, -50, inclusive=True),)))[0] == -49
    assert quiet_range(Policy((high, SustainedBand("x", Side.HIGH, 500), low)))[1] == 500


def test_side_low_is_side_high_in_the_mirror() -> None:
    high = SustainedBand("h", Side.HIGH, 800, inclusive=True, margin_hundredths=30)
    low = SustainedBand("l", Side.LOW, -800, inclusive=True, margin_hundredths=30)

    assert all(high.standing(at) is low.standing(-at) for at in range(750, 850))
