"""Makers with a wired probe in our catalog: Decentlab DL-DS18, Elsys ELT-2, Netvox R718B and R718CK, Enless, Laird RS1xx, nke Watteco."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from infra.simulator.frame import Entries, Payload, Sample, believed, half_away, nearest, signed, unsigned

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAIRD_EPOCH: Final = 1_420_070_400
"""Laird counts seconds from the beginning of 2015."""


def decentlab(sample: Sample) -> Payload:
    """DL-DS18: sixteenths of a degree, each value with its name and unit."""
    sixteenths, millivolts = nearest(sample.inside * 16), sample.millivolts
    raw = bytes([2, 0x02, 0x3D, 0, 3]) + unsigned(sixteenths + 32768) + unsigned(millivolts)
    temperature = {"displayName": "Temperature", "unit": "°C", "value": sixteenths / 16}
    return Payload(1, raw, {**_decentlab(millivolts), "temperature": temperature}, half_away(sixteenths * 100, 16))


def decentlab_status(sample: Sample) -> Payload:
    """The battery alone."""
    millivolts = sample.millivolts
    return Payload(1, bytes([2, 0x02, 0x3D, 0, 2]) + unsigned(millivolts), _decentlab(millivolts), None)


def _decentlab(millivolts: int) -> dict[str, Any]:
    battery = {"displayName": "Battery voltage", "unit": "V", "value": millivolts / 1000}
    return {"battery_voltage": battery, "device_id": 573, "protocol_version": 2}


def elt(sample: Sample) -> Payload:
    """Elsys ELT-2: the probe beside the room's air, in tenths; the battery in millivolts."""
    outside, probe, percent, millivolts = (
        nearest(sample.around * 10),
        nearest(sample.inside * 10),
        round(min(99.0, sample.humidity)),
        sample.millivolts,
    )
    raw = b"\x01" + signed(outside) + bytes([0x02, percent, 0x07]) + unsigned(millivolts) + b"\x0c" + signed(probe)
    decoded = {"externalTemperature": probe / 10, "humidity": percent, "temperature": outside / 10, "vdd": millivolts}
    return Payload(5, raw, decoded, probe * 10)


def elsys_status(sample: Sample) -> Payload:
    """The battery alone."""
    return Payload(5, b"\x07" + unsigned(sample.millivolts), {"vdd": sample.millivolts}, None)


def netvox(name: str, type_number: int, sample: Sample) -> Payload:
    """R718B (Pt100) and R718CK (thermocouple): a device type, the battery and tenths of a degree in frames of eleven bytes."""
    tenths, tenths_of_volt = nearest(sample.inside * 10), nearest(sample.volts * 10)
    raw = bytes([0x01, type_number, 0x01, tenths_of_volt]) + signed(tenths) + bytes(5)
    return Payload(6, raw, {"Device": name, "Temp": tenths / 10, "Volt": tenths_of_volt / 10}, tenths * 10)


def netvox_status(name: str, type_number: int, sample: Sample) -> Payload:  # noqa: ARG001 - a frame of any sample
    """What it says after it joined."""
    raw = bytes([0x01, type_number, 0x00, 10, 3]) + bytes.fromhex("20201208") + bytes(2)
    return Payload(6, raw, {"Device": name, "SWver": 1.0, "HWver": 3, "Datecode": "20201208"}, None)


def enless(sample: Sample) -> Payload:
    """TX TEMP CONT1: a contact probe in tenths."""
    tenths = nearest(sample.inside * 10)
    raw = b"\x00\x00\xdc\x0f\x0a\x01" + signed(tenths) + bytes(6)
    return Payload(1, raw, _enless({"values": {"temperature_1": {"unit": "°C", "value": tenths / 10}}}), tenths * 10)


def enless_status(sample: Sample) -> Payload:  # noqa: ARG001 - a frame of any sample
    """A frame without a value."""
    return Payload(1, b"\x00\x00\xdc\x0f\x0a\x01", _enless({}), None)


