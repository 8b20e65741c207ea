"""Draws every figure that has a budget against it, as an SVG: on a log scale, right of the line is better than the budget."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Drawing

from tests.bench.figures import Figure, shown

MET, MISSED = "#1b7f4b", "#b3202c"
ROW_INCHES: Final = 0.3
AROUND_INCHES: Final = 1.3
WIDTH_INCHES: Final = 11.0
REPEATABLE: Final[Any] = {"svg.hashsalt": "coldstream", "svg.fonttype": "none", "font.size": 9, "font.family": "sans-serif"}
"""The same figures give the same bytes."""
LEAST_VALUE: Final = 1e-9


def times_better(value: float, figure: Figure) -> float:
    """Return how many times better than its budget a value is: 1 on the budget, less where it is missed."""
    assert figure.budget is not None
    value = max(value, LEAST_VALUE)
    return figure.budget / value if figure.at_most else value / figure.budget


def with_budget(figures: Sequence[Figure]) -> list[Figure]:
    """Return the figures that can be drawn: those with a budget, nothing of which is 0 or not a number."""
    return [figure for figure in figures if figure.budget and all(math.isfinite(value) and value > 0 for value in figure.values)]


def draw(figures: Sequence[Figure], path: Path) -> None:
    """Write the drawing; raises ValueError when none of the figures has a budget."""
    rows = with_budget(figures)
    if not rows:
        raise ValueError("no figure with a budget to draw")
    with mpl.rc_context(REPEATABLE):
        drawing = Drawing(figsize=(WIDTH_INCHES, AROUND_INCHES + ROW_INCHES * len(rows)), layout="constrained")
        FigureCanvasSVG(drawing)
        axes = drawing.add_subplot()
        for place, figure in enumerate(rows):
            better = [times_better(value, figure) for value in figure.values]
            median = times_better(figure.median, figure)
            color = MET if median >= 1 else MISSED
            axes.plot([min(better), max(better)], [place, place], color=color, linewidth=3, solid_capstyle="butt", alpha=0.5)
            axes.plot([median], [place], marker="o" if median >= 1 else "X", color=color)
        axes.axvline(1, color="#333333", linewidth=1)
        axes.set_xscale("log")
        axes.set_yticks(range(len(rows)), [label_of(figure) for figure in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel("times better than the budget, which is the line\ndot: median, met; cross: median, missed; bar: all repeats")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.grid(axis="x", which="major", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        path.parent.mkdir(parents=True, exist_ok=True)
        drawing.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def label_of(figure: Figure) -> str:
    """Return what stands beside a row: what it is, its median and its budget."""
    assert figure.budget is not None
    unit = f" {figure.unit}" if figure.unit else ""
    return f"{figure.area}: {figure.what}: {shown(figure.median)}{unit} ({'<' if figure.at_most else '>'} {shown(figure.budget)})"
