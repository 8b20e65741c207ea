"""Every metric is counted somewhere, labels stay closed, and the process's own figures are scraped beside ours."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest

from pipelines.connectors import metrics

ROOT = Path(__file__).parents[2]
PACKAGES: Final = ("pipelines", "api", "infra")
OPEN_LABELS: Final = frozenset({"organization", "sensor", "device", "unit", "site", "dev_eui", "path", "application"})
"""What a caller or a fleet chooses: as a label it would grow without end."""
MAKES: Final = re.compile(r"from prometheus_client import|import prometheus_client\b(?!\.parser)")
"""What reads what others serve needs only its parser."""
CLOSED_ALL_THE_SAME: Final = frozenset({("DETECT_READINGS", "path")})
"""Here the path is the one a reading takes through the shard."""


def defined() -> dict[str, Counter | Gauge | Histogram]:
    """Return every metric by the name it has in the code."""
    return {name: metric for name, metric in vars(metrics).items() if isinstance(metric, Counter | Gauge | Histogram)}


def imported(root: Path) -> set[str]:
    """Return the names that code below a folder imports from the one place of metrics."""
    names: set[str] = set()
    for package in PACKAGES:
        for file in (root / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module == "pipelines.connectors.metrics":
                    names |= {alias.name for alias in node.names}
    return names


def made_elsewhere(root: Path) -> list[str]:
    """Return the files beside the one place that make a metric."""
    found = []
    for package in PACKAGES:
        for file in (root / package).rglob("*.py"):
            name = file.relative_to(root).as_posix()
            if name != "pipelines/connectors/metrics.py" and MAKES.search(file.read_text(encoding="utf-8")):
                found.append(name)
    return found


def test_every_metric_is_counted_somewhere() -> None:
    unused = set(defined()) - imported(ROOT) - {"BUILD"}

    assert unused == set()


def test_metrics_are_made_in_one_place() -> None:
    assert made_elsewhere(ROOT) == []


def test_a_planted_metric_elsewhere_is_caught(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "planted.py").write_text("from prometheus_client import Counter\n")

    assert made_elsewhere(tmp_path) == ["api/planted.py"]


def test_no_label_is_anything_a_caller_chooses() -> None:
    labels = {(name, label) for name, metric in defined().items() for label in metric._labelnames}

    assert {one for one in labels if one[1] in OPEN_LABELS} == CLOSED_ALL_THE_SAME


def test_every_name_says_its_area_and_unit() -> None:
    for metric in defined().values():
        described = next(iter(metric.describe()))

        assert described.name.startswith("coldstream_")
        assert described.documentation.endswith(".")
        if described.type == "histogram":
            assert described.name.rsplit("_", 1)[1] in {"seconds", "records", "rows"}, described.name


@pytest.mark.parametrize(
    "name",
    [
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
        "python_gc_collections_total",
    ],
)
def test_memory_cpu_and_open_files_are_scraped_beside_ours(name: str) -> None:
    assert f"\n{name}" in generate_latest(REGISTRY).decode()
