"""What each device model sends: `decoded_payload` in its decoder's field names, the bytes it came from, and the port.

One function per model and kind of frame, from a pure sample to a payload. Field names and byte layouts are those of the
makers' decoders in the device repository of The Things Stack.
"""

import math
from typing import Any, Final, assert_never

import msgspec

from infra.simulator.catalog import Model

UNPLUGGED: Final = 0x7FFF
"""The raw value a DS18B20 input gives without a probe: 327.67 degrees in the decoded payload."""


class Sample(msgspec.Struct, frozen=True, gc=False):
    """What there is to measure: degrees Celsius, percent, volts; `charge` is the battery's in percent."""

    inside: float
    humidity: float
    volts: float
    charge: int
    clock: int
    """What the device takes the time for, ms UTC."""
    around: float = 0.0
    door_open: bool = False
    openings: int = 0
    last_opening_minutes: int = 0


class Payload(msgspec.Struct, frozen=True, gc=False):
    """One frame as the Application Server delivers it, and the temperature that must come of it."""

    port: int
    raw: bytes
    decoded: dict[str, Any]
    hundredths: int | None
    """Hundredths of a degree Celsius inside the unit; None when the frame carries none."""
    history: tuple[tuple[int, int], ...] = ()
    """What must come of a frame from the log: when measured (ms UTC) and hundredths of a degree."""


OLDEST_MS: Final = 35 * 86_400_000
NEWEST_MS: Final = 5 * 60_000
"""A time from OLDEST before to NEWEST after the instant of reception is believed."""


def believed(measured_at: int, received_at: int) -> bool:
    """Say whether a time of measurement is believed; both in ms UTC."""
    return received_at - OLDEST_MS <= measured_at <= received_at + NEWEST_MS


def measured(model: Model, sample: Sample) -> Payload:
    """Return the frame a device sends at each interval."""
    match model:
        case Model.LHT65:
            return _lht65(sample, _nearest(sample.inside * 16) * 100 / 16)
        case Model.EM300_TH | Model.EM320_TH:
            return _milesight(sample)
        case Model.DL_DS18:
            return _decentlab(sample)
        case Model.ELT_2:
            return _elsys(sample)
        case Model.LDS02:
            return _door(sample)
        case _:
            assert_never(model)


def unplugged(model: Model, sample: Sample) -> Payload | None:
    """Return the frame of a device whose probe has come off, None where the model has no sign for it."""
    return _lht65(sample, None) if model is Model.LHT65 else None


def status(model: Model, sample: Sample) -> Payload:
    """Return a frame that says how the device is and nothing of a temperature."""
    millivolts = round(sample.volts * 1000)
    match model:
        case Model.LHT65 | Model.LDS02:
            raw = bytes([0x0B, 0x01, 0x80, 0x01, 0xFF]) + millivolts.to_bytes(2, "big")
            decoded = {
                "SENSOR_MODEL": model.value.upper(),
                "FIRMWARE_VERSION": "1.8.0",
                "FREQUENCY_BAND": "EU868",
                "SUB_BAND": "NULL",
                "BAT": millivolts / 1000,
            }
            return Payload(5, raw, decoded, None)
        case Model.EM300_TH | Model.EM320_TH:
            return Payload(85, bytes([0x01, 0x75, sample.charge]), {"battery": sample.charge}, None)
        case Model.DL_DS18:
            raw = bytes([2, 0x02, 0x3D, 0, 2]) + millivolts.to_bytes(2, "big")
            return Payload(1, raw, _decentlab_frame(millivolts), None)
        case Model.ELT_2:
            return Payload(5, b"\x07" + millivolts.to_bytes(2, "big"), {"vdd": millivolts}, None)
        case _:
            assert_never(model)


def logged(model: Model, entries: list[tuple[int, Sample]], at: int) -> Payload:
    """Return a frame from the log of a model that keeps one: entries as they were measured, sent at an instant (ms UTC)."""
    match model:
        case Model.EM300_TH | Model.EM320_TH:
            return _milesight_log(entries, at)
        case Model.LHT65 | Model.DL_DS18 | Model.ELT_2 | Model.LDS02:
            message = f"{model} keeps no log"
            raise ValueError(message)
        case _:
            assert_never(model)


