"""Budgets of a unit's sensors, over a database that answers as told."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from api.database import Database
from api.queries import budgets
from api.queries.budgets import NEWEST, ROWS, VERSIONS, unit_budgets
from api.shapes import BudgetAnswer

MINUTE = 60_000
HOUR = 60 * MINUTE
NOW = 1_790_000_000_000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SENSOR, UNIT, VERSION = 5, 3, 7

WARM = {"name": "warm", "kind": "cumulative", "side": "high", "limit_celsius": 5, "window_seconds": 86_400, "budget_seconds": 14_400}
HEAT = {"name": "heat", "kind": "cumulative", "side": "high", "limit_celsius": 30, "window_seconds": None, "budget_seconds": 36_000}
ENDLESS = {**HEAT, "name": "endless", "limit_celsius": 5, "budget_seconds": 900_000_000_000}
HIGH = {"name": "high", "side": "high", "limit_celsius": 8}


class Stored:
    """A database with one assigned sensor and its rows."""

    def __init__(self, *bands: Mapping[str, object]) -> None:
        self.bands = bands
        self.newest = [{"sensor_id": SENSOR, "assignment_id": 9, "begins_at": BEGIN, "policy_version_id": VERSION, "now_ms": NOW}]
        self.rows_of_sensor: list[dict[str, Any]] = []
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def put(self, minutes_ago: int, hundredths: int | None, *, version: int = VERSION, max_gap_ms: int | None = HOUR) -> None:
        at = NOW - minutes_ago * MINUTE
        row = {"sensor_id": SENSOR, "at": at, "temperature": hundredths, "policy_version_id": version, "max_gap_ms": max_gap_ms}
        self.rows_of_sensor.append(row)

    async def rows(self, query: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        self.asked.append((query, parameters))
        if query == NEWEST:
            return self.newest
        if query == VERSIONS:
            return [{"id": number, "document": {"bands": self.bands}} for number in parameters["versions"]]
        assert query == ROWS
        return self.rows_of_sensor[: parameters["limit"]]

    def budgets(self, *open_bands: tuple[int, str]) -> Mapping[int, list[BudgetAnswer] | None]:
        return asyncio.run(unit_budgets(cast("Database", self), [1], UNIT, set(open_bands)))


def test_what_is_used_left_and_unknown_is_told_in_seconds() -> None:
    stored = Stored(HIGH, WARM)
    stored.put(120, 700)
    stored.put(30, 600)

    (found,) = stored.budgets()[SENSOR] or []

    assert found.model_dump(mode="json") == {
        "band": "warm",
        "side": "high",
        "limit_celsius": 5.0,
        "window_seconds": 86_400.0,
        "budget_seconds": 14_400.0,
        "used_seconds": 5_400.0,
        "left_seconds": 9_000.0,
        "left_at_worst_seconds": 7_200.0,
        "unknown_seconds": 1_800.0,
        "used_up_at": "2026-09-21T16:43:20.000Z",
    }


def test_rows_may_come_in_any_order_and_a_sensor_without_a_configuration_has_the_usual_gap() -> None:
    stored = Stored(WARM)
    stored.put(10, 400)
    stored.put(120, 700, max_gap_ms=None)

    (found,) = stored.budgets()[SENSOR] or []

    assert (found.used_seconds, found.unknown_seconds, found.used_up_at) == (1_800.0, 4_800.0, None)


def test_a_band_with_an_open_excursion_is_left_out() -> None:
    stored = Stored(WARM, HEAT)
    stored.put(10, 400)

    assert [budget.band for budget in stored.budgets((SENSOR, "warm"))[SENSOR] or []] == ["heat"]
    assert [budget.band for budget in stored.budgets((SENSOR + 1, "warm"))[SENSOR] or []] == ["warm", "heat"]


def test_readings_under_no_policy_count_for_nothing() -> None:
    stored = Stored(HEAT)
    stored.put(120, 3_500, version=0)
    stored.put(60, 3_500)

    (found,) = stored.budgets()[SENSOR] or []

    assert (found.used_seconds, found.unknown_seconds) == (3_600.0, 0.0)


def test_rows_are_asked_for_as_far_as_the_windows_reach() -> None:
    with_window, without = Stored(HIGH, WARM), Stored(WARM, HEAT)

    with_window.budgets()
    without.budgets()

    asked = [parameters for stored in (with_window, without) for query, parameters in stored.asked if query == ROWS]
    assert [parameters["reaches"] for parameters in asked] == [[datetime.fromtimestamp(NOW / 1_000 - 86_400, UTC)], [None]]
    assert [parameters["begins"] for parameters in asked] == [[BEGIN], [BEGIN]]


def test_without_a_cumulative_band_no_row_is_read() -> None:
    stored = Stored(HIGH)

    assert stored.budgets() == {}
    assert ROWS not in [query for query, _ in stored.asked]


def test_too_many_rows_are_told_as_null(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "MAX_ROWS", 2)
    stored = Stored(WARM)
    stored.put(10, 400)
    stored.put(8, 400)
    assert stored.budgets()[SENSOR] is not None

    stored.put(6, 400)

    assert stored.budgets() == {SENSOR: None}


def test_a_budget_of_thousands_of_years_has_no_forecast() -> None:
    stored = Stored(ENDLESS, {**ENDLESS, "name": "window", "window_seconds": 900_000_000_000})
    stored.put(10, 600)

    assert [budget.used_up_at for budget in stored.budgets()[SENSOR] or []] == [None, None]
