"""Makers of air sensors in our catalog: Elsys ERS, Netvox R720B, Browan, TalkPool, Tektelic, MClimate, SenseCAP and CayenneLPP."""

from binascii import crc_hqx

from infra.simulator.frame import Payload, Sample, nearest, signed, unsigned


def ers(sample: Sample) -> Payload:
    """Elsys ERS: tenths, whole percents, light and motion."""
    tenths, percent, millivolts = nearest(sample.inside * 10), round(min(99.0, sample.humidity)), sample.millivolts
    raw = b"\x01" + signed(tenths) + bytes([0x02, percent, 0x04, 0, 3, 0x05, 0, 0x07]) + unsigned(millivolts)
    return Payload(5, raw, {"humidity": percent, "light": 3, "motion": 0, "temperature": tenths / 10, "vdd": millivolts}, tenths * 10)


def netvox(sample: Sample) -> Payload:
    """R720B: hundredths of a degree and of a percent."""
    hundredths, wet, tenths_of_volt = nearest(sample.inside * 100), nearest(sample.humidity * 100), nearest(sample.volts * 10)
    raw = bytes([0x01, 0x6F, 0x01, tenths_of_volt]) + signed(hundredths) + unsigned(wet) + bytes(3)
    decoded = {"Alarm": "OFF", "Device": "R720B", "Humi": wet / 100, "Temp": hundredths / 100, "Volt": tenths_of_volt / 10}
    return Payload(6, raw, decoded, hundredths)


def browan(sample: Sample) -> Payload:
    """TBHH100: whole degrees from -32, whole percents."""
    degrees, percent, tenths_of_volt = nearest(sample.inside), round(min(99.0, sample.humidity)), nearest(sample.volts * 10)
    raw = bytes([0x08, (tenths_of_volt - 25) & 0x0F, degrees + 32, percent, 0xFF, 0xFF, 0xFF, 0xFF])
    return Payload(103, raw, {"battery": tenths_of_volt / 10, "humidity": percent, "status": 1, "temperature": degrees}, degrees * 100)


def talkpool(sample: Sample) -> Payload:
    """OY1110: twelve bits each, tenths above -80 degrees and above -25 percent."""
    tenths, wet = nearest(sample.inside * 10), nearest(sample.humidity * 10)
    first, second = tenths + 800, wet + 250
    raw = bytes([first >> 4, second >> 4, (first & 15) << 4 | second & 15])
    return Payload(2, raw, {"RelativeHumidity": wet / 10, "Temperature": tenths / 10}, tenths * 10)


def tektelic(sample: Sample) -> Payload:
    """A smart room sensor: tenths of a degree and half percents by register."""
    tenths, half_percents = nearest(sample.inside * 10), nearest(sample.humidity * 2)
    raw = b"\x03\x67" + signed(tenths) + bytes([0x04, 0x68, half_percents])
    return Payload(10, raw, {"ambient_temperature": tenths / 10, "relative_humidity": half_percents / 2}, tenths * 10)


def mclimate(sample: Sample) -> Payload:
    """The HT sensor: ten bits of tenths above -40 degrees, humidity in 256 steps, the battery in steps of 8 mV from 1.6 V."""
    tenths, wet, steps = nearest(sample.inside * 10), min(255, nearest(sample.humidity * 2.56)), round((sample.volts - 1.6) * 125)
    raw = b"\x01" + unsigned(tenths + 400) + bytes([wet, steps])
    decoded = {
        "batteryVoltage": round(1.6 + steps / 125, 1),
        "humidity": round(wet / 2.56, 2),
        "reason": "keepalive",
        "temperature": tenths / 10,
    }
    return Payload(2, raw, decoded, tenths * 10)


def sensecap(sample: Sample) -> Payload:
    """S2101: numbered measurements in thousandths, the low byte first: 4097 is the air's temperature, 4098 its humidity."""
    values = ((4097, nearest(sample.inside * 100) * 10), (4098, nearest(sample.humidity * 10) * 100))
    raw = b"".join(b"\x01" + number.to_bytes(2, "little") + value.to_bytes(4, "little", signed=True) for number, value in values)
    raw += unsigned(crc_hqx(raw, 0))
    messages = [{"measurementId": number, "measurementValue": value / 1000, "type": "report_telemetry"} for number, value in values]
    return Payload(2, raw, {"err": 0, "messages": messages, "payload": raw.hex().upper(), "valid": True}, values[0][1] // 10)


def cayenne(sample: Sample) -> Payload:
    """CayenneLPP as people build it themselves: names are the kind and the channel."""
    tenths, half_percents = nearest(sample.inside * 10), nearest(sample.humidity * 2)
    raw = b"\x01\x67" + signed(tenths) + bytes([0x01, 0x68, half_percents])
    return Payload(1, raw, {"relative_humidity_1": half_percents / 2, "temperature_1": tenths / 10}, tenths * 10)
