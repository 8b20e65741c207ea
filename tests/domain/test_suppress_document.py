"""What `role` and `suppress` of a band mean in a policy document, and what is refused."""

import pytest

from pipelines.domain.band_document import to_document
from pipelines.domain.policy import Band, DoorSuppression, Role, Suppress, SustainedBand
from pipelines.domain.policy_document import PolicyError, parse_policy

BASE = {"name": "a", "side": "high", "limit_celsius": 8}
OPERATIONAL = {**BASE, "role": "operational"}
MEAN = {**OPERATIONAL, "kind": "mean", "window_seconds": 60}


def one(base: dict[str, object], **fields: object) -> Band:
    return parse_policy({"bands": [{**base, **fields}]}).bands[0]


def sustained(base: dict[str, object], **fields: object) -> SustainedBand:
    band = one(base, **fields)
    assert isinstance(band, SustainedBand)
    return band


def test_a_band_is_for_compliance_and_never_suppressed_unless_it_says_otherwise() -> None:
    assert one(BASE).role is Role.COMPLIANCE
    assert sustained(BASE).suppress is None
    assert sustained(BASE, role=None, suppress=None) == sustained(BASE)
    assert sustained(OPERATIONAL).suppress is None


def test_a_band_of_every_kind_may_be_operational() -> None:
    windowed = {"window_seconds": 3_600}

    assert one(OPERATIONAL, kind="cumulative", budget_seconds=60, **windowed).role is Role.OPERATIONAL
    assert one(OPERATIONAL, kind="mean", **windowed).role is Role.OPERATIONAL
    assert one(OPERATIONAL, kind="mkt", **windowed).role is Role.OPERATIONAL


def test_each_cause_is_suppressed_that_is_true_and_a_door_has_defaults() -> None:
    assert sustained(OPERATIONAL, suppress={"defrost": True}).suppress == Suppress(defrost=True)
    assert sustained(OPERATIONAL, suppress={"maintenance": True, "door": None}).suppress == Suppress(maintenance=True)
    assert sustained(OPERATIONAL, suppress={"door": True}).suppress == Suppress(door=DoorSuppression(600_000, 1_200_000))
    door = {"door": True, "door_after_seconds": 0, "door_grace_seconds": 0.5}
    assert sustained(OPERATIONAL, suppress=door).suppress == Suppress(door=DoorSuppression(0, 500))


@pytest.mark.parametrize("nothing", [{}, {"defrost": False, "door": False, "maintenance": None}])
def test_where_nothing_is_true_nothing_is_suppressed(nothing: dict[str, object]) -> None:
    assert sustained(OPERATIONAL, suppress=nothing).suppress is None


@pytest.mark.parametrize(
    ("base", "fields", "named", "why"),
    [
        (BASE, {"suppress": {"defrost": True}}, "bands[0].suppress", "role operational"),
        (BASE, {"suppress": {}, "role": "compliance"}, "bands[0].suppress", "role operational"),
        (BASE, {"role": "both"}, "bands[0].role", "compliance, operational"),
        (OPERATIONAL, {"suppress": True}, "bands[0].suppress", "object"),
        (OPERATIONAL, {"suppress": {"defrost": 1}}, "bands[0].suppress.defrost", "true or false"),
        (OPERATIONAL, {"suppress": {"cleaning": True}}, "bands[0].suppress.cleaning", "no such field"),
        (OPERATIONAL, {"suppress": {"door": True}, "side": "low"}, "bands[0].suppress.door", "side is low"),
        (OPERATIONAL, {"suppress": {"defrost": True}, "side": "low"}, "bands[0].suppress.defrost", "side is low"),
        (OPERATIONAL, {"suppress": {"door_grace_seconds": 60}}, "bands[0].suppress.door_grace_seconds", "suppress.door is true"),
        (OPERATIONAL, {"suppress": {"door": True, "door_grace_seconds": 0}}, "bands[0].suppress.door_grace_seconds", "more than 0"),
        (OPERATIONAL, {"suppress": {"door": True, "door_after_seconds": -1}}, "bands[0].suppress.door_after_seconds", "negative"),
        (OPERATIONAL, {"suppress": {"door": True, "door_after_seconds": "1"}}, "bands[0].suppress.door_after_seconds", "a number"),
        (MEAN, {"suppress": {"maintenance": True}}, "bands[0].suppress", "not a field of kind mean"),
        (MEAN, {"suppress": None}, "bands[0].suppress", "not a field of kind mean"),
    ],
)
def test_what_cannot_be_meant_is_refused_naming_the_field(base: dict[str, object], fields: dict[str, object], named: str, why: str) -> None:
    with pytest.raises(PolicyError) as refused:
        one(base, **fields)

    assert refused.value.field == named
    assert why in refused.value.reason


def test_maintenance_may_suppress_a_low_side() -> None:
    assert sustained(OPERATIONAL, side="low", suppress={"maintenance": True}).suppress == Suppress(maintenance=True)


@pytest.mark.parametrize(
    "suppress", [None, {"defrost": True}, {"maintenance": True}, {"door": True}, {"defrost": True, "door": True, "door_grace_seconds": 1.5}]
)
def test_a_band_is_written_with_what_suppresses_it_and_read_again_as_the_same(suppress: dict[str, object] | None) -> None:
    band = sustained(OPERATIONAL, suppress=suppress)

    document = to_document(band)

    assert document["role"] == "operational"
    assert parse_policy({"bands": [document]}).bands == (band,)
