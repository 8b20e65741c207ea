"""Builds PostgreSQL's binary COPY format from numpy columns, without touching a row in Python.

Rows are grouped by which nullable columns are null: within such a group every row has the same length, so each group is
one structured array. Knows types and bytes, and nothing of what the columns mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

SIGNATURE: Final = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
"""The header of a binary COPY: signature, no flags, no extension (PostgreSQL manual, COPY, binary format)."""

TRAILER: Final = b"\xff\xff"

EPOCH_2000_MS: Final = 946_684_800_000
"""PostgreSQL counts timestamps from 2000-01-01; this is that instant in unix milliseconds."""

MAX_NULLABLE: Final = 16


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its values, their wire type (`>i2`, `>i4`, `>i8`, `>f8`, `u1` for boolean), and where it is null."""

    values: npt.NDArray[Any]
    wire: str
    null: npt.NDArray[np.bool_] | None = None


def timestamps(milliseconds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return unix milliseconds as PostgreSQL's microseconds since 2000."""
    return (milliseconds - EPOCH_2000_MS) * 1_000


def copy_payload(columns: Sequence[Column]) -> bytes:
    """Return the whole COPY stream of some rows; rows with the same nulls stand together, in their order."""
    count = len(columns[0].values)
    nullable = [column for column in columns if column.null is not None]
    if len(nullable) > MAX_NULLABLE:
        message = f"{len(nullable)} nullable columns; at most {MAX_NULLABLE} are handled"
        raise ValueError(message)
    pattern = np.zeros(count, dtype=np.uint16)
    for bit, column in enumerate(nullable):
        assert column.null is not None
        pattern |= column.null.astype(np.uint16) << np.uint16(bit)
    parts = [SIGNATURE]
    for code in np.unique(pattern):
        parts.append(_group(columns, np.flatnonzero(pattern == code)))
    parts.append(TRAILER)
    return b"".join(parts)


def _group(columns: Sequence[Column], rows: npt.NDArray[np.intp]) -> bytes:
    fields: list[tuple[str, str]] = [("count", ">i2")]
    for index, column in enumerate(columns):
        fields.append((f"length{index}", ">i4"))
        if column.null is None or not column.null[rows[0]]:
            fields.append((f"value{index}", column.wire))
    out = np.empty(len(rows), dtype=np.dtype(fields))
    out["count"] = len(columns)
    for index, column in enumerate(columns):
        if f"value{index}" in (out.dtype.names or ()):
            out[f"length{index}"] = np.dtype(column.wire).itemsize
            out[f"value{index}"] = column.values[rows]
        else:
            out[f"length{index}"] = -1
    return out.tobytes()
