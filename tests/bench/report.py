"""Where figures are kept and shown: a JSON file per area in docs/bench, their tables on the page docs/bench.md, and a drawing."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from tests.bench.figures import AREAS, Figure, markdown_table
from tests.bench.plot import draw, with_budget

FOLDER: Final = Path(".local/bench")
"""What is looked at and not kept."""
KEPT: Final = Path("docs/bench")
PAGE: Final = Path("docs/bench.md")
PLOT: Final = Path("docs/images/bench.svg")


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one area, and how they were come by."""

    command: str
    date: str
    commit: str
    machine: str
    figures: tuple[Figure, ...]

    @classmethod
    def of(cls, command: str, figures: Sequence[Figure]) -> Self:
        """Return a report of what was measured just now, here."""
        return cls(command, datetime.now(UTC).isoformat(timespec="seconds"), commit(), machine(), tuple(figures))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a report that `write` wrote."""
        content = json.loads(path.read_text())
        return cls(**{**content, "figures": tuple(figure_of(figure) for figure in content["figures"])})

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    def markdown(self) -> str:
        """Return how it was measured, and the table."""
        return f"`{self.command}`, {self.date}, commit {self.commit}, {self.machine}\n\n{markdown_table(self.figures)}"


def figure_of(content: Mapping[str, Any]) -> Figure:
    """Return a figure from its JSON."""
    return Figure(**{**content, "values": tuple(content["values"]), "baseline": tuple(content["baseline"])})


def save(area: str, report: Report) -> Path:
    """Keep the report of an area and return where."""
    path = KEPT / f"{area}.json"
    report.write(path)
    return path


def kept() -> dict[str, Report]:
    """Return the kept reports, by area; areas that were not measured here are not among them."""
    return {area: Report.read(path) for area in AREAS if (path := KEPT / f"{area}.json").exists()}


def write_page() -> None:
    """Put what is kept onto the page, and draw it."""
    reports = kept()
    PAGE.write_text(page_with(PAGE.read_text(), {area: report.markdown() for area, report in reports.items()}))
    figures = [figure for report in reports.values() for figure in report.figures]
    if with_budget(figures):
        draw(figures, PLOT)


def page_with(text: str, tables: Mapping[str, str]) -> str:
    """Return a page with the tables of some areas between their marks; what it says of other areas stays.

    Raises ValueError where a table has no marks on the page: a figure that is measured must be shown.
    """
    for area, table in tables.items():
        begin, end = f"<!-- {area} begins -->", f"<!-- {area} ends -->"
        before, found_begin, rest = text.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found_begin and found_end):
            raise ValueError(f"the page has no marks of the area {area}: {begin} and {end}")
        text = f"{before}{begin}\n{table}\n{end}{after}"
    return text


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
    """Return the commit that was measured, as `git describe --dirty` does; what the bench itself writes into docs makes nothing dirty."""

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *words], check=False, capture_output=True, text=True)

    described = git("describe", "--always", "--exclude=*").stdout.strip()
    is_dirty = git("diff", "--quiet", "HEAD", "--", ".", ":(exclude)docs").returncode == 1
    return (described or "unknown") + ("-dirty" if is_dirty else "")
