"""Bands of the simple judges as policy documents, as a person writes them, and the terms that a fleet is judged by."""

from collections.abc import Sequence
from typing import Any

from pipelines.domain.policy_document import parse_policy
from pipelines.engine.terms import Configuration, Configurations, Policies, Terms
from tests.domain.random_series import Band
from tests.truth.fleet import Fleet

NEVER_OFFLINE = 0


def gaps_of(fleet: Fleet) -> list[int]:
    """Return the max gaps of a fleet, of which each is a configuration, numbered from 1."""
    return sorted({row.max_gap for row in fleet.rows})


def terms_of(fleet: Fleet) -> Terms:
    """Return the terms of a fleet, read from documents when first asked for."""
    gaps = gaps_of(fleet)
    return Terms(
        Policies(lambda number: parse_policy(document_of(fleet.policies[number]))),
        Configurations(lambda numbers: {number: Configuration(gaps[number - 1], NEVER_OFFLINE) for number in numbers}),
    )


def document_of(bands: Sequence[Band]) -> dict[str, Any]:
    """Return the policy document of some bands."""
    return {"bands": [_band(band) for band in bands]}


def _band(band: Band) -> dict[str, Any]:
    known = {"name", "kind", "side", "inclusive", "min_samples"}
    document: dict[str, Any] = {name: value for name, value in band.items() if name in known}
    document["limit_celsius"] = band["limit"] / 100
    seconds = {
        "hold": "hold_seconds",
        "recovery_hold": "recovery_hold_seconds",
        "window": "window_seconds",
        "budget": "budget_seconds",
        "rearm": "rearm_seconds",
    }
    for name, field in seconds.items():
        if name in band:
            document[field] = None if band[name] is None else band[name] / 1_000
    if "margin" in band:
        document["recovery_margin_celsius"] = band["margin"] / 100
    if "min_known" in band:
        document["min_known_fraction"] = band["min_known"] / 1_000
    return document
