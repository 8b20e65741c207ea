"""The shard evaluator finds what the pure machine finds, whatever the batching, repeats and restarts."""

import os
import random

import pytest

from pipelines.domain.evaluate import judge
from pipelines.domain.excursion_facts import ExcursionOpened
from pipelines.domain.excursion_states import Reading
from pipelines.domain.found import found_of_fact
from pipelines.domain.partition_clock import PartitionClock, on_tick
from pipelines.domain.recording import Found
from pipelines.domain.sensor import FRESH, SensorState, Step, is_late, on_clock, on_reading
from pipelines.engine.judgements import ExcursionFact, Judged, LateReadings, OfflineFact, Output
from pipelines.engine.shard import Shard
from schemas.readings import ABSENT_I2, RowKind, Rows, encode_rows
from tests.engine.random_log import CONFIGURATIONS, POLICIES, SUSTAINED, WINDOWED, cut, random_log, terms

SERIES = int(os.environ.get("COLDSTREAM_SHARD_LOGS", "300"))

Told = tuple[int, Found]


def by_the_machine(rows: list[Rows]) -> tuple[list[Told], dict[int, SensorState], list[int]]:
    """Walk the log row by row through the pure machine alone; of a sensor with late rows no end is told, as no answer comes here."""
    states: dict[int, SensorState] = {}
    told: list[Told] = []
    late: list[int] = []
    waiting: set[int] = set()
    clock = PartitionClock()

    def take(offset: int, sensor: int, step: Step) -> None:
        before, states[sensor] = states[sensor], step.state
        told.extend(
            (offset, found_of_fact(fact, step.state, before, place(sensor), POLICIES))
            for fact in step.facts
            if isinstance(fact, ExcursionOpened) or sensor not in waiting
        )

    for row in rows:
        offset, at, sensor = int(row["offset"][0]), int(row["measured_at"][0]), int(row["sensor"][0])
        if row["kind"][0] == RowKind.TICK:
            clock = on_tick(clock, at)
            for sensor, state in states.items():
                take(offset, sensor, on_clock(state, clock.now, POLICIES))
            continue
        state = states.setdefault(sensor, FRESH)
        if is_late(state, at):
            late.append(offset)
            waiting.add(sensor)
            continue
        temperature = None if row["temperature"][0] == ABSENT_I2 else int(row["temperature"][0])
        max_gap = CONFIGURATIONS[int(row["configuration"][0])].max_gap_ms
        take(offset, sensor, on_reading(state, Reading(at, temperature, max_gap, int(row["policy"][0])), POLICIES))
    return told, states, late


def place(sensor: int) -> dict[str, int]:
    """Return what the shard's table says of a sensor of the random log."""
    return {"id": sensor, "device": 100 + sensor, "unit": 7, "organization": 1}


def excursions(outputs: list[Output]) -> list[Told]:
    """Return the excursion facts among a shard's outputs."""
    judged = [output for output in outputs if isinstance(output, Judged)]
    return [(fact.as_of, fact.found) for output in judged for fact in output.facts if isinstance(fact, ExcursionFact)]


def ordered(told: list[Told]) -> list[Told]:
    """Sort facts; the order among sensors and bands at one offset is of no meaning."""
    return sorted(
        told, key=lambda one: (one[0], one[1].sensor, one[1].closed_at or one[1].opened_at, one[1].band, one[1].closed_at is None)
    )


@pytest.mark.parametrize("versions", [SUSTAINED, WINDOWED], ids=["sustained", "windowed"])
@pytest.mark.parametrize("disorder", [False, True])
def test_shard_finds_what_the_machine_finds_in_any_batches_repeats_and_restarts(disorder: bool, versions: tuple[int, int]) -> None:
    for seed in range(SERIES):
        log = random_log(seed, disorder=disorder, versions=versions)
        expected, _, late = by_the_machine(log.rows)
        chance = random.Random(seed)
        shard = Shard(3, terms())
        outputs: list[Output] = []
        records = [encode_rows(piece) for piece in cut(log.rows, chance, longest=7)]

        index = 0
        while index < len(records):
            count = chance.randint(1, 12)
            outputs += shard.on_records(records[index : index + count])
            index += count
            if chance.random() < 0.2:
                shard = Shard(3, terms(), shard.snapshot())
            if chance.random() < 0.2:
                index = max(0, index - chance.randint(1, 5))

        assert ordered(excursions(outputs)) == ordered(expected), f"seed {seed}"
        requests = [output for output in outputs if isinstance(output, LateReadings)]
        assert bool(requests) <= bool(late), f"seed {seed}"


