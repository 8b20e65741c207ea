"""Facts about processes by their id, and a record of a child that outlives its supervisor's death.

A process id is used again after its process ended, so a record also holds the boot and the time the process began.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.connectors.host import process_began

POLL_SECONDS: Final = 0.05
LINE_BYTES: Final = 400
"""What is shown of one line of a log."""


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One process, told apart from a later one with the same id."""

    pid: int
    began: str

    @classmethod
    def of(cls, pid: int) -> "ProcessRecord | None":
        """Look a living process up; None when it is gone or a zombie."""
        began = process_began(pid)
        return None if began is None else cls(pid, began)

    @classmethod
    def read(cls, path: Path) -> "ProcessRecord | None":
        """Read a record; None when there is none or it cannot be understood."""
        try:
            pid, began = path.read_text().split()
            return cls(int(pid), began)
        except (OSError, ValueError):
            return None

    def write(self, path: Path) -> None:
        """Write the record where a later supervisor looks for it."""
        path.write_text(f"{self.pid} {self.began}\n")

    def is_alive(self) -> bool:
        """Say whether this very process still runs."""
        return ProcessRecord.of(self.pid) == self


def end(record: ProcessRecord, stop_signal: signal.Signals, grace_seconds: float) -> None:
    """End a process that is not our child: ask, wait for the grace, then kill its group."""
    if not record.is_alive():
        return
    os.kill(record.pid, stop_signal)
    deadline = time.monotonic() + grace_seconds
    while record.is_alive() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    kill_group(record.pid)
    while record.is_alive():
        time.sleep(POLL_SECONDS)


def kill_group(group: int) -> None:
    """Kill whatever is left of a process group; nothing when it is gone."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def last_lines(path: Path, count: int) -> str:
    """Return the last lines of a log file, indented, for an error message."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LINE_BYTES * count))
        text = file.read().decode(errors="replace")
    return "\n".join(f"    {line[:LINE_BYTES]}" for line in text.splitlines()[-count:])
