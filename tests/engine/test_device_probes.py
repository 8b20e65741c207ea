"""A device with several probes is as patient as its least patient one, whichever spoke last and however the log is batched."""

from random import Random

import msgspec
import numpy as np

from pipelines.engine.judgements import Fact, OfflineFact
from pipelines.engine.shard import Shard, Snapshot
from pipelines.engine.shard_table import DEVICE
from schemas.readings import RowFlag, RowKind, Rows
from tests.engine.lone_rows import AT, SECOND, judged, row, ticks
from tests.engine.random_log import terms

PATIENT, NEVER, HASTY = 1, 2, 3
"""Configurations with a patience of 36 s, none, and 15 s."""


def offline(facts: list[Fact]) -> list[tuple[int, int, int, int | None]]:
    """Return offset, sensor, start and end in seconds of what is offline."""
    found = [fact for fact in facts if isinstance(fact, OfflineFact)]
    return [(one.as_of, one.sensor, seconds(one.started_at) or 0, seconds(one.ended_at)) for one in found]


def seconds(instant: int | None) -> int | None:
    """Return an instant in seconds."""
    return None if instant is None else (instant - AT) // SECOND


def went(rows: list[Rows]) -> list[tuple[int, int]]:
    """Return sensor and start of what went offline, after some ticks."""
    return [(sensor, start) for _, sensor, start, end in offline(judged([*ticks(-3, 2), *rows])[1]) if end is None]


def test_the_shortest_patience_of_its_probes_holds_whichever_spoke_last() -> None:
    hasty, patient, never = row(1, configuration=HASTY), row(2, sensor=2, configuration=PATIENT), row(3, sensor=3, configuration=NEVER)

    assert went([hasty, patient, never, *ticks(3, 60)]) == [(1, 18)]
    assert went([row(1, sensor=3, configuration=NEVER), row(2, sensor=2), row(3, configuration=HASTY), *ticks(3, 60)]) == [(1, 18)]


def test_a_probe_that_is_learned_to_report_seldom_leaves_its_device_as_patient_as_the_other_makes_it() -> None:
    before = [row(1, configuration=HASTY), row(2, sensor=2, configuration=HASTY)]
    accepted = row(3, sensor=2, configuration=PATIENT)

    assert went([*before, accepted, *ticks(3, 60)]) == [(1, 18)]


def test_a_probe_whose_assignment_has_ended_counts_no_longer() -> None:
    rows = [row(1, configuration=HASTY), row(2, sensor=2), row(3, RowKind.ASSIGNMENT_END), *ticks(3, 60)]

    assert went(rows) == [(2, 38)]


def test_a_probe_that_watches_another_unit_by_now_is_not_ended_by_an_end_that_is_said_late() -> None:
    moved = row(3, configuration=HASTY, unit=99, assignment=2)

    assert went([row(1, configuration=HASTY), row(2, sensor=2), moved, row(3, RowKind.ASSIGNMENT_END), *ticks(3, 60)]) == [(1, 18)]


def test_the_last_patience_of_a_device_that_watches_nothing_stays() -> None:
    assert went([row(1, configuration=HASTY), row(3, RowKind.ASSIGNMENT_END), *ticks(3, 60)]) == [(1, 16)]


def test_a_device_of_an_older_snapshot_is_known_by_the_probe_it_was_heard_by_last() -> None:
    shard, _ = judged([row(1, configuration=HASTY), *ticks(1, 3)])
    fields = msgspec.msgpack.decode(shard.snapshot())
    older = msgspec.msgpack.encode([5, *fields[1 : len(Snapshot.__struct_fields__) - 1]])

    restored = Shard(0, terms(), older)

    kept = np.frombuffer(restored._devices.content(), DEVICE)
    assert restored._devices.probes()
    assert kept["offline_after_ms"].tolist() == [15 * SECOND]


def random_probes(seed: int) -> list[Rows]:
    """Return a log of one device whose probes come, change their terms, end, are replayed and fall silent."""
    chance, rows, second = Random(seed), list[Rows](), 0
    for _ in range(30):
        for _ in range(chance.randint(0, 3)):
            values = {"configuration": chance.choice([PATIENT, PATIENT, NEVER, HASTY])}
            if chance.random() < 0.1:
                values["flags"] = int(chance.choice([RowFlag.REPLAYED, RowFlag.HISTORY]))
            kind = chance.choice([RowKind.READING] * 8 + [RowKind.HEARD, RowKind.ASSIGNMENT_END])
            rows.append(row(second - chance.choice([0, 0, 0, 30]), kind, sensor=chance.randint(1, 3), **values))
        silent = chance.choice([1, 2, 5, 20, 45])
        rows += ticks(second, second + silent)
        second += silent
    return rows


def test_who_is_offline_does_not_depend_on_batches_or_restarts() -> None:
    ended = 0
    for seed in range(40):
        expected = offline(judged(random_probes(seed))[1])
        for longest in (5, 200):
            assert offline(judged(random_probes(seed), longest=longest, seed=seed, restart=0.1)[1]) == expected, (seed, longest)
        ended += sum(end is not None for *_, end in expected)
    assert ended > 40
