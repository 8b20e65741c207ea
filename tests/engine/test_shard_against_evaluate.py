"""Ten thousand nasty series: `evaluate` in one pass over each, against the shard evaluator fed all of them in random batches.

`COLDSTREAM_SHARD_SERIES` sets how many. Fifty sensors share a partition's log, in event order, with ticks that never pass a
reading that is still to come.
"""

import os
from dataclasses import dataclass
from itertools import chain
from random import Random

import numpy as np

from pipelines.domain.evaluate import Excursion, in_order, judge
from pipelines.domain.excursion_states import Reading
from pipelines.domain.found import running_of
from pipelines.domain.partition_clock import GRACE_MS
from pipelines.domain.policy import Policy
from pipelines.domain.recording import Found
from pipelines.engine.judgements import ExcursionFact, Judged
from pipelines.engine.shard import Shard
from pipelines.engine.terms import Configuration, Configurations, Policies, Terms
from schemas.readings import ABSENT_I2, RowKind, Rows, blank_rows, encode_rows
from tests.domain.judged import policy_of
from tests.domain.random_series import KINDS, Series, random_series

SERIES = int(os.environ.get("COLDSTREAM_SHARD_SERIES", "10000"))
SENSORS = 50
SETTLE_MS = 70 * 61_337
"""Longer than any hold, recovery, gap or window of the series."""

Fact = tuple[object, ...]


@dataclass(frozen=True)
class Judged50:
    """The series of one log, their terms by number, and the instant up to which all are judged."""

    series: list[list[Reading]]
    ends: list[int | None]
    policies: dict[int, Policy]
    gaps: list[int]


def test_shard_in_random_batches_finds_what_evaluate_finds_in_one_pass() -> None:
    kinds = list(KINDS)
    for first in range(0, SERIES, SENSORS):
        fifty = prepared([random_series(seed, kinds[seed % len(kinds)]) for seed in range(first, first + SENSORS)])
        rows, until = log_of(fifty, Random(first))

        found = in_batches(rows, fifty, Random(first))

        for sensor, series in enumerate(fifty.series):
            expected = [fact_of(one) for one in judge(series, fifty.policies, until, ends_at=ended(fifty.ends[sensor], until))]
            assert sorted(found.get(sensor + 1, {}).values(), key=str) == sorted(expected, key=str), f"seed {first + sensor}"


def ended(at: int | None, until: int) -> int | None:
    """Return an assignment's end if it is reached."""
    return at if at is not None and at <= until else None


def prepared(several: list[Series]) -> Judged50:
    """Give every policy version a number of its own, and start all series together."""
    policies: dict[int, Policy] = {}
    series, ends, gaps = [], [], sorted({row[3] for one in several for row in one.rows})
    for place, one in enumerate(several):
        numbers = {index: 1 + place * 100 + index for index in range(len(one.versions))}
        policies |= {numbers[index]: policy_of(bands) for index, bands in enumerate(one.versions)}
        end = one.assignment_end
        readings = [Reading(at, value, gap, numbers[version]) for at, value, version, gap in one.rows if end is None or at < end]
        series.append(in_order(readings))
        ends.append(end)
    return Judged50(series, ends, policies, gaps)


def log_of(fifty: Judged50, chance: Random) -> tuple[list[Rows], int]:
    """Return the rows of all sensors in event order, with ticks between, and the clock of the last tick."""
    events: list[tuple[int, int, int, Reading | None]] = []
    for sensor, series in enumerate(fifty.series):
        events += [(reading.measured_at, 0, sensor + 1, reading) for reading in series]
        end = fifty.ends[sensor]
        if end is not None and series and end > series[-1].measured_at:
            events.append((end, 1, sensor + 1, None))
    first, last = min(event[0] for event in events), max(event[0] for event in events)
    clock = first
    while clock < last + SETTLE_MS:
        clock += chance.randint(1_000, 4_900)
        events.append((clock, 2, 0, None))
    rows = [row_of(offset, event, fifty) for offset, event in enumerate(sorted(events, key=lambda event: event[:3]))]
    return rows, clock


def row_of(offset: int, event: tuple[int, int, int, Reading | None], fifty: Judged50) -> Rows:
    """Return one event as decode_uplinks writes it."""
    at, _, sensor, reading = event
    row = blank_rows(1)
    row["offset"], row["measured_at"], row["received_at"] = offset, at, at
    if not sensor:
        row["kind"], row["measured_at"] = RowKind.TICK, at + GRACE_MS
        return row
    row["sensor"] = row["device"] = row["unit"] = row["assignment"] = sensor
    row["organization"] = 1
    if reading is None:
        row["kind"] = RowKind.ASSIGNMENT_END
        return row
    row["policy"], row["configuration"] = reading.policy, 1 + fifty.gaps.index(reading.max_gap_ms)
    row["kind"] = RowKind.FAULT if reading.temperature is None else RowKind.READING
    row["temperature"] = ABSENT_I2 if reading.temperature is None else reading.temperature
    return row


def in_batches(rows: list[Rows], fifty: Judged50, chance: Random) -> dict[int, dict[tuple[str, int, int], Fact]]:
    """Return the newest fact of each excursion by sensor, as a shard finds them in random batches and restarts."""
    gaps = dict(enumerate(fifty.gaps, 1))
    terms = Terms(
        Policies(fifty.policies.__getitem__),
        Configurations(lambda numbers: {number: Configuration(gaps[number], 0) for number in numbers}),
    )
    shard = Shard(0, terms)
    found: dict[int, dict[tuple[str, int, int], Fact]] = {}
    index = 0
    while index < len(rows):
        size = chance.choice([1, 3, 20, 200, 1_000])
        outputs = shard.on_records([encode_rows(np.concatenate(rows[index : index + size]))])
        index += size
        for fact in chain.from_iterable(output.facts for output in outputs if isinstance(output, Judged)):
            if isinstance(fact, ExcursionFact):
                one = fact.found
                found.setdefault(one.sensor, {})[one.band, one.started_at, one.opened_at] = fact_of_found(one)
        if chance.random() < 0.1:
            shard = Shard(0, terms, shard.snapshot())
    return found


def fact_of(one: Excursion) -> Fact:
    """Return an excursion of `evaluate` as comparable values; figures count once it is closed."""
    figures = None if one.closed_at is None else running_of(one.figures)
    return (one.band, one.started_at, one.opened_at, one.ended_at, one.closed_at, one.ended_by, figures)


def fact_of_found(one: Found) -> Fact:
    """Return a shard's finding as the same values."""
    return (
        one.band,
        one.started_at,
        one.opened_at,
        one.ended_at,
        one.closed_at,
        one.ended_by,
        None if one.closed_at is None else one.figures,
    )
