"""Writes docs/reference.md from the code: every topic, table, metric, command and setting has its row there."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram

from pipelines.connectors import metrics
from schemas.reason_texts import TEXTS, about
from schemas.tables import TABLES
from schemas.topics import TOPICS
from tests.golden.reference_commands import commands_part
from tests.golden.tables import table_of

ROOT = Path(__file__).parents[2]
REFERENCE_PAGE = ROOT / "docs" / "reference.md"
OPERATING_PAGE = ROOT / "docs" / "operating.md"
READERS = frozenset({"setting", "flag", "whole_number"})
PACKAGES = ("pipelines", "api", "infra", "schemas", "migrations")

HEAD = """# Reference

Written from the code by `make golden`; a test compares. What settings mean is said once, in [operating.md](operating.md#settings).
"""


@dataclass(frozen=True)
class Setting:
    """One setting: its name, its defaults as the code writes them, and the files that read it."""

    name: str
    defaults: tuple[str, ...]
    files: tuple[str, ...]


def settings_read(root: Path) -> list[Setting]:
    """Return the settings that code below a folder reads by a literal name, sorted."""
    defaults: dict[str, set[str]] = {}
    files: dict[str, set[str]] = {}
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in READERS and node.args):
                    continue
                name = node.args[0]
                if not (isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value.isupper()):
                    continue
                files.setdefault(name.value, set()).add(file.relative_to(root).as_posix())
                defaults.setdefault(name.value, set()).add(default_of(node))
    return [Setting(name, tuple(sorted(defaults[name])), tuple(sorted(files[name]))) for name in sorted(files)]


def default_of(call: ast.Call) -> str:
    """Return what the code writes as the default: nothing where the setting must be there."""
    given = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "default")]
    return ast.unparse(given[0]) if given else "none: must be set"


def metrics_defined() -> list[tuple[str, str, str, str]]:
    """Return the name as scraped, kind, labels and meaning of every metric."""
    rows = []
    for metric in vars(metrics).values():
        if isinstance(metric, Counter | Gauge | Histogram):
            described = next(iter(metric.describe()))
            name = described.name + ("_total" if described.type == "counter" else "")
            rows.append((name, described.type, ", ".join(metric._labelnames), described.documentation))
    return sorted(rows)


def meanings(page: Path = OPERATING_PAGE) -> dict[str, tuple[str, str]]:
    """Return who uses each setting and what it means, as the table of settings in docs/operating.md says."""
    part = page.read_text(encoding="utf-8").partition("\n## Settings\n")[2].partition("\n## ")[0]
    found: dict[str, tuple[str, str]] = {}
    for names, used_by, meaning in re.findall(r"^\| (`[^|]+`) \| ([^|]+) \| ([^|]+) \|$", part, re.MULTILINE):
        found |= dict.fromkeys(re.findall(r"`([A-Z_]+)`", names), (used_by, meaning))
    return found


def code(names: tuple[str, ...]) -> str:
    """Return names in code font."""
    return ", ".join(f"`{name}`" for name in names) or "nobody yet"


def reference_page(root: Path = ROOT) -> str:
    """Return docs/reference.md."""
    topics = [
        (f"`{topic.name}`", str(topic.partitions), topic.value, ", ".join(topic.writers), ", ".join(topic.readers) or "nobody yet")
        for topic in TOPICS
    ]
    tables = [
        (f"`{table.name}`", table.kind.value, code(table.key), table.what, ", ".join(table.writers), ", ".join(table.readers))
        for table in TABLES
    ]
    found = [(f"`{name}`", kind, labels or "-", meaning) for name, kind, labels, meaning in metrics_defined()]
    means = meanings()
    settings = [(f"`{one.name}`", *means.get(one.name, ("-", "-")), code(one.defaults), code(one.files)) for one in settings_read(root)]
    reasons = [(f"`{reason}`", about(reason), text.meaning, text.what_to_do, text.replay.value) for reason, text in TEXTS.items()]
    sections = [
        ("Topics", table_of(("topic", "partitions", "value", "written by", "read by"), topics)),
        ("Tables", table_of(("table", "kind", "key", "a row is", "written by", "read by"), tables)),
        ("Metrics", table_of(("metric", "kind", "labels", "meaning"), found)),
        ("Reasons", table_of(("reason", "about", "what it means", "what to do", "a replay"), reasons)),
        ("Settings", table_of(("setting", "used by", "meaning", "default in the code", "read in"), settings)),
        ("Commands", commands_part()),
    ]
    return HEAD + "".join(f"\n## {title}\n\n{text}\n" for title, text in sections)
