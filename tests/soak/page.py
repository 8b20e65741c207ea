"""What a soak came to: a table and a drawing for docs/soak.md, and everything in .local/soak as JSON."""

import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Drawing

from tests.faults.checker.findings import Findings
from tests.faults.report import git_commit
from tests.soak.latencies import Minute
from tests.soak.sampling import Series
from tests.soak.slopes import Verdict

REPOSITORY: Final = Path(__file__).parents[2]
PAGE: Final = REPOSITORY / "docs" / "soak.md"
DRAWING: Final = REPOSITORY / "docs" / "images" / "soak.svg"
BEGIN, END = "<!-- soak -->", "<!-- end of soak -->"
PANELS: Final = (
    ("memory MB ", "memory, MB"),
    ("files ", "open files"),
    ("recovery MB ", "recovery store, MB"),
    ("lag ", "lag, records"),
)
REPEATABLE: Final[Any] = {"svg.hashsalt": "coldstream", "svg.fonttype": "none", "font.size": 8, "font.family": "sans-serif"}


def table(verdicts: Sequence[Verdict]) -> str:
    """Return every series against its bound."""
    lines = ["| series | unit | first half | last quarter | slope per hour | bound | |", "|---|---|---:|---:|---:|---:|---|"]
    for one in verdicts:
        held = "" if one.holds else "**grows**"
        bound = f"{one.bound:,.2f}" if math.isfinite(one.bound) else "-"
        lines.append(f"| {one.name} | {one.unit} | {one.first:,.1f} | {one.last:,.1f} | {one.slope:+,.2f} | {bound} | {held} |")
    return "\n".join(lines)


def latency_table(minutes: Mapping[str, Sequence[Minute]]) -> str:
    """Return the latencies of the first and of the second half of the run."""
    lines = ["| accepted to WebSocket, ms | told | p50, first half | second half | p99, first half | second half | longest |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    for kind, several in minutes.items():
        if not several:
            continue
        half = max(1, len(several) // 2)
        halves = several[:half], several[half:] or several
        p50 = [sorted(one.p50 for one in part)[len(part) // 2] for part in halves]
        p99 = [sorted(one.p99 for one in part)[len(part) // 2] for part in halves]
        figures = [sum(one.count for one in several), *p50, *p99, max(one.longest for one in several)]
        lines.append(f"| {kind} (medians of minutes) | " + " | ".join(f"{figure:,.0f}" for figure in figures) + " |")
    return "\n".join(lines)


def text_of(
    plan: str, verdicts: Sequence[Verdict], minutes: Mapping[str, Sequence[Minute]], findings: Findings, misses: Sequence[str]
) -> str:
    """Return the generated section."""
    counts = ", ".join(f"**{count} {kind}**" for kind, count in findings.counts.items())
    head = (
        f"Commit {git_commit()}, {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC: {plan}; {os.cpu_count()} cores, load average at the end "
        f"{os.getloadavg()[2]:.1f}. The checker: {counts} ({findings.acknowledged:,} uplinks, {findings.excursions:,} excursions)."
    )
    parts = [head, table(verdicts), latency_table(minutes), "![Every series over time](images/soak.svg)"]
    if misses:
        parts.insert(1, "\n".join(f"- {miss}" for miss in misses))
    return "\n\n".join(parts)


def write_page(text: str) -> None:
    """Put the generated section into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def draw(series: Series, minutes: Mapping[str, Sequence[Minute]], path: Path) -> None:
    """Draw every series over the minutes of the run."""
    with mpl.rc_context(REPEATABLE):
        drawing = Drawing(figsize=(11, 9), layout="constrained")
        FigureCanvasSVG(drawing)
        axes = drawing.subplots(3, 2)
        for place, (prefix, label) in enumerate(PANELS):
            panel = axes.flat[place]
            for name, samples in series.items():
                if name.startswith(prefix):
                    panel.plot(
                        [at / 60 for at, _ in samples], [value for _, value in samples], label=name.removeprefix(prefix), linewidth=1
                    )
            panel.set_title(label)
        for name in ("database MB", "topics MB"):
            samples = series.get(name, [])
            axes.flat[4].plot([at / 60 for at, _ in samples], [value for _, value in samples], label=name.removesuffix(" MB"), linewidth=1)
        axes.flat[4].set_title("on disk, MB")
        for kind, several in minutes.items():
            for figure in ("p50", "p99"):
                values = [getattr(one, figure) for one in several]
                axes.flat[5].plot([one.seconds / 60 for one in several], values, label=f"{kind} {figure}", linewidth=1)
        axes.flat[5].set_title("accepted to WebSocket, ms, by minute")
        for panel in axes.flat:
            panel.set_ylim(bottom=0)
            panel.grid(color="#dddddd", linewidth=0.5)
            if panel.get_lines():
                panel.legend(fontsize=6, loc="lower right")
            panel.set_xlabel("minutes")
        path.parent.mkdir(parents=True, exist_ok=True)
        drawing.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def save(folder: Path, content: dict[str, Any], name: str = "soak.json") -> Path:
    """Keep everything as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps({"commit": git_commit(), **content}, indent=1) + "\n")
    return path


def shown(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict for JSON."""
    return asdict(verdict) | {"holds": verdict.holds, "bound": verdict.bound if math.isfinite(verdict.bound) else None}


def shown_series(series: Series) -> dict[str, list[tuple[float, float | None]]]:
    """Return series for JSON, which knows no number that is none."""
    return {name: [(at, None if math.isnan(value) else value) for at, value in samples] for name, samples in series.items()}
