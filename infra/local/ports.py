"""The ports of one local stack, counted from a base, and who holds a port that is taken."""

import contextlib
import random
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.local.errors import StackError

HOST: Final = "127.0.0.1"
DEFAULT_BASE: Final = 7400
STEP: Final = 10
"""Ports of the servers, and then of the metrics of all flows' first cells, of their second cells, and so on."""
SPAN: Final = 2 * STEP
"""Ports a stack may use from its base on when each flow has one cell."""
SEARCHED: Final = range(20_000, 32_000)
"""Where free ports are looked for: below the range the kernel hands out to outgoing connections."""
LISTENING: Final = "0A"


@dataclass(frozen=True, slots=True)
class Ports:
    """Every port of a stack by its part."""

    base: int = DEFAULT_BASE

    @property
    def api(self) -> int:
        """HTTP and WebSocket."""
        return self.base

    @property
    def kafka(self) -> int:
        """The broker's listener for clients."""
        return self.base + 1

    @property
    def kafka_controller(self) -> int:
        """The KRaft controller's listener."""
        return self.base + 2

    @property
    def postgres(self) -> int:
        """PostgreSQL."""
        return self.base + 3

    @property
    def redis(self) -> int:
        """Redis."""
        return self.base + 4

    @property
    def sandbox(self) -> int:
        """The sandbox providers."""
        return self.base + 5

    @property
    def api_metrics(self) -> int:
        """The API's own metrics."""
        return self.base + 6

    def metrics(self, place: int, cell: int = 0) -> int:
        """Return the metrics port of a cell of the flow at this place of the list."""
        assert 0 <= place < STEP
        return self.base + STEP * (1 + cell) + place


def span(cells: int) -> int:
    """Return how many ports a stack may use from its base on when the flow with most cells has so many."""
    return STEP * (1 + cells)


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that listens on a port."""

    name: str
    pid: int


def free_base(ports: int = SPAN) -> int:
    """Return a base from which on so many ports are free at this moment."""
    bases = list(range(SEARCHED.start, SEARCHED.stop - ports, ports))
    random.shuffle(bases)
    for base in bases:
        if all(is_free(port) for port in range(base, base + ports)):
            return base
    problem = f"No {ports} free ports in a row between {SEARCHED.start} and {SEARCHED.stop}."
    raise StackError(problem, "Stop what listens there.")


def is_free(port: int) -> bool:
    """Say whether a server could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def require_free(port: int, part: str) -> None:
    """Raise StackError naming the port, the part that wants it and who holds it."""
    if not is_free(port):
        raise StackError(
            taken_message(port, part, holder_of(port)),
            "Stop it, or choose other ports with --port-base.",
        )


def taken_message(port: int, part: str, holder: Holder | None) -> str:
    """Say in one sentence that a port is taken, and by what."""
    by = f"{holder.name} (pid {holder.pid})" if holder else "a process that this user cannot see"
    return f"Port {port}, meant for {part}, is taken by {by}."


def holder_of(port: int) -> Holder | None:
    """Find the process that listens on a port through /proc; None where that cannot be told."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    for folder in Path("/proc").glob("[0-9]*"):
        if inodes & _open_links(folder / "fd"):
            with contextlib.suppress(OSError):
                return Holder((folder / "comm").read_text().strip(), int(folder.name))
    return None


def _open_links(folder: Path) -> set[str]:
    """Return what a process has open, as /proc shows it; files may be closed, and processes end, while we look."""
    links: set[str] = set()
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            with contextlib.suppress(OSError):
                links.add(str(entry.readlink()))
    return links


def _listening_inodes(port: int) -> set[str]:
    """Return the socket links, as /proc/<pid>/fd shows them, that listen on a port."""
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found
