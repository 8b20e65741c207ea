"""Previews of corrections run one at a time, and say of themselves what was too much."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from api.commands import previewing
from api.commands.correcting import Wanted
from api.commands.previewing import DEVICE, ENDS, ROWS, STANDING, TERMS, VERSIONS, Turns, preview
from api.commands.transaction import milliseconds
from api.errors import ApiError
from pipelines.domain.corrections import CorrectionKind

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_preview_beside_another_is_asked_to_come_again_and_has_its_turn_after_it_though_that_failed() -> None:
    turns, refused = Turns(), []

    async def take(inner: Exception | None = None) -> None:
        try:
            async with turns.turn():
                if inner is not None:
                    await take()
                    raise inner
        except ApiError as error:
            refused.append((error.status, error.code))

    async def run() -> None:
        with pytest.raises(KeyError):
            await take(inner=KeyError())
        await take()

    asyncio.run(run())

    assert refused == [(503, "busy")]


class Slow:
    """A transaction whose database takes too long."""

    async def execute(self, *_: object) -> None:
        raise psycopg.errors.QueryCanceled


def test_a_preview_that_takes_too_long_asks_for_a_shorter_one() -> None:
    transaction: Any = Slow()
    order: Any = None

    with pytest.raises(ApiError, match="later `from`") as found:
        asyncio.run(preview(transaction, order))

    assert (found.value.status, found.value.code) == (503, "query_too_long")


@dataclass
class Fleet:
    """A transaction over sensors of one unit, each with rows at every minute up to now."""

    sensors: int
    rows_of_each: int
    threads: set[threading.Thread] = field(default_factory=set)
    """That pages were worked on in."""
    pages_of: list[int] = field(default_factory=list)
    now: int = milliseconds(NOW) or 0

    async def execute(self, *_: object) -> None: ...

    async def rows(self, query: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        if query == TERMS:
            return [{"id": 1, "max_gap_ms": 900_000, "calibration_hundredths": 0}]
        if query == VERSIONS:
            document = {"bands": [{"name": "warm", "side": "high", "limit_celsius": 8}]}
            return [{"id": number, "document": document} for number in parameters["versions"]]
        assert query in {STANDING, ENDS}
        return []

    async def row(self, query: str, _: Mapping[str, Any]) -> dict[str, Any] | None:
        return {"device_id": 4} if query == DEVICE else None

    async def pages(self, query: str, parameters: Mapping[str, Any], most: int) -> AsyncIterator[list[dict[str, Any]]]:
        assert query == ROWS
        stamps = {"configuration_id": 1, "policy_version_id": 1, "unit_id": 1, "organization_id": 1, "assignment_id": 1}
        many = min(self.rows_of_each, parameters["limit"])
        found = [{"at": self.now - 60_000 * (many - one), "temperature": 400 + 10 * one, **stamps} for one in range(many)]
        self.pages_of.append(parameters["sensor"])
        for start in range(0, many, most):
            yield found[start : start + most]


def previewed(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, most: int = 1_000) -> previewing.Previewed:
    """Preview a policy for the last half hour of a unit with some sensors."""
    wanted = [Wanted(1, CorrectionKind.POLICY, NOW - 30 * MINUTE, NOW, unit=1, policy=2)]

    async def wanted_of(*_: object) -> tuple[list[Wanted], None]:
        return wanted, None

    async def touched(*_: object) -> list[int]:
        return list(range(1, fleet.sensors + 1))

    async def painted(*_: object) -> tuple[()]:
        return ()

    def watched(name: str) -> None:
        real = getattr(previewing, name)

        def instead(*given: Any, **named: Any) -> Any:
            fleet.threads.add(threading.current_thread())
            return real(*given, **named)

        monkeypatch.setattr(previewing, name, instead)

    monkeypatch.setattr(previewing, "wanted_of", wanted_of)
    monkeypatch.setattr(previewing, "touched", touched)
    monkeypatch.setattr(previewing, "painted", painted)
    monkeypatch.setattr(previewing, "MAX_ROWS", most)
    monkeypatch.setattr(previewing, "PAGE_ROWS", 7)
    for name in ("begin_before", "changes_of", "StoredRow"):
        watched(name)
    transaction: Any = fleet
    order: Any = None
    return asyncio.run(preview(transaction, order))


def test_rows_of_all_sensors_of_a_preview_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    two, three = Fleet(2, 45), Fleet(3, 45)

    found = previewed(two, monkeypatch, 90)
    with pytest.raises(ApiError, match="preview a later `from`") as refused:
        previewed(three, monkeypatch, 90)

    assert (found.readings, found.judged) == (60, 60)
    assert (refused.value.status, refused.value.code) == (409, "too_much")
    assert three.pages_of == [1, 2, 3]


def test_rows_of_a_preview_are_worked_on_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(1, 45)

    found = previewed(fleet, monkeypatch)

    assert len(found.changes) == 1
    assert fleet.threads
    assert threading.main_thread() not in fleet.threads
