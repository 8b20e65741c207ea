"""What the registry must hold for a simulated fleet: its sites, units, sensors, and terms and policies by pace."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.seed import Registry, Rule, SensorSpec, SiteSpec, Terms, UnitSpec
from infra.simulator.catalog import FACTS
from infra.simulator.fleet import Device, Fleet, Unit, UnitKind

POLICY_NAMES: Final = {
    UnitKind.REFRIGERATOR: "Vaccine refrigerator",
    UnitKind.COLD_ROOM: "Pharmacy cold room",
    UnitKind.FREEZER: "Freezer",
}

LEAST_OFFLINE_MS: Final = 600_000

Documents = Mapping[UnitKind, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Pace:
    """Terms in force from an instant on (ms UTC): how often sensors report and what each kind of unit is judged by."""

    effective_at: int
    interval_ms: int
    """0: each device at its model's own interval, with the default gap."""
    documents: Documents
    max_gap_ms: int
    offline_after_ms: int

    @classmethod
    def usual(cls, effective_at: int, interval_ms: int, documents: Documents) -> "Pace":
        """Return a pace with the default gap of three intervals and offline after as much, at least 10 min."""
        return cls(effective_at, interval_ms, documents, 3 * interval_ms, max(LEAST_OFFLINE_MS, 3 * interval_ms))

    def terms_of(self, device: Device) -> Terms:
        """Return a device's terms."""
        if self.interval_ms:
            return Terms(self.effective_at, self.interval_ms, self.max_gap_ms, self.offline_after_ms)
        own = FACTS[device.model].interval
        return Terms(self.effective_at, own, 3 * own, max(LEAST_OFFLINE_MS, 3 * own))


def _cold(high: float, *, hold: float, recovery: float, freezing_hold: float) -> dict[str, Any]:
    band = {"min_samples": 2, "recovery_margin_celsius": 0.5, "recovery_hold_seconds": recovery}
    return {
        "bands": [
            {
                "name": "warm",
                "side": "high",
                "limit_celsius": high,
                "hold_seconds": hold,
                "severity": "critical",
                **band,
            },
            {"name": "cold", "side": "low", "limit_celsius": 2, "hold_seconds": hold, "severity": "warning", **band},
            {
                "name": "freezing",
                "side": "low",
                "limit_celsius": -0.5,
                "inclusive": True,
                "hold_seconds": freezing_hold,
                "min_samples": 2,
                "severity": "critical",
            },
        ],
    }


def _frozen(*, hold: float, recovery: float) -> dict[str, Any]:
    return {
        "bands": [
            {
                "name": "thawing",
                "side": "high",
                "limit_celsius": -15,
                "hold_seconds": hold,
                "min_samples": 2,
                "recovery_margin_celsius": 1,
                "recovery_hold_seconds": recovery,
                "severity": "critical",
            },
        ],
    }


USUAL: Final[Documents] = {
    UnitKind.REFRIGERATOR: _cold(8, hold=900, recovery=300, freezing_hold=3600),
    UnitKind.COLD_ROOM: _cold(8, hold=900, recovery=300, freezing_hold=3600),
    UnitKind.FREEZER: _frozen(hold=2700, recovery=300),
}
"""Holds of real life."""

QUICK: Final[Documents] = {
    UnitKind.REFRIGERATOR: _cold(8, hold=8, recovery=5, freezing_hold=20),
    UnitKind.COLD_ROOM: _cold(8, hold=10, recovery=6, freezing_hold=20),
    UnitKind.FREEZER: _frozen(hold=20, recovery=6),
}
"""Holds of 5 to 20 s, for an audience."""


def registry_of(
    fleet: Fleet,
    *,
    team_id: str,
    name: str,
    application: str,
    secret: str,
    valid_from: int,
    paces: tuple[Pace, ...],
) -> Registry:
    """Return the registry of a fleet whose assignments begin at `valid_from` (ms UTC)."""
    return Registry(
        team_id=team_id,
        name=name,
        application=application,
        secret=secret,
        sites=tuple(SiteSpec(site.name, site.time_zone) for site in fleet.sites),
        units=tuple(_unit(unit, paces) for unit in fleet.units),
        valid_from=valid_from,
    )


def _unit(unit: Unit, paces: tuple[Pace, ...]) -> UnitSpec:
    policy = POLICY_NAMES[unit.kind]
    rules = tuple(Rule(policy, pace.documents[unit.kind], pace.effective_at) for pace in paces)
    sensors = tuple(_sensor(device, paces) for device in unit.devices)
    return UnitSpec(unit.site.name, unit.name, unit.kind.value, rules, sensors)


def _sensor(device: Device, paces: tuple[Pace, ...]) -> SensorSpec:
    return SensorSpec(
        dev_eui=device.dev_eui,
        terms=tuple(pace.terms_of(device) for pace in paces),
        brand_id=FACTS[device.model].brand_id,
        model_id=device.model.value,
        device_name=device.device_id,
    )
