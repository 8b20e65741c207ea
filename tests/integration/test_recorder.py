"""The recorder: versions by comparing, told once, and nothing recorded goes untold after a crash."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg
import pytest

from infra.local.local_stack import LocalStack
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.domain.recording import Figures, Found
from pipelines.engine.excursion_rows import load_taken
from pipelines.engine.judgements import ExcursionFact, Fact, Judged, LateReadings, OfflineFact, RunningFact, StateFact
from pipelines.engine.outbox import Outbox
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.recorder import Recorder
from pipelines.engine.stop import StopFlag
from schemas.events import UnitState
from tests.integration.engine_database import fill_registry, new_database

AT = 1_790_000_000_000
FIGURES = Figures(910, 900.0, 1.5, 60_000, 60_000, 0, 2, 60_000)
OPENED = Found(1, 1, 1, 1, 1, "warm", "high", "critical", 800, AT, AT + 60_000, None, None, None, FIGURES)
CLOSED = replace(OPENED, ended_at=AT + 120_000, closed_at=AT + 120_000, ended_by="recovery")


@dataclass
class Rig:
    """A database, and what was told."""

    database: DatabaseConfig
    alerting: list[dict[str, object]]
    live: list[dict[str, object]]
    broken: bool = False

    def send(self, _topic: str, _partition: int, value: bytes, *, key: bytes | None = None, headers: object = None) -> None:
        """Take a record of `alerting`, as AckedProducer does."""
        assert key == b"1"
        assert headers is None
        if self.broken:
            raise SystemExit("killed between the commit and the telling")
        self.alerting.append(json.loads(value))

    def settle(self, timeout: float = 1) -> None:
        """Everything is acknowledged at once."""

    def publish(self, messages: list[tuple[str, bytes]]) -> int:
        """Take live events, as LivePublisher does."""
        self.live += [json.loads(message) for _, message in messages]
        return len(messages)

    def recorder(self, revisions: object = None) -> Recorder:
        """Return a recorder as after a start of the process."""
        outbox = Outbox("detect_excursions", "cell", self, self)  # type: ignore[arg-type]
        return Recorder(Reconnecting(self.database, "detect_excursions", StopFlag()), outbox, self, revisions or self)  # type: ignore[arg-type]

    def record(self, recorder: Recorder, *facts: Fact) -> None:
        """Record facts of one partition."""
        recorder.write([Judged(9, facts[-1].as_of, facts)])
        recorder.flush()

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """Return what a query finds."""
        with psycopg.connect(self.database.url) as connection:
            return connection.execute(statement).fetchall()

    def versions(self) -> list[tuple[object, ...]]:
        """Return the versions of excursions."""
        return self.rows("SELECT version, reason, closed_at IS NOT NULL FROM excursion_versions ORDER BY excursion_id, version")


@pytest.fixture
def rig(stack: LocalStack) -> Iterator[Rig]:
    """A migrated database with one sensor, and ears."""
    with new_database(stack.database_url) as database:
        fill_registry(database)
        yield Rig(database, [], [])


def test_an_excursion_gets_a_version_when_it_opens_and_one_when_it_closes_and_each_is_told(rig: Rig) -> None:
    recorder = rig.recorder()

    rig.record(recorder, ExcursionFact(5, AT, OPENED))
    rig.record(recorder, ExcursionFact(9, AT, CLOSED))

    assert rig.versions() == [(1, "opened", False), (2, "closed", True)]
    assert [event["event"] for event in rig.alerting] == ["alert:triggered", "alert:resolved"]
    assert rig.live == rig.alerting
    assert len({event["data"]["id"] for event in rig.alerting}) == 1  # type: ignore[index]
    assert rig.rows("SELECT count(*) FROM outbox") == [(0,)]


@pytest.mark.parametrize(
    ("kind", "window_ms"), [("cumulative", None), ("cumulative", 86_400_000), ("mean", 3_600_000), ("mkt", 86_400_000)]
)
def test_an_excursion_of_any_kind_is_known_again_when_it_closes(rig: Rig, kind: str, window_ms: int | None) -> None:
    recorder = rig.recorder()

    rig.record(recorder, ExcursionFact(5, AT, replace(OPENED, kind=kind, window_ms=window_ms)))
    rig.record(recorder, ExcursionFact(9, AT, replace(CLOSED, kind=kind, window_ms=window_ms)))

    assert rig.versions() == [(1, "opened", False), (2, "closed", True)]
    assert rig.rows("SELECT DISTINCT v.kind, v.window_ms, c.kind, c.window_ms FROM excursion_versions v, current_excursions c") == [
        (kind, window_ms, kind, window_ms)
    ]


def test_a_band_that_only_has_the_name_of_another_has_excursions_of_its_own(rig: Rig) -> None:
    recorder = rig.recorder()

    rig.record(recorder, ExcursionFact(5, AT, replace(CLOSED, ended_by="policy")))
    rig.record(recorder, ExcursionFact(9, AT, replace(OPENED, kind="mean", window_ms=3_600_000, opened_at=AT + 120_000)))

    assert rig.versions() == [(1, "policy", True), (1, "opened", False)] or rig.versions() == [(1, "opened", False), (1, "policy", True)]
    assert rig.rows("SELECT count(*) FROM current_excursions") == [(2,)]


def test_facts_found_again_after_a_restart_are_neither_written_nor_told_again(rig: Rig) -> None:
    facts = (ExcursionFact(5, AT, OPENED), ExcursionFact(9, AT, CLOSED))
    rig.record(rig.recorder(), *facts)

    rig.record(rig.recorder(), *facts)
    rig.record(rig.recorder(), *facts, ExcursionFact(11, AT, replace(OPENED, started_at=AT + 500_000, opened_at=AT + 500_000)))

    assert [version[1] for version in rig.versions()].count("opened") == 2
    assert [event["event"] for event in rig.alerting] == ["alert:triggered", "alert:resolved", "alert:triggered"]


def test_what_was_recorded_but_not_told_before_a_kill_is_told_at_the_next_start(rig: Rig) -> None:
    rig.broken = True
    with pytest.raises(SystemExit):
        rig.record(rig.recorder(), ExcursionFact(5, AT, OPENED))
    assert rig.versions() == [(1, "opened", False)]
    assert rig.alerting == []

    rig.broken = False
    rig.record(rig.recorder(), ExcursionFact(5, AT, OPENED))

    assert rig.versions() == [(1, "opened", False)]
    assert [event["event"] for event in rig.alerting] == ["alert:triggered"]


def test_running_figures_live_in_a_plain_table_until_the_excursion_closes(rig: Rig) -> None:
    recorder = rig.recorder()
    rig.record(recorder, ExcursionFact(5, AT, OPENED), RunningFact(6, AT + 90_000, 1, "warm", replace(FIGURES, samples=7)))
    assert rig.rows("SELECT samples FROM open_excursions") == [(7,)]

    rig.record(recorder, ExcursionFact(9, AT, CLOSED))

    assert rig.rows("SELECT count(*) FROM open_excursions") == [(0,)]
    assert rig.versions() == [(1, "opened", False), (2, "closed", True)]


def test_offline_and_back_are_two_events_of_one_condition(rig: Rig) -> None:
    recorder = rig.recorder()

    rig.record(recorder, OfflineFact(5, AT, 1, 1, 1, 1, AT, None))
    assert rig.rows("SELECT device_id, kind FROM open_conditions") == [(1, "offline")]
    rig.record(recorder, OfflineFact(7, AT + 9_000, 1, 1, 1, 1, AT, AT + 9_000))

    assert rig.rows("SELECT version, ended_at IS NULL FROM condition_events ORDER BY version") == [(1, True), (2, False)]
    assert rig.rows("SELECT count(*) FROM open_conditions") == [(0,)]
    assert [(event["event"], event["data"]["category"]) for event in rig.alerting] == [  # type: ignore[index]
        ("alert:triggered", "offline"),
        ("alert:resolved", "offline"),
    ]


def test_a_unit_is_told_the_worst_state_of_its_sensors(rig: Rig) -> None:
    rig.record(rig.recorder(), StateFact(5, 1, 1, 1, UnitState.IN_RANGE, AT), StateFact(6, 2, 1, 1, UnitState.BREACHING, AT))

    assert [(event["event"], event["data"]["state"]) for event in rig.live] == [("unit:state:changed", "breaching")]  # type: ignore[index]
    assert rig.rows("SELECT sensor_id, state FROM sensor_states ORDER BY 1") == [(1, "in_range"), (2, "breaching")]


def test_the_view_shows_the_newest_version_in_degrees(rig: Rig) -> None:
    recorder = rig.recorder()
    rig.record(recorder, ExcursionFact(5, AT, OPENED))
    rig.record(recorder, ExcursionFact(9, AT, CLOSED))

    assert rig.rows("SELECT version, limit_celsius, peak_celsius, known_seconds FROM analytics.excursions_now") == [(2, 8.0, 9.1, 60.0)]


def test_a_revision_is_asked_for_only_once_what_was_found_before_it_is_on_record(rig: Rig) -> None:
    asked: list[tuple[int, list[tuple[object, ...]]]] = []

    class Asked:
        def write(self, items: list[LateReadings]) -> None:
            asked.extend((item.offset, rig.versions()) for item in items)

        def flush(self) -> None:
            """Everything is acknowledged at once."""

    recorder = rig.recorder(Asked())

    recorder.write([LateReadings(9, 1, 1, 1, AT, 6, AT), Judged(9, 5, (ExcursionFact(5, AT, OPENED),))])
    unasked = list(asked)
    recorder.flush()

    assert unasked == []
    assert asked == [(6, [(1, "opened", False)])]


def test_the_id_of_an_excursion_that_stands_is_taken_however_long_ago_it_closed(rig: Rig) -> None:
    rig.record(rig.recorder(), ExcursionFact(5, AT, OPENED))
    rig.record(rig.recorder(), ExcursionFact(9, AT, CLOSED))

    with psycopg.connect(rig.database.url) as connection:
        taken, others = load_taken(connection, [1]), load_taken(connection, [2])

    assert [(one,) for one in taken] == rig.rows("SELECT excursion_id FROM current_excursions")
    assert others == frozenset()
