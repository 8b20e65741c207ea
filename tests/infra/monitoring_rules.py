"""Reads alerting rules and the dashboard, and says which of their queries name what no process of ours serves."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import promql_parser as promql
from prometheus_client import Counter, Gauge, Histogram

from infra.grafana.dashboard import RATE, ROWS
from infra.local.folders import REPOSITORY
from pipelines.connectors import metrics

RULES_FILE: Final = REPOSITORY / "infra" / "prometheus" / "rules.yaml"
SCRAPE_FILE: Final = REPOSITORY / "infra" / "prometheus" / "prometheus.yaml"

OF_EVERY_TARGET: Final = frozenset({"job", "instance"})
OF_THE_SCRAPE: Final = frozenset({"up"})
OF_THE_CLIENT: Final = frozenset(
    {
        "process_cpu_seconds_total",
        "process_max_fds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
    }
)
"""What prometheus_client serves of each process; tests/connectors/test_metrics.py looks whether it does."""
RATES: Final = frozenset({"rate", "irate", "increase"})


class Rule(msgspec.Struct, frozen=True):
    """One alerting rule."""

    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]
    lasts: str | None = msgspec.field(name="for", default=None)


class Group(msgspec.Struct, frozen=True):
    """Rules that are evaluated together."""

    name: str
    rules: list[Rule]


class Rules(msgspec.Struct, frozen=True):
    """The file."""

    groups: list[Group]


@dataclass(frozen=True, slots=True)
class Served:
    """A series a process serves."""

    labels: frozenset[str]
    only_rises: bool
    """A counter, or the buckets, sum or count of a histogram: what a rate may be taken of."""


def rules(file: Path = RULES_FILE) -> list[Rule]:
    """Return every rule of a file."""
    return [rule for group in msgspec.yaml.decode(file.read_bytes(), type=Rules).groups for rule in group.rules]


def queries() -> list[str]:
    """Return every query of the rules and of the dashboard."""
    drawn = [query.expression.replace(RATE, "5m") for row in ROWS for panel in row.panels for query in panel.queries]
    return [rule.expr for rule in rules()] + drawn


def served() -> dict[str, Served]:
    """Return every series by its name as scraped."""
    found = {name: Served(frozenset(), only_rises=False) for name in OF_THE_SCRAPE}
    found |= {name: Served(frozenset(), name.endswith("_total")) for name in OF_THE_CLIENT}
    for metric in vars(metrics).values():
        if not isinstance(metric, Counter | Gauge | Histogram):
            continue
        described = next(iter(metric.describe()))
        labels = frozenset(metric._labelnames)
        match metric:
            case Counter():
                found[f"{described.name}_total"] = Served(labels, only_rises=True)
            case Histogram():
                found[f"{described.name}_bucket"] = Served(labels | {"le"}, only_rises=True)
                found |= {f"{described.name}{suffix}": Served(labels, only_rises=True) for suffix in ("_sum", "_count")}
            case Gauge():
                found[described.name] = Served(labels, only_rises=False)
    return found


def faults(expressions: Iterable[str]) -> Iterator[str]:
    """Say which queries cannot be parsed, name an unknown series or label, or take the rate of what also falls."""
    known = served()
    for expression in expressions:
        try:
            tree = promql.parse(expression)
        except ValueError as error:
            yield f"{expression}: {error}"
            continue
        yield from _walk(tree, known, expression)


def _walk(tree: Any, known: dict[str, Served], expression: str) -> Iterator[str]:
    """Go through a query; the nodes of the parser have no types."""
    available: set[str] = set(OF_EVERY_TARGET)
    nodes = list(_nodes(tree))
    for node in nodes:
        if not isinstance(node, promql.VectorSelector):
            continue
        series = known.get(node.name or "")
        if series is None:
            yield f"{node.name} is served by nobody: {expression}"
            continue
        available |= series.labels
        for matcher in node.matchers.matchers:
            if matcher.name not in series.labels | OF_EVERY_TARGET:
                yield f"{node.name} has no label {matcher.name}: {expression}"
    for node in nodes:
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            yield from (f"nothing has the label {label}: {expression}" for label in node.modifier.labels if label not in available)
        if isinstance(node, promql.Call) and node.func.name in RATES:
            names = [one.name or "" for one in _nodes(node) if isinstance(one, promql.VectorSelector)]
            yield from (f"{name} may fall: {expression}" for name in names if name in known and not known[name].only_rises)


def _nodes(tree: Any) -> Iterator[Any]:
    """Yield a node and all below it."""
    yield tree
    match tree:
        case promql.BinaryExpr():
            below = [tree.lhs, tree.rhs]
        case promql.AggregateExpr():
            below = [tree.expr] if tree.param is None else [tree.expr, tree.param]
        case promql.Call():
            below = list(tree.args)
        case promql.MatrixSelector():
            below = [tree.vector_selector]
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            below = [tree.expr]
        case _:
            below = []
    for node in below:
        yield from _nodes(node)
