"""Lengths, names, markers, machine paths and package indexes: small rules that keep the tree readable. Each is caught when broken."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parents[2]
MOST_LINES: Final = 500
MOST_FUNCTION_LINES: Final = 70
CODE: Final = frozenset({".py", ".js", ".css", ".html", ".sh"})
"""Files that people write by hand: their length is held."""

GRAB_BAGS: Final = frozenset({"utils", "util", "helpers", "common", "misc", "types"})
MARKERS: Final = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
SKIPPED: Final = re.compile(r"pytest\." + r"(skip|xfail|importorskip)\b|pytest\.mark\." + r"(skip|skipif|xfail)\b")
THIS_MACHINE: Final = re.compile(r"(?<![\w.])/" + r"(?:work|root|home/\w+|Users/\w+)/")
PACKAGE_INDEX: Final = re.compile(
    r"(?:extra-)?index-" + r"url|find-" + r"links|https?://[^\s\"'<>)]*/simple\b|https?://[^\s\"'<>)]*artifactory"
)


def files_of(root: Path) -> list[Path]:
    """Return the tree's files: those git knows or would take, or all below a folder that is no checkout."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return sorted(file for name in listed.stdout.split("\0") if name and (file := root / name).is_file())
    return sorted(file for file in root.rglob("*") if file.is_file())


def text_of(file: Path) -> str | None:
    """Return a file's text, or None when it is a picture or another kind of bytes."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def untidy(root: Path) -> Iterator[str]:
    """Say what is untidy."""
    for file in files_of(root):
        name, text = file.relative_to(root).as_posix(), text_of(file)
        if text is None:
            continue
        if THIS_MACHINE.search(text):
            yield f"{name} names a folder of one machine"
        if PACKAGE_INDEX.search(text):
            yield f"{name} names a package index"
        if MARKERS.search(text) and file.name != "requirements.lock":
            yield f"{name} has a leftover marker"
        if file.suffix in CODE and text.count("\n") > MOST_LINES:
            yield f"{name} has {text.count(chr(10))} lines"
        if file.suffix == ".py":
            yield from untidy_python(name, file.stem, text)


def untidy_python(name: str, stem: str, text: str) -> Iterator[str]:
    """Say what is untidy in a Python file."""
    if stem in GRAB_BAGS:
        yield f"{name} is a grab bag"
    if SKIPPED.search(text):
        yield f"{name} skips a test"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MOST_FUNCTION_LINES:
                yield f"{name}: {node.name} has {lines} lines"


def test_the_tree_is_tidy() -> None:
    assert list(untidy(ROOT)) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("long.py", "\n" * (MOST_LINES + 1), "has 501 lines"),
        ("page.js", "\n" * (MOST_LINES + 1), "has 501 lines"),
        ("long.py", "def far() -> None:\n" + "    a = 1\n" * MOST_FUNCTION_LINES, "far has 71 lines"),
        ("utils.py", "", "is a grab bag"),
        ("notes.md", "TO" + "DO: later\n", "leftover marker"),
        ("test_one.py", "@pytest.mark." + "skip\n", "skips a test"),
        ("run.sh", f"cd {Path('/', 'work', 'main')}\n", "folder of one machine"),
        ("pip.conf", "extra-index-" + "url = http" + "://packages.example\n", "package index"),
        ("notes.md", "see http" + "s://packages.example/pypi/simple\n", "package index"),
    ],
)
def test_planted_untidiness_is_caught(tmp_path: Path, name: str, text: str, said: str) -> None:
    if name.endswith(".py") and "skip" in text:
        text += "def test_one() -> None: ...\n"
    (tmp_path / name).write_text(text)

    found = list(untidy(tmp_path))

    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_lock_and_project_name_no_address_at_all(name: str) -> None:
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")


def test_every_pin_of_the_lock_has_a_hash() -> None:
    entries = re.split(r"\n(?=[a-zA-Z])", (ROOT / "requirements.lock").read_text().strip())

    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
