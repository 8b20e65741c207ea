"""All uplinks of a simulated fleet, device by device: the pure part ends here.

A device's own uplinks are made strictly in order of `measured_at`; `deliveries` may deliver them in another order. The same
fleet, stages and mischief give the same bodies to the byte.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec

from infra.simulator.catalog import FACTS
from infra.simulator.chance import Eight, drawn, fraction, is_below, key_of
from infra.simulator.deliveries import delivered
from infra.simulator.envelope import Session
from infra.simulator.fleet import Device, Fleet, Trouble, Unit
from infra.simulator.frame import Payload, Sample, believed
from infra.simulator.happenings import Timetable, What
from infra.simulator.interior import Interior
from infra.simulator.mischief import Mischief
from infra.simulator.payloads import FRAMES
from infra.simulator.stages import Stage
from infra.simulator.uplink import Uplink, UplinkKind

__all__ = ["DeviceTraffic", "Uplink", "UplinkKind", "traffic_of"]

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
FOREIGN: Final = "of-somebody-else"
KEPT: Final = 500
"""Readings a device's log holds; the oldest are forgotten."""
SENT_AT_ONCE: Final = 3
"""Readings of one frame from the log."""
FRAMES_A_SLOT: Final = 2
"""Frames from the log in one interval, so that a backlog does not fill the air."""


