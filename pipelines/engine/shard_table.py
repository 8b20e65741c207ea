"""A shard's sensors and devices as columns: one row each, found by id in vectorised look-ups, kept as bytes in snapshots."""

from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

FAR: Final = np.iinfo(np.int64).max
LONG_AGO: Final = -(1 << 62)

SENSOR: Final = np.dtype(
    [
        ("id", "<i4"),
        ("device", "<i4"),
        ("unit", "<i4"),
        ("organization", "<i4"),
        ("assignment", "<i4"),
        ("policy", "<i4"),
        ("configuration", "<i4"),
        ("low", "<i4"),  # hundredths; within low..high a quiet sensor stays quiet
        ("high", "<i4"),
        ("judged_at", "<i8"),
        ("measured_at", "<i8"),  # of the newest row
        ("max_gap_ms", "<i8"),
        ("known_until", "<i8"),
        ("due", "<i8"),  # the machine's next deadline; FAR for none
        ("temperature", "<i2"),  # of the newest row; absent in a fault mark
        ("state", "u1"),  # index in schemas.events.SEVERITY_ORDER
        ("in_machine", "u1"),  # 1: a machine state is kept beside the columns
    ],
)
"""80 bytes a sensor, 88 in memory."""

DEVICE: Final = np.dtype(
    [
        ("id", "<i4"),
        ("sensor", "<i4"),
        ("unit", "<i4"),
        ("organization", "<i4"),
        ("configuration", "<i4"),
        ("heard_at", "<i8"),
        ("offline_after_ms", "<i8"),
        ("offline_since", "<i8"),  # LONG_AGO: not offline
    ],
)
"""44 bytes a device, 48 in memory."""

PROBE: Final = np.dtype([("id", "<i4"), ("device", "<i4"), ("unit", "<i4"), ("configuration", "<i4")])
"""16 bytes a sensor that was heard: of which device it is (0: it is assigned to nothing any more), where and under which terms."""

CONDITION: Final = np.dtype([("id", "<i4"), ("judged_at", "<i8")])
"""12 bytes a sensor, 16 in memory: how far its conditions are judged."""

FROZEN: Final = np.dtype(
    [
        ("id", "<i4"),
        ("assignment", "<i4"),
        ("value", "<i4"),  # hundredths, before calibration
        ("started_at", "<i8"),
        ("seen_at", "<i8"),
        ("max_gap_ms", "<i8"),
        ("held_ms", "<i8"),
        ("readings", "<i4"),  # of the stretch; 0: nothing is known
        ("changes", "<i4"),
        ("finest", "<i4"),
        ("longest_ms", "<i8"),
    ],
)
"""64 bytes a sensor, 72 in memory, whose policy looks for frozen values."""

DENSE_RANGE: Final = 65_536
"""Ids that lie within such a range are looked up directly: 256 KiB a table at most."""

MAX_CONTENT_BYTES: Final = 512 * 1_048_576
"""Of a table when unpacked: a damaged one cannot ask for more."""

PACKING_LEVEL: Final = 1
"""The quickest: a snapshot is made while readings wait."""

Array = npt.NDArray[Any]
Slots = npt.NDArray[np.intp]


class Kept(msgspec.Struct):
    """One sensor's row of the table as Python's own values, in the order of SENSOR; put back when it is done with."""

    id: int
    device: int
    unit: int
    organization: int
    assignment: int
    policy: int
    configuration: int
    low: int
    high: int
    judged_at: int
    measured_at: int
    max_gap_ms: int
    known_until: int
    due: int
    temperature: int
    state: int
    in_machine: int


def compressed(content: bytes) -> bytes:
    """Return some bytes compressed, with a checksum."""
    return zstandard.ZstdCompressor(level=PACKING_LEVEL, write_checksum=True, write_content_size=True).compress(content)


def decompressed(content: bytes) -> bytes:
    """Return the bytes from `compressed`; raises ValueError on anything else."""
    try:
        # The decompressor itself does not hold a frame that names its size to any limit.
        if not 0 <= zstandard.frame_content_size(content) <= MAX_CONTENT_BYTES:
            raise ValueError("it cannot be unpacked: its size is missing or absurd")
        return zstandard.ZstdDecompressor().decompress(content, max_output_size=MAX_CONTENT_BYTES)
    except zstandard.ZstdError as error:
        raise ValueError(f"it cannot be unpacked: {error}") from error


