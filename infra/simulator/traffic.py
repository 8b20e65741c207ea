"""All uplinks of a simulated fleet, device by device, in event-time order: the pure part ends here.

A device's own uplinks are strictly in order of `measured_at` (a duplicate follows its original). The same fleet, stages
and mischief give the same bodies to the byte.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import Final

import msgspec

from infra.simulator import physics
from infra.simulator.chance import Eight, drawn, is_below, key_of
from infra.simulator.envelope import Session
from infra.simulator.fleet import Device, Fleet, Trouble, Unit
from infra.simulator.mischief import Mischief
from infra.simulator.payloads import FEELS_THE_ROOM, SEES_THE_DOOR, Payload, Sample, measured, status, unplugged
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
JITTER: Final = 0.04
"""Of an interval: how far a device's own clock lets it wander."""
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


class Uplink(msgspec.Struct, frozen=True, gc=False):
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
        self._key = device.key
        self._mischief = mischief
        self._gateways = unit.site.gateways
        self._seed = fleet.seed
        self._application = application
        self._session: Session | None = None
        self._count = 0
        self._opened = 0
        self._reported_at = 0
        self._charge = 100 - key_of(device.key, 52) % 40

    def uplinks(self, stage: Stage) -> Iterator[Uplink]:
        """Yield the stage's uplinks in order; for ever when the stage has no end."""
        first = stage.begin + (ROOM + self._device.phase) * stage.interval
        is_silent = self._unit.trouble is Trouble.SILENT
        place = 0
        while True:
            odds = drawn(self._key, stage.begin, place)
            at = int(first + (place + JITTER * odds[0] / (1 << 32)) * stage.interval)
            if stage.end is not None and at >= stage.end:
                return
            if not (is_silent and stage.silence.holds(at - stage.begin)):
                yield from self._slot(stage, at, odds)
            place += 1

    def _slot(self, stage: Stage, at: int, odds: Eight) -> Iterator[Uplink]:
        """Yield what the device sends in one interval that begins at an instant."""
        mischief = self._mischief
        aside = max(1, stage.interval // 8)
        session = self._session
        if session is None or is_below(odds[1], mischief.joins):
            session = self._session = Session(self._device, self._application, 0 if session is None else session.number + 1)
            yield self._join(session, at - 3 * aside)
        if is_below(odds[2], mischief.statuses):
            yield self._sent(session, UplinkKind.STATUS, status(self._device.model, self._sample(stage, at)), at - 2 * aside)
        if is_below(odds[3], mischief.losses):
            self._count += 1
            return
        uplink = self._reading(session, stage, at, is_unplugged=is_below(odds[4], mischief.sentinels))
        yield uplink
        if is_below(odds[5], mischief.duplicates):
            yield msgspec.structs.replace(uplink, kind=UplinkKind.DUPLICATE, due_at=uplink.due_at + 5)
        if is_below(odds[6], mischief.strangers):
            yield self._strange(stage, at + aside)
        if is_below(odds[7], mischief.garbage):
            body = GARBAGE[odds[0] % len(GARBAGE)]
            yield Uplink(UplinkKind.GARBAGE, "", 0, at + 2 * aside, at + 2 * aside, None, body)

    def _join(self, session: Session, at: int) -> Uplink:
        self._count = 0
        due_at = at + self._delay(at)
        return Uplink(UplinkKind.JOIN, self._device.dev_eui, 0, at, due_at, None, session.join_accept(at, due_at))

    def _reading(self, session: Session, stage: Stage, at: int, *, is_unplugged: bool) -> Uplink:
        model, sample = self._device.model, self._sample(stage, at)
        broken = unplugged(model, sample) if is_unplugged else None
        if broken is not None:
            return self._sent(session, UplinkKind.SENTINEL, broken, at)
        payload = measured(model, sample)
        return self._sent(session, UplinkKind.DOOR if payload.hundredths is None else UplinkKind.READING, payload, at)

    def _sent(self, session: Session, kind: UplinkKind, payload: Payload, at: int) -> Uplink:
        count, self._count = self._count, self._count + 1
        due_at = at + self._delay(at)
        body = session.uplink(payload, count, at, due_at, self._heard(at))
        return Uplink(kind, self._device.dev_eui, count, at, due_at, payload.hundredths, body)

    def _strange(self, stage: Stage, at: int) -> Uplink:
        """Return what a neighbour's device sends, which nobody registered here."""
        eui = f"{STRANGER_EUI + (self._seed & 0xFFFF):016X}"
        session = Session(replace(self._device, dev_eui=eui, device_id="stranger"), self._application, 0)
        payload = measured(self._device.model, self._sample(stage, at))
        due_at, count = at + self._delay(at), key_of(self._key, at) & 0xFFFF
        return Uplink(UplinkKind.STRANGER, eui, count, at, due_at, None, session.uplink(payload, count, at, due_at, self._heard(at)))

    def _heard(self, at: int) -> tuple[str, ...]:
        """Return the gateways that hear an uplink, the nearest one first."""
        nearest = self._key % len(self._gateways)
        others = HEARD[(self._key ^ at * 2_654_435_761) >> 8 & 15]
        return tuple(self._gateways[(nearest + other) % len(self._gateways)] for other in range(others))

    def _delay(self, at: int) -> int:
        """Return how many ms after the Network Server the Application Server delivers."""
        return 25 + ((self._key ^ at * 2_654_435_761) >> 12 & 63)

    def _sample(self, stage: Stage, at: int) -> Sample:
        unit, moment, model = self._unit, stage.moment(at), self._device.model
        climate = unit.climate
        warmth = physics.let_in(climate, moment)
        opened, length = 0, 0
        if model in SEES_THE_DOOR:
            opened, length = physics.door_openings(climate, moment, self._reported_at or moment)
            self._reported_at = max(self._reported_at, moment)
            self._opened = (self._opened + opened) & 0xFFFFFF
        failures = stage.failures if unit.trouble is Trouble.FAILING else None
        return Sample(
            inside=physics.inside(climate, moment, origin=stage.origin, warmth=warmth, failures=failures),
            humidity=physics.humidity(climate, moment, warmth),
            volts=2.9 + self._charge / 400,
            charge=self._charge,
            around=physics.around(climate, moment) if model in FEELS_THE_ROOM else 0.0,
            door_open=model in SEES_THE_DOOR and physics.door_is_open(climate, moment),
            openings=self._opened,
            last_opening_minutes=length // physics.MINUTE,
        )


HEARD: Final = (1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3)
"""By how many gateways an uplink is heard, each as likely as the others."""


def traffic_of(fleet: Fleet, application: str, mischief: Mischief) -> list[DeviceTraffic]:
    """Return the traffic of each device of a fleet."""
    return [DeviceTraffic(fleet, unit, device, application, mischief) for unit in fleet.units for device in unit.devices]
