"""What becomes of conditions on record: compared with what stands, so that nothing is begun or ended twice, and written.

A condition begins a version where none of its kind stands of that sensor (or device, or band), and ends the one that stands.
Anything else was found before a crash, or by a state that a revision has replaced, and changes nothing.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, assert_never

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from pipelines.domain.conditions.facts import (
    BatteryLevel,
    ConditionEnd,
    ConditionKind,
    Detail,
    FaultMarks,
    OpenTime,
    PendingRun,
    Rejections,
    SameValue,
)
from pipelines.domain.conditions.terms import Alert
from pipelines.domain.instants import format_instant
from pipelines.engine.judgements import ConditionChange, Fact, SettledFact, StandingFact
from pipelines.engine.outbox import Tell
from pipelines.engine.telling import site_of
from schemas.events import AlertData, EventName
from schemas.ids import band_condition_id
from schemas.reasons import RejectReason

STANDING: Final = """
SELECT o.condition_id, o.device_id, o.sensor_id, o.kind, o.band, o.alert, coalesce(o.unit_id, 0), o.organization_id, (extract(epoch FROM o.started_at) * 1000)::bigint,
  (extract(epoch FROM coalesce(o.opened_at, o.started_at)) * 1000)::bigint, o.detail
FROM open_conditions o
WHERE o.kind <> 'offline' AND (o.device_id = ANY(%(devices)s) OR o.sensor_id = ANY(%(sensors)s))
"""
VERSIONS: Final = """
SELECT condition_id, max(version) FROM condition_events
WHERE condition_id = ANY(%(ids)s) AND started_at >= to_timestamp(%(earliest)s / 1000.0) GROUP BY 1
"""
INSERT: Final = """
INSERT INTO condition_events (condition_id, version, started_at, known_at, organization_id, device_id, sensor_id, unit_id, kind, band, alert,
  opened_at, ended_at, closed_at, ended_by, detail, uplink_partition, uplink_offset)
VALUES (%(id)s, %(version)s, to_timestamp(%(started_at)s / 1000.0), now(), %(organization)s, %(device)s, %(sensor)s, %(unit)s, %(kind)s,
  %(band)s, %(alert)s, to_timestamp(%(opened_at)s / 1000.0), to_timestamp(%(ended_at)s / 1000.0), to_timestamp(%(closed_at)s / 1000.0),
  %(ended_by)s, %(detail)s, %(partition)s, %(offset)s)
"""
OPEN: Final = """
INSERT INTO open_conditions (condition_id, organization_id, device_id, sensor_id, unit_id, kind, band, alert, started_at, opened_at, detail)
VALUES (%(id)s, %(organization)s, %(device)s, %(sensor)s, %(unit)s, %(kind)s, %(band)s, %(alert)s,
  to_timestamp(%(started_at)s / 1000.0), to_timestamp(%(opened_at)s / 1000.0), %(detail)s)
"""
CLOSE: Final = "DELETE FROM open_conditions WHERE condition_id = %(id)s"

Key = tuple[int, int, str, str]
"""Device, sensor (0 for the device itself), kind and band: of these one stands at most."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A condition that stands on record."""

    id: uuid.UUID
    alert: Alert
    unit: int
    organization: int
    started_at: int
    opened_at: int
    detail: Mapping[str, Any]
    """What it stands on, as `detail_of` wrote it."""


@dataclass(frozen=True, slots=True)
class ConditionVersion:
    """A version to write: the change as it is told, under its id."""

    id: uuid.UUID
    version: int
    change: ConditionChange


