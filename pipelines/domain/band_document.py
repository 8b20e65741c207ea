"""From a band back to the fields of a policy document: what is judged, in degrees and seconds, with no field left to a default.

The way there is `policy_document`; nothing here rounds or refuses.
"""

from typing import assert_never

from pipelines.domain.policy import Band, CumulativeBand, MeanBand, MktBand, Suppress, SustainedBand, kind_of

Fields = dict[str, object]


def to_document(band: Band) -> Fields:
    """Return every field of a band's kind as a document writes it: °C, seconds, fractions of 1; parsed again it is the same band."""
    match band:
        case SustainedBand():
            return _common(band) | {
                "hold_seconds": _seconds(band.hold_ms),
                "min_samples": band.min_samples,
                "recovery_margin_celsius": band.margin_hundredths / 100,
                "recovery_hold_seconds": _seconds(band.recovery_hold_ms),
                "suppress": None if band.suppress is None else _suppress(band.suppress),
            }
        case CumulativeBand():
            return _common(band) | {
                "window_seconds": None if band.window_ms is None else _seconds(band.window_ms),
                "budget_seconds": _seconds(band.budget_ms),
                "rearm_seconds": _seconds(band.rearm_ms),
            }
        case MeanBand():
            return _common(band) | {
                "window_seconds": _seconds(band.window_ms),
                "min_known_fraction": band.min_known_thousandths / 1000,
            }
        case MktBand():
            return _common(band) | {
                "window_seconds": _seconds(band.window_ms),
                "min_known_fraction": band.min_known_thousandths / 1000,
                "recovery_margin_celsius": band.margin_hundredths / 100,
            }
        case _:
            assert_never(band)


def _common(band: Band) -> Fields:
    return {
        "name": band.name,
        "kind": kind_of(band).value,
        "side": band.side.value,
        "limit_celsius": band.limit_hundredths / 100,
        "inclusive": band.inclusive,
        "severity": band.severity.value,
        "role": band.role.value,
    }


def _suppress(suppress: Suppress) -> Fields:
    fields: Fields = {"defrost": suppress.defrost, "door": suppress.door is not None, "maintenance": suppress.maintenance}
    if suppress.door is None:
        return fields
    return fields | {
        "door_after_seconds": _seconds(suppress.door.after_ms),
        "door_grace_seconds": _seconds(suppress.door.grace_ms),
    }


def _seconds(milliseconds: int) -> float:
    """Return seconds, as an integer where they are whole."""
    whole, rest = divmod(milliseconds, 1000)
    return milliseconds / 1000 if rest else whole