def packed(content: bytes, dtype: np.dtype[Any]) -> bytes:
    """Return a table's bytes column by column and compressed, to a fifth or less: what a snapshot weighs while it is on its way."""
    rows = np.frombuffer(content, dtype=dtype)
    columns = b"".join(np.ascontiguousarray(rows[name]).tobytes() for name in dtype.names or ())
    return compressed(columns)


def unpacked(content: bytes, dtype: np.dtype[Any]) -> bytes:
    """Return the table's bytes from `packed`; raises ValueError on anything else."""
    columns = decompressed(content)
    count, rest = divmod(len(columns), dtype.itemsize)
    if rest:
        raise ValueError(f"{len(columns)} bytes are no whole rows of {dtype.itemsize}")
    rows = np.empty(count, dtype=dtype)
    start = 0
    for name in dtype.names or ():
        kind = dtype[name]
        rows[name] = np.frombuffer(columns, dtype=kind, count=count, offset=start)
        start += count * kind.itemsize
    return rows.tobytes()


def aligned(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return a dtype with the same columns, each at a multiple of its width."""
    return np.dtype([(name, dtype[name]) for name in dtype.names or ()], align=True)


class Table:
    """Rows of a dtype with an `id`, in the order they came; `slots` finds them by id.

    In memory each column is aligned: numpy reads and writes one that is not ten times as slowly.
    """

    def __init__(self, dtype: np.dtype[Any], content: bytes = b"") -> None:
        """Start empty, or from a snapshot's bytes."""
        self._dtype = dtype
        self.rows: Array = np.frombuffer(content, dtype=dtype).astype(aligned(dtype))
        self._sorted: Array = np.zeros(0, dtype=np.int32)
        self._order: Slots = np.zeros(0, dtype=np.intp)
        self._direct: Array = np.zeros(0, dtype=np.int32)
        """Slots by id, counted from the lowest; empty where ids lie too far apart."""
        self._index()

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def slots(self, ids: Array) -> tuple[Slots, Array]:
        """Return the slot of each id, adding those not known yet, and the slots that were added."""
        found = self.find(ids)
        if found.min(initial=0) >= 0:
            return found, np.zeros(0, dtype=np.intp)
        added = np.unique(ids[found < 0])
        fresh = np.zeros(len(added), dtype=self.rows.dtype)
        fresh["id"] = added
        first = len(self.rows)
        self.rows = np.concatenate([self.rows, fresh], dtype=self.rows.dtype)
        self._index()
        return self.find(ids), np.arange(first, len(self.rows))

    def slot_of(self, number: int) -> int | None:
        """Return the slot of an id, None where it is not known."""
        slot = int(self.find(np.array([number], dtype=np.int32))[0])
        return None if slot < 0 else slot

    def content(self) -> bytes:
        """Return the rows as bytes, for a snapshot."""
        return self.rows.astype(self._dtype).tobytes()

    def find(self, ids: Array) -> Slots:
        """Return the slot of each id, -1 where it is not known."""
        if not len(self._sorted):
            return np.full(len(ids), -1, dtype=np.intp)
        if len(self._direct):
            places = ids - self._sorted[0]
            inside = (places >= 0) & (places < len(self._direct))
            if inside.all():
                return np.asarray(self._direct[places], dtype=np.intp)
            return np.asarray(np.where(inside, self._direct[np.where(inside, places, 0)], -1), dtype=np.intp)
        places = np.minimum(np.searchsorted(self._sorted, ids), len(self._sorted) - 1)
        return np.asarray(np.where(self._sorted[places] == ids, self._order[places], -1), dtype=np.intp)

    def _index(self) -> None:
        self._order = np.argsort(self.rows["id"], kind="stable")
        self._sorted = self.rows["id"][self._order]
        self._direct = np.zeros(0, dtype=np.int32)
        if len(self._sorted) and int(self._sorted[-1]) - int(self._sorted[0]) < DENSE_RANGE:
            self._direct = np.full(int(self._sorted[-1]) - int(self._sorted[0]) + 1, -1, dtype=np.int32)
            self._direct[self._sorted - self._sorted[0]] = self._order
