"""The tables in memory that `make truth` stands on answer as PostgreSQL does: a fleet's life is carried out on both, statement by statement."""

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import psycopg
import pytest
from psycopg import errors

from infra.local.local_stack import LocalStack
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.domain.recording import Figures, Found, Reason, Recorded, Standing
from pipelines.engine import condition_rows, excursion_rows, outbox, partitions_ahead, recorder, reviser, state_rows, stretches
from pipelines.engine.reading_store import ReadingStore
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.source import Batch, Record
from pipelines.engine.stop import StopFlag
from schemas.ids import excursion_id
from schemas.readings import Rows, encode_rows
from tests.integration.engine_database import new_database
from tests.truth import tables
from tests.truth.fleet import Act, Correction, Fleet, What
from tests.truth.random_fleet import random_fleet
from tests.truth.tables import DONE_STATEMENT, Kept, MemoryTables
from tests.truth.world import World

SEEDS: Final = (5, 3)
AT: Final = 1_790_000_000_000
DAY_MS: Final = 86_400_000

Answer = list[tuple[Any, ...]]

PAINT: Final = """
INSERT INTO corrected_stretches (sensor_id, organization_id, starts_at, ends_at, mark, calibration_hundredths, unit_id, assignment_id,
  policy_version_id)
VALUES (%s, %s, to_timestamp(%s / 1000.0), to_timestamp(%s / 1000.0), %s, %s, %s, %s, %s)
"""

IN_ANY_ORDER: Final = frozenset(
    {
        excursion_rows.CURRENT_OF_SENSORS,
        excursion_rows.TAKEN_OF_SENSORS,
        condition_rows.STANDING,
        condition_rows.VERSIONS,
        DONE_STATEMENT,
        stretches.STORED,
        stretches.ENDS,
    }
)
NOT_KEPT: Final = frozenset(
    {
        state_rows.LEFT_UNITS,
        state_rows.UPSERT_STATES,
        recorder.STATES_OF_UNITS,
        partitions_ahead.ENSURE,
        reviser.READ_ONLY,
        "SELECT pg_advisory_xact_lock(%s, %s)",
    }
)
"""Of hints, locks and partitions the tables in memory keep nothing: these are carried out, and their answers not compared."""


class Mirrored(MemoryTables):
    """Tables in memory that do the same on PostgreSQL, and compare every answer."""

    def __init__(self, fleet: Fleet, database: DatabaseConfig) -> None:
        super().__init__(fleet)
        self.compared: Counter[str] = Counter()
        self.organizations = {sensor.number: sensor.organization for sensor in fleet.sensors}
        self._depth = 0
        self._connection = psycopg.connect(database.url, autocommit=True)
        self._store = ReadingStore(Reconnecting(database, "store_readings", StopFlag()), None)

    def close(self) -> None:
        """Let go of PostgreSQL."""
        self._connection.close()
        self._store.close()

    def store(self, rows: Rows, partition: int) -> None:
        """Store rows here and there."""
        super().store(rows, partition)
        self._store.write([Batch(partition, [Record(0, 0, [], encode_rows(rows))])])
        self._store.flush()

    def correct(self, correction: Correction) -> None:
        """Paint a correction here and there."""
        super().correct(correction)
        self._connection.execute("DELETE FROM corrected_stretches WHERE sensor_id = %s", (correction.sensor,))
        for since, until, *rest in super().execute(stretches.STRETCHES, {"sensor": correction.sensor})[0]:
            self._connection.execute(PAINT, (correction.sensor, self.organizations[correction.sensor], since, until, *rest))

    def begin(self) -> Kept:
        """Begin on both."""
        self._connection.execute("BEGIN" if self._depth == 0 else f"SAVEPOINT s{self._depth}".encode())
        self._depth += 1
        return super().begin()

    def keep(self) -> None:
        """Commit on both."""
        self._depth -= 1
        self._connection.execute("COMMIT" if self._depth == 0 else f"RELEASE s{self._depth}".encode())
        super().keep()

    def undo(self, before: Kept) -> None:
        """Roll back on both."""
        self._depth -= 1
        self._connection.execute("ROLLBACK" if self._depth == 0 else f"ROLLBACK TO s{self._depth}".encode())
        super().undo(before)

    def execute(self, statement: str, values: Any) -> tuple[Answer, int]:
        """Carry a statement out on both; raises AssertionError where the answers are not the same."""
        found, written = super().execute(statement, values)
        cursor = self._connection.execute(statement.encode(), values)
        there = cursor.fetchall() if cursor.description is not None else []
        if statement not in NOT_KEPT:
            assert comparable(statement, found) == comparable(statement, there), statement
            assert not statement.startswith(tables.ADVANCE_BEGINS) or written == cursor.rowcount
            self.compared[statement] += bool(there)
        return found, written


def comparable(statement: str, rows: Answer) -> Any:
    """Return an answer as it is compared: of a UNION, or without ORDER BY, the order says nothing, and JSON is written in many ways."""
    if statement == excursion_rows.TAKEN_OF_SENSORS:
        return set(rows)
    if statement in IN_ANY_ORDER:
        return Counter(tuple(json.dumps(one, sort_keys=True) if isinstance(one, dict) else one for one in row) for row in rows)
    if statement == outbox.LEFT_BEHIND:
        return [(*row[:-1], json.loads(row[-1])) for row in rows]
    return rows


