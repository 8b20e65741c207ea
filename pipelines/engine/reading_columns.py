"""From rows of the topic `readings` to what the hypertable takes. Vectorised; no I/O."""

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


def first_of_each(rows: Rows) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return which rows to offer to the hypertable, sorted by (sensor, measured_at), and which readings say otherwise than one offered.

    Of equal ones the first in log order is offered. A reading takes the place of a fault mark, or of a row without a temperature, with
    the same time.
    """
    lower_rank = (rows["kind"] != RowKind.READING).astype(np.int8)
    order = np.lexsort((np.arange(len(rows)), lower_rank, rows["measured_at"], rows["sensor"]))
    sensor, measured_at = rows["sensor"][order], rows["measured_at"][order]
    keep = np.ones(len(rows), dtype=np.bool_)
    keep[1:] = (sensor[1:] != sensor[:-1]) | (measured_at[1:] != measured_at[:-1])
    kept, dropped = order[keep], order[~keep]
    if not len(dropped):
        return kept, dropped
    in_place = kept[np.cumsum(keep)[~keep] - 1]
    differs = (rows["kind"][dropped] == RowKind.READING) & (rows["temperature"][dropped] != rows["temperature"][in_place])
    return kept, dropped[differs]


def newest_of_each(rows: Rows) -> npt.NDArray[np.intp]:
    """Return the newest row (by measured_at) of each sensor, sorted by sensor."""
    order = np.lexsort((rows["measured_at"], rows["sensor"]))
    sensor = rows["sensor"][order]
    last = np.ones(len(rows), dtype=np.bool_)
    last[:-1] = sensor[1:] != sensor[:-1]
    return order[last]
