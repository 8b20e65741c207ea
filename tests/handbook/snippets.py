"""Finds the console snippets of the documentation and runs them. `...` in what they show stands for anything, also for lines."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FENCE: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAMS: Final = ".venv/bin/"
"""How snippets name programs of the environment, wherever that is when they are run."""
GIVEN: Final = re.compile(r"^cat ([\w.]+)$")
"""A file that a snippet shows: from there on it is there."""
ANYTHING: Final = "..."
SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Step:
    """One command and what is shown of its output."""

    command: str
    shown: str


@dataclass(frozen=True, slots=True)
class Snippet:
    """The steps of one fence."""

    place: str
    steps: tuple[Step, ...]


def snippets(file: Path) -> list[Snippet]:
    """Return the console snippets of a page, named by the page and the line each begins at."""
    text = file.read_text(encoding="utf-8")
    found = []
    for fence in FENCE.finditer(text):
        line = text.count("\n", 0, fence.start()) + 1
        found.append(Snippet(f"{file.name}:{line}", steps_of(fence.group(1))))
    return found


def steps_of(fence: str) -> tuple[Step, ...]:
    """Return the commands of a fence with what follows each."""
    parts = re.split(r"^\$ ", fence, flags=re.MULTILINE)[1:]
    return tuple(Step(command, shown) for command, _, shown in (part.partition("\n") for part in parts))


def differences(snippet: Snippet, folder: Path) -> list[str]:
    """Run a snippet in a folder and say of which commands the output is not what is shown."""
    found = []
    for step in snippet.steps:
        given = GIVEN.match(step.command)
        if given is not None:
            (folder / given.group(1)).write_text(step.shown, encoding="utf-8")
            continue
        command = step.command.replace(PROGRAMS, f"{Path(sys.executable).parent}/")
        ran = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
        if not agrees(ran.stdout, step.shown):
            found.append(f"{snippet.place}: {step.command}\n{ran.stdout}{ran.stderr}")
    return found


def agrees(output: str, shown: str) -> bool:
    """Return whether an output is what is shown, with anything in place of `...`."""
    pattern = ".*".join(re.escape(part) for part in shown.split(ANYTHING))
    return re.fullmatch(pattern, output, re.DOTALL) is not None
