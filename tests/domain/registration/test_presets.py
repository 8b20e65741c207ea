"""The policies to start from: every one can be meant and has its sources. What each finds is in tests/infra/test_evaluate_presets.py."""

import pytest

from pipelines.domain.policy import SustainedBand
from pipelines.domain.policy_document import parse_policy
from pipelines.domain.registration.presets import PRESETS, Preset, preset


@pytest.mark.parametrize("one", PRESETS, ids=[one.id for one in PRESETS])
def test_every_preset_can_be_meant_and_says_where_its_figures_are_from(one: Preset) -> None:
    policy = parse_policy(one.document)

    assert one.sources
    assert all(source.strip() for source in one.sources)
    assert preset(one.id) is one
    for band in policy.bands:
        if isinstance(band, SustainedBand) and band.hold_ms:
            assert band.min_samples == 2


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
