"""What an import would make and change, line by line: the file against what is there. Pure: nothing is written here.

A cell that is empty leaves what is there as it is. Lines of one file never contradict each other: the second one is told.
"""

from dataclasses import dataclass, field
from typing import Final

from pipelines.domain.registration.effective import first_takes_effect_at, from_the_start, takes_effect_at
from pipelines.domain.registration.import_known import Known, KnownAssignment, SensorKey, UnitKey
from pipelines.domain.registration.import_lines import WantedLine
from pipelines.domain.registration.refusals import Refused, TooEarly
from pipelines.domain.registration.sensor_terms import SensorTerms, sensor_terms

CREATED: Final = "created"
CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"
ERROR: Final = "error"

DEFAULT_ZONE: Final = "UTC"
DEFAULT_KIND: Final = "refrigerator"


@dataclass(frozen=True, slots=True)
class When:
    """The instant of the import (ms UTC), how long it may take, and from when on first assignments hold (None: at the earliest)."""

    now: int
    allowance: int
    assigned_from: int | None = None


@dataclass(slots=True)
class LineResult:
    """What becomes of a line."""

    line: WantedLine
    outcome: str = UNCHANGED
    changes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def says(self, outcome: str, change: str) -> None:
        """Add a sentence; created counts more than changed, and that more than unchanged."""
        self.changes.append(change)
        if self.outcome != CREATED:
            self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Described:
    """How a device is described."""

    name: str
    brand_id: str
    model_id: str


@dataclass(frozen=True, slots=True)
class NewAssignment:
    """A sensor will watch a unit from an instant on; `ends` is the assignment that ends there."""

    sensor: SensorKey
    unit: UnitKey
    at: int
    ends: KnownAssignment | None


@dataclass(slots=True)
class Plan:
    """Everything to write, by the names of the file; empty of writes where a line has an error."""

    results: list[LineResult] = field(default_factory=list)
    new_sites: dict[str, str] = field(default_factory=dict)
    site_zones: dict[str, str] = field(default_factory=dict)
    new_units: dict[UnitKey, str] = field(default_factory=dict)
    unit_kinds: dict[UnitKey, str] = field(default_factory=dict)
    unit_policies: dict[UnitKey, tuple[int, int]] = field(default_factory=dict)
    """Policy version and instant."""
    new_devices: dict[str, Described] = field(default_factory=dict)
    device_changes: dict[str, Described] = field(default_factory=dict)
    new_sensors: list[SensorKey] = field(default_factory=list)
    configurations: list[tuple[SensorKey, int, SensorTerms]] = field(default_factory=list)
    assignments: list[NewAssignment] = field(default_factory=list)
    promised: list[int] = field(default_factory=list)
    """Instants (ms UTC) that hold only if the import is committed in time."""

    @property
    def has_errors(self) -> bool:
        """Whether any line cannot be taken: then nothing is written."""
        return any(result.errors for result in self.results)

    def counts(self) -> dict[str, int]:
        """Return how many lines have which outcome."""
        counts = dict.fromkeys((CREATED, CHANGED, UNCHANGED, ERROR), 0)
        for result in self.results:
            counts[result.outcome] += 1
        return counts

    def totals(self) -> dict[str, int]:
        """Return how many things are written."""
        return {
            "sites": len(self.new_sites) + len(self.site_zones),
            "units": len(self.new_units) + len(self.unit_kinds),
            "sensors": len(self.new_sensors),
            "devices": len(self.new_devices) + len(self.device_changes),
            "configurations": len(self.configurations),
            "assignments": len(self.assignments),
            "unit_policies": len(self.unit_policies),
        }


def plan_import(lines: list[WantedLine], known: Known, when: When) -> Plan:
    """Return what a file's lines would make of the registry."""
    planner = _Planner(known, when)
    for line in lines:
        planner.take(line)
    return planner.plan


