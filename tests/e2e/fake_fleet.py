"""A made-up fleet in the shapes of docs/api.md, for a browser to look at: the same seed gives the same fleet.

Values are functions of sensor and time, so that any stretch may be asked for. Nothing here judges anything: states and
excursions are told by the script of each unit, as a server would tell them.
"""

import math
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, Final, assert_never

Json = dict[str, Any]

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
LATE_AGE: Final = 3 * HOUR
"""How long ago the readings came that came late."""
INTERVAL: Final = 5 * MINUTE
MAX_GAP: Final = 15 * MINUTE


class Script(Enum):
    """What has been going on in a unit."""

    CALM = auto()
    WARMING = auto()
    """Out of range for 75 minutes now: an open excursion. Silent from 10 to 8 hours ago, as GAPPED."""
    WARMED = auto()
    """Out of range from 6 to 4 hours ago: a closed excursion."""
    TOUCHED = auto()
    """Out of range for a moment: breaching."""
    COOLING = auto()
    """Was out of range, is coming back: recovering, the excursion still open."""
    SILENT = auto()
    """No reading for 50 minutes: unknown."""
    GONE = auto()
    """Not heard for 5 hours: offline."""
    GAPPED = auto()
    """Silent from 10 to 8 hours ago, in range since."""
    BACKFILLED = auto()
    """What was measured from 10 to 8 hours ago came 3 hours ago: out of range from 9.5 to 8.5 hours ago, found late."""


STATES: Final = {
    Script.CALM: "in_range",
    Script.WARMING: "excursion",
    Script.WARMED: "in_range",
    Script.TOUCHED: "breaching",
    Script.COOLING: "recovering",
    Script.SILENT: "unknown",
    Script.GONE: "offline",
    Script.GAPPED: "in_range",
    Script.BACKFILLED: "in_range",
}


@dataclass(frozen=True, slots=True)
class FakeUnit:
    """A unit with one sensor; `low` and `high` are its limits."""

    id: int
    site: int
    name: str
    kind: str
    low: float
    high: float
    script: Script

    @property
    def sensor(self) -> int:
        """The id of its only sensor: another number space, so that mixing them up shows."""
        return self.id + 100_000


