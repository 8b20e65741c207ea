"""Dragino: LHT65 and LHT52 (a DS18B20 on a wire), LSN50v2-D20, and the door sensor LDS02."""

from typing import Final

from infra.simulator.frame import Payload, Sample, nearest, signed, unsigned

UNPLUGGED: Final = 0x7FFF
"""The raw value a DS18B20 input gives without a probe: 327.67 degrees in the decoded payload."""
BUILT_IN_ABOVE: Final = 0.35
"""How much warmer the built-in sensor is than the probe."""


def lht65(sample: Sample, *, is_plugged: bool = True) -> Payload:
    """Probe in sixteenths of a degree, told in hundredths; the built-in sensor beside it."""
    external = nearest(nearest(sample.inside * 16) * 100 / 16) if is_plugged else UNPLUGGED
    built_in = nearest((sample.inside + BUILT_IN_ABOVE) * 100)
    wet, millivolts = nearest(sample.humidity * 10), sample.millivolts
    raw = unsigned((3 << 14) | millivolts) + signed(built_in) + unsigned(wet) + b"\x01" + signed(external) + b"\x7f\xff"
    decoded = {
        "BatV": millivolts / 1000,
        "Bat_status": 3,
        "Ext_sensor": "Temperature Sensor",
        "Hum_SHT": wet / 10,
        "TempC_DS": external / 100,
        "TempC_SHT": built_in / 100,
    }
    return Payload(2, raw, decoded, external if is_plugged else None)


def lht52(sample: Sample, *, is_plugged: bool = True) -> Payload:
    """As the LHT65, without the battery and with the device's own time."""
    external = nearest(nearest(sample.inside * 16) * 100 / 16) if is_plugged else UNPLUGGED
    built_in, wet, seconds = nearest((sample.inside + BUILT_IN_ABOVE) * 100), nearest(sample.humidity * 10), sample.clock // 1000
    raw = signed(built_in) + unsigned(wet) + signed(external) + b"\x01" + (seconds & 0xFFFF_FFFF).to_bytes(4, "big")
    decoded = {"Ext": 1, "Hum_SHT": wet / 10, "Systimestamp": seconds, "TempC_DS": external / 100, "TempC_SHT": built_in / 100}
    return Payload(2, raw, decoded, external if is_plugged else None)


def lsn50_d20(sample: Sample, *, is_plugged: bool = True) -> Payload:
    """One DS18B20 in tenths. Its decoder tells a probe that is missing by 0 or -0.1, and so these are no temperatures."""
    tenths, millivolts = nearest(sample.inside * 10) if is_plugged else -1, sample.millivolts
    raw = unsigned(millivolts) + signed(tenths) + b"\x00\x00\x00" + b"\x7f\xff\x7f\xff"
    decoded = {
        "ADC_CH0V": 0,
        "BatV": millivolts / 1000,
        "Digital_IStatus": "L",
        "Door_status": "OPEN",
        "EXTI_Trigger": "FALSE",
        "TempC1": tenths / 10,
        "Work_mode": "IIC",
    }
    return Payload(2, raw, decoded, None if tenths in {0, -1} else tenths * 10)


def door(sample: Sample) -> Payload:
    """A door: open or closed, how often it was opened, and for how long the last time."""
    millivolts = sample.millivolts
    head = unsigned(millivolts | (1 << 15 if sample.door_open else 0))
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


def status(model: str, sample: Sample) -> Payload:
    """What a device says of itself, asked or after it joined."""
    millivolts = sample.millivolts
    raw = bytes([0x0B, 0x01, 0x80, 0x01, 0xFF]) + unsigned(millivolts)
    decoded = {
        "SENSOR_MODEL": model.upper(),
        "FIRMWARE_VERSION": "1.8.0",
        "FREQUENCY_BAND": "EU868",
        "SUB_BAND": "NULL",
        "BAT": millivolts / 1000,
    }
    return Payload(5, raw, decoded, None)
