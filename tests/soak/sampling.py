"""Samples of a running stack: memory and file descriptors of each process, sizes on disk, and how far the flows are behind."""

import contextlib
import re
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Final, Self

import psycopg

from infra.local.errors import StackError
from infra.local.parts import FLOWS, Part
from tests.faults.processes import children
from tests.faults.rig import Rig
from tests.faults.work import PARTS

EVERY_SECONDS: Final = 10.0
MEGABYTE: Final = 1 << 20
UNKNOWN: Final = float("nan")
"""What could not be measured is not 0."""

Series = dict[str, list[tuple[float, float]]]
"""(seconds since the load began, value) by name."""


def resident_bytes(pid: int) -> int:
    """Return a process's own memory: of PostgreSQL's many processes the shared buffers would count once each."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def folder_bytes(folder: Path, pattern: str = "*") -> int:
    """Return what the files below a folder take on disk."""
    total = 0
    for file in folder.rglob(pattern):
        with contextlib.suppress(OSError):
            total += file.stat().st_blocks * 512
    return total


class Sampler:
    """Samples every few seconds in a thread of its own while the block runs."""

    def __init__(self, rig: Rig) -> None:
        """Sample a rig."""
        self._rig = rig
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler")
        self._began = time.monotonic()
        self.series: Series = defaultdict(list)

    def __enter__(self) -> Self:
        """Begin."""
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_SECONDS):
            self._sample(time.monotonic() - self._began)

    def _sample(self, at: float) -> None:
        for part in PARTS:
            with contextlib.suppress(OSError, StackError):
                self._process(at, part)
        for part in FLOWS:
            folder = self._rig.folder / "stack" / part / "recovery"
            # Without SQLite's write-ahead logs: each of the 64 grows to 4 MB before it is written over, which takes more than an hour.
            self.series[f"recovery MB {part}"].append((at, folder_bytes(folder, "*.sqlite3") / MEGABYTE))
            lags = re.findall(r"^coldstream_flow_lag_records\{[^}]*\} ([0-9.e+]+)$", self._rig.metrics(part), re.MULTILINE)
            self.series[f"lag {part}"].append((at, sum(map(float, lags)) if lags else UNKNOWN))
        self.series["topics MB"].append((at, folder_bytes(self._rig.folder / "stack" / Part.KAFKA / "log") / MEGABYTE))
        size, sessions = self._database()
        self.series["database MB"].append((at, size / MEGABYTE))
        self.series["database sessions"].append((at, sessions))

    def _database(self) -> tuple[float, float]:
        """Return the database's size in bytes and its sessions; not numbers while it does not answer."""
        try:
            with psycopg.connect(self._rig.stack.database_url, connect_timeout=3) as connection:
                row = connection.execute("SELECT pg_database_size(current_database()), (SELECT count(*) FROM pg_stat_activity)").fetchone()
        except psycopg.Error:
            row = None
        return (UNKNOWN, UNKNOWN) if row is None else (float(row[0]), float(row[1]))

    def _process(self, at: float, part: Part) -> None:
        pid = self._rig.stack.pid(part)
        if pid is None:
            return
        pids = [pid, *children(pid)] if part is Part.POSTGRES else [pid]
        memory, files = 0, 0
        for one in pids:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                memory += resident_bytes(one)
                files += len(list(Path(f"/proc/{one}/fd").iterdir()))
        self.series[f"memory MB {part}"].append((at, memory / MEGABYTE))
        self.series[f"files {part}"].append((at, float(files)))
