"""A small shard's snapshot of version 1, which every later version of the code must load."""

from pathlib import Path

from pipelines.engine.shard import Shard
from schemas.readings import encode_rows
from tests.engine.random_log import random_log, terms

SNAPSHOT = Path(__file__).parent / "shard_snapshot_v1.bin"
ROWS = 120
"""Rows of the log that are in it; the rest is what a restarted shard goes on with."""


def snapshot() -> bytes:
    """Return the snapshot after the first rows of a random log."""
    shard = Shard(3, terms())
    shard.on_records([encode_rows(row) for row in random_log(7).rows[:ROWS]])
    return shard.snapshot()
