"""Series of any kinds of bands, as the simple judges judge them and as the product is given them. For tests only."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipelines.domain.policy import (
    Band,
    CumulativeBand,
    DoorSuppression,
    MeanBand,
    MktBand,
    Policy,
    Role,
    Side,
    Suppress,
    SustainedBand,
)
from tests.domain import simple_judge
from tests.domain.random_series import Series
from tests.domain.simple_judge_cumulative import judge_cumulative
from tests.domain.simple_judge_mean import judge_mean
from tests.domain.simple_judge_mkt import judge_mkt

JUDGES: dict[str, Callable[..., Sequence[Any]]] = {
    "sustained": simple_judge.judge,
    "cumulative": judge_cumulative,
    "mean": judge_mean,
    "mkt": judge_mkt,
}


def simple_truth(series: Series, until: int) -> list[Any]:
    """Return every excursion by the simple judge of each kind, sorted by band, start and opening: bands never interfere."""
    found: list[Any] = []
    for kind, judge in JUDGES.items():
        versions = [[band for band in policy if band["kind"] == kind] for policy in series.versions]
        if any(versions):
            found += judge(series.rows, versions, until, series.assignment_end)
    return sorted(found, key=lambda one: (one["band"], one["started_at"], one["opened_at"]))


def policy_of(bands: Sequence[Mapping[str, Any]]) -> Policy:
    """Return the product's policy of the simple judges' bands."""
    return Policy(tuple(map(band_of, bands)))


def band_of(band: Mapping[str, Any]) -> Band:
    """Return the product's band of a simple judge's."""
    name, side, limit, inclusive = band["name"], Side(band["side"]), band["limit"], band["inclusive"]
    match band["kind"]:
        case "sustained":
            return SustainedBand(
                name=name,
                side=side,
                limit_hundredths=limit,
                inclusive=inclusive,
                hold_ms=band["hold"],
                min_samples=band["min_samples"],
                margin_hundredths=band["margin"],
                recovery_hold_ms=band["recovery_hold"],
                role=Role.OPERATIONAL if band.get("suppress") else Role.COMPLIANCE,
                suppress=suppress_of(band.get("suppress")),
            )
        case "cumulative":
            return CumulativeBand(name, side, limit, band["window"], band["budget"], inclusive, band["rearm"])
        case "mean":
            return MeanBand(name, side, limit, band["window"], inclusive, band["min_known"])
        case _:
            return MktBand(name, limit, band["window"], inclusive, band["margin"], band["min_known"])


def suppress_of(suppress: Mapping[str, Any] | None) -> Suppress | None:
    """Return what suppresses a band of a simple judge's."""
    if suppress is None:
        return None
    door = DoorSuppression(suppress["door_after"], suppress["door_grace"]) if suppress["door"] else None
    return Suppress(suppress["defrost"], suppress["maintenance"], door)
