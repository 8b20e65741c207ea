"""Reads records of the topic `readings` once: rows at or below the offset already done are dropped.

decode_uplinks may write again after a crash; all rows of one uplink stand in one record, so the offset says it all.
"""

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np

from schemas.readings import EMPTY, HEAD, ROW, Rows, decode_rows

_OFFSET: Final = struct.Struct("<q")


def fresh_rows(values: Sequence[bytes], done: int) -> tuple[Rows, int, int]:
    """Return the rows beyond `done`, the offset then done, and how many rows were dropped.

    Raises schemas.readings.UnreadableRecord.
    """
    whole: list[bytes] = []
    parts: list[Rows] = []
    dropped = 0
    for value in values:
        if len(value) <= len(HEAD):
            continue
        first = _OFFSET.unpack_from(value, len(HEAD))[0]
        last = _OFFSET.unpack_from(value, len(value) - ROW.itemsize)[0]
        if first > done:
            whole.append(value)
            done = last
            continue
        if whole:
            parts.append(decode_rows(whole))
            whole = []
        rows = decode_rows([value])
        kept = rows[rows["offset"] > done]
        dropped += len(rows) - len(kept)
        parts.append(kept)
        done = max(done, last)
    if whole:
        parts.append(decode_rows(whole))
    if not parts:
        return EMPTY, done, dropped
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)), done, dropped
