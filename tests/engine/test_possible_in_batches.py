"""Possible excursions of bands with unlike holds: each instant is passed in its turn, however many ticks a batch has."""

from typing import Final

import numpy as np
import pytest

from pipelines.domain.partition_clock import GRACE_MS
from pipelines.domain.policy_document import parse_policy
from pipelines.engine.judgements import ConditionChange, Judged
from pipelines.engine.shard import Shard
from pipelines.engine.terms import Configuration, Configurations, Policies, Terms
from schemas.readings import RowKind, Rows, blank_rows, encode_rows

AT: Final = 1_790_000_000_000
SECOND: Final = 1_000
GAP: Final = 10 * SECOND
POLICY: Final = parse_policy(
    {
        "bands": [
            {"name": "short", "side": "high", "limit_celsius": 8, "hold_seconds": 15, "min_samples": 1},
            {"name": "long", "side": "high", "limit_celsius": 8, "hold_seconds": 27, "min_samples": 1},
        ],
    },
)
TERMS: Final = Terms(Policies(lambda _: POLICY), Configurations(lambda numbers: {number: Configuration(GAP, 0) for number in numbers}))

Told = tuple[int, str, int, int | None]
"""As of which offset, band, start and end in seconds."""


def warm(second: int) -> Rows:
    """Return a reading of 10 degrees."""
    row = blank_rows(1)
    row["measured_at"] = row["received_at"] = AT + second * SECOND
    for name in ("sensor", "device", "unit", "organization", "assignment", "policy", "configuration"):
        row[name] = 1
    row["temperature"], row["kind"] = 1_000, RowKind.READING
    return row


def tick(second: int) -> Rows:
    """Return a tick at which the clock stands at a second."""
    row = blank_rows(1)
    row["measured_at"] = row["received_at"] = AT + second * SECOND + GRACE_MS
    row["kind"] = RowKind.TICK
    return row


def told(rows: list[Rows], size: int) -> list[Told]:
    """Return what is told of possible excursions where so many rows are judged at once."""
    log = np.concatenate(rows)
    log["offset"] = np.arange(1, len(log) + 1)
    shard, found = Shard(0, TERMS), list[Told]()
    for start in range(0, len(log), size):
        facts = [
            fact for one in shard.on_records([encode_rows(log[start : start + size])]) if isinstance(one, Judged) for fact in one.facts
        ]
        changes = [fact for fact in facts if isinstance(fact, ConditionChange)]
        found += [(one.as_of, one.band, seconds(one.started_at) or 0, seconds(one.closed_at)) for one in changes]
    return found


def seconds(instant: int | None) -> int | None:
    """Return an instant in seconds."""
    return None if instant is None else (instant - AT) // SECOND


@pytest.mark.parametrize("every", [1, 2])
def test_a_run_becomes_possible_and_opens_once_each_however_many_ticks_come_at_once(every: int) -> None:
    ticks = [tick(second) for second in range(0, 40, every)]
    until = 20 // every
    rows = [ticks[0], warm(0), *ticks[1:until], warm(20), *ticks[until + 1 :]]

    one_by_one = told(rows, 1)

    assert [(band, start, end) for _, band, start, end in one_by_one if band == "short"] == [("short", 15, None), ("short", 15, 25)]
    assert [(band, start, end) for _, band, start, end in one_by_one if band == "long"] == [("long", 27, None)]
    assert told(rows, 7) == told(rows, len(rows)) == one_by_one
