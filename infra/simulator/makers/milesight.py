"""Milesight: channels of a number, a type and a value, the low byte first; air sensors with a log, a Pt100 and doors."""

from typing import Final

from infra.simulator.frame import Entries, Payload, Sample, believed, nearest

PORT: Final = 85


def air(sample: Sample) -> Payload:
    """EM300-TH and EM320-TH: tenths of a degree, half percents."""
    tenths, half_percents = nearest(sample.inside * 10), nearest(sample.humidity * 2)
    raw = _battery(sample) + _temperature(tenths) + bytes([0x04, 0x68, half_percents])
    return Payload(PORT, raw, {"battery": sample.charge, "humidity": half_percents / 2, "temperature": tenths / 10}, tenths * 10)


def log(entries: Entries, at: int, *, with_status: bool) -> Payload:
    """Readings from the log, each with the device's own time in seconds."""
    raw, history, expected = b"", [], []
    for _, sample in entries:
        seconds, tenths, half_percents = sample.clock // 1000, nearest(sample.inside * 10), nearest(sample.humidity * 2)
        raw += b"\x20\xce" + (seconds & 0xFFFF_FFFF).to_bytes(4, "little")
        raw += tenths.to_bytes(2, "little", signed=True) + bytes([half_percents]) + (b"\x00" if with_status else b"")
        history.append({"humidity": half_percents / 2, "temperature": tenths / 10, "timestamp": seconds})
        if believed(seconds * 1000, at):
            expected.append((seconds * 1000, tenths * 10))
    return Payload(PORT, raw, {"history": history}, None, tuple(expected))


def pt100(sample: Sample) -> Payload:
    """EM500-PT100: a wired Pt100 in tenths of a degree."""
    tenths = nearest(sample.inside * 10)
    return Payload(PORT, _battery(sample) + _temperature(tenths), {"battery": sample.charge, "temperature": tenths / 10}, tenths * 10)


def magnet(sample: Sample) -> Payload:
    """EM300-MCS: air, and a magnet on the door."""
    plain = air(sample)
    is_open = sample.door_open
    return Payload(
        PORT, plain.raw + bytes([0x06, 0x00, is_open]), {**plain.decoded, "magnet_status": "open" if is_open else "close"}, plain.hundredths
    )


def door(sample: Sample) -> Payload:
    """WS301: a door and nothing else."""
    is_open = sample.door_open
    raw = _battery(sample) + bytes([0x03, 0x00, is_open, 0x04, 0x00, 0x00])
    return Payload(PORT, raw, {"battery": sample.charge, "door": "open" if is_open else "close", "install": "yes"}, None)


def status(sample: Sample) -> Payload:
    """The battery alone."""
    return Payload(PORT, _battery(sample), {"battery": sample.charge}, None)


def _battery(sample: Sample) -> bytes:
    return bytes([0x01, 0x75, sample.charge])


def _temperature(tenths: int) -> bytes:
    return b"\x03\x67" + tenths.to_bytes(2, "little", signed=True)