@dataclass(slots=True)
class FakeFleet:
    """Sites and units as of an instant (ms UTC)."""

    now: int
    sites: list[Json] = field(default_factory=list)
    units: dict[int, FakeUnit] = field(default_factory=dict)

    def add_site(self, name: str, time_zone: str) -> int:
        """Add a site; returns its id."""
        site = len(self.sites) + 1
        self.sites.append({"id": site, "organization": 1, "name": name, "time_zone": time_zone, "units": 0})
        return site

    def add_unit(
        self, site: int, name: str, limits: tuple[float, float], script: Script = Script.CALM, kind: str = "refrigerator"
    ) -> FakeUnit:
        """Add a unit to a site."""
        unit = FakeUnit(len(self.units) + 1, site, name, kind, *limits, script)
        self.units[unit.id] = unit
        self.sites[site - 1]["units"] += 1
        return unit

    def unit_json(self, unit: FakeUnit) -> Json:
        """Return a unit as `GET /api/v1/units` does."""
        return {
            "id": unit.id,
            "organization": 1,
            "site": unit.site,
            "name": unit.name,
            "kind": unit.kind,
            "state": STATES[unit.script],
            "since": iso(self.now - 75 * MINUTE),
            "latest": self.latest(unit),
            "open_excursions": [excursion["id"] for excursion in self.excursions(unit) if excursion["closed_at"] is None],
        }

    def sensor_json(self, unit: FakeUnit) -> Json:
        """Return the unit's sensor as `GET /api/v1/sensors` does."""
        return {
            "id": unit.sensor,
            "organization": 1,
            "site": unit.site,
            "unit": unit.id,
            "probe": "main",
            "device": {"id": unit.id + 200_000, "dev_eui": f"A84041{unit.id:010X}", "name": "", "brand_id": "dragino", "model_id": "lht65"},
            "state": STATES[unit.script],
            "since": iso(self.now - 75 * MINUTE),
            "latest": self.latest(unit),
            "configuration": {
                "effective_at": iso(self.now - 60 * DAY),
                "calibration_celsius": 0.0,
                "expected_interval_seconds": INTERVAL / 1000,
                "max_gap_seconds": MAX_GAP / 1000,
                "offline_after_seconds": 3_600.0,
            },
        }

    def bands(self, unit: FakeUnit) -> list[Json]:
        """Return the bands of the unit's policy."""
        rest = {"kind": "sustained", "inclusive": False, "severity": "critical", "hold_seconds": 900}
        return [{"name": side, "side": side, "limit_celsius": getattr(unit, side), **rest} for side in ("high", "low")]

    def latest(self, unit: FakeUnit) -> Json | None:
        """Return the unit's newest reading."""
        for reach in (HOUR, DAY):
            instants = list(self.instants(unit, self.now - reach, self.now + 1))
            if instants:
                return self.reading(unit, instants[-1])
        return None

    def readings(self, unit: FakeUnit, start: int, end: int) -> list[Json]:
        """Return the readings with start <= measured_at < end."""
        return [self.reading(unit, at) for at in self.instants(unit, start, min(end, self.now + 1))]

    def instants(self, unit: FakeUnit, start: int, end: int) -> Iterator[int]:
        """Yield when the unit's sensor measured."""
        phase = (unit.id * 7_919) % (2 * MINUTE)
        first = -(-(start - self.now - phase) // INTERVAL)
        at = self.now + phase + first * INTERVAL - 2 * MINUTE
        while at < end:
            if at >= start and not self.is_silent(unit, self.now - at):
                yield at
            at += INTERVAL

    def is_silent(self, unit: FakeUnit, age: int) -> bool:
        """Return whether nothing was measured that long ago."""
        match unit.script:
            case Script.SILENT:
                return age < 50 * MINUTE
            case Script.GONE:
                return age < 5 * HOUR
            case Script.GAPPED | Script.WARMING:
                return 8 * HOUR < age < 10 * HOUR
            case Script.CALM | Script.WARMED | Script.TOUCHED | Script.COOLING | Script.BACKFILLED:
                return False
            case _ as never:
                assert_never(never)

    def reading(self, unit: FakeUnit, at: int) -> Json:
        """Return the reading of an instant."""
        return {
            "sensor": unit.sensor,
            "unit": unit.id,
            "measured_at": iso(at),
            "received_at": iso(self.received_at(unit, at)),
            "temperature_celsius": round(self.temperature(unit, at), 2),
            "humidity_percent": 40.0 + unit.id % 30 if unit.id % 3 == 0 else None,
            "battery_volts": 2.9 + (unit.id % 8) / 10 if unit.id % 4 else None,
            "battery_percent": 60 + unit.id % 40 if unit.id % 4 == 0 else None,
            "door_open": unit.script is Script.TOUCHED if unit.id % 2 else None,
            "fault": None,
            "late": False,
        }

    def received_at(self, unit: FakeUnit, at: int) -> int:
        """Return when the reading of an instant came."""
        is_late = unit.script is Script.BACKFILLED and 8 * HOUR < self.now - at < 10 * HOUR
        return self.now - LATE_AGE if is_late else at + 400

    def temperature(self, unit: FakeUnit, at: int) -> float:
        """Return what the unit's script says of an instant: compressor cycles, noise, and the trouble on top."""
        middle = (unit.low + unit.high) / 2
        reach = (unit.high - unit.low) / 2
        phase = unit.id * 1.7
        cycle = math.sin(at / (38 * MINUTE) * math.tau + phase) * 0.28 + math.sin(at / (9 * HOUR) * math.tau + phase) * 0.12
        noise = random.Random(f"{unit.id}/{at}").uniform(-0.06, 0.06)
        return middle + reach * (cycle + noise) + self.trouble(unit, self.now - at, reach)

    def trouble(self, unit: FakeUnit, age: int, reach: float) -> float:
        """Return the degrees by which a unit in trouble is warmer than it should be, an age (ms) ago."""
        minutes = age / MINUTE
        match unit.script:
            case Script.WARMING:
                return reach * 2.6 * (1 - math.exp(-(95 - minutes) / 40)) if minutes < 95 else 0.0
            case Script.WARMED:
                return reach * 2.2 * math.sin((380 - minutes) / 160 * math.pi) if 220 < minutes < 380 else 0.0
            case Script.COOLING:
                return reach * 2.4 * math.sin((150 - minutes) / 160 * math.pi) if minutes < 150 else 0.0
            case Script.BACKFILLED:
                return reach * 2.2 * math.sin((580 - minutes) / 80 * math.pi) if 500 < minutes < 580 else 0.0
            case Script.TOUCHED:
                return reach * 1.5 * (1 - minutes / 10) if minutes < 10 else 0.0
            case Script.CALM | Script.SILENT | Script.GONE | Script.GAPPED:
                return 0.0
            case _ as never:
                assert_never(never)

    def excursions(self, unit: FakeUnit) -> list[Json]:
        """Return the unit's excursions, newest first."""
        match unit.script:
            case Script.WARMING:
                return [self.excursion(unit, 75, None)]
            case Script.COOLING:
                return [self.excursion(unit, 125, None)]
            case Script.WARMED:
                return [self.excursion(unit, 350, 250)]
            case Script.BACKFILLED:
                return [
                    {**self.excursion(unit, 570, 510), "version": 1, "late": True, "reason": "late", "known_at": iso(self.now - LATE_AGE)}
                ]
            case Script.CALM | Script.TOUCHED | Script.SILENT | Script.GONE | Script.GAPPED:
                return []
            case _ as never:
                assert_never(never)

    def excursion(self, unit: FakeUnit, start_minutes: int, end_minutes: int | None) -> Json:
        """Return an excursion that started, and perhaps ended, so many minutes ago."""
        start = self.now - start_minutes * MINUTE
        end = None if end_minutes is None else self.now - end_minutes * MINUTE
        values = [reading["temperature_celsius"] for reading in self.readings(unit, start, end or self.now)]
        return {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{unit.id}/{start_minutes}")),
            "version": 1 if end is None else 2,
            "organization": 1,
            "site": unit.site,
            "unit": unit.id,
            "sensor": unit.sensor,
            "device": unit.id + 200_000,
            "band": "high",
            "side": "high",
            "severity": "critical" if unit.id % 5 else "warning",
            "limit_celsius": unit.high,
            "policy_version": 1,
            "started_at": iso(start),
            "opened_at": iso(start + 15 * MINUTE),
            "ended_at": None if end is None else iso(end),
            "closed_at": None if end is None else iso(end),
            "ended_by": None if end is None else "recovery",
            "late": False,
            "known_at": iso(start + 15 * MINUTE),
            "reason": "opened" if end is None else "closed",
            "as_of": iso(self.now) if end is None else None,
            "peak_celsius": max(values),
            "mean_celsius": round(sum(values) / len(values), 2),
            "degree_minutes": round(sum(max(0.0, value - unit.high) * INTERVAL / MINUTE for value in values), 1),
            "exposure_seconds": ((end or self.now) - start) / 1000,
            "known_seconds": ((end or self.now) - start) / 1000,
            "unknown_seconds": 0.0,
            "samples": len(values),
            "largest_gap_seconds": INTERVAL / 1000,
        }


def iso(at: int) -> str:
    """Return an instant (ms UTC) as the API writes it."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
