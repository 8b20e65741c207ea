"""Late readings on real PostgreSQL: stored, judged live, judged again and answered, in any order, they come to what one pass finds.

Whom nothing new is told of is told nothing: a revision that changes no fact leaves no version and no event.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from random import Random
from typing import Any

import psycopg
import pytest

from infra.local.local_stack import LocalStack
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.domain.evaluate import Excursion, in_order, judge
from pipelines.domain.excursion_states import Reading
from pipelines.domain.partition_clock import GRACE_MS
from pipelines.domain.policy_document import parse_policy
from pipelines.engine.awaiting import Answer, decode_answer
from pipelines.engine.judgements import Judged, LateReadings, Output
from pipelines.engine.outbox import Outbox
from pipelines.engine.reading_store import ReadingStore
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.recorder import Recorder
from pipelines.engine.reviser import Reviser
from pipelines.engine.revision_queue import LONGEST_SECONDS, RevisionQueue
from pipelines.engine.shard import Shard
from pipelines.engine.source import Batch, Record
from pipelines.engine.stop import StopFlag
from pipelines.engine.stretches import stored_offsets
from pipelines.engine.terms_loader import load_terms
from schemas.readings import RowKind, Rows, encode_rows
from schemas.revisions import RevisionRequest, decode_revised
from tests.integration.engine_database import fill_registry, new_database
from tests.integration.test_store_readings import AT, MINUTE, PARTITION, row

GAP_MS = 900_000
POLICY = 2
DOCUMENT = {
    "bands": [
        {"name": "warm", "side": "high", "limit_celsius": 8, "hold_seconds": 900, "min_samples": 2, "recovery_margin_celsius": 0.5},
        {"name": "frozen", "side": "low", "limit_celsius": 0, "inclusive": True},
        {"name": "spent", "kind": "cumulative", "side": "high", "limit_celsius": 8, "window_seconds": 14_400, "budget_seconds": 3_600},
        {"name": "mean", "kind": "mean", "side": "high", "limit_celsius": 7, "window_seconds": 3_600},
        {"name": "kinetic", "kind": "mkt", "side": "high", "limit_celsius": 7, "window_seconds": 7_200, "recovery_margin_celsius": 0.2},
    ]
}
TEMPERATURES = (400, 400, 400, 500, 700, 780, 801, 900, 1_200, -10)


@dataclass
class Rig:
    """One sensor of one partition: its store, its shard, its recorder and its reviser on one database."""

    database: DatabaseConfig
    told: list[dict[str, Any]] = field(default_factory=list)
    requests: list[LateReadings] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    offset: int = -1

    def __post_init__(self) -> None:
        self.terms = load_terms(self.connection("terms"))
        self.shard = Shard(PARTITION, self.terms)
        self.store = ReadingStore(self.connection("store_readings"), None)
        outbox = Outbox("detect_excursions", "cell", self, self)  # type: ignore[arg-type]
        self.recorder = Recorder(self.connection("detect_excursions"), outbox, self, self)  # type: ignore[arg-type]
        revised = Outbox("revise_excursions", "cell", self, self)  # type: ignore[arg-type]
        self.reviser = Reviser(self.connection("revise_excursions"), self.terms, revised, self)  # type: ignore[arg-type]

    def connection(self, name: str) -> Reconnecting:
        """Return a connection."""
        return Reconnecting(self.database, name, StopFlag())

    def send(self, topic: str, _partition: int, value: bytes, *, key: bytes | None = None, headers: object = None) -> None:  # noqa: ARG002
        """Take a record, as AckedProducer does."""
        if topic == "revised":
            self.answers.append(decode_answer(decode_revised(value)))
        else:
            self.told.append(json.loads(value))

    def settle(self, timeout: float = 1) -> None:
        """Everything is acknowledged at once."""

    def publish(self, messages: list[tuple[str, bytes]]) -> int:
        """Take live events, as LivePublisher does."""
        return len(messages)

    def come(self, *rows: Rows) -> None:
        """Let rows come: judged live at once, and stored."""
        for one in rows:
            self.offset += 1
            one["offset"] = self.offset
        self.rows += rows
        encoded = [encode_rows(one) for one in rows]
        self.take(self.shard.on_records(encoded))
        self.store.write([Batch(PARTITION, [Record(place, AT, [], value) for place, value in enumerate(encoded)])])
        self.store.flush()

    def take(self, outputs: list[Output]) -> None:
        """Record what the shard found, and keep what it asks."""
        self.requests += [output for output in outputs if isinstance(output, LateReadings)]
        self.recorder.write([output for output in outputs if isinstance(output, Judged)])
        self.recorder.flush()

    def revise(self) -> None:
        """Carry out what was asked."""
        queue = RevisionQueue({}, 0.0)
        for one in self.requests:
            queue.add(
                RevisionRequest(
                    one.sensor, one.device, one.organization, one.measured_from, one.partition, one.offset, one.reason, one.clock
                ),
                0.0,
            )
        self.requests.clear()
        with psycopg.connect(self.database.url) as connection:
            stored = stored_offsets(connection)[PARTITION]
        self.reviser.write(queue.due(stored, LONGEST_SECONDS, 10))
        self.reviser.flush()
        assert not len(queue)

    def answer(self) -> None:
        """Let the shard go on from all answers."""
        for one in self.answers:
            self.take(self.shard.on_answer(one))
        self.answers.clear()

    def settle_all(self) -> None:
        """Go on until nothing is asked any more."""
        while self.requests or self.answers:
            if self.requests:
                self.revise()
            self.answer()

    def versions(self) -> list[tuple[Any, ...]]:
        """Return every version there ever was."""
        with psycopg.connect(self.database.url) as connection:
            return connection.execute("SELECT excursion_id, version, reason FROM excursion_versions ORDER BY 1, 2").fetchall()

    def standing(self) -> list[tuple[Any, ...]]:
        """Return what stands on record."""
        statement = """
            SELECT band, (extract(epoch FROM started_at) * 1000)::bigint, (extract(epoch FROM opened_at) * 1000)::bigint,
              (extract(epoch FROM ended_at) * 1000)::bigint, (extract(epoch FROM closed_at) * 1000)::bigint, ended_by, samples, exposure_ms
            FROM current_excursions c JOIN excursion_versions v USING (excursion_id, version, band, started_at, opened_at)
            """.replace("band, (", "c.band, (", 1)
        query = statement.replace("ended_at)", "c.ended_at)").replace("closed_at)", "c.closed_at)").replace("ended_by,", "c.ended_by,")
        with psycopg.connect(self.database.url) as connection:
            rows = connection.execute(
                query.replace("started_at) *", "c.started_at) *").replace("opened_at) *", "c.opened_at) *")
            ).fetchall()
        return sorted((*one[:6], *(one[6:] if one[4] is not None else (None, None))) for one in rows)

    def expected(self) -> list[tuple[Any, ...]]:
        """Return what one pass over all rows finds up to the clock."""
        readings = [
            Reading(int(one["measured_at"][0]), int(one["temperature"][0]), GAP_MS, POLICY)
            for one in self.rows
            if one["kind"][0] == RowKind.READING
        ]
        found = judge(in_order(readings), {POLICY: parse_policy(DOCUMENT)}, self.shard.clock.now)
        return sorted(line_of(one) for one in found)


def line_of(one: Excursion) -> tuple[Any, ...]:
    """Return an excursion of one pass as the tables have it."""
    figures = (None, None) if one.closed_at is None else (one.figures.samples, one.figures.exposure_ms)
    ended_by = None if one.ended_by is None else one.ended_by.value
    return (one.band, one.started_at, one.opened_at, one.ended_at, one.closed_at, ended_by, *figures)


@pytest.fixture
def rig(stack: LocalStack) -> Iterator[Rig]:
    """A migrated database with one sensor and a policy of every kind."""
    with new_database(stack.database_url) as database:
        fill_registry(database)
        with psycopg.connect(database.url) as connection:
            insert = "INSERT INTO policy_versions (organization_id, policy_id, version, document) VALUES (1, 1, 2, %s)"
            connection.execute(insert, [json.dumps(DOCUMENT)])
        yield Rig(database)


def reading(minute: int, temperature: int) -> Rows:
    """Return a reading under the policy of every kind."""
    rows = row(0, minute, temperature)
    rows["policy"] = POLICY
    return rows


def ticks(minute: int) -> list[Rows]:
    """Return ticks that bring the clock to a minute and a little further: after a silence it stands still for up to a minute."""
    found = []
    for second in range(0, 76, 4):
        rows = row(0, minute, None, RowKind.TICK)
        rows["measured_at"] = AT + minute * MINUTE + second * 1_000 + GRACE_MS
        rows["sensor"] = 0
        found.append(rows)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_late_readings_in_any_order_come_to_what_one_pass_over_all_of_them_finds(
    rig: Rig, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every other one streams its stretches a few rows at a time.
    monkeypatch.setattr("pipelines.engine.stretches.STREAM_ROWS", 20 if seed % 2 else 5_000)
    chance = Random(seed)
    temperature, rows = 400, []
    for minute in range(0, 1_200, 5):
        temperature = chance.choice(TEMPERATURES) if chance.random() < 0.3 else temperature
        late = chance.choice([40, 200, 600]) if chance.random() < 0.2 else 0
        rows.append((minute + late, reading(minute, temperature)))
    arrivals = [one for _, one in sorted(rows, key=lambda entry: entry[0])]

    for place in range(0, len(arrivals), 12):
        some = arrivals[place : place + 12]
        newest = max(int(one["measured_at"][0]) for one in chain(rig.rows, some)) - AT
        rig.come(*some, *ticks(newest // MINUTE + 1))
        if chance.random() < 0.4:
            rig.revise()
        if chance.random() < 0.5:
            rig.answer()
    rig.come(*ticks(2_000))
    rig.settle_all()

    assert rig.standing() == rig.expected()
    assert rig.expected()


def test_a_day_of_late_readings_newest_first_that_changes_no_fact_is_told_to_nobody(rig: Rig) -> None:
    rig.come(*[reading(minute, 900 if 100 <= minute < 200 else 400) for minute in range(0, 600, 10)], *ticks(620))
    told, versions, recorded = list(rig.told), rig.standing(), rig.versions()
    assert told

    # Long after the last window that an excursion reaches into: no figure of one changes either.
    for minute in range(585, 445, -10):
        rig.come(reading(minute, 400), *ticks(621))
    rig.settle_all()

    assert rig.told == told
    assert rig.versions() == recorded
    assert rig.standing() == versions == rig.expected()


def test_what_late_readings_disprove_is_voided_and_told_as_over(rig: Rig) -> None:
    rig.come(reading(0, 900), reading(14, 900), *ticks(27), reading(28, 400), reading(42, 400), *ticks(50))
    assert [one[0] for one in rig.standing()] == ["warm"]

    rig.come(reading(7, 400), reading(21, 400), *ticks(51))
    rig.settle_all()

    assert rig.standing() == rig.expected() == []
    assert rig.told[-1]["event"] == "alert:resolved"
    assert rig.told[-1]["data"]["ended_by"] == "void"


def test_a_row_without_a_temperature_is_no_fault_mark_to_a_revision(rig: Rig) -> None:
    humid = row(0, 32, None, RowKind.ANCILLARY)
    humid["humidity"] = 4_500

    rig.come(*[reading(minute, 900 if 10 <= minute < 40 else 400) for minute in (0, 10, 20, 30, 44)], humid, *ticks(45))
    rig.come(reading(25, 900), *ticks(90))
    rig.settle_all()

    assert rig.standing() == rig.expected()
    assert [one[7] for one in rig.standing() if one[0] == "warm"] == [34 * MINUTE]


def test_what_is_recorded_live_while_a_stretch_is_judged_has_it_judged_once_more(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.come(*[reading(minute, 400) for minute in range(0, 60, 10)], *ticks(61), reading(5, 900), *ticks(62))
    judge_stored, judged = Reviser._judge, []

    def judge_and_be_overtaken(self: Reviser, *given: Any) -> Any:
        judgement = judge_stored(self, *given)
        judged.append(judgement)
        if len(judged) == 1:
            rig.come(*[reading(minute, 900) for minute in range(70, 100, 5)], *ticks(101))
        return judgement

    monkeypatch.setattr(Reviser, "_judge", judge_and_be_overtaken)
    rig.revise()

    assert len(judged) == 2
    assert len({band for _, band in judged[1].current}) > len({band for _, band in judged[0].current})
    rig.settle_all()
    assert rig.standing() == rig.expected()
    assert "warm" in {one[0] for one in rig.standing()}