def _enless(values: dict[str, Any]) -> dict[str, Any]:
    states = {"battery": "100%", "msg_type": "normal"}
    alarms = {"temperature_1": {"high": False, "low": False}}
    return {"alarm_status": alarms, "fw_version": 1, "id": 220, "seq_counter": 10, "states": states, "type": 15, **values}


def laird(sample: Sample) -> Payload:
    """RS1xx with an RTD: hundredths and whole degrees apart; the battery as a range in words."""
    hundredths = nearest(sample.inside * 100)
    raw = b"\x0b\x00" + _laird(hundredths) + b"\x05" + bytes(4)
    decoded = {
        "msgType": "Laird_RTD",
        "options": ["None"],
        "batteryCapacity": "80-100%",
        "temperature": hundredths / 100,
        "alarmMsgCount": 0,
        "backlogMsgCount": 0,
    }
    return Payload(1, raw, decoded, hundredths)


def laird_log(entries: Entries, at: int) -> Payload:
    """Readings of the backlog, each with the device's own time as an object of year, month by name and so on."""
    raw, readings, expected = bytes([0x04, 0x00, len(entries)]), [], []
    for _, sample in entries:
        seconds, hundredths = sample.clock // 1000, nearest(sample.inside * 100)
        raw += (seconds - LAIRD_EPOCH & 0xFFFF_FFFF).to_bytes(4, "big") + _laird(hundredths)
        readings.append({"timestamp": _parts(seconds), "temperature": hundredths / 100})
        if believed(seconds * 1000, at):
            expected.append((seconds * 1000, hundredths))
    decoded = {"msgType": "SendBackLogMessages", "options": ["None"], "numberOfReadings": len(entries), "readings": readings}
    return Payload(1, raw, decoded, None, tuple(expected))


def laird_status(sample: Sample) -> Payload:
    """The battery's voltage."""
    hundredths = nearest(sample.volts * 100)
    decoded = {"msgType": "Laird_Battery_Voltage", "options": ["None"], "voltage": hundredths / 100}
    return Payload(1, b"\x0a\x00" + bytes([hundredths // 100, hundredths % 100]), decoded, None)


def _laird(hundredths: int) -> bytes:
    """Write the part after the point, then the whole degrees; both carry the sign."""
    whole = abs(hundredths) // 100
    sign = -1 if hundredths < 0 else 1
    return signed(sign * (abs(hundredths) - 100 * whole)) + signed(sign * whole)


def _parts(seconds: int) -> dict[str, Any]:
    at = EPOCH + timedelta(seconds=seconds)
    return {
        "year": at.year,
        "month": at.strftime("%B"),
        "day": at.day,
        "hours": at.hour,
        "minutes": at.minute,
        "seconds": at.second,
    }


def watteco(sample: Sample) -> Payload:
    """The nke Watteco remote temperature sensor: one attribute of a ZCL cluster, dated by the network server."""
    hundredths = nearest(sample.inside * 100)
    return Payload(
        125,
        b"\x11\x0a\x04\x02\x00\x00\x29" + signed(hundredths),
        _watteco("0x0402", "0x0000", "temperature", hundredths / 100, sample),
        hundredths,
    )


def watteco_status(sample: Sample) -> Payload:
    """The battery's voltage."""
    millivolts = sample.millivolts
    raw = b"\x11\x0a\x00\x50\x00\x06\x41\x05\x01\x04" + unsigned(millivolts) + b"\x04"
    return Payload(125, raw, _watteco("0x0050", "0x0006", "BatteryVoltage", millivolts / 1000, sample), None)


def _watteco(cluster: str, attribute: str, label: str, value: float, sample: Sample) -> dict[str, Any]:
    date = (EPOCH + timedelta(milliseconds=sample.clock)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    header = {"alarm": 0, "attributID": attribute, "clusterdID": cluster, "cmdID": "0x0A", "endpoint": 0, "report": "standard"}
    return {"data": [{"date": date, "label": label, "value": value}], "zclheader": header}
