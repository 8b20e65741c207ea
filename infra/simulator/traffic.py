"""All uplinks of a simulated fleet, device by device, in event-time order: the pure part ends here.

A device's own uplinks are strictly in order of `measured_at` (a duplicate follows its original). The same fleet, stages
and mischief give the same bodies to the byte.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from infra.simulator import physics
from infra.simulator.chance import between, fraction, key_of
from infra.simulator.envelope import Session, encoded, join_accept, uplink_message
from infra.simulator.fleet import Device, Fleet, Trouble, Unit
from infra.simulator.mischief import Mischief
from infra.simulator.payloads import Payload, Sample, measured, status, unplugged
from infra.simulator.stages import Stage

GARBAGE: Final = (
    b"",
    b"not json",
    b'{"end_device_ids": ',
    b"[]",
    b'{"uplink_message": {"f_port": 2}}',
    b'{"end_device_ids": {"dev_eui": "not hexadecimal"}, "uplink_message": {}}',
    b"\xff\xfe\x00\x01",
)
ROOM: Final = 0.4
"""Of an interval: what comes before a device's first reading still lies within the stage."""
STRANGER_EUI: Final = 0xFE00_0000_0000_0000


class UplinkKind(StrEnum):
    """What an uplink was made as."""

    READING = "reading"
    DOOR = "door"
    STATUS = "status"
    JOIN = "join"
    DUPLICATE = "duplicate"
    SENTINEL = "sentinel"
    STRANGER = "stranger"
    GARBAGE = "garbage"


@dataclass(frozen=True, slots=True)
class Uplink:
    """One request to the webhook; times in ms UTC."""

    kind: UplinkKind
    dev_eui: str
    """Empty for garbage."""
    count: int
    measured_at: int
    due_at: int
    """When The Things Stack would send it: the message's outer `received_at`."""
    hundredths: int | None
    """The temperature that must be stored for it, in hundredths of a degree Celsius."""
    body: bytes


