"""What an uplink's bytes would become today, with this decoder and this registry: nothing is written.

By the same rules as decode_uplinks, which tests/engine holds to it. What is stored already it does not know.
"""

from dataclasses import dataclass

from pipelines.domain.assigning import calibrated, clock_refusal, refusal, sensor_of, unassigned, unregistered
from pipelines.domain.decoders.decode import decode
from pipelines.domain.decoders.message import Rejection, TtnMessage, parse_message
from pipelines.domain.decoders.readings import Decoded
from pipelines.domain.registered import Device
from schemas.reasons import RejectReason


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A row that would be stored."""

    sensor: int
    unit: int
    probe: str
    measured_at: int
    """ms UTC."""
    temperature: int | None
    """Hundredths, calibrated; None in a fault mark and beside no temperature."""
    fault: RejectReason | None


@dataclass(frozen=True, slots=True)
class Prospect:
    """How an uplink would end."""

    ended_as: str
    """stored, no_reading, rejected or unassigned."""
    reason: RejectReason | None
    detail: str
    readings: tuple[Foreseen, ...]
    probes: tuple[str, ...]
    """What its payload was decoded to, registered or not."""

    @property
    def is_better(self) -> bool:
        """Whether it would leave something that is worth the writing."""
        return self.ended_as in ("stored", "no_reading")


def prospect(raw: bytes, application: str, received_at: int, device: Device | None) -> Prospect:
    """Return how an uplink would end; `received_at` is when it first came (ms UTC), `device` its row in the registry."""
    message = parse_message(raw)
    if isinstance(message, Rejection):
        return _ended("rejected", message)
    refused = refusal(message, application, received_at)
    if refused is not None:
        return _ended("rejected", refused)
    return _of_message(message, received_at, device)


def _of_message(message: TtnMessage, received_at: int, device: Device | None) -> Prospect:
    decoded = decode(message)
    probes = tuple(sorted({reading.probe for reading in decoded.readings}))
    if device is None:
        return _ended("unassigned", unregistered(message.dev_eui), probes)
    if decoded.rejection is not None:
        ended_as = "no_reading" if decoded.rejection.reason is RejectReason.NO_READING else "rejected"
        return _ended(ended_as, decoded.rejection, probes)
    return _of_readings(decoded, received_at, device, probes)


def _of_readings(decoded: Decoded, received_at: int, device: Device, probes: tuple[str, ...]) -> Prospect:
    found: list[Foreseen] = []
    rejected: list[Rejection] = []
    for reading in decoded.readings:
        sensor = sensor_of(reading, decoded, device)
        stamp = None if sensor is None else sensor.stamp(reading.measured_at)
        wrong = clock_refusal(reading.measured_at, received_at) if reading.history else None
        if wrong is not None:
            rejected.append(wrong)
        elif sensor is not None and stamp is not None:
            temperature, fault, detail = calibrated(reading, stamp.calibration)
            value = None if fault is not None else temperature
            found.append(Foreseen(sensor.id, stamp.unit, reading.probe, reading.measured_at, value, fault))
            if fault is not None:
                rejected.append(Rejection(fault, f"probe {reading.probe}: {detail}"))
    if any(one.fault is None for one in found):
        return Prospect("stored", None, "", tuple(found), probes)
    if rejected:
        return Prospect("rejected", rejected[0].reason, rejected[0].detail, tuple(found), probes)
    if device.sensors and all(reading.secondary for reading in decoded.readings):
        return Prospect("no_reading", None, "only a built-in sensor beside the registered probe was heard", (), probes)
    return _ended("unassigned", unassigned(decoded), probes)


def _ended(ended_as: str, rejection: Rejection, probes: tuple[str, ...] = ()) -> Prospect:
    return Prospect(ended_as, rejection.reason, rejection.detail, (), probes)
