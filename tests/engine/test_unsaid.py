"""What a tick says of very many ends and corrections: so many at most, in one record, and nothing is lost where a process starts anew."""

from random import Random
from typing import Any

import numpy as np
import pytest

from pipelines.engine import registry as engine_registry
from pipelines.engine.registry import AssignmentEnd, Registry, Rejudgement
from pipelines.engine.unsaid import MOST, Unsaid, newest_first
from pipelines.engine.writers import pieces
from schemas.readings import MAX_ROWS, blank_rows

PARTITION = 3
HOUR = 3_600_000


def again(at: int, sensor: int, measured_from: int = 0, reason: str = "correction") -> Rejudgement:
    """Return that a sensor is to be judged again."""
    return Rejudgement(at, measured_from, sensor, 10 * sensor, 1, reason)


def end(at: int, sensor: int) -> AssignmentEnd:
    """Return the end of an assignment of a sensor."""
    return AssignmentEnd(at, sensor, 10 * sensor, 1, 2, at)


def registry_of(monkeypatch: pytest.MonkeyPatch, rejudgements: list[Rejudgement], ends: list[AssignmentEnd]) -> Registry:
    """Return a registry in which some things stand."""
    monkeypatch.setattr(engine_registry, "_look", lambda _connection: (1, 1))
    monkeypatch.setattr(engine_registry, "_load_ends", lambda _connection: {PARTITION: ends})
    monkeypatch.setattr(engine_registry, "_load_rejudgements", lambda _connection: {PARTITION: rejudgements})
    registry = Registry()
    connection: Any = None
    registry.prepare(connection, [], 1)
    return registry


def test_a_sensor_that_was_corrected_often_is_judged_again_once_from_the_earliest_for_the_weightiest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    often = [again(1_000 + number, 7, 500 - number % 100, "policy") for number in range(9_000)]
    others = [again(2_000, 8, 400, "correction"), again(3_000, 8, 300, "assignment")]

    found = registry_of(monkeypatch, [*often, *others], []).rejudgements(PARTITION, 0, HOUR)

    assert found == [again(3_000, 8, 300, "correction"), again(9_999, 7, 401, "policy")]


def test_all_that_one_tick_says_fits_in_one_record_and_the_rest_comes_with_the_next_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    many = 2 * MOST + 10
    corrections, ends = [again(1_000 + number, number) for number in range(many)], [end(1_000 + number, number) for number in range(many)]
    unsaid = Unsaid(registry_of(monkeypatch, corrections, ends))

    ticks = [(unsaid.ends(PARTITION, at, at + HOUR), unsaid.rejudgements(PARTITION, at, at + HOUR)) for at in range(0, 4 * HOUR, HOUR)]

    assert [(len(one), len(other)) for one, other in ticks] == [(MOST, MOST), (MOST, MOST), (10, 10), (0, 0)]
    assert 2 * MOST + 1 <= MAX_ROWS
    assert sorted(one.at for said, _ in ticks for one in said) == [one.at for one in ends]
    assert sorted(one.at for _, said in ticks for one in said) == [one.at for one in corrections]
    assert ticks[0][1] == corrections[-MOST:]


def test_ends_of_one_sensor_are_said_together_or_the_oldest_first() -> None:
    several = [end(1, 7), end(5, 8), end(9, 7), end(10, 9)]

    assert newest_first(several, 3) == ([end(1, 7), end(9, 7), end(10, 9)], [end(5, 8)])
    assert newest_first(several, 2) == ([end(10, 9)], [end(1, 7), end(5, 8), end(9, 7)])
    assert newest_first([end(at, 7) for at in range(5)], 2) == ([end(0, 7), end(1, 7)], [end(2, 7), end(3, 7), end(4, 7)])


def test_one_who_starts_later_says_under_no_offset_what_the_one_before_it_had_not_said_by_then() -> None:
    waited = 0
    for seed in range(300):
        chance = Random(seed)
        every = [again(chance.randrange(100), chance.randrange(12)) for _ in range(chance.randrange(60))]
        one, other = chance.randrange(0, 40), chance.randrange(40, 80)
        of_first, of_second = said_by_tick(every, one), said_by_tick(every, other)
        waited += of_second[other] != {thing for thing in every if other - 30 < thing.at <= other}

        assert all(of_second[tick] <= of_first[tick] for tick in range(other, 110)), f"seed {seed}"
        assert of_second[109] >= {thing for thing in every if thing.at > other - 30}
    assert waited > 100


def said_by_tick(every: list[Rejudgement], start: int) -> dict[int, set[Rejudgement]]:
    """Return what one who starts at an instant, and looks back 30, has said by each tick; at most 3 sensors with each."""
    said: dict[int, set[Rejudgement]] = {}
    so_far: set[Rejudgement] = set()
    waiting: list[Rejudgement] = []
    before = start - 30
    for tick in range(start, 110):
        waiting += [one for one in every if before < one.at <= tick]
        of_sensors: dict[int, int] = {}
        for one in waiting:
            of_sensors[one.sensor] = max(of_sensors.get(one.sensor, 0), one.at)
        now, _ = newest_first([again(at, sensor) for sensor, at in sorted(of_sensors.items())], 3)
        chosen = {one.sensor for one in now}
        so_far |= {one for one in waiting if one.sensor in chosen}
        waiting = [one for one in waiting if one.sensor not in chosen]
        said[tick] = set(so_far)
        before = tick
    return said


def test_rows_of_one_offset_stay_in_one_record_though_they_are_more_than_a_record_should_have() -> None:
    rows = blank_rows(4 + 9 + 2)
    rows["offset"] = np.repeat([1, 2, 3], [4, 9, 2])

    cut = pieces(rows, 5)

    assert [piece["offset"].tolist() for piece in cut] == [[1] * 4, [2] * 9, [3] * 2]
    assert [len(piece) for piece in pieces(blank_rows(MAX_ROWS + 1))] == [MAX_ROWS + 1]
