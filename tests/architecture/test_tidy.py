"""Lengths, names, markers, machine paths, addresses and the clock: small rules that keep the tree readable."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES = 500
MOST_FUNCTION_LINES = 70
GRAB_BAGS = frozenset({"utils", "util", "helpers", "common", "misc", "types"})
MARKERS = re.compile(r"#\s*(TODO|FIXME|XXX)\b|pytest\.(skip|xfail)\(|@pytest\.mark\.(skip|xfail)\b")
THIS_MACHINE = re.compile(r"(?<![\w.])/" + r"(?:work|root|home/\w+)/")
PACKAGE_INDEX = re.compile(r"https?://|index-url|--find-links")
CLOCK_CALLS = frozenset({"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today", "datetime.today"})
CLOCK_MAY = {
    "pipelines/connectors/clock.py": "the one place",
    "pipelines/engine/source.py": "bytewax asks for the instant of the next poll; nothing is decided by it",
}


def python_files(root: Path) -> list[Path]:
    """Return the tree's Python files: those git knows, or all below a folder that is no checkout."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.py"], cwd=root, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return [root / line for line in listed.stdout.splitlines() if (root / line).exists()]
    return sorted(root.rglob("*.py"))


def untidy(root: Path) -> Iterator[str]:
    """Say what is untidy."""
    for file in python_files(root):
        name = file.relative_to(root).as_posix()
        text = file.read_text(encoding="utf-8")
        if text.count("\n") > MOST_LINES:
            yield f"{name} has {text.count(chr(10))} lines"
        if file.stem in GRAB_BAGS:
            yield f"{name} is a grab bag"
        if name != "tests/architecture/test_tidy.py" and MARKERS.search(text):
            yield f"{name} has a marker or a skipped test"
        if THIS_MACHINE.search(text):
            yield f"{name} names a folder of one machine"
        yield from long_functions(name, text)
        yield from clock_reads(name, text)


def long_functions(name: str, text: str) -> Iterator[str]:
    """Say which functions are too long."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MOST_FUNCTION_LINES:
                yield f"{name}: {node.name} has {lines} lines"


def clock_reads(name: str, text: str) -> Iterator[str]:
    """Say where wall time is read outside the connector of the clock."""
    if name in CLOCK_MAY or name.split("/", maxsplit=1)[0] not in {"pipelines", "schemas", "api"}:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in CLOCK_CALLS:
            yield f"{name}:{node.lineno} reads the clock"


def test_the_tree_is_tidy() -> None:
    assert list(untidy(ROOT)) == []


def test_planted_untidiness_is_caught(tmp_path: Path) -> None:
    folder = tmp_path / "pipelines"
    folder.mkdir()
    body = "\n".join(f"    a = {number}" for number in range(MOST_FUNCTION_LINES))
    marker, here = "TO" + "DO", Path("/", "work", "main")
    (folder / "utils.py").write_text(
        f"import time\nFOLDER = '{here}'\n# {marker} later\nNOW = time.time()\ndef long() -> None:\n{body}\n" + "\n" * MOST_LINES
    )

    found = " ".join(untidy(tmp_path))

    for caught in ("lines", "grab bag", "marker", "long has 71 lines", "reads the clock", "folder of one machine"):
        assert caught in found


def test_lock_and_project_name_no_package_index() -> None:
    for name in ("requirements.lock", "pyproject.toml"):
        text = (ROOT / name).read_text()
        assert not PACKAGE_INDEX.search(text), name


def test_a_planted_package_index_is_caught() -> None:
    assert PACKAGE_INDEX.search("--extra-index-url http" + "s://packages.example/simple")
    assert PACKAGE_INDEX.search('url = "http' + '://packages.example"')


def test_every_pin_of_the_lock_has_a_hash() -> None:
    entries = re.split(r"\n(?=[a-zA-Z])", (ROOT / "requirements.lock").read_text().strip())

    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
