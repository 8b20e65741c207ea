"""What else depends on a correction, on real PostgreSQL: budgets, latest values, stories, a first assignment back in time, work that is spared."""

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
import pytest
from psycopg.types.json import Jsonb

from api.commands.corrections import correct
from api.commands.imports import ImportOrder, run_import
from api.commands.sensors import create_sensor
from api.commands.transaction import Changes
from api.correction_shapes import CalibrationOrder, MoveOrder, PolicyOrder
from api.database import Database
from api.queries.budgets import unit_budgets
from api.queries.readings import latest_of_sensors, latest_of_units
from api.registry_requests import NewSensor
from api.shapes import BudgetAnswer
from api.stories import story
from infra.local.local_stack import LocalStack
from pipelines.domain.instants import format_instant
from pipelines.domain.recording import Figures, Found, Standing
from pipelines.domain.rejudging import Start, StoredRow
from pipelines.engine.reading_store import ReadingStore
from pipelines.engine.stretches import Stored, stored_offsets
from schemas.readings import RowFlag
from tests.integration.engine_database import fill_registry, new_database
from tests.integration.test_corrections import ADA, SECOND_UNIT, CorrectedRig, at, mark, previewed_and_done
from tests.integration.test_revisions import DOCUMENT, reading, ticks
from tests.integration.test_store_readings import AT, MINUTE, PARTITION

SHIPMENT: dict[str, list[dict[str, object]]] = {
    "bands": [{"name": "heat", "kind": "cumulative", "side": "high", "limit_celsius": 8, "window_seconds": None, "budget_seconds": 36_000}]
}
FIRST_UNIT, THIRD_UNIT = 1, 3
HOUR = 3_600.0

Answer = TypeVar("Answer")


class SeenRig(CorrectedRig):
    """A rig that keeps what is published."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.published: list[dict[str, Any]] = []

    def publish(self, messages: list[tuple[str, bytes]]) -> int:
        """Keep live events."""
        self.published += [json.loads(content) for _, content in messages]
        return len(messages)


@pytest.fixture
def rig(stack: LocalStack) -> Iterator[SeenRig]:
    """A migrated database with one sensor, and a second unit that is judged by the exposure of a whole shipment."""
    with new_database(stack.database_url) as database:
        fill_registry(database)
        with psycopg.connect(database.url) as connection:
            insert = "INSERT INTO policy_versions (organization_id, policy_id, version, document) VALUES (1, 1, %s, %s)"
            for version, document in ((2, DOCUMENT), (3, SHIPMENT)):
                connection.execute(insert, [version, Jsonb(document)])
            connection.execute("INSERT INTO units (organization_id, site_id, name) VALUES (1, 1, 'Second'), (1, 1, 'Third')")
            connection.execute(
                "INSERT INTO unit_policies (organization_id, unit_id, policy_version_id, effective_at) "
                "VALUES (1, 1, 2, '2021-01-01'), (1, 2, 3, '2021-01-01'), (1, 3, 2, '2021-01-01')"
            )
        yield SeenRig(database)


def budgets(rig: SeenRig, unit: int) -> Mapping[int, list[BudgetAnswer] | None]:
    """Return the budgets of a unit's sensors as the API says them, once what takes effect in some seconds has."""
    with psycopg.connect(rig.database.url) as connection:
        connection.execute("SELECT pg_sleep_until(max(valid_from) + interval '10 milliseconds') FROM assignments")

    return asked(rig, lambda database: unit_budgets(database, [1], unit, set()))


def move(to: int, since: int) -> MoveOrder:
    """Return an order that says where the sensor has been since a minute."""
    return MoveOrder.model_validate({"kind": "assignment", "sensor": 1, "unit": to, "from": at(since), "comment": "x"})


def test_a_moved_sensor_has_spent_what_it_was_exposed_to_before_its_new_assignment_was_made(rig: SeenRig) -> None:
    rig.come(*[reading(minute, 900) for minute in range(0, 360, 10)], *ticks(370))

    rig.correct(move(SECOND_UNIT, 60))

    (left,) = budgets(rig, SECOND_UNIT)[1] or []
    assert (left.band, left.used_seconds) == ("heat", 5 * HOUR + 300)


