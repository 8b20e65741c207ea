"""What of an uplink is believed and whose it is: the application, the time, the sensor of each probe, the calibrated value.

One set of rules for decode_uplinks and for the question what a dead letter would become today.
"""

from typing import Final

from pipelines.domain.decoders.message import Rejection, TtnMessage
from pipelines.domain.decoders.readings import Decoded, ProbeReading
from pipelines.domain.registered import Device, Sensor
from schemas.reasons import RejectReason

OLDEST_MS: Final = 35 * 24 * 60 * 60 * 1000
"""A measured_at longer before its received_at is rejected: `clock_wrong` (architecture 4.13)."""

NEWEST_MS: Final = 5 * 60 * 1000
"""A measured_at further after its received_at is rejected."""

MAIN: Final = "main"
"""A sensor registered for this probe takes the device's best-ranked one, faulty or not."""

COLDEST: Final = -10_000
HOTTEST: Final = 15_000
"""Hundredths; a calibrated value is still held to what can be true."""


def refusal(message: TtnMessage, application: str, received_at: int) -> Rejection | None:
    """Return why a message is refused whatever its payload says, or None.

    `application` is the one the webhook's secret belongs to; `received_at` is when the uplink first came (ms UTC).
    """
    if message.dev_eui is None:
        return Rejection(RejectReason.NO_DEVICE, "the message names no device EUI of 16 hexadecimal digits")
    if message.application_id is not None and message.application_id != application:
        return Rejection(
            RejectReason.FOREIGN_APPLICATION,
            f"the body is of application {message.application_id!r}, the webhook's secret of {application!r}",
        )
    if message.measured_at is None:
        return Rejection(RejectReason.CLOCK_WRONG, "the message carries no readable time")
    return clock_refusal(message.measured_at, received_at)


def clock_refusal(measured_at: int, received_at: int) -> Rejection | None:
    """Return why a time cannot be believed, or None."""
    if not received_at - OLDEST_MS <= measured_at <= received_at + NEWEST_MS:
        days = (measured_at - received_at) / 86_400_000
        return Rejection(
            RejectReason.CLOCK_WRONG, f"measured {days:+.3f} days from when it was received; -35 days to +5 minutes is believed"
        )
    return None


def unregistered(dev_eui: str | None) -> Rejection:
    """Return the rejection of an uplink whose device nobody registered."""
    return Rejection(RejectReason.UNASSIGNED, f"device {dev_eui} is not registered in this organization")


def unassigned(decoded: Decoded) -> Rejection:
    """Return the rejection of an uplink that no sensor takes a reading of."""
    probes = ", ".join(sorted({reading.probe for reading in decoded.readings}))
    return Rejection(RejectReason.UNASSIGNED, f"no sensor is assigned for any probe of this uplink ({probes})")


def sensor_of(reading: ProbeReading, decoded: Decoded, device: Device) -> Sensor | None:
    """Return the sensor a reading belongs to: the one registered for its probe, else the main one if it is the main probe's.

    A sensor that watched no unit when it was measured stands back for the main one: registering it must not silence that.
    """
    named = device.sensors.get(reading.probe)
    if named is not None and named.stamp(reading.measured_at) is not None:
        return named
    if decoded.main is None or reading.probe == decoded.main.probe:
        main = device.sensors.get(MAIN)
        if main is not None and (decoded.main is not None or reading.probe == MAIN):
            return main
    return named


def calibrated(reading: ProbeReading, calibration: int) -> tuple[int | None, RejectReason | None, str]:
    """Return a reading's temperature (hundredths) once calibrated, or the reason and detail of why it is not believed."""
    temperature = reading.temperature
    if temperature is None:
        return None, reading.fault, reading.detail
    temperature += calibration
    if not COLDEST <= temperature <= HOTTEST:
        return None, RejectReason.OUT_OF_RANGE, "outside -100..+150 degrees C once calibrated"
    return temperature, reading.fault, reading.detail
