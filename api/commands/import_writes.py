"""Writes what an import plans, a statement for each kind of thing however many lines there are, and each change's line in the log."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from api.commands.painting import repaint_assigned
from api.commands.transaction import Row, Transaction
from api.parameters import aware
from pipelines.domain.registration.import_known import Known, SensorKey, UnitKey
from pipelines.domain.registration.import_plan import Described, Plan
from pipelines.domain.registration.sensor_terms import COLUMNS

INSERT_SITES: Final = """
INSERT INTO sites (organization_id, name, time_zone)
SELECT %(organization)s, name, zone FROM unnest(%(names)s::text[], %(zones)s::text[]) AS wanted (name, zone) RETURNING id, name
"""
CHANGE_SITES: Final = """
UPDATE sites SET time_zone = zone FROM unnest(%(ids)s::integer[], %(zones)s::text[]) AS wanted (id, zone) WHERE sites.id = wanted.id
"""
INSERT_UNITS: Final = """
INSERT INTO units (organization_id, site_id, name, kind)
SELECT %(organization)s, site, name, kind FROM unnest(%(sites)s::integer[], %(names)s::text[], %(kinds)s::text[]) AS wanted (site, name, kind)
RETURNING id, site_id, name
"""
CHANGE_UNITS: Final = """
UPDATE units SET kind = wanted.kind FROM unnest(%(ids)s::integer[], %(kinds)s::text[]) AS wanted (id, kind) WHERE units.id = wanted.id
"""
PUT_IN_FORCE: Final = """
INSERT INTO unit_policies (organization_id, unit_id, policy_version_id, effective_at)
SELECT %(organization)s, unit, version, at
FROM unnest(%(units)s::integer[], %(versions)s::integer[], %(at)s::timestamptz[]) AS wanted (unit, version, at)
"""
INSERT_DEVICES: Final = """
INSERT INTO devices (organization_id, dev_eui, name, brand_id, model_id)
SELECT %(organization)s, dev_eui, name, brand, model
FROM unnest(%(euis)s::text[], %(names)s::text[], %(brands)s::text[], %(models)s::text[]) AS wanted (dev_eui, name, brand, model)
RETURNING id, dev_eui
"""
CHANGE_DEVICES: Final = """
UPDATE devices SET name = wanted.name, brand_id = brand, model_id = model
FROM unnest(%(ids)s::integer[], %(names)s::text[], %(brands)s::text[], %(models)s::text[]) AS wanted (id, name, brand, model)
WHERE devices.id = wanted.id
"""
INSERT_SENSORS: Final = """
INSERT INTO sensors (organization_id, device_id, probe)
SELECT %(organization)s, device, probe FROM unnest(%(devices)s::integer[], %(probes)s::text[]) AS wanted (device, probe)
RETURNING id, device_id, probe
"""
CONFIGURE: Final = """
INSERT INTO sensor_configurations
  (organization_id, sensor_id, effective_at, expected_interval_ms, max_gap_ms, offline_after_ms, calibration_hundredths, defrost_period_ms,
   defrost_peak_hundredths, defrost_duration_ms)
SELECT %(organization)s, sensor, at, every, gap, patience, calibration, period, peak, duration
FROM unnest(%(sensors)s::integer[], %(at)s::timestamptz[], %(expected_interval_ms)s::bigint[], %(max_gap_ms)s::bigint[],
  %(offline_after_ms)s::bigint[], %(calibration_hundredths)s::integer[], %(defrost_period_ms)s::bigint[], %(defrost_peak_hundredths)s::integer[],
  %(defrost_duration_ms)s::bigint[]) AS wanted (sensor, at, every, gap, patience, calibration, period, peak, duration)
