"""What decode_uplinks stamps readings with: devices, sensors, assignments, configurations and policies, as of an instant.

Devices are loaded when first heard and kept until the registry changes. Versions take effect at the earliest 5 s after they were
committed, and the registry is looked at again before a newer stamp than `FRESH_FOR_MS` after the last look is decoded: so every
decoder stamps alike. No wall time is read; the database's clock says when the look was.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import psycopg

from pipelines.connectors.clock import monotonic
from pipelines.connectors.metrics import REGISTRY_DEVICES, REGISTRY_LOADED, REGISTRY_LOOKS
from pipelines.domain.registered import Assignment, Device, Terms, Timeline
from schemas.partitions import device_partition

FRESH_FOR_MS: Final = 3_000
"""Versions are committed 5 s before they take effect; 2 s are left for clocks that differ."""

MAX_DEVICES: Final = 2_000_000
"""Devices kept in memory, known and unknown ones; beyond it the cache starts anew."""

DeviceKey = tuple[int, str]
"""Organization and device EUI."""


@dataclass(frozen=True, slots=True)
class AssignmentEnd:
    """An assignment that has, or will have, an end."""

    at: int
    sensor: int
    device: int
    organization: int
    unit: int
    assignment: int


@dataclass(frozen=True, slots=True)
class Rejudgement:
    """A sensor that must be judged again from an instant on, because a person corrected something; it is asked for at another."""

    at: int
    """ms UTC: by when every row is decoded that is not marked as corrected."""
    measured_from: int
    sensor: int
    device: int
    organization: int
    reason: str
    id: int = 0
    """Later ones have higher numbers, and no lower one is committed after a higher: the registry is changed by one at a time."""


class Registry:
    """Devices by organization and EUI, loaded as they are heard; and ends of assignments and rejudgements, by partition."""

    def __init__(self) -> None:
        """Know nothing."""
        self._ends: dict[int, list[AssignmentEnd]] = {}
        self._rejudgements: dict[int, list[Rejudgement]] = {}
        self._newest_rejudgement = 0
        self._devices: dict[DeviceKey, Device | None] = {}
        self._version = -1
        self._looked_at = -(1 << 62)
        self._looked_seconds = float("-inf")

    def prepare(self, connection: psycopg.Connection, keys: Iterable[DeviceKey], newest_stamp: int) -> None:
        """Make sure that `device` answers for these keys as of the newest stamp (ms UTC) about to be decoded."""
        now = monotonic()
        # By time that passes too: a clock of the database that is ahead must not put off the next look.
        if newest_stamp > self._looked_at + FRESH_FOR_MS or now - self._looked_seconds > FRESH_FOR_MS / 1_000:
            version, looked_at = _look(connection)
            stale = version != self._version or len(self._devices) > MAX_DEVICES
            REGISTRY_LOOKS.labels("reloaded" if stale else "unchanged").inc()
            if stale:
                self._devices.clear()
                self._ends = _load_ends(connection)
                self._add(_load_rejudgements(connection, self._newest_rejudgement))
                self._version = version
            self._looked_at = looked_at
            self._looked_seconds = now
        missing = sorted({key for key in keys if key not in self._devices})
        if missing:
            # In one step: a load that the database cut off must leave nothing behind that looks like "not registered".
            self._devices.update(dict.fromkeys(missing) | _load(connection, missing))
            REGISTRY_LOADED.inc(len(missing))
            REGISTRY_DEVICES.set(len(self._devices))

    def device(self, key: DeviceKey) -> Device | None:
        """Return a device, or None when it is not registered in that organization."""
        return self._devices[key]

    def ends(self, partition: int) -> list[AssignmentEnd]:
        """Return the ends of assignments of a partition's devices that have one, by instant and number."""
        return self._ends.get(partition, [])

    def rejudgements(self, partition: int, after: int) -> list[Rejudgement]:
        """Return what is to be judged again of a partition's devices, by number; those up to a number are let go, and never returned again."""
        several = self._rejudgements.get(partition, [])
        del several[: bisect_right(several, after, key=lambda one: one.id)]
        return several

    def _add(self, fresh: list[tuple[int, Rejudgement]]) -> None:
        for partition, one in fresh:
            self._rejudgements.setdefault(partition, []).append(one)
            self._newest_rejudgement = one.id


def _look(connection: psycopg.Connection) -> tuple[int, int]:
    row = connection.execute("SELECT version, (extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM registry_state").fetchone()
    assert row is not None, "the registry's only row is written by the first migration"
    return row[0], row[1]


