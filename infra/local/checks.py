"""What `coldstream doctor` looks at on this machine: programs, folders, ports. It changes nothing."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from infra.local import programs
from infra.local.errors import StackError
from infra.local.folders import Folders, kafka_libs
from infra.local.lock import holder
from infra.local.ports import Ports, holder_of, is_free, taken_message

PYTHONS: Final = ((3, 11), (3, 12))
OLDEST_POSTGRES: Final = 15


class Finding(StrEnum):
    """How a check ended."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing that is needed is missing."""
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report: what was looked at, what was found, what to do."""

    name: str
    finding: Finding
    detail: str
    advice: str = ""

    def line(self) -> str:
        """Return the line as it is shown."""
        match self.finding:
            case Finding.OK | Finding.NOTE | Finding.MISSING:
                shown = f"{self.finding:<8} {self.name:<14} {self.detail}"
            case _:
                assert_never(self.finding)
        return f"{shown}\n{'':<24}{self.advice}" if self.advice else shown


def machine_checks() -> Iterator[Check]:
    """Check every program that the local stack and the tests need."""
    yield python_check(sys.version_info[:2], sys.version.split()[0])
    yield _program("java", _java, Finding.MISSING)
    yield _program("kafka", _kafka, Finding.MISSING)
    yield _program("postgresql", _postgres, Finding.MISSING)
    yield _program("redis", lambda: _first_line(str(programs.redis_server()), "--version"), Finding.MISSING)
    yield _program("chromium", lambda: _first_line(str(programs.chromium()), "--version"), Finding.NOTE)


def python_check(version: tuple[int, int], shown: str) -> Check:
    """Check that this Python is one that Bytewax has wheels for."""
    if version in PYTHONS:
        return Check("python", Finding.OK, shown)
    return Check("python", Finding.MISSING, f"{shown}; 3.11 or 3.12 is needed", "Install python3.11, then: make setup")


def folder_check(folders: Folders) -> Check:
    """Say where the data is and whether a stack runs on it."""
    running = holder(folders.lock)
    state = f"a stack runs on it (pid {running})" if running else "no stack runs on it"
    return Check("data", Finding.OK, f"{folders.data}; {state}")


def port_checks(ports: Ports, *, running: bool) -> Iterator[Check]:
    """Check that the stack's ports are free, or taken by the stack itself."""
    named = {
        "API": ports.api,
        "Kafka": ports.kafka,
        "Kafka's controller": ports.kafka_controller,
        "PostgreSQL": ports.postgres,
        "Redis": ports.redis,
        "the sandbox": ports.sandbox,
    }
    taken = {port: name for name, port in named.items() if not is_free(port)}
    if running:
        yield Check("ports", Finding.OK, f"from {ports.base} on, in use by the stack that runs")
    elif not taken:
        yield Check("ports", Finding.OK, f"from {ports.base} on, free")
    for port, name in {} if running else taken.items():
        detail = taken_message(port, name, holder_of(port))
        yield Check("ports", Finding.MISSING, detail, "Stop it, or choose other ports with --port-base.")


def _program(name: str, look: Callable[[], str], when_missing: Finding) -> Check:
    try:
        return Check(name, Finding.OK, look())
    except StackError as error:
        return Check(name, when_missing, error.problem, error.advice)


def _java() -> str:
    line = _first_line(str(programs.java()), "-version")
    found = re.search(r'"(\d+)', line)
    if found is None or int(found[1]) < programs.OLDEST_JAVA:
        problem = f"{line}; Kafka needs Java {programs.OLDEST_JAVA} or newer."
        raise StackError(problem, programs.install(programs.JAVA_PACKAGE))
    return line


def _kafka() -> str:
    jar = next(programs.kafka_jars().glob("kafka_2.13-*.jar"))
    return f"{jar.stem.partition('-')[2]} in {kafka_libs()}"


def _postgres() -> str:
    installed = programs.postgres_programs()
    if int(installed.version.split(".")[0]) < OLDEST_POSTGRES:
        problem = f"PostgreSQL {installed.version}; {OLDEST_POSTGRES} or newer is needed."
        raise StackError(problem, programs.install(programs.POSTGRES_PACKAGE))
    library = "with the TimescaleDB library" if installed.has_timescaledb else "without the TimescaleDB library"
    return f"{installed.version} in {installed.folder}, {library}"


def _first_line(program: str, argument: str) -> str:
    """Return the first line that a program says about itself; Java says it on standard error."""
    result = subprocess.run([program, argument], check=False, capture_output=True, text=True)
    return (result.stdout or result.stderr).strip().split("\n")[0].strip()