class StandingConditions:
    """What stands of some devices and sensors, followed through the changes of one transaction."""

    def __init__(self, connection: psycopg.Connection, facts: Iterable[Fact]) -> None:
        """Read what stands of those that some facts speak of."""
        changes = [change for fact in facts for change in changes_of(fact)]
        sensors, devices = set[int](), {change.device for change in changes}
        for fact in facts:
            if isinstance(fact, SettledFact):
                sensors.add(fact.sensor)
            elif isinstance(fact, StandingFact):
                sensors |= fact.sensors
                devices |= fact.devices
        self._standing: dict[Key, Standing] = {}
        self._versions: dict[uuid.UUID, int] = {}
        if not devices and not sensors:
            return
        named = {"devices": sorted(devices), "sensors": sorted(sensors)}
        for number, device, sensor, kind, band, alert, *rest in connection.execute(STANDING, named):
            self._standing[device, sensor, kind, band] = Standing(number, Alert(alert), *rest)
        ids = [one.id for one in self._standing.values()] + [id_of(change) for change in changes]
        earliest = min([one.started_at for one in self._standing.values()] + [change.started_at for change in changes], default=0)
        if ids:
            self._versions.update(connection.execute(VERSIONS, {"ids": ids, "earliest": earliest}).fetchall())

    def take(self, change: ConditionChange) -> ConditionVersion | None:
        """Return the version that a change makes, None where it changes nothing on record."""
        key = key_of(change)
        standing = self._standing.get(key)
        if change.closed_at is None:
            if standing is not None:
                return None
            number = id_of(change)
            place = (change.unit, change.organization)
            self._standing[key] = Standing(number, change.alert, *place, change.started_at, change.opened_at, detail_of(change))
            return self._version(number, change)
        if standing is None:
            return None
        del self._standing[key]
        return self._version(standing.id, as_begun(change, standing))

    def settle(self, fact: SettledFact) -> list[ConditionVersion]:
        """Return the versions that a revision's state makes: what is possible now begins, what stands and is not so is over."""
        kept = {change.band for change in fact.possible}
        versions = [version for change in fact.possible if (version := self.take(change)) is not None]
        for (device, sensor, kind, band), standing in list(self._standing.items()):
            if sensor == fact.sensor and kind == ConditionKind.POSSIBLE_EXCURSION.value and band not in kept:
                del self._standing[device, sensor, kind, band]
                versions.append(self._version(standing.id, disproved(fact, (device, sensor, kind, band), standing, ConditionEnd.RECOVERY)))
        return versions

    def compare(self, fact: StandingFact) -> list[ConditionVersion]:
        """Return the versions that make the record what a shard stands in: of what it knows that begins which is missing, and nothing else stands."""
        kept = {key_of(change) for change in fact.standing}
        versions = [version for change in fact.standing if (version := self.take(change)) is not None]
        for key, standing in list(self._standing.items()):
            if key not in kept and is_known(fact, key):
                del self._standing[key]
                versions.append(self._version(standing.id, disproved(fact, key, standing, ConditionEnd.REBUILT)))
        return versions

    def _version(self, number: uuid.UUID, change: ConditionChange) -> ConditionVersion:
        self._versions[number] = self._versions.get(number, 0) + 1
        return ConditionVersion(number, self._versions[number], change)


def changes_of(fact: Fact) -> tuple[ConditionChange, ...]:
    """Return the conditions that a fact speaks of."""
    if isinstance(fact, ConditionChange):
        return (fact,)
    if isinstance(fact, StandingFact):
        return fact.standing
    return fact.possible if isinstance(fact, SettledFact) else ()


def key_of(change: ConditionChange) -> Key:
    """Return of what only one stands at most."""
    return change.device, change.sensor, change.kind.value, change.band


def is_known(fact: StandingFact, key: Key) -> bool:
    """Tell whether a shard that says what it stands in knows of a condition on record."""
    device, sensor, kind, _ = key
    if kind == ConditionKind.POSSIBLE_EXCURSION.value and sensor in fact.unsettled:
        return False
    return sensor in fact.sensors if sensor else device in fact.devices


def id_of(change: ConditionChange) -> uuid.UUID:
    """Return the id of the condition that a change would begin."""
    return band_condition_id(change.device, change.sensor, change.kind.value, change.band, change.started_at)


