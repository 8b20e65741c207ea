"""Rows of one device's probes and ticks each second, for tests of what a shard says of devices, clocks and conditions."""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Final

import numpy as np

from pipelines.domain.partition_clock import GRACE_MS
from pipelines.engine.judgements import Fact, Judged, Output
from pipelines.engine.shard import Shard
from schemas.readings import RowKind, Rows, blank_rows, encode_rows
from tests.engine.random_log import terms

AT: Final = 1_790_000_000_000
SECOND: Final = 1_000
DEVICE: Final = 100


def row(second: int, kind: RowKind = RowKind.READING, *, sensor: int = 1, **values: int) -> Rows:
    """Return a row of one of the device's sensors, in a unit of its own; of a reading 4 degrees."""
    rows = blank_rows(1)
    rows["measured_at"] = rows["received_at"] = AT + second * SECOND
    rows["kind"], rows["sensor"], rows["device"], rows["unit"] = kind, sensor, DEVICE, 10 + sensor
    rows["organization"] = rows["assignment"] = rows["configuration"] = rows["policy"] = 1
    if kind is RowKind.READING:
        rows["temperature"] = 400
    for name, value in values.items():
        rows[name] = value
    return rows


def ticks(first: int, last: int) -> list[Rows]:
    """Return ticks at which the clock stands at each of some seconds."""
    rows = blank_rows(last - first + 1)
    rows["kind"] = RowKind.TICK
    rows["measured_at"] = rows["received_at"] = AT + GRACE_MS + SECOND * np.arange(first, last + 1)
    return list(rows.reshape(-1, 1))


def numbered(rows: Sequence[Rows]) -> list[Rows]:
    """Return the rows under offsets in order, from 1; an end of an assignment stands under its tick's."""
    offset = 1
    for one in rows:
        one["offset"] = offset
        offset += one["kind"][0] != RowKind.ASSIGNMENT_END
    return list(rows)


def records_of(rows: Sequence[Rows], chance: Random, longest: int) -> list[bytes]:
    """Return the rows in records of random length; those of one offset stand in one."""
    records, index = [], 0
    while index < len(rows):
        end = min(len(rows), index + chance.randint(1, longest))
        while end < len(rows) and rows[end]["offset"][0] == rows[end - 1]["offset"][0]:
            end += 1
        records.append(encode_rows(np.concatenate(rows[index:end])))
        index = end
    return records


def facts_of(outputs: Iterable[Output]) -> list[Fact]:
    """Return the facts among a shard's outputs."""
    return [fact for one in outputs if isinstance(one, Judged) for fact in one.facts]


def judged(rows: Sequence[Rows], *, longest: int = 1, seed: int = 0, recorded: int = -1, restart: float = 0.0) -> tuple[Shard, list[Fact]]:
    """Let a shard judge rows in records of random length, started again from its snapshot now and then; return it with what it found."""
    chance = Random(seed)
    shard, found = Shard(0, terms(), recorded=recorded), list[Fact]()
    for record in records_of(numbered(rows), chance, longest):
        found += facts_of(shard.on_records([record]))
        if chance.random() < restart:
            shard = Shard(0, terms(), shard.snapshot(), recorded)
    return shard, found
