"""Facts about this machine and its processes, as Linux shows them below /proc; empty where it does not.

A process id is used again after its process ended, so a process is also known by its boot and the time it began.
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STATE_GONE: Final = "ZX"
"""States of a process that has ended and is only not yet asked for."""

BEGAN_FIELD: Final = 18
"""Of /proc/PID/stat, counted after the state."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process, told apart from every other one, also on other machines."""

    host: str
    pid: int
    place: str
    """Boot and process namespace: processes of the same place can look each other up by id."""
    began: str


def this_process() -> ProcessIdentity:
    """Return this process."""
    pid = os.getpid()
    return ProcessIdentity(socket.gethostname(), pid, _place(), process_began(pid) or "")


def process_began(pid: int) -> str | None:
    """Return boot and start time of a living process of this place; None when it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold spaces; what follows it does not.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in STATE_GONE else f"{boot_id()}/{fields[BEGAN_FIELD]}"


def boot_id() -> str:
    """Return what names this boot of this machine, empty where that cannot be told."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def file_identity(path: Path) -> str:
    """Return what names a file on this machine whatever its path, empty where that cannot be told."""
    boot = boot_id()
    found = path.stat()
    return f"{boot}/{found.st_dev}:{found.st_ino}" if boot else ""


def _place() -> str:
    try:
        return f"{boot_id()}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