@pytest.mark.parametrize("versions", [SUSTAINED, WINDOWED], ids=["sustained", "windowed"])
def test_shard_agrees_with_evaluate_over_the_whole_series(versions: tuple[int, int]) -> None:
    for seed in range(SERIES):
        log = random_log(seed, sensors=1, versions=versions)
        until = int(log.rows[-1]["measured_at"][0]) - 2_000
        readings = [row for row in log.rows if row["kind"][0] != RowKind.TICK]
        series = [
            Reading(
                int(row["measured_at"][0]),
                None if row["temperature"][0] == ABSENT_I2 else int(row["temperature"][0]),
                CONFIGURATIONS[int(row["configuration"][0])].max_gap_ms,
                int(row["policy"][0]),
            )
            for row in readings
        ]
        expected = judge(series, POLICIES, until)

        outputs = Shard(3, terms()).on_records([encode_rows(piece) for piece in cut(log.rows, random.Random(seed), longest=9)])

        newest = {(found.band, found.started_at): found for _, found in excursions(outputs)}
        assert sorted((band, started, found.opened_at, found.ended_at, found.closed_at) for (band, started), found in newest.items()) == [
            (one.band, one.started_at, one.opened_at, one.ended_at, one.closed_at) for one in expected
        ], f"seed {seed}"


def test_offline_opens_once_by_the_clock_and_ends_with_the_next_uplink_in_any_batches() -> None:
    for seed in range(SERIES // 3):
        log = random_log(seed, sensors=2, steps=90)
        thinned = [row for row in log.rows if row["kind"][0] == RowKind.TICK or random.Random(int(row["offset"][0]) // 40).random() < 0.4]
        whole = offline_facts(thinned, [len(thinned)])

        pieces = offline_facts(thinned, [1] * len(thinned))

        assert whole == pieces, f"seed {seed}"


def test_offline_is_judged_by_the_patience_in_force_then_in_any_batches() -> None:
    told = 0
    for seed in range(SERIES // 3):
        chance = random.Random(seed)
        rows = [row.copy() for row in random_log(seed, sensors=2, steps=90).rows]
        terms_now = {101: (1, 7), 102: (1, 7)}
        for row in rows:
            device = int(row["device"][0])
            if device:
                if chance.random() < 0.2:
                    terms_now[device] = (chance.randint(1, 3), chance.choice([7, 8]))
                row["configuration"], row["unit"] = terms_now[device]
        thinned = [row for row in rows if row["kind"][0] == RowKind.TICK or random.Random(int(row["offset"][0]) // 25).random() < 0.5]

        whole = offline_facts(thinned, [len(thinned)])
        told += len(whole)

        assert whole == offline_facts(thinned, [1] * len(thinned)), f"seed {seed}"
        assert whole == offline_facts(thinned, [7] * (len(thinned) // 7 + 1)), f"seed {seed}"
    assert told > SERIES // 3


def offline_facts(rows: list[Rows], batches: list[int]) -> list[tuple[int, int, int, int | None]]:
    """Return what a shard says of offline devices when the rows come in batches of those sizes."""
    shard = Shard(3, terms())
    facts = []
    index = 0
    for size in batches:
        for output in shard.on_records([encode_rows(row) for row in rows[index : index + size]]):
            if isinstance(output, Judged):
                facts += [
                    (fact.as_of, fact.device, fact.started_at, fact.ended_at) for fact in output.facts if isinstance(fact, OfflineFact)
                ]
        index += size
    return sorted(facts, key=lambda fact: (fact[0], fact[1], fact[3] or 0))