class DeviceTraffic:
    """What one device sends through one stage after another; it remembers its session and frame count."""

    def __init__(self, fleet: Fleet, unit: Unit, device: Device, application: str, mischief: Mischief) -> None:
        """Start with a device that was just switched on."""
        self._unit = unit
        self._device = device
        self._mischief = mischief
        self._stranger = replace(device, dev_eui=f"{STRANGER_EUI + (fleet.seed & 0xFFFF):016X}", device_id="stranger")
        self._application = application
        self._session: Session | None = None
        self._count = 0
        self._opened = 0
        self._reported_at = 0

    def uplinks(self, stage: Stage) -> Iterator[Uplink]:
        """Yield the stage's uplinks in order; for ever when the stage has no end."""
        phase = fraction(self._device.key, 50)
        place = 0
        while True:
            jitter = between(0, 0.04, self._device.key, 51, stage.begin, place)
            at = stage.begin + int((place + ROOM + 0.9 * phase + jitter) * stage.interval)
            if stage.end is not None and at >= stage.end:
                return
            silent = self._unit.trouble is Trouble.SILENT and stage.silence.holds(at - stage.begin)
            if not silent:
                yield from self._slot(stage, at)
            place += 1

    def _slot(self, stage: Stage, at: int) -> Iterator[Uplink]:
        """Yield what the device sends in one interval that begins at an instant."""
        mischief, chance = self._mischief, (self._device.key, at)
        aside = max(1, stage.interval // 8)
        if self._session is None or fraction(*chance, 60) < mischief.joins:
            yield self._join(at - 3 * aside)
        if fraction(*chance, 61) < mischief.statuses:
            yield self._sent(UplinkKind.STATUS, status(self._device.model, self._sample(stage, at)), at - 2 * aside)
        if fraction(*chance, 62) < mischief.losses:
            self._count += 1
            return
        uplink = self._reading(stage, at, is_unplugged=fraction(*chance, 63) < mischief.sentinels)
        yield uplink
        if fraction(*chance, 64) < mischief.duplicates:
            yield replace(uplink, kind=UplinkKind.DUPLICATE, due_at=uplink.due_at + 5)
        if fraction(*chance, 65) < mischief.strangers:
            yield self._strange(stage, at + aside)
        if fraction(*chance, 66) < mischief.garbage:
            body = GARBAGE[int(fraction(*chance, 67) * len(GARBAGE))]
            yield Uplink(UplinkKind.GARBAGE, "", 0, at + 2 * aside, at + 2 * aside, None, body)

    def _join(self, at: int) -> Uplink:
        number = 0 if self._session is None else self._session.number + 1
        self._session = Session(self._device, self._application, number)
        self._count = 0
        due_at = at + _delay(self._device.key, at)
        body = encoded(join_accept(self._session, at, due_at))
        return Uplink(UplinkKind.JOIN, self._device.dev_eui, 0, at, due_at, None, body)

    def _reading(self, stage: Stage, at: int, *, is_unplugged: bool) -> Uplink:
        model, sample = self._device.model, self._sample(stage, at)
        broken = unplugged(model, sample) if is_unplugged else None
        if broken is not None:
            return self._sent(UplinkKind.SENTINEL, broken, at)
        payload = measured(model, sample)
        return self._sent(UplinkKind.DOOR if payload.hundredths is None else UplinkKind.READING, payload, at)

    def _sent(self, kind: UplinkKind, payload: Payload, at: int) -> Uplink:
        assert self._session is not None
        count, self._count = self._count, self._count + 1
        due_at = at + _delay(self._device.key, at)
        body = encoded(uplink_message(self._session, payload, count, at, due_at))
        return Uplink(kind, self._device.dev_eui, count, at, due_at, payload.hundredths, body)

    def _strange(self, stage: Stage, at: int) -> Uplink:
        session = Session(self._stranger, self._application, 0)
        payload = measured(self._device.model, self._sample(stage, at))
        due_at = at + _delay(self._device.key, at)
        count = key_of(self._device.key, at) & 0xFFFF
        body = encoded(uplink_message(session, payload, count, at, due_at))
        return Uplink(UplinkKind.STRANGER, self._stranger.dev_eui, count, at, due_at, None, body)

    def _sample(self, stage: Stage, at: int) -> Sample:
        unit, moment = self._unit, stage.moment(at)
        climate = unit.climate
        failures = stage.failures if unit.trouble is Trouble.FAILING else None
        opened, length = physics.door_openings(climate, moment, self._reported_at or moment)
        self._reported_at = max(self._reported_at, moment)
        self._opened = (self._opened + opened) & 0xFFFFFF
        charge = 100 - key_of(self._device.key, 52) % 40
        return Sample(
            inside=physics.inside(climate, moment, origin=stage.origin, failures=failures),
            around=physics.around(climate, moment),
            humidity=physics.humidity(climate, moment),
            volts=2.9 + charge / 400,
            charge=charge,
            door_open=physics.door_is_open(climate, moment),
            openings=self._opened,
            last_opening_minutes=length // physics.MINUTE,
        )


def _delay(key: int, at: int) -> int:
    """Return how many ms after the Network Server the Application Server delivers."""
    return int(between(25, 90, key, 53, at))


def traffic_of(fleet: Fleet, application: str, mischief: Mischief) -> list[DeviceTraffic]:
    """Return the traffic of each device of a fleet."""
    return [DeviceTraffic(fleet, unit, device, application, mischief) for unit in fleet.units for device in unit.devices]


def lanes(traffic: list[DeviceTraffic], stage: Stage, count: int) -> list[Iterator[Uplink]]:
    """Deal the devices to at most `count` lanes; each lane yields its devices' uplinks merged by when they are due.

    A duplicate or a stranger stays in its device's lane, so whoever sends a lane one by one keeps each device in order.
    """
    used = min(count, len(traffic))
    return [heapq.merge(*(one.uplinks(stage) for one in traffic[lane::used]), key=lambda uplink: uplink.due_at) for lane in range(used)]