class DeviceTraffic:
    """What one device sends through one stage after another; it remembers its session, frame count and log."""

    def __init__(self, fleet: Fleet, unit: Unit, device: Device, application: str, mischief: Mischief) -> None:
        """Start with a device that was just switched on."""
        self._unit = unit
        self._device = device
        self._frames = FRAMES[device.model]
        self._key = device.key
        self._mischief = mischief
        self._gateways = unit.site.gateways
        self._seed = fleet.seed
        self._application = application
        self._interior = Interior(unit, device)
        self._session: Session | None = None
        self._count = 0
        self._kept: list[tuple[int, Sample]] = []
        self._stage: Stage
        self._timetable: Timetable

    def uplinks(self, stage: Stage) -> Iterator[Uplink]:
        """Yield the stage's uplinks in the order of their delivery; for ever when the stage has no end."""
        self._stage = stage
        unit, mischief = self._unit, self._mischief
        self._timetable = Timetable(stage.begin, stage.happenings, unit.number, unit.site.name, unit.climate.key)
        outages = self._timetable.windows(What.WEBHOOK_OUT)
        if outages or mischief.retries or mischief.held:
            return delivered(self._made(stage), self._key, mischief, outages, stage.end)
        return self._made(stage)

    def _made(self, stage: Stage) -> Iterator[Uplink]:
        """Yield the stage's uplinks in the order of their making."""
        interval = stage.interval or FACTS[self._device.model].interval
        first = stage.begin + (ROOM + self._device.phase) * interval
        if stage.ramp:
            first += stage.ramp * fraction(self._key, 54)
        is_silent, timetable = self._unit.trouble is Trouble.SILENT, self._timetable
        place = 0
        while True:
            odds = drawn(self._key, stage.begin, place)
            at = int(first + (place + JITTER * odds[0] / (1 << 32)) * interval)
            if stage.end is not None and at >= stage.end:
                return
            if (is_silent and stage.silence.holds(at - stage.begin)) or (timetable and timetable.now(What.SILENT, at)):
                pass
            else:
                yield from self._slot(at, interval, odds)
            place += 1

    def _slot(self, at: int, interval: int, odds: Eight) -> Iterator[Uplink]:
        """Yield what the device sends in one interval that begins at an instant."""
        mischief, timetable = self._mischief, self._timetable
        aside = max(1, interval // 8)
        session, heard = self._session, self._heard(at)
        is_new = session is None or is_below(odds[1], mischief.joins) or (timetable and self._has_to_join(at, interval))
        if heard and is_new:
            session = self._session = Session(self._device, self._application, 0 if session is None else session.number + 1)
            yield self._join(session, at - 3 * aside)
        if session is None:
            return
        if is_below(odds[2], mischief.statuses) and heard and self._frames.status is not None:
            yield self._sent(session, UplinkKind.STATUS, self._frames.status(self._sample(at)), at - 2 * aside, heard)
        if not heard or is_below(odds[3], mischief.losses):
            self._count += 1
            if not heard:
                self._keep(at)
            return
        uplink = self._reading(session, at, heard, is_unplugged=is_below(odds[4], mischief.sentinels))
        if is_below(odds[5], mischief.duplicates):
            uplink = msgspec.structs.replace(uplink, is_twice=True)
            yield uplink
            yield msgspec.structs.replace(uplink, kind=UplinkKind.DUPLICATE, due_at=uplink.due_at + 5)
        else:
            yield uplink
        if self._kept:
            yield from self._log(session, at, aside, heard)
        if is_below(odds[6], mischief.strangers):
            yield self._strange(UplinkKind.STRANGER, at + aside)
        if mischief.foreign and is_below(odds[6] ^ odds[7], mischief.foreign):
            yield self._strange(UplinkKind.FOREIGN, at + aside + 1)
        if is_below(odds[7], mischief.garbage):
            body = GARBAGE[odds[0] % len(GARBAGE)]
            yield Uplink(UplinkKind.GARBAGE, "", 0, at + 2 * aside, at + 2 * aside, None, body)

    def _has_to_join(self, at: int, interval: int) -> bool:
        """Say whether the device is told to join again: once, at the beginning of the window."""
        window = self._timetable.now(What.REJOIN, at)
        return window is not None and at - window.begin < interval

    def _join(self, session: Session, at: int) -> Uplink:
        self._count = 0
        due_at = at + self._delay(at)
        return Uplink(UplinkKind.JOIN, self._device.dev_eui, 0, at, due_at, None, session.join_accept(at, due_at))

    def _keep(self, at: int) -> None:
        """Write a reading into the device's log, if it keeps one: it knows when no gateway answers, not of a single loss."""
        if self._frames.log is not None:
            self._kept.append((at, self._sample(at)))
            del self._kept[:-KEPT]

    def _log(self, session: Session, at: int, aside: int, heard: tuple[str, ...]) -> Iterator[Uplink]:
        """Yield frames of what the device's log holds, newest first."""
        assert self._frames.log is not None
        for frame in range(FRAMES_A_SLOT):
            entries = self._kept[: -SENT_AT_ONCE - 1 : -1]
            if not entries:
                return
            del self._kept[-SENT_AT_ONCE:]
            sent_at = at + (3 + 3 * frame) * aside // 4
            yield self._sent(session, UplinkKind.HISTORY, self._frames.log(entries, sent_at), sent_at, heard)

    def _reading(self, session: Session, at: int, heard: tuple[str, ...], *, is_unplugged: bool) -> Uplink:
        frames, sample = self._frames, self._sample(at)
        is_unplugged = is_unplugged or (bool(self._timetable) and self._timetable.now(What.PROBE_OFF, at) is not None)
        if is_unplugged and frames.unplugged is not None:
            return self._sent(session, UplinkKind.SENTINEL, frames.unplugged(sample), at, heard)
        payload = frames.measured(sample)
        if payload.hundredths is not None:
            return self._sent(session, UplinkKind.READING, payload, at, heard)
        is_door = FACTS[self._device.model].sees_door
        return self._sent(session, UplinkKind.DOOR if is_door else UplinkKind.SENTINEL, payload, at, heard)

    def _sent(self, session: Session, kind: UplinkKind, payload: Payload, at: int, heard: tuple[str, ...]) -> Uplink:
        """Return an uplink; where the network server's clock is wrong, `measured_at` is what it says."""
        count, self._count = self._count, self._count + 1
        due_at = at + self._delay(at)
        hundredths, gateway_by = payload.hundredths, 0
        if self._timetable:
            wrong, gateway = self._timetable.now(What.NETWORK_CLOCK, at), self._timetable.now(What.GATEWAY_CLOCK, at)
            gateway_by = gateway.by if gateway is not None else 0
            if wrong is not None:
                at += wrong.by
                if not believed(at, due_at):
                    kind, hundredths = UplinkKind.CLOCK, None
        body = session.uplink(payload, count, at, due_at, heard, gateway_by)
        return Uplink(kind, self._device.dev_eui, count, at, due_at, hundredths, body, history=payload.history)

    def _strange(self, kind: UplinkKind, at: int) -> Uplink:
        """Return what a neighbour's device sends, which nobody registered here, or our device for another application."""
        device, application = self._device, self._application
        if kind is UplinkKind.STRANGER:
            device = replace(device, dev_eui=f"{STRANGER_EUI + (self._seed & 0xFFFF):016X}", device_id="stranger")
        else:
            application = FOREIGN
        payload = self._frames.measured(self._sample(at))
        due_at, count = at + self._delay(at), key_of(self._key, at) & 0xFFFF
        body = Session(device, application, 0).uplink(payload, count, at, due_at, self._heard(at))
        return Uplink(kind, device.dev_eui, count, at, due_at, None, body)

    def _heard(self, at: int) -> tuple[str, ...]:
        """Return the gateways that hear an uplink, the nearest one first."""
        names = self._gateways
        nearest = self._key % len(names)
        others = HEARD[(self._key ^ at * 2_654_435_761) >> 8 & 15]
        places = [(nearest + other) % len(names) for other in range(others)]
        if self._timetable:
            out = [window.gateway for window in self._timetable.windows(What.GATEWAY_OUT) if window.holds(at)]
            places = [place for place in places if 0 not in out and place + 1 not in out]
        return tuple([names[place] for place in places])

    def _delay(self, at: int) -> int:
        """Return how many ms after the Network Server the Application Server delivers."""
        return 25 + ((self._key ^ at * 2_654_435_761) >> 12 & 63)

    def _sample(self, at: int) -> Sample:
        return self._interior.sample(self._stage, self._timetable, at)


HEARD: Final = (1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3)
"""By how many gateways an uplink is heard, each as likely as the others."""


def traffic_of(fleet: Fleet, application: str, mischief: Mischief) -> list[DeviceTraffic]:
    """Return the traffic of each device of a fleet."""
    return [DeviceTraffic(fleet, unit, device, application, mischief) for unit in fleet.units for device in unit.devices]
