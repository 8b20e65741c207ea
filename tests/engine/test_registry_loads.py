"""A load of the registry that the database cuts off leaves nothing behind that looks like an unregistered device."""

from typing import Any

import psycopg
import pytest

from pipelines.domain.registered import Device
from pipelines.engine import registry as engine_registry
from pipelines.engine.registry import Registry

KEY = (1, "70B3D50000000001")


def test_a_device_whose_load_failed_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Device(7, 1, {})
    loads = []

    def load(_connection: object, _keys: object) -> dict[Any, Any]:
        loads.append(1)
        if len(loads) == 1:
            raise psycopg.OperationalError("gone")
        return {KEY: known}

    monkeypatch.setattr(engine_registry, "_look", lambda _connection: (1, 1_000))
    monkeypatch.setattr(engine_registry, "_load_ends", lambda _connection: {})
    monkeypatch.setattr(engine_registry, "_load_rejudgements", lambda _connection, _after: [])
    monkeypatch.setattr(engine_registry, "_load", load)
    registry = Registry()
    connection: Any = None
    with pytest.raises(psycopg.OperationalError):
        registry.prepare(connection, [KEY], 5_000)

    registry.prepare(connection, [KEY], 5_000)

    assert registry.device(KEY) is known


def test_a_clock_of_the_database_that_is_ahead_puts_off_no_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    seconds = iter([10.0, 11.0, 13.1])

    def look(_connection: object) -> tuple[int, int]:
        looks.append(1)
        return 1, 3_600_000_000

    monkeypatch.setattr(engine_registry, "monotonic", lambda: next(seconds))
    monkeypatch.setattr(engine_registry, "_look", look)
    monkeypatch.setattr(engine_registry, "_load_ends", lambda _connection: {})
    monkeypatch.setattr(engine_registry, "_load_rejudgements", lambda _connection, _after: [])
    registry = Registry()
    connection: Any = None

    for stamp in (5_000, 6_000, 7_000):
        registry.prepare(connection, [], stamp)

    assert len(looks) == 2