def test_a_deleted_reading_is_not_where_the_window_of_a_budget_begins(rig: SeenRig) -> None:
    with psycopg.connect(rig.database.url) as connection:
        reach = (int(time.time() * 1_000) - AT) // 1_000 - 90 * 60 - 30
        document = {"bands": [{**SHIPMENT["bands"][0], "window_seconds": reach, "budget_seconds": 36_000}]}
        connection.execute(
            "INSERT INTO policy_versions (organization_id, policy_id, version, document) VALUES (1, 1, 4, %s)", [Jsonb(document)]
        )
    rows = [reading(minute, 900) for minute in range(0, 360, 10)]
    for row in rows:
        row["policy"] = 4
    rig.come(*rows, *ticks(370))

    rig.correct(mark("delete", 85, 95))

    (left,) = budgets(rig, FIRST_UNIT)[1] or []
    since_minute_100 = 4 * HOUR + 10 * 60 + 900
    assert since_minute_100 < left.used_seconds < since_minute_100 + 300


def test_an_excursion_that_was_at_another_unit_is_told_off_where_it_was_said_to_be(rig: SeenRig) -> None:
    rig.come(*[reading(minute, 900 if minute >= 60 else 500) for minute in range(0, 120, 10)], *ticks(122))
    before = len(rig.told)

    rig.correct(move(THIRD_UNIT, 30))

    told = [
        (one["event"], one["unit"], one["data"]["id"], one["data"]["version"], one["data"].get("ended_by"), one["data"].get("moved_to"))
        for one in rig.told[before:]
        if one["data"]["band"] == "warm" and one["data"]["kind"] == "sustained"
    ]
    number = told[0][2]
    assert told == [
        ("alert:resolved", FIRST_UNIT, number, 2, "assignment", None),
        ("alert:resolved", FIRST_UNIT, number, 3, "void", THIRD_UNIT),
        ("alert:triggered", THIRD_UNIT, number, 3, None, None),
    ]
    states = [(one["unit"], one["data"]["state"], one["data"]["sensors"]) for one in rig.published if one["event"] == "unit:state:changed"]
    assert states[-2:] == [(FIRST_UNIT, "unknown", {}), (THIRD_UNIT, "excursion", {"1": "excursion"})]


def days_ago(days: float) -> int:
    """Return an instant, ms UTC."""
    return int(time.time() * 1_000) - int(days * 86_400_000)


def policy(unit: int, version: int, since: str) -> PolicyOrder:
    """Return an order that says what a unit was to be judged by since an instant."""
    return PolicyOrder.model_validate({"kind": "policy", "unit": unit, "policy_version": version, "from": since, "comment": "x"})


def stretches(rig: SeenRig, eui: str) -> list[tuple[int, int]]:
    """Return from when on rows of a device are corrected, and the policy version they have then."""
    return rig.rows_of(
        "SELECT (extract(epoch FROM starts_at) * 1000)::bigint, policy_version_id FROM corrected_stretches c "
        f"JOIN sensors s ON s.id = c.sensor_id JOIN devices d ON d.id = s.device_id WHERE dev_eui = '{eui}' ORDER BY 1"
    )


def test_a_sensor_assigned_back_in_time_is_judged_by_the_policy_its_unit_was_corrected_to(rig: SeenRig) -> None:
    begins = days_ago(10)
    rig.command(lambda transaction: correct(transaction, policy(FIRST_UNIT, 3, format_instant(days_ago(20)))))
    order = {"organization": 1, "unit": FIRST_UNIT, "assigned_from": format_instant(begins)}

    rig.command(lambda transaction: create_sensor(transaction, NewSensor.model_validate({**order, "dev_eui": "70B3D50000000002"})))
    rig.command(
        lambda transaction: create_sensor(
            transaction, NewSensor.model_validate({**order, "dev_eui": "70B3D50000000003", "unit": THIRD_UNIT})
        )
    )

    assert stretches(rig, "70B3D50000000002") == [(begins, 3)]
    assert stretches(rig, "70B3D50000000003") == []


