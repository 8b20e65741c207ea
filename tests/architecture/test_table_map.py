"""The map of tables says who writes and reads each one: it is held to the SQL in the code, and a wrong row is caught."""

import ast
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from schemas.tables import TABLES, Table

ROOT = Path(__file__).parents[2]
WRITES = re.compile(r"\b(?:INSERT INTO|COPY|UPDATE|DELETE FROM)\s+([a-z_]+)\b")
READS = re.compile(r"(?<!DELETE )\b(?:FROM|JOIN)\s+([a-z_]+)\b")
FOR_A_TYPE_ALONE = frozenset({("writers", "decoding")})
"""Imports that take no SQL along: the writer of `readings` names the type of what the decoder hands it."""


def imported(root: Path, file: Path) -> set[Path]:
    """Return the files of ours that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                target = root / (name.replace(".", "/") + ".py")
                if target.exists() and (file.stem, target.stem) not in FOR_A_TYPE_ALONE:
                    found.add(target)
    return found


def files_of(root: Path) -> dict[str, set[Path]]:
    """Return the files each process runs: a flow's are those it imports, directly or not."""
    processes = {"api": set((root / "api").rglob("*.py"))}
    for flow in (root / "pipelines" / "flows").glob("*_*.py"):
        if flow.stem == "__init__":
            continue
        seen: set[Path] = set()
        ahead = {flow}
        while ahead:
            seen |= ahead
            ahead = {target for file in ahead for target in imported(root, file)} - seen
        processes[flow.stem] = seen
    return processes


def wrong_rows(root: Path, tables: Iterable[Table]) -> list[str]:
    """Say which writers and readers of the map are not those of the SQL."""
    texts = {process: "\n".join(file.read_text(encoding="utf-8") for file in files) for process, files in files_of(root).items()}
    problems = []
    for table in tables:
        for role, pattern, named in (("written", WRITES, table.writers), ("read", READS, table.readers)):
            found = {process for process, text in texts.items() if table.name in pattern.findall(text)}
            said = set(named) & set(texts)
            problems += [f"{table.name} is {role} by {process}, and the map does not say so" for process in sorted(found - said)]
            problems += [f"{table.name} is not {role} by {process}" for process in sorted(said - found)]
    return problems


def test_writers_and_readers_of_the_map_are_those_of_the_sql() -> None:
    assert wrong_rows(ROOT, TABLES) == []


def test_a_planted_wrong_row_is_caught() -> None:
    outbox = next(table for table in TABLES if table.name == "outbox")

    found = wrong_rows(ROOT, [replace(outbox, writers=("store_readings",))])

    assert found == [
        "outbox is written by detect_excursions, and the map does not say so",
        "outbox is written by revise_excursions, and the map does not say so",
        "outbox is not written by store_readings",
    ]


def test_planted_sql_in_a_flow_is_caught(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "pipelines" / "flows").mkdir(parents=True)
    (tmp_path / "pipelines" / "flows" / "count_sites.py").write_text('QUERY = "SELECT count(*) FROM sites"\n')
    sites = next(table for table in TABLES if table.name == "sites")

    found = wrong_rows(tmp_path, [replace(sites, writers=("operators",), readers=())])

    assert found == ["sites is read by count_sites, and the map does not say so"]