_SENSORS: Final = """
SELECT d.organization_id, d.dev_eui, d.id, s.id, s.probe
FROM unnest(%s::integer[], %s::text[]) AS wanted (organization_id, dev_eui)
JOIN devices d USING (organization_id, dev_eui)
LEFT JOIN sensors s ON s.device_id = d.id
ORDER BY s.id
"""
_ASSIGNMENTS: Final = """
SELECT sensor_id, id, unit_id, (extract(epoch FROM valid_from) * 1000)::bigint, (extract(epoch FROM valid_to) * 1000)::bigint
FROM assignments WHERE sensor_id = ANY(%s) ORDER BY sensor_id, valid_from
"""
_CONFIGURATIONS: Final = """
SELECT sensor_id, (extract(epoch FROM effective_at) * 1000)::bigint, id, calibration_hundredths
FROM sensor_configurations WHERE sensor_id = ANY(%s) ORDER BY sensor_id, effective_at
"""
_POLICIES: Final = """
SELECT unit_id, (extract(epoch FROM effective_at) * 1000)::bigint, policy_version_id
FROM unit_policies WHERE unit_id = ANY(%s) ORDER BY unit_id, effective_at
"""


_ENDS: Final = """
SELECT d.dev_eui, (extract(epoch FROM a.valid_to) * 1000)::bigint, s.id, d.id, a.organization_id, a.unit_id, a.id
FROM assignments a JOIN sensors s ON s.id = a.sensor_id JOIN devices d ON d.id = s.device_id
WHERE a.valid_to > now() - interval '36 days' ORDER BY 2, a.id
"""


_REJUDGEMENTS: Final = """
SELECT d.dev_eui, (extract(epoch FROM j.effective_at) * 1000)::bigint, (extract(epoch FROM j.measured_from) * 1000)::bigint, s.id, d.id,
  s.organization_id, j.reason, j.id
FROM rejudgements j JOIN sensors s ON s.id = j.sensor_id JOIN devices d ON d.id = s.device_id
WHERE j.id > %s AND j.effective_at > now() - interval '36 days' ORDER BY j.id
"""

_STRETCHES: Final = """
SELECT sensor_id, (extract(epoch FROM starts_at) * 1000)::bigint, (extract(epoch FROM ends_at) * 1000)::bigint
FROM corrected_stretches WHERE sensor_id = ANY(%s) ORDER BY sensor_id, starts_at
"""


def _load_rejudgements(connection: psycopg.Connection, after: int) -> list[tuple[int, Rejudgement]]:
    """Return rejudgements behind a number, by number, each with its partition."""
    return [(device_partition(dev_eui), Rejudgement(*values)) for dev_eui, *values in connection.execute(_REJUDGEMENTS, [after])]


def _load_ends(connection: psycopg.Connection) -> dict[int, list[AssignmentEnd]]:
    ends: dict[int, list[AssignmentEnd]] = {}
    for dev_eui, *values in connection.execute(_ENDS):
        ends.setdefault(device_partition(dev_eui), []).append(AssignmentEnd(*values))
    return ends


def _load(connection: psycopg.Connection, keys: list[DeviceKey]) -> dict[DeviceKey, Device | None]:
    rows = connection.execute(_SENSORS, ([key[0] for key in keys], [key[1] for key in keys])).fetchall()
    ids = [row[3] for row in rows if row[3] is not None]
    assignments: dict[int, list[Assignment]] = {}
    for sensor, *values in connection.execute(_ASSIGNMENTS, (ids,)):
        assignments.setdefault(sensor, []).append(Assignment(*values))
    configurations: dict[int, list[tuple[int, int, int]]] = {}
    for sensor, *values in connection.execute(_CONFIGURATIONS, (ids,)):
        configurations.setdefault(sensor, []).append((values[0], values[1], values[2]))
    corrected: dict[int, list[tuple[int, int]]] = {}
    for sensor, since, until in connection.execute(_STRETCHES, (ids,)):
        corrected.setdefault(sensor, []).append((since, until))
    units = sorted({assignment.unit for several in assignments.values() for assignment in several})
    policies: dict[int, list[tuple[int, int]]] = {}
    for unit, effective_at, number in connection.execute(_POLICIES, (units,)):
        policies.setdefault(unit, []).append((effective_at, number))
    timelines = {unit: _timeline(several) for unit, several in policies.items()}
    found: dict[DeviceKey, Device | None] = {}
    for organization, dev_eui, device, sensor, probe in rows:
        known = found.get((organization, dev_eui))
        if known is None:
            known = found[organization, dev_eui] = Device(device, organization, {})
        if sensor is not None:
            versions = configurations.get(sensor, [])
            of_units = tuple(assignments.get(sensor, ()))
            terms = Terms(
                of_units,
                _timeline([(start, number) for start, number, _ in versions]),
                _timeline([(start, offset) for start, _, offset in versions]),
                {assignment.unit: timelines[assignment.unit] for assignment in of_units if assignment.unit in timelines},
                tuple(corrected.get(sensor, ())),
            )
            known.sensors[probe] = terms.sensor(sensor, probe)
    return found


def _timeline(entries: list[tuple[int, int]]) -> Timeline:
    return Timeline(tuple(start for start, _ in entries), tuple(number for _, number in entries))
