"""What ticks say of ends and corrections: each once, so many at most in one record, and the same again where a process goes on after a crash."""

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import bytewax.operators as op
import msgspec
import numpy as np
import pytest
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, TestingSource, run_main

from pipelines.connectors.errors import Misconfigured
from pipelines.engine import registry as engine_registry
from pipelines.engine.decode_logic import decode_logic
from pipelines.engine.decoding import DecodedBatch
from pipelines.engine.registry import AssignmentEnd, Registry, Rejudgement
from pipelines.engine.source import FLUSH_KEY, Batch, Flush, Item, Record, partition_key
from pipelines.engine.unsaid import LOOK_BACK_MS, MOST, SAID_VERSION, Said, Unsaid, rejudgements_due
from pipelines.engine.writers import pieces
from schemas.readings import MAX_ROWS, blank_rows

PARTITION = 3
HOUR = 3_600_000


def again(at: int, sensor: int, number: int, measured_from: int = 0, reason: str = "correction") -> Rejudgement:
    """Return that a sensor is to be judged again."""
    return Rejudgement(at, measured_from, sensor, 10 * sensor, 1, reason, number)


def end(at: int, sensor: int, number: int) -> AssignmentEnd:
    """Return the end of an assignment of a sensor."""
    return AssignmentEnd(at, sensor, 10 * sensor, 1, 2, number)


def committed(
    monkeypatch: pytest.MonkeyPatch, registry: Registry, rejudgements: list[Rejudgement], ends: list[AssignmentEnd] | None = None
) -> None:
    """Let a registry look again, and find these things."""
    monkeypatch.setattr(engine_registry, "_look", lambda _connection: (len(rejudgements) + len(ends or []), 1))
    monkeypatch.setattr(engine_registry, "_load_ends", lambda _connection: {PARTITION: ends or []})
    fresh = lambda _connection, after: [(PARTITION, one) for one in rejudgements if one.id > after]  # noqa: E731
    monkeypatch.setattr(engine_registry, "_load_rejudgements", fresh)
    connection: Any = None
    registry.prepare(connection, [], 1 << 60)


def test_a_sensor_that_was_corrected_often_is_judged_again_once_from_the_earliest_for_the_weightiest() -> None:
    often = [again(1_000 + number, 7, number, 500 - number % 100, "policy") for number in range(9_000)]
    others = [again(2_000, 8, 9_000, 400, "correction"), again(10_000, 8, 9_001, 300, "assignment")]

    found, last = rejudgements_due([*often, *others], -1, HOUR, MOST)

    assert found == [again(9_999, 7, 8_999, 401, "policy"), again(10_000, 8, 9_001, 300, "correction")]
    assert last == 9_001


def test_all_that_one_tick_says_fits_in_one_record_and_the_rest_comes_with_the_next_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers, registry = range(1, 2 * MOST + 11), Registry()
    corrections, ends = [again(1_000 + one, one, one) for one in numbers], [end(1_000 + one, one, one) for one in numbers]
    committed(monkeypatch, registry, corrections, ends)
    unsaid = Unsaid(registry)

    ticks = [unsaid.said_with(PARTITION, clock) for clock in range(HOUR, 5 * HOUR, HOUR)]

    assert [(len(one), len(other)) for one, other in ticks] == [(MOST, MOST), (MOST, MOST), (10, 10), (0, 0)]
    assert 2 * MOST + 1 <= MAX_ROWS
    assert [one for said, _ in ticks for one in said] == ends
    assert [one for _, said in ticks for one in said] == corrections


