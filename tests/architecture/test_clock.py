"""The clock is read in one connector, wall time by a named few, and never to decide anything in a flow; a planted reading is caught."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parents[2]
HELD = ("pipelines", "schemas", "api")
"""Packages that run in production. The local stack, sandbox and simulator in infra may look at the clock: they play the world."""

CLOCKS: Final = frozenset(
    {
        *(f"time.{name}{unit}" for name in ("time", "monotonic", "perf_counter", "clock_gettime") for unit in ("", "_ns")),
        "time.gmtime",
        "time.localtime",
        *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
        "datetime.date.today",
    }
)
READS_A_CLOCK: Final = {
    "pipelines/connectors/clock.py": "the one place",
    "pipelines/engine/revision_logic.py": "bytewax asks for the instant of its next look at what waits; nothing is decided by it",
    "pipelines/engine/source.py": "bytewax asks for the instant of its next poll; nothing is decided by it",
}
TOLD_WALL_TIME: Final = {
    "pipelines/engine/clock_metrics.py": "the age of a partition's clock, for a metric",
    "pipelines/engine/clock_steps.py": "whether the wall clock stepped back; a process ends by it, no reading is judged by it",
    "api/parameters.py": "the default end of a query's stretch",
    "api/ingest/senders.py": "when secrets were last loaded, for a metric",
    "api/live/sweeper.py": "whether an access token has expired",
}


def names_of(tree: ast.Module) -> dict[str, str]:
    """Return what each imported name of a file stands for, in full."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def in_full(name: ast.expr, names: dict[str, str]) -> str:
    """Return a dotted name with its first part as it was imported."""
    first, *rest = ast.unparse(name).split(".")
    return ".".join([names.get(first, first), *rest])


def clock_reads(root: Path) -> Iterator[str]:
    """Say which files read a clock, or are told wall time, and are not on the lists."""
    for package in HELD:
        for file in sorted((root / package).rglob("*.py")):
            name = file.relative_to(root).as_posix()
            tree = ast.parse(file.read_text(encoding="utf-8"))
            names = names_of(tree)
            mentioned = {in_full(node, names) for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)}
            if mentioned & CLOCKS and name not in READS_A_CLOCK:
                yield f"{name} reads {', '.join(sorted(mentioned & CLOCKS))}"
            if {one for one in mentioned if one.endswith("connectors.clock.now_ms")} and name not in TOLD_WALL_TIME:
                yield f"{name} is told wall time"


def test_the_clock_is_read_by_the_named_few() -> None:
    assert list(clock_reads(ROOT)) == []


def test_the_named_few_still_need_it() -> None:
    for name in (*READS_A_CLOCK, *TOLD_WALL_TIME):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert any(word in text for word in ("now_ms", "datetime.now(")), name


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import time\nNOW = time.time()\n", "reads time.time"),
        ("from time import time_ns as stamp\nNOW = stamp()\n", "reads time.time_ns"),
        ("import datetime as dt\nNOW = dt.datetime.now(dt.UTC)\n", "reads datetime.datetime.now"),
        ("from datetime import datetime\nCLOCK = datetime.utcnow\n", "reads datetime.datetime.utcnow"),
        ("from pipelines.connectors.clock import now_ms\nNOW = now_ms()\n", "is told wall time"),
        ("from pipelines.connectors import clock\nNOW = clock.now_ms()\n", "is told wall time"),
    ],
)
def test_a_planted_reading_of_the_clock_is_caught(tmp_path: Path, code: str, said: str) -> None:
    folder = tmp_path / "pipelines" / "domain"
    folder.mkdir(parents=True)
    (folder / "planted.py").write_text(code)

    assert list(clock_reads(tmp_path)) == [f"pipelines/domain/planted.py {said}"]