"""
END: Final = """
UPDATE assignments SET valid_to = at FROM unnest(%(ids)s::integer[], %(at)s::timestamptz[]) AS wanted (id, at)
WHERE assignments.id = wanted.id
"""
ASSIGN: Final = """
INSERT INTO assignments (organization_id, sensor_id, unit_id, valid_from)
SELECT %(organization)s, sensor, unit, at
FROM unnest(%(sensors)s::integer[], %(units)s::integer[], %(at)s::timestamptz[]) AS wanted (sensor, unit, at)
"""
RECORD: Final = """
INSERT INTO registry_changes (user_id, organization_id, kind, thing_id, action, effective_at, before, after, comment)
SELECT %(user)s, %(organization)s, kind, thing, action, at, before::jsonb, after::jsonb, %(comment)s
FROM unnest(%(kinds)s::text[], %(things)s::integer[], %(actions)s::text[], %(at)s::timestamptz[], %(before)s::text[], %(after)s::text[])
  AS wanted (kind, thing, action, at, before, after)
"""


@dataclass(slots=True)
class _Log:
    """What goes into registry_changes, by column."""

    kinds: list[str] = field(default_factory=list)
    things: list[int] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    at: list[datetime | None] = field(default_factory=list)
    before: list[str | None] = field(default_factory=list)
    after: list[str | None] = field(default_factory=list)

    def add(
        self,
        kind: str,
        thing: int,
        action: str,
        after: Mapping[str, object],
        *,
        before: Mapping[str, object] | None = None,
        at: datetime | None = None,
    ) -> None:
        """Take a change."""
        self.kinds.append(kind)
        self.things.append(thing)
        self.actions.append(action)
        self.at.append(at)
        self.before.append(None if before is None else msgspec.json.encode(before).decode())
        self.after.append(msgspec.json.encode(after).decode())


async def write_plan(transaction: Transaction, organization: int, plan: Plan, known: Known) -> None:
    """Write everything a plan has; one with errors has nothing to write and must not come here."""
    writer = _Writer(transaction, organization, plan, known)
    await writer.write_sites()
    await writer.write_units()
    await writer.write_devices()
    await writer.write_sensors()
    await writer.write_assignments()
    await writer.write_policies()
    await writer.write_log()


class _Writer:
    """Writes one plan, and knows the id of each name once it is there."""

    def __init__(self, transaction: Transaction, organization: int, plan: Plan, known: Known) -> None:
        self._transaction = transaction
        self._organization = organization
        self._plan = plan
        self._known = known
        self._sites = {name: site.id for name, site in known.sites.items()}
        self._units: dict[UnitKey, int] = {key: unit.id for key, unit in known.units.items()}
        self._devices = {eui: device.id for eui, device in known.devices.items()}
        self._sensors: dict[SensorKey, int] = {key: sensor.id for key, sensor in known.sensors.items()}
        self._log = _Log()

    async def write_sites(self) -> None:
        new = self._plan.new_sites
        rows = await self._rows(INSERT_SITES, new, names=list(new), zones=list(new.values()))
        for row in rows:
            self._sites[row["name"]] = row["id"]
            self._log.add("site", row["id"], "created", {"name": row["name"], "time_zone": new[row["name"]]})
        zones = self._plan.site_zones
        await self._run(CHANGE_SITES, zones, ids=[self._sites[name] for name in zones], zones=list(zones.values()))
        for name, zone in zones.items():
            before = {"time_zone": self._known.sites[name].time_zone}
            self._log.add("site", self._sites[name], "changed", {"time_zone": zone}, before=before)

    async def write_units(self) -> None:
        new = self._plan.new_units
        sites = [self._sites[site] for site, _ in new]
        rows = await self._rows(INSERT_UNITS, new, sites=sites, names=[name for _, name in new], kinds=list(new.values()))
        keys = {(self._sites[site], name): (site, name) for site, name in new}
        for row in rows:
            key = keys[row["site_id"], row["name"]]
            self._units[key] = row["id"]
            self._log.add("unit", row["id"], "created", {"site": row["site_id"], "name": row["name"], "kind": new[key]})
        kinds = self._plan.unit_kinds
        await self._run(CHANGE_UNITS, kinds, ids=[self._units[key] for key in kinds], kinds=list(kinds.values()))
        for key, kind in kinds.items():
            self._log.add("unit", self._units[key], "changed", {"kind": kind}, before={"kind": self._known.units[key].kind})

    async def write_devices(self) -> None:
        new = self._plan.new_devices
        rows = await self._rows(INSERT_DEVICES, new, euis=list(new), **_described(new.values()))
        self._devices.update({row["dev_eui"]: row["id"] for row in rows})
        changed = self._plan.device_changes
        await self._run(CHANGE_DEVICES, changed, ids=[self._devices[eui] for eui in changed], **_described(changed.values()))
        for (eui, probe), sensor in self._known.sensors.items():
            if eui in changed:
                before = asdict(self._known.devices[eui])
                before.pop("id")
                self._log.add("sensor", sensor.id, "changed", {"probe": probe, **asdict(changed[eui])}, before=before)

    async def write_sensors(self) -> None:
        new = self._plan.new_sensors
        devices = [self._devices[eui] for eui, _ in new]
        rows = await self._rows(INSERT_SENSORS, new, devices=devices, probes=[probe for _, probe in new])
        keys = {(device, probe): (eui, probe) for device, (eui, probe) in zip(devices, new, strict=True)}
        self._sensors.update({keys[row["device_id"], row["probe"]]: row["id"] for row in rows})
        versions = self._plan.configurations
        told = [terms.to_row() for _, _, terms in versions]
        await self._run(
            CONFIGURE,
            versions,
            sensors=[self._sensors[key] for key, _, _ in versions],
            at=[aware(at) for _, at, _ in versions],
            **{column: [row[column] for row in told] for column in COLUMNS},
        )
        made = set(new)
        for key, at, terms in versions:
            if key in made:
                self._log.add("sensor", self._sensors[key], "created", {"dev_eui": key[0], "probe": key[1], **terms.said()})
            else:
                known = self._known.sensors[key].terms
                before = None if known is None else known.said()
                self._log.add("sensor", self._sensors[key], "configured", terms.said(), before=before, at=aware(at))

    async def write_assignments(self) -> None:
        wanted = self._plan.assignments
        ended = [(one.ends.id, aware(one.at)) for one in wanted if one.ends is not None]
        await self._run(END, ended, ids=[number for number, _ in ended], at=[at for _, at in ended])
        await self._run(
            ASSIGN,
            wanted,
            sensors=[self._sensors[one.sensor] for one in wanted],
            units=[self._units[one.unit] for one in wanted],
            at=[aware(one.at) for one in wanted],
        )
        assigned = [(self._sensors[one.sensor], self._units[one.unit], aware(one.at)) for one in wanted]
        await repaint_assigned(self._transaction, self._organization, assigned)
        for one in wanted:
            before = None if one.ends is None else {"unit": one.ends.unit}
            action = "assigned" if one.ends is None else "moved"
            after = {"unit": self._units[one.unit]}
            self._log.add("sensor", self._sensors[one.sensor], action, after, before=before, at=aware(one.at))

    async def write_policies(self) -> None:
        wanted = self._plan.unit_policies
        await self._run(
            PUT_IN_FORCE,
            wanted,
            units=[self._units[key] for key in wanted],
            versions=[version for version, _ in wanted.values()],
            at=[aware(at) for _, at in wanted.values()],
        )
        for key, (version, at) in wanted.items():
            unit = self._known.units.get(key)
            before = None if unit is None or unit.policy_version is None else {"policy_version": unit.policy_version}
            self._log.add("unit", self._units[key], "put_in_force", {"policy_version": version}, before=before, at=aware(at))

    async def write_log(self) -> None:
        log = self._log
        values = {name: getattr(log, name) for name in _Log.__slots__}
        self._transaction.recorded.extend(zip(log.kinds, log.actions, strict=True))
        await self._run(RECORD, log.kinds, user=self._transaction.user, comment=self._transaction.comment or "import", **values)

    async def _rows(self, statement: str, wanted: Collection[object], **values: object) -> list[Row]:
        """Run a statement that returns ids, unless there is nothing for it to do."""
        if not wanted:
            return []
        return await self._transaction.rows(statement, {"organization": self._organization, **values})

    async def _run(self, statement: str, wanted: Collection[object], **values: object) -> None:
        if wanted:
            await self._transaction.execute(statement, {"organization": self._organization, **values})


def _described(devices: Collection[Described]) -> dict[str, list[str]]:
    return {
        "names": [device.name for device in devices],
        "brands": [device.brand_id for device in devices],
        "models": [device.model_id for device in devices],
    }
