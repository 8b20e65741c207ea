"""What a fake fleet's server has on record over time, in the shapes of docs/api.md: versions, policies, conditions, and what was known when.

A test scripts it by adding to the tables. Nothing here judges anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tests.e2e.fake_fleet import DAY, MINUTE, FakeFleet, FakeUnit, Json, iso

FIGURES = ("degree_minutes", "exposure_seconds", "known_seconds", "samples")
"""Figures that had grown to half of what they became when an excursion opened."""


@dataclass(slots=True)
class FakeHistory:
    """Tables that begin with what the fleet's scripts say."""

    fleet: FakeFleet
    versions: dict[str, list[Json]] = field(default_factory=dict)
    """By excursion, oldest first; those of the scripts' excursions are there once these have been asked for."""
    conditions: dict[int, list[Json]] = field(default_factory=dict)
    """By unit."""
    corrections: dict[int, list[Json]] = field(default_factory=dict)
    """By sensor."""
    maintenance: dict[int, list[Json]] = field(default_factory=dict)
    """By unit."""
    terms: Json = field(default_factory=dict)
    """Of conditions, by kind."""
    policies: dict[int, list[tuple[int, list[Json]]]] = field(default_factory=dict)
    """By unit: since when (ms UTC) which bands, oldest first; without them the fleet's bands for 60 days."""

    def policies_of(self, unit: FakeUnit) -> list[tuple[int, list[Json]]]:
        """Return since when a unit was judged by which bands."""
        return self.policies.get(unit.id) or [(self.fleet.now - 60 * DAY, self.fleet.bands(unit))]

    def policy(self, unit: FakeUnit, at: str | None) -> Json:
        """Return what a unit is judged by at an instant."""
        when = self.fleet.now if at is None else instant(at)
        begun = [bands for since, bands in self.policies_of(unit) if since <= when]
        policy = {"id": 1, "name": "a policy", "version": len(begun), "policy_version": len(begun), "effective_at": iso(self.fleet.now)}
        return {
            "unit": unit.id,
            "at": iso(when),
            "policy": policy if begun else None,
            "bands": begun[-1] if begun else [],
            "conditions": self.terms,
        }

    def registration(self, unit: FakeUnit) -> Json:
        """Return the unit's policies, past and planned."""
        policies = [
            {"policy": 1, "name": "a policy", "version": number, "policy_version": number, "effective_at": iso(since)}
            for number, (since, _) in enumerate(self.policies_of(unit), start=1)
        ]
        return {"id": unit.id, "organization": 1, "site": unit.site, "name": unit.name, "kind": unit.kind, "policies": policies}

    def readings(self, unit: FakeUnit, asked: dict[str, str]) -> list[Json]:
        """Return the readings of a stretch, those received by an instant where one is asked for."""
        found = self.fleet.readings(unit, instant(asked["from"]), instant(asked["to"]))
        known_at = asked.get("known_at")
        return found if known_at is None else [reading for reading in found if instant(reading["received_at"]) <= instant(known_at)]

    def excursions(self, asked: dict[str, str]) -> list[Json]:
        """Return excursions as they stand or stood, or those that were voided, newest first."""
        units: Iterable[FakeUnit] = self.fleet.units.values()
        if "unit" in asked:
            units = [self.fleet.units[int(asked["unit"])]]
        for unit in units:
            self._record(unit)
        wanted = {unit.id for unit in units}
        newest = [self._newest(versions, asked.get("known_at")) for versions in self.versions.values()]
        found = [one for one in newest if one is not None and one["unit"] in wanted]
        found = [one for one in found if (one["reason"] == "void") == (asked.get("voided") == "true")]
        if "open" in asked:
            found = [one for one in found if (one["closed_at"] is None) == (asked["open"] == "true")]
        if "from" in asked:
            found = [one for one in found if one["closed_at"] is None or instant(one["closed_at"]) > instant(asked["from"])]
        return sorted(found, key=lambda excursion: str(excursion["started_at"]), reverse=True)

    def _newest(self, versions: list[Json], known_at: str | None) -> Json | None:
        known = [one for one in versions if known_at is None or instant(one["known_at"]) <= instant(known_at)]
        return known[-1] if known else None

    def _record(self, unit: FakeUnit) -> None:
        for excursion in self.fleet.excursions(unit):
            self.versions.setdefault(excursion["id"], versions_of(excursion))


def versions_of(excursion: Json) -> list[Json]:
    """Return how an excursion came to be what it is: opened, perhaps closed, or found late and whole."""
    if excursion["version"] == 1:
        return [{**excursion, "superseded_by": None, "changed": []}]
    opened_at = instant(excursion["opened_at"])
    half = {name: excursion[name] / 2 for name in FIGURES} | {"peak_celsius": round(excursion["peak_celsius"] - 0.8, 2)}
    nothing = dict.fromkeys(("ended_at", "closed_at", "ended_by", "superseded_by"))
    opened = {**excursion, **half, **nothing, "version": 1, "reason": "opened", "known_at": iso(opened_at + 2_000), "changed": []}
    changed = ["ended_at", "closed_at", "ended_by", "peak_celsius", *FIGURES]
    closed = {**excursion, "known_at": iso(instant(excursion["closed_at"]) + 2_000), "changed": changed, "superseded_by": None}
    return [opened, closed]


def followed_by(versions: list[Json], reason: str, known_at: int, **changes: object) -> list[Json]:
    """Return versions with one more that says something otherwise; what a void names as its successor is no change."""
    last = versions[-1]
    changed = [name for name in changes if name != "superseded_by"]
    newest = {**last, **changes, "version": last["version"] + 1, "reason": reason, "known_at": iso(known_at), "changed": changed}
    return [*versions, newest]


def condition(unit: FakeUnit, kind: str, started_at: int, ended_at: int | None) -> Json:
    """Return a condition of a unit's device."""
    end = None if ended_at is None else iso(ended_at)
    about = {
        "organization": 1,
        "device": unit.id + 200_000,
        "sensor": None,
        "unit": unit.id,
        "kind": kind,
        "band": None,
        "alert": "warning",
    }
    ending = {"ended_at": end, "closed_at": end, "ended_by": None if end is None else "recovery", "detail": None}
    return {"id": f"{kind}-{started_at}", **about, "started_at": iso(started_at - MINUTE), "opened_at": iso(started_at), **ending}


def correction(unit: FakeUnit, kind: str, stretch: tuple[int, int | None], made_at: int, **said: object) -> Json:
    """Return a correction of a unit's sensor over a stretch, made by Ada."""
    times = {"from": iso(stretch[0]), "to": None if stretch[1] is None else iso(stretch[1]), "made_at": iso(made_at)}
    nothing = dict.fromkeys(("unit", "calibration_celsius", "policy_version", "revoked_by", "revoked_at", "revocation_comment"))
    return {
        "id": made_at % 2**31,
        "organization": 1,
        "kind": kind,
        "sensor": unit.sensor,
        "made_by": "Ada Berg",
        **nothing,
        **times,
        **said,
    }


def maintenance(unit: FakeUnit, start: int, end: int, comment: str) -> Json:
    """Return a window declared by Ada a day before it."""
    about = {"id": start % 2**31, "organization": 1, "site": unit.site, "unit": unit.id, "declared_by": "Ada Berg", "comment": comment}
    return {**about, "from": iso(start), "to": iso(end), "declared_to": iso(end), "declared_at": iso(start - DAY)}


def instant(text: str) -> int:
    """Return an ISO time as ms UTC."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)
