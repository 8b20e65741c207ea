"""numpy columns as parameters of SQL: arrays in PostgreSQL's binary format, without touching an element in Python.

psycopg writes a list number by number; ten columns of ten thousand rows then cost more than their statement.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg.adapt import Dumper, PyFormat
from psycopg.pq import Format

OIDS: Final = {"int16": 1005, "int32": 1007, "int64": 1016, "float64": 1022, "bool": 1000}
"""PostgreSQL's array type for each element type (pg_type.dat: _int2, _int4, _int8, _float8, _bool)."""
ELEMENT_OIDS: Final = {"int16": 21, "int32": 23, "int64": 20, "float64": 701, "bool": 16}
_HEAD: Final = struct.Struct("!iiIii")
"""Dimensions, whether any is null, element type, length, lower bound."""
_EMPTY: Final = struct.Struct("!iiI")


@dataclass(frozen=True, slots=True)
class Array:
    """A column as a parameter: int16, int32, int64, float64 or bool; null where told."""

    values: npt.NDArray[Any]
    null: npt.NDArray[np.bool_] | None = None


class ArrayDumper(Dumper):
    """Writes an Array; one dumper for each element type."""

    format = Format.BINARY

    def __init__(self, cls: type, context: Any = None, element: str = "int32") -> None:
        """Take the element type by its numpy name."""
        super().__init__(cls, context)
        self.oid = OIDS[element]

    def get_key(self, obj: Array, format: PyFormat) -> Any:  # noqa: A002, ARG002 - psycopg's own signature
        """Tell element types apart."""
        return (self.cls, obj.values.dtype.name)

    def upgrade(self, obj: Array, format: PyFormat) -> "ArrayDumper":  # noqa: A002, ARG002 - as above
        """Return the dumper of an element type."""
        return ArrayDumper(self.cls, None, obj.values.dtype.name)

    def dump(self, obj: Array) -> bytes:
        """Return the array's wire format."""
        return binary_array(obj)


def binary_array(column: Array) -> bytes:
    """Return a column in PostgreSQL's binary array format; nulls are four bytes of ones in place of a length."""
    values, element = column.values, ELEMENT_OIDS[column.values.dtype.name]
    count = len(values)
    if not count:
        return _EMPTY.pack(0, 0, element)
    width = values.dtype.itemsize
    out = np.empty(count, dtype=np.dtype([("length", ">i4"), ("value", values.dtype.newbyteorder(">"))]))
    out["length"] = width
    out["value"] = values
    has_null = column.null is not None and bool(column.null.any())
    head = _HEAD.pack(1, int(has_null), element, count, 1)
    if not has_null:
        return head + out.tobytes()
    null = column.null
    assert null is not None
    out["length"][null] = -1
    kept = np.ones((count, 4 + width), dtype=np.bool_)
    kept[null, 4:] = False
    return head + np.frombuffer(out.tobytes(), dtype=np.uint8)[kept.ravel()].tobytes()


def register_arrays(connection: psycopg.Connection) -> None:
    """Let a connection take `Array` parameters."""
    connection.adapters.register_dumper(Array, ArrayDumper)
