"""The policies to start from: every one can be meant, has its sources, and says which of its bands can be judged now."""

import pytest

from pipelines.domain.policy import SustainedBand
from pipelines.domain.policy_document import PolicyError, parse_policy, refuse_unjudged
from pipelines.domain.registration.presets import PRESETS, Preset, kinds_not_judged, preset


@pytest.mark.parametrize("one", PRESETS, ids=[one.id for one in PRESETS])
def test_every_preset_can_be_meant_and_says_where_its_figures_are_from(one: Preset) -> None:
    policy = parse_policy(one.document)

    assert one.sources
    assert all(source.strip() for source in one.sources)
    assert preset(one.id) is one
    for band in policy.bands:
        if isinstance(band, SustainedBand) and band.hold_ms:
            assert band.min_samples == 2


@pytest.mark.parametrize("one", PRESETS, ids=[one.id for one in PRESETS])
def test_what_a_preset_says_can_be_judged_is_what_the_engine_judges(one: Preset) -> None:
    if kinds_not_judged(one.document):
        with pytest.raises(PolicyError, match="cannot be judged yet"):
            refuse_unjudged(parse_policy(one.document))
    else:
        refuse_unjudged(parse_policy(one.document))
    assert one.judged_document is not None
    refuse_unjudged(parse_policy(one.judged_document))


def test_the_presets_are_those_of_the_contract() -> None:
    assert [one.id for one in PRESETS] == [
        "vaccine_refrigerator",
        "freeze_sensitive_shipment",
        "heat_sensitive_shipment",
        "pharmacy_cold",
        "controlled_room_temperature",
        "food_cold_holding",
        "food_without_cold_holding",
        "freezer",
    ]
    assert len({one.name for one in PRESETS}) == len(PRESETS)
    assert preset("fridge") is None


def test_the_kinds_that_cannot_be_judged_are_named_once_each() -> None:
    room = preset("controlled_room_temperature")

    assert room is not None
    assert kinds_not_judged(room.document) == ["cumulative", "mkt"]
