"""Shows cells as a table for people, or as values for JSON."""

from collections.abc import Iterable
from typing import Any, Final

from infra.status.judging import Problem
from infra.status.seen import CellSeen

HEAD: Final = ("flow", "partitions", "holder", "lag", "clock", "records/s", "saved", "memory")
IS_TEXT: Final = (True, True, True, False, False, False, False, False)
MEGABYTE: Final = 1_000_000


def table(cells: Iterable[CellSeen], now: float) -> list[str]:
    """Return the lines of the table."""
    rows = [HEAD, *(_row(cell, now) for cell in cells)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return ["  ".join(map(_fitted, row, widths, IS_TEXT)).rstrip() for row in rows]


def _fitted(text: str, width: int, is_text: bool) -> str:
    return text.ljust(width) if is_text else text.rjust(width)


def _row(cell: CellSeen, now: float) -> tuple[str, ...]:
    process = cell.process
    clock_at = None if process is None else process.clock_at
    memory = None if process is None else process.memory_bytes
    return (
        cell.flow,
        cell.range,
        _holder(cell),
        _number(cell.lag),
        "-" if clock_at is None else f"{now - clock_at:.1f} s",
        _number(cell.per_second),
        f"{cell.renewed_seconds:.1f} s",
        "-" if memory is None else f"{memory / MEGABYTE:.0f} MB",
    )


def _holder(cell: CellSeen) -> str:
    name = f"{cell.pid}@{cell.host}"
    if cell.is_let_go:
        return f"nobody (was {name})"
    return name if cell.is_held else f"{name}, not heard"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def document(cells: Iterable[CellSeen], found: Iterable[Problem], now: float) -> dict[str, Any]:
    """Return everything as plain values."""
    return {
        "cells": [_values(cell, now) for cell in cells],
        "problems": [
            {"reason": one.wrong.value, "flow": one.flow, "partitions": one.partitions, "what": one.what, "advice": one.advice}
            for one in found
        ],
    }


def _values(cell: CellSeen, now: float) -> dict[str, Any]:
    process = cell.process
    clock_at = None if process is None else process.clock_at
    return {
        "flow": cell.flow,
        "cell": cell.cell,
        "partitions": list(cell.partitions),
        "holder": {"host": cell.host, "pid": cell.pid, "metrics_port": cell.metrics_port} if cell.is_held else None,
        "lag_records": cell.lag,
        "clock_age_seconds": None if clock_at is None else round(now - clock_at, 3),
        "records_per_second": cell.per_second,
        "saved_seconds_ago": round(cell.renewed_seconds, 3),
        "memory_bytes": None if process is None else process.memory_bytes,
    }
