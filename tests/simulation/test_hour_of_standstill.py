"""An hour's stop of the API, of decode or of detect: nobody is falsely offline, and the same excursions are found afterwards."""

import numpy as np
import pytest

from pipelines.engine.judgements import ExcursionFact, Judged, LateReadings, OfflineFact
from pipelines.engine.shard import Shard
from schemas.readings import Rows, encode_rows
from tests.simulation.fleet_log import HOUR, MINUTE, SECOND, SILENT_SENSOR, START_AT, api_away, fleet, rows_of, terms

SEEDS = range(4)
AWAY_FROM = START_AT + 3 * HOUR + 7 * MINUTE

Excursions = list[tuple[int, str, int, int, int | None, int | None]]


def judged_in(batches: list[Rows], *, restart_after: int | None = None) -> tuple[Excursions, list[int], int]:
    """Return what a shard finds in batches: excursions, devices that went offline, and late readings."""
    shard = Shard(0, terms())
    newest: dict[tuple[int, str, int], tuple[int, int | None, int | None]] = {}
    offline: list[int] = []
    late = 0
    for number, batch in enumerate(batches):
        if number == restart_after:
            shard = Shard(0, terms(), shard.snapshot())
        for output in shard.on_records([encode_rows(batch)]):
            if isinstance(output, LateReadings):
                late += 1
            elif isinstance(output, Judged):
                for fact in output.facts:
                    if isinstance(fact, ExcursionFact):
                        found = fact.found
                        newest[found.sensor, found.band, found.started_at] = (found.opened_at, found.ended_at, found.closed_at)
                    elif isinstance(fact, OfflineFact) and fact.ended_at is None:
                        offline.append(fact.device)
    return [(*key, *times) for key, times in sorted(newest.items())], offline, late


def each_second(rows: list[Rows]) -> list[Rows]:
    """Return rows as they come live: a batch ends with each tick."""
    return live_batches(rows, lambda _: True)


def live_batches(rows: list[Rows], is_running: object) -> list[Rows]:
    """Return batches that end at each tick while the flow runs; what came while it stood still comes as one."""
    batches, pending = [], []
    for row in rows:
        pending.append(row)
        if row["sensor"][0] == 0 and callable(is_running) and is_running(int(row["received_at"][0])):
            batches.append(np.concatenate(pending))
            pending = []
    return [*batches, np.concatenate(pending)] if pending else batches


@pytest.mark.parametrize("seed", SEEDS)
def test_an_hour_without_the_api_leaves_nobody_falsely_offline_and_the_same_excursions(seed: int) -> None:
    arrivals = fleet(seed)
    expected, offline, _ = judged_in(each_second(rows_of(arrivals)))
    assert expected
    assert offline == [SILENT_SENSOR]

    stopped = api_away(arrivals, AWAY_FROM, HOUR, delivers_within=50 * SECOND, seed=seed)
    found, offline_after, late = judged_in(each_second(rows_of(stopped)))

    assert found == expected
    assert offline_after == [SILENT_SENSOR]
    assert late == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_an_hour_without_decode_or_detect_changes_nothing_that_is_found(seed: int) -> None:
    rows = rows_of(fleet(seed))
    expected = judged_in(each_second(rows))

    caught_up = live_batches(rows, lambda at: not AWAY_FROM <= at < AWAY_FROM + HOUR)
    restart_at = next(number for number, batch in enumerate(caught_up) if len(batch) > 1_000)

    assert judged_in(caught_up, restart_after=restart_at) == expected


def test_an_api_that_loses_the_hour_still_leaves_nobody_falsely_offline() -> None:
    arrivals = fleet(9)

    lost = [arrival for arrival in arrivals if not AWAY_FROM <= arrival.arrives_at < AWAY_FROM + HOUR]
    _, offline, _ = judged_in(each_second(rows_of(lost)))

    assert offline == [SILENT_SENSOR]


def test_without_the_standstill_after_an_outage_the_same_hour_would_be_told_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    arrivals = fleet(0)
    expected = judged_in(each_second(rows_of(arrivals)))
    stopped = api_away(arrivals, AWAY_FROM, HOUR, delivers_within=50 * SECOND, seed=0)

    monkeypatch.setattr("pipelines.domain.partition_clock.LONGEST_CATCH_UP_MS", 0)

    assert judged_in(each_second(rows_of(stopped))) != expected
