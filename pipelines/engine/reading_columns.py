"""From rows of the topic `readings` to what the hypertable takes, and to each uplink's one end. Vectorised; no I/O."""

from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipelines.engine.copying import Column, timestamps
from schemas.readings import ABSENT_I1, ABSENT_I2, RowKind, Rows

READING_COLUMNS: Final = (
    "sensor_id",
    "measured_at",
    "organization_id",
    "unit_id",
    "assignment_id",
    "policy_version_id",
    "configuration_id",
    "received_after_ms",
    "uplink_partition",
    "uplink_offset",
    "temperature",
    "humidity",
    "battery_millivolts",
    "battery_percent",
    "door_open",
    "reason",
    "late",
)
"""The columns of the hypertable `readings`, in the order of `reading_columns`."""


def reading_columns(rows: Rows, partitions: npt.NDArray[Any], late: npt.NDArray[np.bool_]) -> list[Column]:
    """Return the hypertable's columns for rows of the stored kinds."""
    no_fault = rows["kind"] != RowKind.FAULT
    return [
        Column(rows["sensor"], ">i4"),
        Column(timestamps(rows["measured_at"]), ">i8"),
        Column(rows["organization"], ">i4"),
        Column(rows["unit"], ">i4"),
        Column(rows["assignment"], ">i4"),
        Column(rows["policy"], ">i4"),
        Column(rows["configuration"], ">i4"),
        Column(rows["received_at"] - rows["measured_at"], ">i8"),
        Column(partitions, ">i2"),
        Column(rows["offset"], ">i8"),
        Column(rows["temperature"], ">i2", rows["temperature"] == ABSENT_I2),
        Column(rows["humidity"], ">i2", rows["humidity"] == ABSENT_I2),
        Column(rows["battery_millivolts"], ">i2", rows["battery_millivolts"] == ABSENT_I2),
        Column(rows["battery_percent"], ">i2", rows["battery_percent"] == ABSENT_I1),
        Column(rows["door"], "u1", rows["door"] == ABSENT_I1),
        Column(rows["reason"], ">i2", no_fault),
        Column(late.astype(np.uint8), "u1"),
    ]


class Standing(IntEnum):
    """What a row says about its uplink's end; the highest of an uplink's rows decides."""

    NO_READING = 0
    UNASSIGNED = 1
    REJECTED = 2
    REPEATED_FAULT = 3
    FAULT = 4
    REPEATED = 5
    STORED = 6


ENDED_AS: Final = {
    Standing.NO_READING: "no_reading",
    Standing.UNASSIGNED: "unassigned",
    Standing.REJECTED: "rejected",
    Standing.REPEATED_FAULT: "duplicate",
    Standing.FAULT: "rejected",
    Standing.REPEATED: "duplicate",
    Standing.STORED: "stored",
}

End = tuple[int, int, str, int]
"""Partition, organization, ended_as, reason."""


def uplink_ends(rows: Rows, partitions: npt.NDArray[Any], inserted: npt.NDArray[np.bool_]) -> dict[End, int]:
    """Return how many uplinks ended how. Rows of one uplink stand together; ticks and assignment ends are no uplinks."""
    uplinks = (rows["kind"] != RowKind.TICK) & (rows["kind"] != RowKind.ASSIGNMENT_END)
    rows, partitions, inserted = rows[uplinks], partitions[uplinks], inserted[uplinks]
    if not len(rows):
        return {}
    standing = _standings(rows, inserted)
    new_uplink = np.ones(len(rows), dtype=np.bool_)
    new_uplink[1:] = (rows["offset"][1:] != rows["offset"][:-1]) | (partitions[1:] != partitions[:-1])
    starts = np.flatnonzero(new_uplink)
    best = np.maximum.reduceat(standing, starts)
    reason = np.maximum.reduceat(rows["reason"], starts)
    reason[(best == Standing.STORED) | (best == Standing.REPEATED) | (best == Standing.NO_READING)] = 0
    keys, counts = np.unique(
        np.stack([partitions[starts].astype(np.int64), rows["organization"][starts].astype(np.int64), best, reason], axis=1),
        axis=0,
        return_counts=True,
    )
    ends: dict[End, int] = {}
    for (partition, organization, stand, why), count in zip(keys.tolist(), counts.tolist(), strict=True):
        end = (partition, organization, ENDED_AS[Standing(stand)], why)
        ends[end] = ends.get(end, 0) + count
    return ends


def _standings(rows: Rows, inserted: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    kind = rows["kind"]
    believed = (kind == RowKind.READING) | (kind == RowKind.ANCILLARY)
    fault = kind == RowKind.FAULT
    return np.select(
        [
            believed & inserted,
            believed,
            fault & inserted,
            fault,
            kind == RowKind.REJECTED,
            kind == RowKind.UNASSIGNED,
        ],
        [
            Standing.STORED,
            Standing.REPEATED,
            Standing.FAULT,
            Standing.REPEATED_FAULT,
            Standing.REJECTED,
            Standing.UNASSIGNED,
        ],
        default=Standing.NO_READING,
    ).astype(np.int64)


def first_of_each(rows: Rows) -> npt.NDArray[np.intp]:
    """Return which rows to offer to the hypertable, sorted by (sensor, measured_at): of equal ones the first in log order.

    A reading takes the place of a fault mark, or of a row without a temperature, with the same time.
    """
    lower_rank = (rows["kind"] != RowKind.READING).astype(np.int8)
    order = np.lexsort((np.arange(len(rows)), lower_rank, rows["measured_at"], rows["sensor"]))
    sensor, measured_at = rows["sensor"][order], rows["measured_at"][order]
    keep = np.ones(len(rows), dtype=np.bool_)
    keep[1:] = (sensor[1:] != sensor[:-1]) | (measured_at[1:] != measured_at[:-1])
    return order[keep]


def newest_of_each(rows: Rows) -> npt.NDArray[np.intp]:
    """Return the newest row (by measured_at) of each sensor, sorted by sensor."""
    order = np.lexsort((rows["measured_at"], rows["sensor"]))
    sensor = rows["sensor"][order]
    last = np.ones(len(rows), dtype=np.bool_)
    last[:-1] = sensor[1:] != sensor[:-1]
    return order[last]