def _lht65(sample: Sample, probe: float | None) -> Payload:
    """`probe` in hundredths of a degree; None means no probe is plugged in."""
    external = UNPLUGGED if probe is None else _nearest(probe)
    built_in = _nearest((sample.inside + 0.35) * 100)
    wet = _nearest(sample.humidity * 10)
    millivolts = round(sample.volts * 1000)
    raw = ((3 << 14) | millivolts).to_bytes(2, "big") + _signed(built_in) + wet.to_bytes(2, "big") + b"\x01" + _signed(external)
    decoded = {
        "BatV": millivolts / 1000,
        "Bat_status": 3,
        "Ext_sensor": "Temperature Sensor",
        "Hum_SHT": wet / 10,
        "TempC_DS": external / 100,
        "TempC_SHT": built_in / 100,
    }
    return Payload(2, raw + b"\x7f\xff", decoded, None if probe is None else external)


def _milesight(sample: Sample) -> Payload:
    tenths = _nearest(sample.inside * 10)
    half_percents = _nearest(sample.humidity * 2)
    raw = bytes([0x01, 0x75, sample.charge, 0x03, 0x67]) + tenths.to_bytes(2, "little", signed=True) + bytes([0x04, 0x68, half_percents])
    decoded = {"battery": sample.charge, "humidity": half_percents / 2, "temperature": tenths / 10}
    return Payload(85, raw, decoded, tenths * 10)


def _milesight_log(entries: list[tuple[int, Sample]], at: int) -> Payload:
    raw, history, expected = b"", [], []
    for _, sample in entries:
        seconds, tenths, half_percents = sample.clock // 1000, _nearest(sample.inside * 10), _nearest(sample.humidity * 2)
        raw += b"\x20\xce" + (seconds & 0xFFFF_FFFF).to_bytes(4, "little")
        raw += tenths.to_bytes(2, "little", signed=True) + bytes([half_percents])
        history.append({"humidity": half_percents / 2, "temperature": tenths / 10, "timestamp": seconds})
        if believed(seconds * 1000, at):
            expected.append((seconds * 1000, tenths * 10))
    return Payload(85, raw, {"history": history}, None, tuple(expected))


def _decentlab(sample: Sample) -> Payload:
    sixteenths = _nearest(sample.inside * 16)
    millivolts = round(sample.volts * 1000)
    raw = bytes([2, 0x02, 0x3D, 0, 3]) + (sixteenths + 32768).to_bytes(2, "big") + millivolts.to_bytes(2, "big")
    temperature = {"displayName": "Temperature", "unit": "°C", "value": sixteenths / 16}
    decoded = {**_decentlab_frame(millivolts), "temperature": temperature}
    return Payload(1, raw, decoded, _half_away(sixteenths * 100, 16))


def _decentlab_frame(millivolts: int) -> dict[str, Any]:
    battery = {"displayName": "Battery voltage", "unit": "V", "value": millivolts / 1000}
    return {"battery_voltage": battery, "device_id": 573, "protocol_version": 2}


def _elsys(sample: Sample) -> Payload:
    outside = _nearest(sample.around * 10)
    probe = _nearest(sample.inside * 10)
    percent = round(min(99.0, sample.humidity))
    millivolts = round(sample.volts * 1000)
    raw = b"\x01" + _signed(outside) + bytes([0x02, percent, 0x07]) + millivolts.to_bytes(2, "big") + b"\x0c" + _signed(probe)
    decoded = {"externalTemperature": probe / 10, "humidity": percent, "temperature": outside / 10, "vdd": millivolts}
    return Payload(5, raw, decoded, probe * 10)


def _door(sample: Sample) -> Payload:
    millivolts = round(sample.volts * 1000)
    head = (millivolts | (1 << 15 if sample.door_open else 0)).to_bytes(2, "big")
    raw = head + b"\x01" + sample.openings.to_bytes(3, "big") + sample.last_opening_minutes.to_bytes(3, "big") + b"\x00"
    decoded = {
        "ALARM": 0,
        "BAT_V": millivolts / 1000,
        "DOOR_OPEN_STATUS": int(sample.door_open),
        "DOOR_OPEN_TIMES": sample.openings,
        "LAST_DOOR_OPEN_DURATION": sample.last_opening_minutes,
        "MOD": 1,
    }
    return Payload(10, raw, decoded, None)


def _nearest(value: float) -> int:
    return math.floor(value + 0.5)


def _half_away(numerator: int, denominator: int) -> int:
    """Divide and round half away from zero, as readings are rounded."""
    whole = (2 * abs(numerator) + denominator) // (2 * denominator)
    return whole if numerator >= 0 else -whole


def _signed(number: int) -> bytes:
    return number.to_bytes(2, "big", signed=True)
