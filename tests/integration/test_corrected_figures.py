"""What else depends on a correction, on real PostgreSQL: budgets, latest values, stories, a first assignment back in time, work that is spared."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from api.correction_shapes import MoveOrder
from api.database import Database
from api.queries.budgets import unit_budgets
from api.shapes import BudgetAnswer
from infra.local.local_stack import LocalStack
from tests.integration.engine_database import fill_registry, new_database
from tests.integration.test_corrections import SECOND_UNIT, CorrectedRig, at, mark
from tests.integration.test_store_readings import AT
from tests.integration.test_revisions import DOCUMENT, reading, ticks

SHIPMENT: dict[str, list[dict[str, object]]] = {
    "bands": [{"name": "heat", "kind": "cumulative", "side": "high", "limit_celsius": 8, "window_seconds": None, "budget_seconds": 36_000}]
}
FIRST_UNIT, THIRD_UNIT = 1, 3
HOUR = 3_600.0


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


def budgets(rig: CorrectedRig, unit: int) -> Mapping[int, list[BudgetAnswer] | None]:
    """Return the budgets of a unit's sensors as the API says them, once what takes effect in some seconds has."""
    with psycopg.connect(rig.database.url) as connection:
        connection.execute("SELECT pg_sleep_until(max(valid_from) + interval '10 milliseconds') FROM assignments")

    async def asked() -> Mapping[int, list[BudgetAnswer] | None]:
        database = Database(rig.database)
        await database.open()
        try:
            return await unit_budgets(database, [1], unit, set())
        finally:
            await database.close()

    return asyncio.run(asked())


def move(to: int, since: int) -> MoveOrder:
    """Return an order that says where the sensor has been since a minute."""
    return MoveOrder.model_validate({"kind": "assignment", "sensor": 1, "unit": to, "from": at(since), "comment": "x"})


def test_a_moved_sensor_has_spent_what_it_was_exposed_to_before_its_new_assignment_was_made(rig: CorrectedRig) -> None:
    rig.come(*[reading(minute, 900) for minute in range(0, 360, 10)], *ticks(370))

    rig.correct(move(SECOND_UNIT, 60))

    (left,) = budgets(rig, SECOND_UNIT)[1] or []
    assert (left.band, left.used_seconds) == ("heat", 5 * HOUR + 300)


def test_a_deleted_reading_is_not_where_the_window_of_a_budget_begins(rig: CorrectedRig) -> None:
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