def as_begun(end: ConditionChange, standing: Standing) -> ConditionChange:
    """Return an end as that of the condition on record: told to those who were told of its beginning, and never before that."""
    assert end.ended_at is not None
    assert end.closed_at is not None
    return replace(
        end,
        alert=standing.alert,
        started_at=standing.started_at,
        opened_at=standing.opened_at,
        ended_at=max(end.ended_at, standing.started_at),
        closed_at=max(end.closed_at, standing.started_at),
    )


def disproved(fact: SettledFact | StandingFact, key: Key, standing: Standing, ended_by: ConditionEnd) -> ConditionChange:
    """Return the end of a condition on record of which a newer state knows nothing."""
    device, sensor, kind, band = key
    until = max(fact.until, standing.started_at)
    return ConditionChange(
        as_of=fact.as_of,
        received_at=fact.received_at,
        kind=ConditionKind(kind),
        device=device,
        sensor=sensor,
        unit=standing.unit,
        organization=standing.organization,
        band=band,
        alert=standing.alert,
        started_at=standing.started_at,
        opened_at=standing.opened_at,
        ended_at=until,
        closed_at=until,
        ended_by=ended_by.value,
        detail=detail_on_record(ConditionKind(kind), standing.detail),
    )


def detail_on_record(kind: ConditionKind, written: Mapping[str, Any]) -> Detail:
    """Return what `detail_of` wrote."""
    match kind:
        case ConditionKind.BATTERY_LOW:
            return BatteryLevel(**written)
        case ConditionKind.DOOR_OPEN:
            return OpenTime(**written)
        case ConditionKind.FROZEN_VALUE:
            return SameValue(**written)
        case ConditionKind.SENSOR_FAULT:
            return FaultMarks(written["marks"], RejectReason(written["reason"]))
        case ConditionKind.CLOCK_WRONG:
            return Rejections(**written)
        case ConditionKind.POSSIBLE_EXCURSION:
            return PendingRun(**written)
        case _:
            assert_never(kind)


def write_conditions(connection: psycopg.Connection, versions: Iterable[tuple[ConditionVersion, int]]) -> None:
    """Write versions, each with its partition, and what stands after them."""
    with connection.cursor() as cursor:
        for one, partition in versions:
            change = one.change
            values = {
                "id": one.id,
                "version": one.version,
                "started_at": change.started_at,
                "organization": change.organization,
                "device": change.device,
                "sensor": change.sensor,
                "unit": change.unit or None,
                "kind": change.kind.value,
                "band": change.band,
                "alert": change.alert.value,
                "opened_at": change.opened_at,
                "ended_at": change.ended_at,
                "closed_at": change.closed_at,
                "ended_by": change.ended_by,
                "detail": Jsonb(detail_of(change)),
                "partition": partition,
                "offset": change.as_of,
            }
            cursor.execute(INSERT, values)
            cursor.execute(OPEN if change.closed_at is None else CLOSE, values)


def detail_of(change: ConditionChange) -> dict[str, object]:
    """Return what a condition stands on, by name."""
    detail = msgspec.structs.asdict(change.detail)
    return {name: getattr(value, "value", value) for name, value in detail.items()}


def tell_of_condition(connection: psycopg.Connection, one: ConditionVersion) -> Tell | None:
    """Return the event of a version; None where nobody is to be told."""
    change = one.change
    if change.alert is Alert.NONE:
        return None
    data = AlertData(
        id=str(one.id),
        version=one.version,
        category=change.kind.value,
        severity=change.alert.value,
        sensor=change.sensor or None,
        device=change.device,
        started_at=format_instant(change.started_at),
        opened_at=format_instant(change.opened_at),
        caused_by_received_at=format_instant(change.received_at),
        band=change.band or None,
        ended_at=None if change.ended_at is None else format_instant(change.ended_at),
        closed_at=None if change.closed_at is None else format_instant(change.closed_at),
        ended_by=change.ended_by,
    )
    event = EventName.ALERT_TRIGGERED if change.closed_at is None else EventName.ALERT_RESOLVED
    return Tell(change.organization, site_of(connection, change.unit), change.unit, event, data, change.received_at)