def test_an_import_of_sensors_that_are_there_already_knows_the_corrected_policy_too(rig: SeenRig) -> None:
    begins = datetime.fromtimestamp(days_ago(10) // 1_000, UTC)
    rig.command(lambda transaction: correct(transaction, policy(FIRST_UNIT, 3, format_instant(days_ago(20)))))

    async def imported() -> bool:
        changes = Changes(rig.database)
        await changes.open()
        try:
            content = b"site,unit,dev_eui\nSite,Unit,70B3D50000000002\n"
            return (await run_import(changes, ADA, ImportOrder(1, content, is_dry_run=False, assigned_from=begins))).is_written
        finally:
            await changes.close()

    assert asyncio.run(imported())
    assert stretches(rig, "70B3D50000000002") == [(int(begins.timestamp()) * 1_000, 3)]


def test_a_preview_of_a_move_knows_that_the_policy_of_that_unit_was_corrected(rig: SeenRig) -> None:
    rig.come(*[reading(minute, 700 if 100 <= minute < 200 else 400) for minute in range(0, 360, 10)], *ticks(370))
    with psycopg.connect(rig.database.url) as connection:
        cold = {"bands": [{"name": "cold", "side": "high", "limit_celsius": 6}]}
        connection.execute(
            "INSERT INTO policy_versions (organization_id, policy_id, version, document) VALUES (1, 1, 4, %s)", [Jsonb(cold)]
        )
    rig.correct(policy(THIRD_UNIT, 4, at(50)))

    previewed = previewed_and_done(rig, move(THIRD_UNIT, 60))

    assert [one.after.standing.found.band for one in previewed.changes if one.after is not None] == ["cold"]


def test_a_correction_among_many_writes_what_is_true_at_once_and_nothing_where_it_is_true_already(rig: SeenRig) -> None:
    for number in range(12):
        rig.command(lambda transaction, start=20 * number: correct(transaction, mark("flag", start, start + 10)))  # type: ignore[misc]
    everything = {"kind": "calibration", "sensor": 1, "from": at(-10), "to": at(300), "calibration_celsius": 1, "comment": "x"}

    changes = []
    for order in (CalibrationOrder.model_validate(everything), mark("flag", 40, 50)):
        before = rig.rows_of("SELECT version FROM registry_state")[0][0]
        rig.command(lambda transaction, order=order: correct(transaction, order))  # type: ignore[misc]
        changes.append(rig.rows_of("SELECT version FROM registry_state")[0][0] - before)

    assert rig.rows_of("SELECT count(*) FROM corrected_stretches") == [(25,)]
    assert changes == [3, 1]


def test_where_a_moved_sensors_assignment_begins_is_read_once_and_not_from_its_whole_past(
    rig: SeenRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [reading(minute, 400) for minute in range(0, 360, 10)]
    for row in rows[12:]:
        row["policy"] = 3
    rig.come(*rows, *ticks(370))
    rig.correct(move(SECOND_UNIT, 120))
    reads: list[int] = []
    after = Stored.after

    def watched(stored: Stored, since: int) -> Iterator[StoredRow]:
        reads.append((since - AT) // MINUTE)
        return after(stored, since)

    monkeypatch.setattr(Stored, "after", watched)
    reaches_over = Standing(uuid.uuid4(), 1, AT, found(started_at=AT + 50 * MINUTE), late=False)

    with psycopg.connect(rig.database.url) as connection:
        offset = stored_offsets(connection)[PARTITION]
        start = Stored(connection, 1, 1, offset, rig.terms).start_before(AT + 300 * MINUTE, [])
        stored = Stored(connection, 1, 1, offset, rig.terms)
        stored.start_before(AT + 300 * MINUTE, [reaches_over])

    assert start == (Start(), AT + 120 * MINUTE - 1)
    assert reads == [119, 119]


def found(started_at: int) -> Found:
    """Return an open excursion."""
    return Found(
        sensor=1,
        device=1,
        unit=1,
        organization=1,
        policy_version=2,
        band="warm",
        side="high",
        severity="critical",
        limit=800,
        started_at=started_at,
        opened_at=started_at,
        ended_at=None,
        closed_at=None,
        ended_by=None,
        figures=Figures(900, 900.0, 0.0, 0, 0, 0, 1, 0),
    )


def asked(rig: SeenRig, query: Callable[[Database], Awaitable[Answer]]) -> Answer:
    """Return what the API's queries say."""

    async def ran() -> Answer:
        database = Database(rig.database)
        await database.open()
        try:
            return await query(database)
        finally:
            await database.close()

    return asyncio.run(ran())


def latest_at(rig: SeenRig, unit: int) -> list[tuple[float | None, str | None, int]]:
    """Return temperature, fault and minute of what is shown as the latest of a unit's sensors."""
    found = asked(rig, lambda database: latest_of_units(database, [1], [unit]))
    return [(one.temperature_celsius, one.fault, (int(one.measured_at.timestamp() * 1_000) - AT) // MINUTE) for one in found]


def test_the_latest_value_is_shown_as_corrections_leave_it_where_they_say_it_was_measured(rig: SeenRig) -> None:
    rig.come(*[reading(minute, 400 + minute) for minute in range(0, 60, 10)], *ticks(62))
    assert latest_at(rig, FIRST_UNIT) == [(4.5, None, 50)]
    half = {"kind": "calibration", "sensor": 1, "from": at(30), "to": at(60), "calibration_celsius": 0.5, "comment": "x"}

    rig.command(lambda transaction: correct(transaction, CalibrationOrder.model_validate(half)))
    calibrated = latest_at(rig, FIRST_UNIT)
    rig.command(lambda transaction: correct(transaction, mark("delete", 45, 60)))
    without = latest_at(rig, FIRST_UNIT)
    rig.command(lambda transaction: correct(transaction, mark("flag", 35, 45)))
    flagged = latest_at(rig, FIRST_UNIT)
    rig.command(lambda transaction: correct(transaction, move(THIRD_UNIT, 15)))

    assert (calibrated, without, flagged) == ([(5.0, None, 50)], [(4.9, None, 40)], [(None, "flagged", 40)])
    assert (latest_at(rig, FIRST_UNIT), latest_at(rig, THIRD_UNIT)) == ([], [(None, "flagged", 40)])
    rig.command(lambda transaction: correct(transaction, mark("delete", 0, 60)))
    assert latest_at(rig, THIRD_UNIT) == []
    assert asked(rig, lambda database: latest_of_sensors(database, [1], [1])) == {}


def test_a_story_says_what_was_stored_and_what_corrections_made_of_it(rig: SeenRig) -> None:
    begins = (int(time.time() * 1_000) - AT) // MINUTE - 100
    rows = [reading(begins + minute, 400 + minute) for minute in range(0, 50, 10)]
    rig.come(*rows, *ticks(begins + 52))
    half = {"kind": "calibration", "sensor": 1, "from": at(begins), "to": at(begins + 15), "calibration_celsius": 0.5, "comment": "x"}
    rig.command(lambda transaction: correct(transaction, CalibrationOrder.model_validate(half)))
    rig.command(lambda transaction: correct(transaction, mark("flag", begins + 15, begins + 25)))
    rig.command(lambda transaction: correct(transaction, mark("delete", begins + 35, begins + 45)))

    told = asked(rig, lambda database: story(database, [1], 1, "70B3D50000000001"))

    assert [(entry.temperature_celsius, entry.sentence) for entry in told.recent] == [
        (None, "4.40 degrees were stored. A correction leaves it out."),
        (4.3, "4.30 degrees were stored."),
        (None, "4.20 degrees were stored. A correction says that it is not to be believed."),
        (4.6, "4.10 degrees were stored. A correction makes them 4.60."),
        (4.5, "4.00 degrees were stored. A correction makes them 4.50."),
    ]
    assert [(one.latest_celsius, one.latest_fault) for one in told.sensors] == [(4.3, None)]
    assert [(end.ended_as, end.uplinks) for end in told.ends] == [("stored", 5)]


def test_a_reading_of_a_corrected_time_is_not_told_as_it_was_measured(rig: SeenRig) -> None:
    rig.store = ReadingStore(rig.connection("store_readings"), rig)  # type: ignore[arg-type]
    corrected = reading(20, 450)
    corrected["flags"] = RowFlag.CORRECTED

    rig.come(reading(10, 440))
    rig.come(corrected)

    told = [one["data"]["readings"] for one in rig.published if one["event"] == "sensor:readings:batch"]
    assert [one["temperature_celsius"] for several in told for one in several] == [4.4]