@pytest.mark.parametrize("most", [1, 3, 50])
def test_one_who_goes_on_after_a_crash_says_with_each_tick_just_what_was_said_with_it_before(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    said_in_all = 0
    for seed in range(200):
        chance = Random(seed)
        instants = sorted(chance.randrange(100) for _ in range(chance.randrange(40)))
        corrections = [again(at, chance.randrange(6), number) for number, at in enumerate(instants, 1)]
        ends = sorted(
            (end(chance.randrange(100), chance.randrange(6), number) for number in range(20)), key=lambda one: (one.at, one.assignment)
        )
        ticks = sorted(chance.randrange(1, 120) for _ in range(20))
        kept_at = chance.randrange(20)
        registry = Registry()
        committed(monkeypatch, registry, corrections, ends)
        first = Unsaid(registry, most)

        before = [first.said_with(PARTITION, clock) for clock in ticks[:kept_at]]
        snapshot = first.snapshot(PARTITION)
        behind = [first.said_with(PARTITION, clock) for clock in ticks[kept_at:]]

        anew = Registry()
        committed(monkeypatch, anew, corrections, ends)
        second = Unsaid(anew, most)
        second.resume(PARTITION, snapshot)
        assert [second.said_with(PARTITION, clock) for clock in ticks[kept_at:]] == behind, f"seed {seed}"
        every = [one for said, _ in [*before, *behind] for one in said]
        assert every == ends[: len(every)], f"seed {seed}"
        said_in_all += len(every)
    assert said_in_all > 500


def test_what_came_while_nothing_ticked_for_days_or_was_committed_late_is_said_with_the_next_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    registry, late = Registry(), again(HOUR + 1_000, 7, 1)
    unsaid = Unsaid(registry)
    committed(monkeypatch, registry, [])
    assert unsaid.said_with(PARTITION, 2 * HOUR) == ([], [])
    snapshot = unsaid.snapshot(PARTITION)

    committed(monkeypatch, registry, [late])
    anew = Unsaid(registry)
    anew.resume(PARTITION, snapshot)

    assert anew.said_with(PARTITION, 2 * HOUR + 3 * LOOK_BACK_MS) == ([], [late])
    assert anew.said_with(PARTITION, 2 * HOUR + 3 * LOOK_BACK_MS + 1_000) == ([], [])


def test_a_partition_of_which_nothing_is_kept_says_what_holds_since_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 10 * LOOK_BACK_MS
    registry, times = Registry(), (now - LOOK_BACK_MS, now - LOOK_BACK_MS + 1, now, now + 1)
    corrections = [again(at, number, number) for number, at in enumerate(times, 1)]
    ends = [end(at, number, number) for number, at in enumerate(times, 1)]
    committed(monkeypatch, registry, corrections, ends)

    assert Unsaid(registry).said_with(PARTITION, now) == (ends[1:3], corrections[1:3])


def test_what_has_been_said_is_kept_in_memory_no_longer_and_is_not_loaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    registry, corrections = Registry(), [again(number, number, number) for number in range(1, 5)]
    committed(monkeypatch, registry, corrections[:3])
    unsaid = Unsaid(registry)
    unsaid.said_with(PARTITION, 2)

    committed(monkeypatch, registry, corrections)

    assert registry.rejudgements(PARTITION, 2) == corrections[2:]


def test_what_is_kept_of_a_partition_loads_in_its_version_alone() -> None:
    unsaid = Unsaid(Registry())

    unsaid.resume(PARTITION, msgspec.msgpack.encode(Said(SAID_VERSION, HOUR, 1, 2, 3)))

    assert unsaid.snapshot(PARTITION) == bytes.fromhex("95 01 ce 00 36 ee 80 01 02 03")
    with pytest.raises(Misconfigured, match="version 9"):
        unsaid.resume(PARTITION, msgspec.msgpack.encode(Said(9, HOUR, 1, 2, 3)))
    with pytest.raises(Misconfigured, match="cannot be read"):
        unsaid.resume(PARTITION, b"letter")


class Saying:
    """A decoder that only says."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.unsaid = Unsaid(self.registry)
        self.said: list[int] = []
        """Numbers of rejudgements."""

    def decode(self, batch: Batch) -> DecodedBatch:
        _, rejudgements = self.unsaid.said_with(batch.partition, batch.records[-1].stamp)
        self.said += [one.id for one in rejudgements]
        return DecodedBatch(batch.partition, blank_rows(0), [])


def test_bytewax_keeps_how_far_a_partition_is_and_nothing_of_flushes() -> None:
    decoder: Any = Saying()
    build = decode_logic(decoder)
    snapshot = msgspec.msgpack.encode(Said(SAID_VERSION, HOUR, 1, 2, 3))

    resumed, flushes = build(snapshot), build(None)

    assert resumed.snapshot() == snapshot
    assert flushes.on_batch([Flush(), Flush()]) == ([Flush()], True)
    decoded, is_done = resumed.on_batch([Batch(PARTITION, [Record(0, HOUR - 1, [], b"")])])
    assert (len(list(decoded)), is_done) == (1, False)
    assert resumed.snapshot() == snapshot


def test_a_flow_that_starts_again_from_its_recovery_folder_says_only_what_came_since(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    init_db_dir(tmp_path, 1)  # type: ignore[no-untyped-call]
    said: list[list[int]] = []

    def run(corrections: list[Rejudgement], ticks: list[Item]) -> None:
        decoder: Any = Saying()
        committed(monkeypatch, decoder.registry, corrections)
        flow = Dataflow("decode_uplinks")
        decoded = op.stateful_batch("decode", op.input("ticks", flow, TestingSource(ticks)), decode_logic(decoder))
        op.output("rows", decoded, TestingSink([]))
        run_main(flow, epoch_interval=timedelta(0), recovery_config=RecoveryConfig(str(tmp_path)))  # type: ignore[no-untyped-call]
        said.append(decoder.said)

    def tick(clock: int) -> list[Item]:
        return [(partition_key(PARTITION), Batch(PARTITION, [Record(0, clock, [], b"")])), (FLUSH_KEY, Flush())]

    ticks = tick(HOUR)
    run([again(1, 7, 1)], ticks)
    run([again(1, 7, 1), again(2, 8, 2)], ticks + tick(HOUR + 1))

    assert said == [[1], [2]]


def test_rows_of_one_offset_stay_in_one_record_though_they_are_more_than_a_record_should_have() -> None:
    rows = blank_rows(4 + 9 + 2)
    rows["offset"] = np.repeat([1, 2, 3], [4, 9, 2])

    cut = pieces(rows, 5)

    assert [piece["offset"].tolist() for piece in cut] == [[1] * 4, [2] * 9, [3] * 2]
    assert [len(piece) for piece in pieces(blank_rows(MAX_ROWS + 1))] == [MAX_ROWS + 1]
