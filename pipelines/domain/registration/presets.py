"""Policies to start from, as data: figures from the named guidance (excursions.md section 11), with where they are from.

Each is a policy document like any other; nothing here judges.
"""

from dataclasses import dataclass
from typing import Any, Final

Band = dict[str, Any]
Document = dict[str, Any]

MINUTE: Final = 60
HOUR: Final = 3_600
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Preset:
    """A policy to start from."""

    id: str
    name: str
    summary: str
    sources: tuple[str, ...]
    bands: tuple[Band, ...]

    @property
    def document(self) -> Document:
        """The policy document, whole."""
        return {"bands": [dict(band) for band in self.bands]}


def _sustained(name: str, side: str, limit: float, hold: int = 0, *, severity: str = "critical", **fields: object) -> Band:
    band: Band = {"name": name, "side": side, "limit_celsius": limit, "severity": severity, **fields}
    return band | ({"hold_seconds": hold, "min_samples": 2} if hold else {})


def _cumulative(name: str, side: str, limit: float, budget: int, window: int | None, **fields: object) -> Band:
    return {
        "name": name,
        "kind": "cumulative",
        "side": side,
        "limit_celsius": limit,
        "budget_seconds": budget,
        "window_seconds": window,
        **fields,
    }


def _mkt(name: str, limit: float, window: int) -> Band:
    return {"name": name, "kind": "mkt", "side": "high", "limit_celsius": limit, "window_seconds": window}


CDC: Final = "CDC and Vaccines for Children: refrigerated vaccines at 2 to 8 °C (https://eziz.org/vaccine-storage/digital-data-loggers)"
WHO_LOGGER: Final = "WHO PQS, 30-day temperature recorders: alarms above 8 °C for 10 h and at -0.5 °C or below for 60 min"
WHO_SHIPPING: Final = "WHO PQS, electronic shipping indicators of type 1 and 2: limits are included"
USP_COLD: Final = "USP <659>, controlled cold temperature: 2 to 8 °C, up to 15 °C for less than 24 h, mean kinetic temperature at most 8 °C"
USP_ROOM: Final = "USP <659>, controlled room temperature: 20 to 25 °C, excursions 15 to 30 °C, mean kinetic temperature at most 25 °C"
USP_MKT: Final = "USP <1079.2>, windows of mean kinetic temperature: 24 h for controlled cold, 30 days for controlled room temperature"
FOOD_CODE: Final = "FDA Food Code 3-501.16 and 3-501.19: cold holding at 5 °C or below; time as the control for 4 h, or for 6 h below 21 °C"
OWN: Final = "Our own: the hold outlasts a defrost, which takes 20 to 40 min"

PRESETS: Final = (
    Preset(
        "vaccine_refrigerator",
        "Vaccine refrigerator",
        "2 to 8 °C: the alarms of a 30-day vaccine logger, and an earlier pair to act upon.",
        (CDC, WHO_LOGGER),
        (
            _sustained("heat", "high", 8, 10 * HOUR),
            _sustained("freeze", "low", -0.5, HOUR, inclusive=True),
            _sustained("warm", "high", 8, 15 * MINUTE, severity="warning", recovery_margin_celsius=0.5, role="operational"),
            _sustained("cold", "low", 2, 15 * MINUTE, severity="warning", recovery_margin_celsius=0.5, role="operational"),
        ),
    ),
    Preset(
        "freeze_sensitive_shipment",
        "Shipment sensitive to freezing (WHO type 1)",
        "Vaccines that freezing destroys: 45 °C and -0.5 °C for an hour each, 10 h at 30 °C in all.",
        (WHO_SHIPPING,),
        (
            _sustained("heat", "high", 45, HOUR, inclusive=True),
            _cumulative("warm in all", "high", 30, 10 * HOUR, None, inclusive=True),
            _sustained("freeze", "low", -0.5, HOUR, inclusive=True),
        ),
    ),
    Preset(
        "heat_sensitive_shipment",
        "Shipment sensitive to heat (WHO type 2)",
        "Oral polio, measles and the like: 45 °C for an hour, 10 h at 30 °C and 20 h at 10 °C in all.",
        (WHO_SHIPPING,),
        (
            _sustained("heat", "high", 45, HOUR, inclusive=True),
            _cumulative("hot in all", "high", 30, 10 * HOUR, None, inclusive=True),
            _cumulative("warm in all", "high", 10, 20 * HOUR, None, inclusive=True),
        ),
    ),
    Preset(
        "pharmacy_cold",
        "Pharmacy, 2 to 8 °C (USP)",
        "Controlled cold temperature: 2 to 8 °C, never 15 °C, mean kinetic temperature over a day at most 8 °C.",
        (USP_COLD, USP_MKT),
        (
            _sustained("warm", "high", 8, 15 * MINUTE),
            _sustained("cold", "low", 2, 15 * MINUTE),
            _sustained("hot", "high", 15, inclusive=True),
            _mkt("kinetic", 8, DAY),
        ),
    ),
    Preset(
        "controlled_room_temperature",
        "Controlled room temperature (USP)",
        "20 to 25 °C, a day outside in 30 allowed, never outside 15 to 30 °C, mean kinetic temperature over 30 days at most 25 °C.",
        (USP_ROOM, USP_MKT),
        (
            _cumulative("warm in all", "high", 25, DAY, 30 * DAY),
            _cumulative("cool in all", "low", 20, DAY, 30 * DAY),
            _sustained("hot", "high", 30),
            _sustained("cold", "low", 15),
            _mkt("kinetic", 25, 30 * DAY),
        ),
    ),
    Preset(
        "food_cold_holding",
        "Food, cold holding (four-hour rule)",
        "At 5 °C or below; four hours above it in a day are the most.",
        (FOOD_CODE,),
        (
            _sustained("warm", "high", 5, 15 * MINUTE, recovery_margin_celsius=0.5),
            _cumulative("warm in all", "high", 5, 4 * HOUR, DAY),
        ),
    ),
    Preset(
        "food_without_cold_holding",
        "Food without cold holding (six-hour rule)",
        "Six hours above 5 °C in a day are the most, and never above 21 °C.",
        (FOOD_CODE,),
        (
            _cumulative("warm in all", "high", 5, 6 * HOUR, DAY),
            _sustained("hot", "high", 21),
        ),
    ),
    Preset(
        "freezer",
        "Freezer",
        "Above -15 °C for longer than a defrost.",
        (OWN,),
        (_sustained("thawing", "high", -15, 45 * MINUTE, recovery_margin_celsius=1),),
    ),
)


def preset(identifier: str) -> Preset | None:
    """Return the preset of that id, or None."""
    return next((one for one in PRESETS if one.id == identifier), None)