def register(database: DatabaseConfig, fleet: Fleet) -> None:
    """Write what the flows look up of a fleet: its units, all of one site, and its assignments."""
    first = min(row.at for row in fleet.rows) - DAY_MS
    with psycopg.connect(database.url) as connection:
        connection.execute("SET session_replication_role = replica")
        for sensor in fleet.sensors:
            begins = first
            for one in sensor.assignments:
                connection.execute(
                    "INSERT INTO units (id, organization_id, site_id, name) OVERRIDING SYSTEM VALUE VALUES (%s, %s, 1, %s)",
                    (one.unit, sensor.organization, f"unit {one.unit}"),
                )
                connection.execute(
                    "INSERT INTO assignments (id, organization_id, sensor_id, unit_id, valid_from, valid_to) OVERRIDING SYSTEM VALUE "
                    "VALUES (%s, %s, %s, %s, to_timestamp(%s / 1000.0), to_timestamp(%s / 1000.0))",
                    (one.number, sensor.organization, sensor.number, one.unit, begins, one.ends_at),
                )
                begins = begins if one.ends_at is None else one.ends_at


def lively(seed: int) -> Fleet:
    """Return a fleet of every kind of band, corrected where its seed says so, whose database drops no connection: a rollback of the connection itself is not mirrored."""
    fleet = random_fleet(seed, "mixed")
    kept = tuple(one for one in fleet.events if not (isinstance(one, Act) and one.what is What.DATABASE_DROPS))
    return replace(fleet, events=kept)


@pytest.fixture
def database(stack: LocalStack) -> Iterator[DatabaseConfig]:
    """A migrated database with nothing in it."""
    with new_database(stack.database_url) as config:
        yield config


def live_and_look(mirrored: Mirrored, fleet: Fleet) -> None:
    """Carry a fleet's life out, and compare all that stands in the end."""
    World(fleet, mirrored).live()
    sensors = [sensor.number for sensor in fleet.sensors]
    mirrored.execute(excursion_rows.CURRENT_OF_SENSORS, (sensors, 0))
    mirrored.execute(excursion_rows.TAKEN_OF_SENSORS, {"sensors": sensors})
    mirrored.execute(stretches.STORED, ())
    for flow in ("detect_excursions", "revise_excursions"):
        mirrored.execute(DONE_STATEMENT, (flow,))
        mirrored.execute(outbox.LEFT_BEHIND, {"flow": flow, "cell": "cell", "most": 1_000})
    for sensor in sensors:
        mirrored.execute(stretches.AFTER, {"sensor": sensor, "offset": 1 << 40, "at": stretches.LONG_AGO_MS})


@pytest.mark.parametrize("seed", SEEDS)
def test_every_statement_of_a_fleets_life_is_answered_as_postgresql_answers_it(database: DatabaseConfig, seed: int) -> None:
    fleet = lively(seed)
    register(database, fleet)
    mirrored = Mirrored(fleet, database)

    live_and_look(mirrored, fleet)
    mirrored.close()

    said = {statement for statement, many in mirrored.compared.items() if many}
    assert {excursion_rows.CURRENT_OF_SENSORS, stretches.STORED, stretches.BEFORE, stretches.AFTER, outbox.INSERT} <= said


def test_a_stand_in_that_takes_humidity_alone_for_a_fault_mark_is_seen(database: DatabaseConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = lively(next(seed for seed in range(100) if any(row.bare for row in lively(seed).rows)))
    register(database, fleet)
    mirrored = Mirrored(fleet, database)
    monkeypatch.setattr(tables, "counts", lambda _stored: True)

    with pytest.raises(AssertionError, match="SELECT"):
        live_and_look(mirrored, fleet)
    mirrored.close()


def test_what_postgresql_refuses_the_stand_in_refuses_too(database: DatabaseConfig) -> None:
    first, other = excursion_id(1, "warm", AT, 0), excursion_id(1, "warm", AT, 1)
    here = MemoryTables(lively(SEEDS[0]))
    refused = [(excursion_rows.INSERT_VERSION, version_of(first)), (excursion_rows.UPSERT_CURRENT, version_of(other))]

    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(partitions_ahead.ENSURE, ("excursion_versions", AT / 1_000, AT / 1_000))
        for statement in (excursion_rows.INSERT_VERSION, excursion_rows.UPSERT_CURRENT):
            here.execute(statement, version_of(first))
            connection.execute(statement.encode(), version_of(first))

        for statement, values in refused:
            with pytest.raises(AssertionError):
                here.execute(statement, values)
            with pytest.raises(errors.UniqueViolation):
                connection.execute(statement.encode(), values)


def version_of(identity: uuid.UUID) -> dict[str, Any]:
    """Return the values of an excursion's first version, open."""
    place = {"sensor": 1, "device": 1, "unit": 1, "organization": 1, "policy_version": 1}
    band = {"band": "warm", "side": "high", "severity": "critical", "limit": 800}
    times = {"started_at": AT, "opened_at": AT, "ended_at": None, "closed_at": None, "ended_by": None}
    found = Found(**place, **band, **times, figures=Figures(900, 900.0, 1.0, 1, 1, 0, 1, 1))  # type: ignore[arg-type]
    return excursion_rows.version_values(Recorded(Standing(identity, 1, AT, found, late=False), Reason.OPENED), 0, 0)
