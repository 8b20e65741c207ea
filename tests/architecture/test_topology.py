"""The flow is visible several times, and they are equal: file names, what the code reads and sends, schemas.topics, commands, stack.

The drawings in docs/flows.md are made from the same map and the same flows; tests/golden compares them.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final

from infra.commands.flow import PARTITIONS
from infra.local.parts import FLOWS
from schemas.topics import DEAD_LETTERS, READINGS, TOPICS, Topic

ROOT = Path(__file__).parents[2]
BESIDE_FLOWS: Final = frozenset({"api"})
CONSTANTS: Final = {topic.name.upper(): topic.name for topic in TOPICS}


@dataclass(frozen=True, slots=True)
class Reach:
    """What code that is reached from a process's start reads and sends."""

    reads: set[str] = field(default_factory=set)
    sends: set[str] = field(default_factory=set)


def flow_files(root: Path) -> set[str]:
    """Return the flows that have a file."""
    return {file.stem for file in (root / "pipelines" / "flows").glob("*.py") if file.stem != "__init__"}


def reach_of(root: Path, module: str) -> Reach:
    """Follow names from a module's functions and classes through imports of ours, and note the topics on the way."""
    reach, seen = Reach(), set[tuple[str, str]]()
    ahead = [(module, name) for name in definitions(root, module)[0]]
    while ahead:
        place = ahead.pop()
        if place in seen:
            continue
        seen.add(place)
        own, imports = definitions(root, place[0])
        node = own.get(place[1])
        if node is None:
            if place[1] in imports:
                ahead.append(imports[place[1]])
            continue
        note_topics(node, reach)
        ahead += [(place[0], inner.id) for inner in ast.walk(node) if isinstance(inner, ast.Name)]
    return reach


@cache
def definitions(root: Path, module: str) -> tuple[dict[str, ast.stmt], dict[str, tuple[str, str]]]:
    """Return a module's functions and classes, and where its imports from our packages come from."""
    file = root / (module.replace(".", "/") + ".py")
    if not file.exists():
        return {}, {}
    tree = ast.parse(file.read_text(encoding="utf-8"))
    own: dict[str, ast.stmt] = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    imports = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(("pipelines.", "api."))
        for alias in node.names
    }
    return own, imports


def note_topics(node: ast.AST, reach: Reach) -> None:
    """Note the topics that a piece of code reads (LogSource) and sends to (`.send`)."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "LogSource":
            reach.reads.update(topics_in(call.args))
        elif isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "send":
            reach.sends.update(topics_in(call.args[:1]))


def topics_in(arguments: Iterable[ast.expr]) -> Iterator[str]:
    """Return the topics that arguments such as `UPLINKS.name` name."""
    for argument in arguments:
        if isinstance(argument, ast.Attribute) and argument.attr == "name" and ast.unparse(argument.value) in CONSTANTS:
            yield CONSTANTS[ast.unparse(argument.value)]


def disagreements(root: Path, topics: tuple[Topic, ...]) -> list[str]:
    """Say where the map of topics, the files and the code in them differ."""
    files = flow_files(root)
    named = {name for topic in topics for name in (*topic.writers, *topic.readers)} - BESIDE_FLOWS
    problems = [f"{name} is named by a topic and has no file" for name in sorted(named - files)]
    for flow in sorted(files):
        reach = reach_of(root, f"pipelines.flows.{flow}")
        reads = {topic.name for topic in topics if flow in topic.readers}
        sends = {topic.name for topic in topics if flow in topic.writers}
        problems += [f"{flow} reads {topic}, and the map does not say so" for topic in sorted(reach.reads - reads)]
        problems += [f"{flow} does not read {topic}" for topic in sorted(reads - reach.reads)]
        problems += [f"{flow} sends to {topic}, and the map does not say so" for topic in sorted(reach.sends - sends)]
        problems += [f"{flow} does not send to {topic}" for topic in sorted(sends - reach.sends)]
    return problems


def test_files_code_topics_command_and_stack_name_the_same_flows() -> None:
    assert disagreements(ROOT, TOPICS) == []
    assert set(PARTITIONS) == flow_files(ROOT)
    assert {part.value for part in FLOWS} == flow_files(ROOT)


def test_the_api_sends_what_the_map_says() -> None:
    reach = Reach()

    for file in (ROOT / "api").rglob("*.py"):
        note_topics(ast.parse(file.read_text(encoding="utf-8")), reach)

    assert reach.sends == {topic.name for topic in TOPICS if "api" in topic.writers}


def test_a_planted_flow_without_a_topic_is_caught(tmp_path: Path) -> None:
    folder = tmp_path / "pipelines" / "flows"
    folder.mkdir(parents=True)
    (folder / "paint_pictures.py").write_text("def build():\n    LogSource(kafka, READINGS.name)\n    producer.send(UPLINKS.name, 0)\n")

    assert disagreements(tmp_path, ()) == [
        "paint_pictures reads readings, and the map does not say so",
        "paint_pictures sends to uplinks, and the map does not say so",
    ]


def test_planted_wrong_rows_of_the_map_are_caught() -> None:
    readings = replace(READINGS, readers=("detect_excursions", "paint_pictures"))
    letters = replace(DEAD_LETTERS, writers=(*DEAD_LETTERS.writers, "store_readings"))

    found = disagreements(ROOT, (*(topic for topic in TOPICS if topic not in {READINGS, DEAD_LETTERS}), readings, letters))

    assert found == [
        "paint_pictures is named by a topic and has no file",
        "store_readings reads readings, and the map does not say so",
        "store_readings does not send to dead_letters",
    ]
