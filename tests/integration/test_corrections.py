"""Corrections on real PostgreSQL: commanded, put into the log, judged again and recorded, they come to what one pass over the corrected rows finds.

What people read (`corrected_readings`) is held to the pure function that judging uses.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from random import Random
from typing import Any, TypeVar

import numpy as np
import psycopg
import pytest
from msgspec.structs import replace
from psycopg.types.json import Jsonb

from api.commands.correcting import revoke
from api.commands.corrections import correct
from api.commands.previewing import Previewed, preview
from api.commands.transaction import Changes, Transaction
from api.correction_shapes import AnyOrder, CalibrationOrder, MarkOrder, MoveOrder, PolicyOrder
from api.errors import ApiError
from api.managers import Manager
from infra.local.local_stack import LocalStack
from pipelines.domain.evaluate import in_order, judge
from pipelines.domain.excursion_states import Reading
from pipelines.domain.instants import format_instant, parse_instant
from pipelines.domain.policy_document import parse_policy
from pipelines.domain.recording import Found
from pipelines.domain.registration.refusals import Refused
from pipelines.engine.decoding import assignment_end_row, rejudgement_row
from pipelines.engine.registry import Registry
from pipelines.engine.source import Record
from pipelines.engine.stretches import Stored, stored_offsets
from pipelines.engine.unsaid import Unsaid
from schemas.partitions import device_partition
from schemas.readings import ROW, RowKind
from tests.integration.engine_database import fill_registry, new_database
from tests.integration.test_revisions import DOCUMENT, GAP_MS, POLICY, Rig, line_of, reading, ticks
from tests.integration.test_store_readings import AT, MINUTE, PARTITION

EUI = "70B3D50000000001"
ADA = Manager("ada", frozenset({"team"}), frozenset({"team"}))
LOWER = {"bands": [{**band, "limit_celsius": band["limit_celsius"] - 2} for band in DOCUMENT["bands"]]}  # type: ignore[operator]
SECOND_UNIT, SECOND_POLICY = 2, 3

Done = TypeVar("Done")


def at(minute: int) -> str:
    """Return an instant as text."""
    return format_instant(AT + minute * MINUTE)


class CorrectedRig(Rig):
    """A rig whose registry can be corrected, with the very commands of the API."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.registry = Registry()
        self.unsaid = Unsaid(self.registry)

    def command(self, run: Callable[[Transaction], Awaitable[Done]], why: str = "checked by hand") -> Done:
        """Run a command and keep what it did."""

        async def ran() -> Done:
            changes = Changes(self.database)
            await changes.open()
            try:
                async with changes.transaction(ADA, why) as transaction:
                    return await run(transaction)
            finally:
                await changes.close()

        return asyncio.run(ran())

    def correct(self, order: AnyOrder) -> list[int]:
        """Make a correction, and let its time come."""
        numbers, _ = self.command(lambda transaction: correct(transaction, order))
        self.pass_time()
        return numbers

    def preview(self, order: AnyOrder) -> Previewed:
        """Return what a correction would change."""

        async def ran() -> Previewed:
            changes = Changes(self.database)
            await changes.open()
            try:
                async with changes.transaction(ADA, is_dry=True) as transaction:
                    return await preview(transaction, order)
            finally:
                await changes.close()

        return asyncio.run(ran())

    def revoke(self, number: int) -> None:
        """Take a correction back, and let its time come."""
        self.command(lambda transaction: revoke(transaction, number), "it was right after all")
        self.pass_time()

    def pass_time(self) -> None:
        """Let decode write what the clock of the partition has passed when all that is planned holds, and judge all of it."""
        with psycopg.connect(self.database.url) as connection:
            self.registry.prepare(connection, [], 1 << 60)
            until = self.horizon(connection)
        record = Record(0, until, [], b"")
        ends, again = self.unsaid.said_with(device_partition(EUI), until)
        beside = [*(assignment_end_row(record, one) for one in ends), *(rejudgement_row(record, one) for one in again)]
        self.come(*[np.frombuffer(row, dtype=ROW).copy() for row in beside], *ticks((until - AT) // MINUTE + 1))
        self.settle_all()

    def horizon(self, connection: psycopg.Connection) -> int:
        """Return an instant by which everything that is planned holds (ms UTC)."""
        row = connection.execute("SELECT (extract(epoch FROM now()) * 1000)::bigint + 20000").fetchone()
        assert row is not None
        return int(row[0])

    def rows_of(self, query: str) -> list[Any]:
        """Return what a query finds."""
        with psycopg.connect(self.database.url) as connection:
            return connection.execute(query).fetchall()

    def expected_of(self, change: Callable[[Reading], Reading | None], documents: dict[int, Any] | None = None) -> list[tuple[Any, ...]]:
        """Return what one pass over all rows finds, each as `change` makes it."""
        readings = [
            Reading(int(one["measured_at"][0]), int(one["temperature"][0]), GAP_MS, int(one["policy"][0]))
            for one in self.rows
            if one["kind"][0] == RowKind.READING
        ]
        policies = {number: parse_policy(document) for number, document in (documents or {POLICY: DOCUMENT}).items()}
        changed = [one for one in map(change, in_order(readings)) if one is not None]
        return sorted(line_of(one) for one in judge(changed, policies, self.shard.clock.now))


@pytest.fixture
def rig(stack: LocalStack) -> Iterator[CorrectedRig]:
    """A migrated database with one sensor, two units, and policies of every kind."""
    with new_database(stack.database_url) as database:
        fill_registry(database)
        with psycopg.connect(database.url) as connection:
            insert = "INSERT INTO policy_versions (organization_id, policy_id, version, document) VALUES (1, 1, %s, %s)"
            for version, document in ((2, DOCUMENT), (3, LOWER)):
                connection.execute(insert, [version, Jsonb(document)])
            connection.execute("INSERT INTO units (organization_id, site_id, name) VALUES (1, 1, 'Second')")
            connection.execute(
                "INSERT INTO unit_policies (organization_id, unit_id, policy_version_id, effective_at) "
                "VALUES (1, 1, 2, '2021-01-01'), (1, 2, 3, '2021-01-01')"
            )
        yield CorrectedRig(database)


def warm_afternoon(rig: Rig) -> None:
    """Let ten hours come, of which two are too warm."""
    rig.come(*[reading(minute, 900 if 200 <= minute < 320 else 500) for minute in range(0, 600, 10)], *ticks(610))


def within(row: Reading, start: int, end: int) -> bool:
    """Tell whether a row was measured in [start, end), minutes."""
    return AT + start * MINUTE <= row.measured_at < AT + end * MINUTE


def mark(kind: Any, start: int, end: int) -> MarkOrder:
    """Return an order to flag or delete readings."""
    return MarkOrder.model_validate({"kind": kind, "sensor": 1, "from": at(start), "to": at(end), "comment": "x"})


def test_flagged_readings_are_not_judged_are_seen_still_and_are_believed_again_once_that_is_revoked(rig: CorrectedRig) -> None:
    warm_afternoon(rig)
    before = rig.standing()
    assert {one[0] for one in before} >= {"warm", "spent"}

    (number,) = rig.correct(mark("flag", 190, 330))

    assert rig.standing() == rig.expected_of(lambda row: replace(row, temperature=None) if within(row, 190, 330) else row) == []
    assert {one["data"]["ended_by"] for one in rig.told[-len(before) :]} == {"void"}
    flagged = rig.rows_of(
        "SELECT temperature, raw_temperature, reason, is_flagged FROM corrected_readings WHERE is_corrected ORDER BY measured_at"
    )
    assert (len(flagged), flagged[1]) == (14, (None, 900, 37, True))
    rig.revoke(number)
    assert rig.standing() == before
    versions = rig.rows_of("SELECT DISTINCT reason, late FROM excursion_versions WHERE version = 1 AND reason <> 'opened'")
    assert versions == [("correction", False)]
    changes = rig.rows_of("SELECT user_id, kind, action, comment FROM registry_changes ORDER BY id")
    assert changes == [("ada", "correction", "made", "checked by hand"), ("ada", "correction", "revoked", "it was right after all")]


def test_deleted_readings_are_as_if_they_had_never_come_and_stay_in_the_hypertable(rig: CorrectedRig) -> None:
    warm_afternoon(rig)

    rig.correct(mark("delete", 250, 330))

    assert rig.standing() == rig.expected_of(lambda row: None if within(row, 250, 330) else row)
    assert rig.rows_of("SELECT count(*) FROM readings") == [(60,)]
    assert rig.rows_of("SELECT count(*) FROM corrected_readings") == rig.rows_of("SELECT count(*) FROM analytics.readings") == [(52,)]


def test_a_late_reading_in_a_flagged_stretch_is_flagged_too(rig: CorrectedRig) -> None:
    warm_afternoon(rig)
    rig.correct(mark("flag", 190, 330))

    late = reading(255, 1_500)
    late["flags"] = 8
    rig.come(late)
    rig.settle_all()

    assert rig.standing() == []


def test_a_calibration_is_judged_for_the_past_and_is_not_applied_twice_to_what_comes_after(rig: CorrectedRig) -> None:
    warm_afternoon(rig)
    order = CalibrationOrder.model_validate(
        {"kind": "calibration", "sensor": 1, "from": at(300), "calibration_celsius": 3.5, "comment": "certificate 7"}
    )

    rig.correct(order)

    raised = lambda row: replace(row, temperature=row.temperature + 350) if within(row, 300, 600) else row  # noqa: E731
    assert rig.standing() == rig.expected_of(raised) != []
    ((configuration, effective_at),) = rig.rows_of(
        "SELECT id, (extract(epoch FROM effective_at) * 1000)::bigint FROM sensor_configurations WHERE calibration_hundredths = 350"
    )
    after = reading((effective_at - AT) // MINUTE + 2, 850)
    after["configuration"] = configuration
    rig.come(after, *ticks((effective_at - AT) // MINUTE + 40))
    assert rig.rows_of("SELECT temperature FROM corrected_readings ORDER BY measured_at DESC LIMIT 1") == [(850,)]
    assert rig.rows_of("SELECT DISTINCT calibration_hundredths FROM corrected_stretches") == [(350,)]


def test_a_calibration_that_was_in_force_anyhow_changes_nothing_and_is_told_to_nobody(rig: CorrectedRig) -> None:
    warm_afternoon(rig)
    before, told = rig.standing(), len(rig.told)
    versions = rig.rows_of("SELECT count(*) FROM excursion_versions")

    rig.correct(
        CalibrationOrder.model_validate({"kind": "calibration", "sensor": 1, "from": at(0), "calibration_celsius": 0, "comment": "x"})
    )

    assert rig.standing() == before
    assert rig.rows_of("SELECT count(*) FROM excursion_versions") == versions
    assert len(rig.told) == told


def test_a_moved_sensor_is_judged_where_it_really_was_and_its_old_assignment_ended_then(rig: CorrectedRig) -> None:
    warm_afternoon(rig)

    rig.correct(MoveOrder.model_validate({"kind": "assignment", "sensor": 1, "unit": 2, "from": at(260), "comment": "x"}))

    units = rig.rows_of("SELECT band, unit_id, ended_by FROM current_excursions WHERE band = 'warm' ORDER BY started_at")
    assert units == [("warm", 1, "assignment"), ("warm", 2, "recovery")]
    moved = rig.rows_of(
        "SELECT (extract(epoch FROM started_at) * 1000)::bigint FROM current_excursions WHERE unit_id = 2 AND band = 'warm'"
    )
    assert moved == [(AT + 260 * MINUTE,)]
    assert rig.rows_of("SELECT count(*) FROM corrected_readings WHERE unit_id = 2") == [(34,)]
    assert rig.rows_of("SELECT DISTINCT policy_version_id FROM corrected_readings WHERE unit_id = 2") == [(SECOND_POLICY,)]
    assert {row[0] for row in rig.rows_of("SELECT reason FROM excursion_versions WHERE unit_id = 2")} == {"assignment"}


def test_an_assignment_that_ended_in_the_past_leaves_nothing_of_what_came_after(rig: CorrectedRig) -> None:
    warm_afternoon(rig)

    rig.correct(MoveOrder.model_validate({"kind": "assignment", "sensor": 1, "unit": None, "from": at(150), "comment": "x"}))

    assert rig.standing() == []
    assert rig.rows_of("SELECT count(*) FROM corrected_readings") == [(15,)]


def test_a_unit_is_judged_by_another_policy_from_an_instant_in_the_past_on(rig: CorrectedRig) -> None:
    warm_afternoon(rig)

    rig.correct(PolicyOrder.model_validate({"kind": "policy", "unit": 1, "policy_version": 3, "from": at(400), "comment": "x"}))

    end = 60 * 24 * 365
    lowered = lambda row: replace(row, policy=SECOND_POLICY) if within(row, 400, end) else row  # noqa: E731
    assert rig.standing() == rig.expected_of(lowered, {POLICY: DOCUMENT, SECOND_POLICY: LOWER})


@pytest.mark.parametrize("seed", range(3))
def test_what_people_read_is_what_is_judged(rig: CorrectedRig, seed: int) -> None:
    chance = Random(seed)
    rig.come(*[reading(minute, chance.choice([400, 14_990, -20, 900])) for minute in range(0, 600, 10)], *ticks(610))
    for _ in range(5):
        start = chance.randrange(0, 500)
        stretch = {"sensor": 1, "from": at(start), "to": at(start + chance.randrange(5, 200)), "comment": "x"}
        kind = chance.choice(["flag", "delete", "calibration"])
        order: AnyOrder
        if kind == "calibration":
            order = CalibrationOrder.model_validate({**stretch, "kind": kind, "calibration_celsius": chance.choice([-1, 0.5, 2])})
        else:
            order = MarkOrder.model_validate({**stretch, "kind": kind})
        rig.command(lambda transaction, one=order: correct(transaction, one))  # type: ignore[misc]
    rig.command(
        lambda transaction: correct(
            transaction, MoveOrder.model_validate({"kind": "assignment", "sensor": 1, "unit": 2, "from": at(300), "comment": "x"})
        )
    )

    with psycopg.connect(rig.database.url) as connection:
        stored = list(Stored(connection, 1, 1, stored_offsets(connection)[PARTITION], rig.terms).after(0))
    seen = rig.rows_of(
        "SELECT (extract(epoch FROM measured_at) * 1000)::bigint, temperature, unit_id, assignment_id, policy_version_id "
        "FROM corrected_readings ORDER BY measured_at"
    )
    assert seen == [
        (one.reading.measured_at, one.reading.temperature, one.place.unit, one.place.assignment, one.reading.policy) for one in stored
    ]
    assert rig.rows_of("SELECT bool_and((temperature IS NULL) = (reason IS NOT NULL)) FROM corrected_readings") == [(True,)]


def test_what_cannot_be_corrected_is_refused_and_what_is_kept_cannot_be_rewritten(rig: CorrectedRig) -> None:
    warm_afternoon(rig)
    rig.correct(mark("flag", 190, 330))

    with pytest.raises(Refused, match="not in the future"):
        rig.correct(mark("flag", 190, 60 * 24 * 365))
    with pytest.raises(Refused, match="must be after from"):
        rig.correct(mark("delete", 30, 30))
    with pytest.raises(Refused, match="within 366 days"):
        rig.correct(mark("flag", -60 * 24 * 400, 0))
    with pytest.raises(ApiError, match="no such sensor"):
        rig.correct(MarkOrder.model_validate({"kind": "flag", "sensor": 99, "from": at(0), "comment": "x"}))
    with psycopg.connect(rig.database.url) as connection, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        connection.execute("UPDATE corrections SET comment = 'never said'")
    assert isinstance(rig.rows_of("SELECT made_at FROM corrections")[0][0], datetime)


ORDERS: list[AnyOrder] = [
    mark("flag", 190, 330),
    mark("delete", 250, 290),
    CalibrationOrder.model_validate({"kind": "calibration", "sensor": 1, "from": at(300), "calibration_celsius": 3.5, "comment": "x"}),
    CalibrationOrder.model_validate(
        {"kind": "calibration", "sensor": 1, "from": at(0), "to": at(250), "calibration_celsius": -2, "comment": "x"}
    ),
    MoveOrder.model_validate({"kind": "assignment", "sensor": 1, "unit": 2, "from": at(260), "comment": "x"}),
    MoveOrder.model_validate({"kind": "assignment", "sensor": 1, "unit": None, "from": at(260), "comment": "x"}),
    PolicyOrder.model_validate({"kind": "policy", "unit": 1, "policy_version": 3, "from": at(400), "comment": "x"}),
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.kind)
def test_a_preview_says_what_the_correction_then_does_and_writes_nothing(rig: CorrectedRig, order: AnyOrder) -> None:
    warm_afternoon(rig)

    previewed = previewed_and_done(rig, order)

    assert previewed.readings == sum(
        within(Reading(int(row["measured_at"][0]), 0, 1, 0), *bounds(order)) for row in rig.rows if row["kind"] == 0
    )


def previewed_and_done(rig: CorrectedRig, order: AnyOrder) -> Previewed:
    """Return a preview that wrote nothing and said what the correction, made then, did."""
    tables = (
        "corrections",
        "corrected_stretches",
        "rejudgements",
        "registry_changes",
        "assignments",
        "sensor_configurations",
        "unit_policies",
    )
    counts = [rig.rows_of(f"SELECT count(*) FROM {table}") for table in tables]
    known = {row[0] for row in rig.rows_of("SELECT excursion_id FROM excursion_versions")}
    written = rig.rows_of("SELECT count(*) FROM excursion_versions")[0][0]

    previewed = rig.preview(order)

    assert [rig.rows_of(f"SELECT count(*) FROM {table}") for table in tables] == counts
    rig.correct(order)
    versions = rig.rows_of(
        "SELECT excursion_id, reason, (extract(epoch FROM started_at) * 1000)::bigint, (extract(epoch FROM closed_at) * 1000)::bigint, unit_id, "
        f"exposure_ms FROM excursion_versions ORDER BY known_at, excursion_id, version OFFSET {written}"
    )
    said: dict[object, Found | None] = {}
    for one in previewed.changes:
        if one.after is not None:
            said[one.after.standing.id] = one.after.standing.found
        elif one.before is not None:
            said[one.before.id] = None
    did = {row[0]: None if row[1] == "void" else row[2:] for row in versions}
    assert did == {
        number: None if found is None else (found.started_at, found.closed_at, found.unit, found.figures.exposure_ms)
        for number, found in said.items()
    }
    assert {number for number, found in said.items() if found is None} <= known
    return previewed


def bounds(order: AnyOrder) -> tuple[int, int]:
    """Return the minutes that an order is about."""
    to = getattr(order, "to", None)
    minutes = [(parse_instant(text) - AT) // MINUTE for text in (order.from_, to) if text is not None]
    return minutes[0], minutes[1] if len(minutes) > 1 else 1_000_000
