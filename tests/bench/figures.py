"""Figures of repeated runs, and how they are shown: a table on the terminal, a Markdown table, a JSON file. Measures nothing."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

WARM_UP: Final = 0.15
"""The first part of a run, which is not counted: terms are loaded and caches filled in it."""

AREAS: Final = ("detect", "ingest", "fleet")
"""What is measured, in the order of the page."""

FOLDER: Final = Path(".local/bench")
PAGE: Final = Path("docs/bench.md")
HEADER: Final = (
    "what",
    "min",
    "median",
    "max",
    "budget",
    "median / budget",
    "baseline",
    "median / baseline",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured, once in each repeat."""

    area: str
    """One of AREAS."""
    what: str
    unit: str
    values: tuple[float, ...]
    budget: float | None = None
    at_most: bool = False
    """Whether the budget is an upper bound."""
    baseline: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    def cells(self) -> tuple[str, ...]:
        """Return the figure as a row of the table."""
        bound = "" if self.budget is None else f"{'<' if self.at_most else '>'} {shown(self.budget)}"
        to_budget = "" if self.budget is None else f"{self.median / self.budget:.2f}"
        baseline = statistics.median(self.baseline) if self.baseline else None
        return (
            f"{self.what}, {self.unit}" if self.unit else self.what,
            shown(min(self.values)),
            shown(self.median),
            shown(max(self.values)),
            bound,
            to_budget,
            "" if baseline is None else shown(baseline),
            "" if not baseline else f"{self.median / baseline:.2f}",
        )


def shown(value: float) -> str:
    """Return a number with as many digits as matter."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def terminal_table(figures: Sequence[Figure]) -> str:
    """Return the table for a terminal."""
    rows = [HEADER, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def markdown_table(figures: Sequence[Figure]) -> str:
    """Return the table for a page."""
    lines = [f"| {' | '.join(HEADER)} |", f"|---|{'---:|' * (len(HEADER) - 1)}"]
    return "\n".join(lines + [f"| {' | '.join(figure.cells())} |" for figure in figures])


def machine() -> str:
    """Return what this was measured on."""
    cpus = len(os.sched_getaffinity(0))
    model = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
        "",
    )
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1_048_576
    return f"{cpus} x {model or platform.machine()}, {memory:.0f} GiB, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def commit() -> str:
    """Return the commit that was measured."""
    result = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        check=False,
        capture_output=True,
        text=True,
    )
    return result.stdout.strip() or "unknown"


def save(area: str, figures: Sequence[Figure], command: str) -> Path:
    """Write the figures of an area as JSON and return where."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{area}.json"
    content = {
        "command": command,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "figures": [asdict(figure) for figure in figures],
    }
    path.write_text(json.dumps(content, indent=1))
    return path


def write_page() -> None:
    """Write the newest figures of every area between the marks of the page."""
    text = PAGE.read_text()
    for area in AREAS:
        path = FOLDER / f"{area}.json"
        if path.exists():
            content = json.loads(path.read_text())
            figures = [
                Figure(
                    **{
                        **figure,
                        "values": tuple(figure["values"]),
                        "baseline": tuple(figure["baseline"]),
                    }
                )
                for figure in content["figures"]
            ]
            note = f"`{content['command']}`, {content['date']}, commit {content['commit']}, {content['machine']}"
            begin, end = f"<!-- {area} begins -->", f"<!-- {area} ends -->"
            before, _, rest = text.partition(begin)
            _, _, after = rest.partition(end)
            text = f"{before}{begin}\n{note}\n\n{markdown_table(figures)}\n{end}{after}"
    PAGE.write_text(text)
