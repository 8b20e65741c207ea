"""Records of the topic `readings`: rows of 64 bytes, many to a record, read back as one numpy array.

A record is a 4-byte head (magic, schema version, reserved) and whole rows. All rows of one uplink stand in one record, so
"skip rows at or below the offset I have done" is exact however often decode_uplinks wrote them.
"""

import struct
from enum import IntEnum, IntFlag
from typing import Final

import numpy as np
import numpy.typing as npt

HEAD: Final = b"CR\x01\x00"
"""Magic `CR`, schema version 1, reserved."""

MAX_ROWS: Final = 8_192
"""Rows in one record, so that it stays under the topic's record limit."""


class RowKind(IntEnum):
    """What a row says. Every uplink has at least one row, so that each has one end (architecture 4.14)."""

    READING = 0
    """A temperature, believed."""
    FAULT = 1
    """A fault mark: a value that cannot be true, with its reason and no temperature."""
    ANCILLARY = 2
    """Humidity, battery or door without a temperature."""
    HEARD = 3
    """The device was heard and nothing is to be stored (a join, a status frame)."""
    REJECTED = 4
    """The whole uplink was rejected; `reason` says why; device and sensor may be 0."""
    UNASSIGNED = 5
    """No sensor is registered for the device or the probe; device may be 0."""
    TICK = 6
    """The partition's clock: `measured_at` is the broker's stamp of the tick. No grace is taken off yet."""
    ASSIGNMENT_END = 7
    """The sensor's assignment ended at `measured_at`."""
    CORRECTION = 8
    """A person corrected what is known of the sensor from `measured_at` on: it must be judged again; `reason` is the code of why."""


STORED_KINDS: Final = (RowKind.READING, RowKind.FAULT, RowKind.ANCILLARY)
"""Kinds that become rows of the hypertable."""

SENSOR_KINDS: Final = (RowKind.READING, RowKind.FAULT)
"""Kinds that the excursion machine judges."""


class RowFlag(IntFlag):
    """Bits of the column `flags`."""

    HISTORY = 1
    """The time is the device's own, from a history frame: it says nothing about when the device was heard."""
    REPLAYED = 2
    """The uplink is a dead letter's, written again: it is counted apart, and `received_at` is when it first came."""
    CLOCK_WRONG = 4
    """Of the uplink's history some was rejected for its time, and left no row of its own."""
    CORRECTED = 8
    """Measured where a person corrected what is known of the sensor: it is not judged live but by a revision, which knows how."""
    BATTERY_GUESSED = 16
    """Nothing but its value says that `battery_percent` is percent, and not a step or a code: it is shown, and no condition is judged by it."""


ABSENT_I2: Final = -32_768
"""No value, in the 16-bit columns."""
ABSENT_I1: Final = -128
"""No value, in the 8-bit columns."""

ROW: Final = np.dtype(
    [
        ("offset", "<i8"),  # of the uplink in its partition of `uplinks`
        ("measured_at", "<i8"),  # ms UTC
        ("received_at", "<i8"),  # ms UTC, the broker's stamp of the uplink; of a replay that of the first
        ("sensor", "<i4"),
        ("device", "<i4"),
        ("unit", "<i4"),
        ("organization", "<i4"),
        ("assignment", "<i4"),
        ("policy", "<i4"),  # policy version in force at measured_at
        ("configuration", "<i4"),  # sensor-configuration version in force at measured_at
        ("temperature", "<i2"),  # hundredths of a degree Celsius, calibrated
        ("humidity", "<i2"),  # hundredths of a percent
        ("battery_millivolts", "<i2"),
        ("battery_percent", "i1"),
        ("door", "i1"),  # 1 open, 0 closed
        ("kind", "u1"),  # RowKind
        ("reason", "u1"),  # code of schemas.reasons; of a CORRECTION the place in schemas.revisions.REASONS
        ("flags", "u1"),  # RowFlag
        ("reserved", "u1"),
    ],
)

PACKED_ROW: Final = struct.Struct("<qqqiiiiiiihhhbbBBBB")
"""One ROW of plain numbers: packing rows one by one and joining them is three times as fast as an array of tuples."""

Rows = npt.NDArray[np.void]

EMPTY: Final[Rows] = np.zeros(0, dtype=ROW)


class UnreadableRecord(ValueError):
    """A record of `readings` that this version of the code cannot read."""


def encode_rows(rows: Rows) -> bytes:
    """Return the record's value for rows of dtype ROW."""
    return HEAD + rows.tobytes()


def decode_rows(values: list[bytes]) -> Rows:
    """Return the rows of several records as one read-only array, in order.

    Raises UnreadableRecord when a value has another magic or version, or is no whole number of rows.
    """
    for value in values:
        if value[:4] != HEAD or (len(value) - 4) % ROW.itemsize:
            message = f"a record of `readings` starts with {value[:4]!r} and has {len(value)} bytes; expected {HEAD!r} and whole rows"
            raise UnreadableRecord(message)
    if len(values) == 1:
        return np.frombuffer(values[0], dtype=ROW, offset=4)
    return np.frombuffer(b"".join(value[4:] for value in values), dtype=ROW)


def blank_rows(count: int) -> Rows:
    """Return rows with no values in them, to be filled in."""
    rows = np.zeros(count, dtype=ROW)
    rows["temperature"] = rows["humidity"] = rows["battery_millivolts"] = ABSENT_I2
    rows["battery_percent"] = rows["door"] = ABSENT_I1
    return rows