class _Planner:
    """Goes through the lines in order; what an earlier line said of a site, unit or device holds for the later ones."""

    def __init__(self, known: Known, when: When) -> None:
        self.plan = Plan()
        self._known = known
        self._when = when
        self._said: dict[tuple[str, object], tuple[int, str]] = {}
        self._sensors: dict[SensorKey, WantedLine] = {}

    def take(self, line: WantedLine) -> None:
        result = LineResult(line, errors=list(line.errors))
        self.plan.results.append(result)
        if not result.errors:
            earlier = self._sensors.setdefault((line.dev_eui, line.probe), line)
            if earlier is not line:
                self._repeated(line, earlier, result)
            else:
                self._site(line, result)
                self._unit(line, result)
                self._device(line, result)
                self._sensor(line, result)
        if result.errors:
            result.outcome = ERROR

    def _repeated(self, line: WantedLine, earlier: WantedLine, result: LineResult) -> None:
        if line.content == earlier.content:
            result.changes.append(f"the same as line {earlier.number}")
        else:
            result.errors.append(f"dev_eui: line {earlier.number} has this device and probe already, with other values: keep one of them")

    def _agrees(self, line: WantedLine, result: LineResult, column: str, thing: object, value: str | None) -> bool:
        """Return whether a line's value is the first said of a thing; adds an error where an earlier line said another."""
        if value is None:
            return False
        number, said = self._said.setdefault((column, thing), (line.number, value))
        if said != value:
            result.errors.append(f"{column}: line {number} says {said!r} for the same thing: keep one of them")
        return number == line.number

    def _site(self, line: WantedLine, result: LineResult) -> None:
        is_first = self._agrees(line, result, "time_zone", line.site, line.time_zone)
        site = self._known.sites.get(line.site)
        if site is None:
            if line.site not in self.plan.new_sites:
                self.plan.new_sites[line.site] = DEFAULT_ZONE
                result.says(CREATED, f"site {line.site!r} is created")
            if is_first and line.time_zone:
                self.plan.new_sites[line.site] = line.time_zone
        elif site.is_archived:
            result.errors.append(f"site: {line.site!r} is archived: restore it first (POST /api/v1/sites/{site.id}/restore)")
        elif is_first and line.time_zone and line.time_zone != site.time_zone:
            self.plan.site_zones[line.site] = line.time_zone
            result.says(CHANGED, f"site {line.site!r} gets time zone {line.time_zone} instead of {site.time_zone}")

    def _unit(self, line: WantedLine, result: LineResult) -> None:
        key = (line.site, line.unit)
        is_first = self._agrees(line, result, "kind", key, line.kind)
        unit = self._known.units.get(key)
        if unit is None:
            if key not in self.plan.new_units:
                self.plan.new_units[key] = DEFAULT_KIND
                result.says(CREATED, f"unit {line.unit!r} is created")
            if is_first and line.kind:
                self.plan.new_units[key] = line.kind
        elif unit.is_archived:
            result.errors.append(f"unit: {line.unit!r} is archived: restore it first (POST /api/v1/units/{unit.id}/restore)")
        elif is_first and line.kind and line.kind != unit.kind:
            self.plan.unit_kinds[key] = line.kind
            result.says(CHANGED, f"unit {line.unit!r} becomes a {line.kind}")
        if self._agrees(line, result, "policy", key, line.policy) and line.policy:
            self._policy(key, line.policy, result)

    def _policy(self, key: UnitKey, name: str, result: LineResult) -> None:
        policy = self._known.policies.get(name)
        if policy is None:
            result.errors.append(f"policy: there is no policy {name!r}: make it first (POST /api/v1/policies), or leave the cell empty")
            return
        if policy.is_archived:
            result.errors.append(f"policy: {name!r} is archived: restore it first (POST /api/v1/policies/{policy.id}/restore)")
            return
        unit = self._known.units.get(key)
        if unit is not None and unit.policy_version == policy.version_id:
            return
        if unit is None or (unit.policy_version is None and not unit.is_watched):
            at = from_the_start(self._when.now)
        else:
            found = self._takes_effect("policy", unit.policy_at, result)
            if found is None:
                return
            at = found
        self.plan.unit_policies[key] = (policy.version_id, at)
        result.says(CHANGED, f"unit {key[1]!r} is judged by version {policy.version} of {name!r}")

    def _device(self, line: WantedLine, result: LineResult) -> None:
        for column, value in (("device_name", line.device_name), ("brand_id", line.brand_id), ("model_id", line.model_id)):
            self._agrees(line, result, column, line.dev_eui, value)
        device = self._known.devices.get(line.dev_eui)
        before = self.plan.new_devices.get(line.dev_eui) or self.plan.device_changes.get(line.dev_eui)
        if before is None:
            before = Described("", "", "") if device is None else Described(device.name, device.brand_id, device.model_id)
        after = Described(
            before.name if line.device_name is None else line.device_name,
            before.brand_id if line.brand_id is None else line.brand_id,
            before.model_id if line.model_id is None else line.model_id,
        )
        if device is None:
            self.plan.new_devices[line.dev_eui] = after
        elif after != before:
            self.plan.device_changes[line.dev_eui] = after
            result.says(
                CHANGED, f"device {line.dev_eui} is described as {' '.join(filter(None, (after.name, after.brand_id, after.model_id)))}"
            )

    def _sensor(self, line: WantedLine, result: LineResult) -> None:
        key = (line.dev_eui, line.probe)
        sensor = self._known.sensors.get(key)
        if sensor is not None and sensor.is_archived:
            result.errors.append(f"dev_eui: the sensor is archived: restore it first (POST /api/v1/sensors/{sensor.id}/restore)")
            return
        before = None if sensor is None else sensor.terms
        try:
            terms = sensor_terms(line.terms, before)
        except Refused as error:
            result.errors.append(str(error))
            return
        if sensor is None:
            self.plan.new_sensors.append(key)
            result.says(CREATED, f"sensor {line.dev_eui} {line.probe} is created")
        if before is None:
            self.plan.configurations.append((key, from_the_start(self._when.now), terms))
        elif terms != before and sensor is not None:
            at = self._takes_effect("expected_interval_seconds", sensor.terms_at, result)
            if at is not None:
                self.plan.configurations.append((key, at, terms))
                result.says(CHANGED, f"sensor {line.dev_eui} {line.probe} gets a new configuration")
        self._assignment(line, key, None if sensor is None else sensor.assignment, result)

    def _assignment(self, line: WantedLine, key: SensorKey, last: KnownAssignment | None, result: LineResult) -> None:
        where = (line.site, line.unit)
        unit = self._known.units.get(where)
        if last is None:
            try:
                at = first_takes_effect_at(self._when.assigned_from, self._when.now, "assigned_from", self._when.allowance)
            except Refused as error:
                result.errors.append(str(error))
                return
            if self._when.assigned_from is None:
                self.plan.promised.append(at)
            self.plan.assignments.append(NewAssignment(key, where, at, None))
            if key in self._known.sensors:
                result.says(CHANGED, f"sensor {line.dev_eui} {line.probe} is assigned to unit {line.unit!r}")
            return
        if last.valid_to is None and unit is not None and last.unit == unit.id:
            return
        newest = last.valid_from if last.valid_to is None else last.valid_to
        moved_at = self._takes_effect("unit", newest, result)
        if moved_at is not None:
            self.plan.assignments.append(NewAssignment(key, where, moved_at, last if last.valid_to is None else None))
            verb = "moves" if last.valid_to is None else "is assigned again,"
            result.says(CHANGED, f"sensor {line.dev_eui} {line.probe} {verb} to unit {line.unit!r}")

    def _takes_effect(self, column: str, newest: int | None, result: LineResult) -> int | None:
        """Return from when on a new version holds, or None with an error where something is planned."""
        try:
            at = takes_effect_at(None, self._when.now, newest, self._when.allowance)
        except TooEarly as error:
            result.errors.append(f"{column}: {error}")
            return None
        self.plan.promised.append(at)
        return at
