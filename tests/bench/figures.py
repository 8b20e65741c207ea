"""Figures of repeated runs, and how they are shown: a table on the terminal, a Markdown table. Measures nothing."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WARM_UP: Final = 0.15
"""The first part of a run, which is not counted: terms are loaded and caches filled in it."""

AREAS: Final = ("ingest", "decode", "store", "detect", "flows", "latency", "late", "api", "websocket", "page", "fleet")
"""What is measured, in the order of the page."""

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
        """The middle value; not a number where one of them is none: what was not heard at all is no short time."""
        return math.nan if any(map(math.isnan, self.values)) else statistics.median(self.values)

    def cells(self) -> tuple[str, ...]:
        """Return the figure as a row of the table."""
        bound = "" if self.budget is None else f"{'<' if self.at_most else '>'} {shown(self.budget)}"
        median = self.median
        to_budget = "" if self.budget is None else f"{median / self.budget:.2f}" if math.isfinite(median) else "missed"
        baseline = statistics.median(self.baseline) if self.baseline else None
        return (
            f"{self.what}, {self.unit}" if self.unit else self.what,
            shown(min(self.values)),
            shown(median),
            shown(max(self.values)),
            bound,
            to_budget,
            "" if baseline is None else shown(baseline),
            "" if not baseline else f"{self.median / baseline:.2f}",
        )


def shown(value: float) -> str:
    """Return a number with as many digits as matter."""
    if math.isnan(value):
        return "none"
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
