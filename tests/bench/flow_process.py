"""A flow as it runs in production, `coldstream flow NAME`, watched from outside: its counters by HTTP, its CPU and memory by /proc."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

COLDSTREAM: Final = str(Path(sys.executable).parent / "coldstream")
LOOK_SECONDS: Final = 0.2
STUCK_SECONDS: Final = 60.0
"""No progress for so long: something is broken."""
LAST_LINES: Final = 12
TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
RECORDS: Final = re.compile(rb"^coldstream_flow_records_total\{[^}]*\} (\S+)$", re.MULTILINE)
STORED: Final = re.compile(rb'^coldstream_store_readings_total\{[^}]*outcome="stored"[^}]*\} (\S+)$', re.MULTILINE)
COUNTER: Final = re.compile(rb'^coldstream_detect_readings_total\{[^}]*path="(\w+)"[^}]*\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one time."""

    at: float
    cpu_seconds: float
    by_path: Mapping[str, int]
    records: int
    """Records read so far."""
    stored: int
    """Readings that became rows so far."""

    @property
    def readings(self) -> int:
        """Readings judged so far, those skipped as repeated not counted."""
        return sum(count for path, count in self.by_path.items() if path not in {"repeated", "late"})


def readings_of(look: Look) -> int:
    """Return the readings judged so far."""
    return look.readings


def records_of(look: Look) -> int:
    """Return the records read so far."""
    return look.records


def stored_of(look: Look) -> int:
    """Return the readings stored so far."""
    return look.stored


def counted_part(looks: Sequence[Look], after: float, of: Callable[[Look], int]) -> tuple[Look, Look]:
    """Return the last look before so much was done, and the last of all: what lies between is counted.

    Raises RuntimeError where that is no time at all.
    """
    first = next((look for look in reversed(looks) if of(look) < after), looks[0])
    if first is looks[-1]:
        raise RuntimeError("the flow was done at the first look: the log is too short")
    return first, looks[-1]


class FlowProcess:
    """One run of a flow."""

    def __init__(
        self,
        name: str,
        environment: Mapping[str, str],
        recovery: Path,
        port: int,
        log: Path,
    ) -> None:
        """Start it."""
        own = {
            "METRICS_ENABLED": "true",
            "METRICS_PORT": str(port),
            "LOG_LEVEL": "INFO",
        }
        self._address = f"http://127.0.0.1:{port}/metrics"
        self._log = log
        self.started_at = time.perf_counter()
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [COLDSTREAM, "flow", name, "--recovery", str(recovery)],
                env={**os.environ, **environment, **own},
                stdout=out,
                stderr=out,
            )

    def __enter__(self) -> Self:
        """Watch it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, whatever happened."""
        self._process.kill()
        self._process.wait()

    def look(self) -> Look | None:
        """Return what can be seen now, None before it answers; raises RuntimeError when it has ended."""
        if self._process.poll() is not None:
            last_lines = "\n".join(self._log.read_text().splitlines()[-LAST_LINES:])
            message = f"the flow ended with exit code {self._process.returncode}; the end of its log:\n{last_lines}"
            raise RuntimeError(message)
        try:
            with urllib.request.urlopen(self._address, timeout=30) as answer:
                content = answer.read()
        except OSError:
            return None
        return Look(
            time.perf_counter(),
            self.cpu_seconds(),
            {path.decode(): int(float(value)) for path, value in COUNTER.findall(content)},
            sum(int(float(count)) for count in RECORDS.findall(content)),
            sum(int(float(count)) for count in STORED.findall(content)),
        )

    def watch(self, until: int, say: Callable[[str], None] | None = None, of: Callable[[Look], int] = readings_of) -> list[Look]:
        """Look until so many readings are judged (or of what else is counted), and return what was seen."""
        looks: list[Look] = []
        changed_at = said_at = time.perf_counter()
        while not looks or of(looks[-1]) < until:
            look = self.look()
            if look is not None:
                if not looks or of(look) > of(looks[-1]):
                    changed_at = look.at
                looks.append(look)
                if say is not None and look.at - said_at > 5:
                    said_at = look.at
                    say(f"{of(look) / until:.0%} of {until:,}")
            if time.perf_counter() - changed_at > STUCK_SECONDS:
                message = f"no progress for {STUCK_SECONDS:.0f} s at {of(looks[-1]) if looks else 0:,} of {until:,}; see {self._log}"
                raise RuntimeError(message)
            time.sleep(LOOK_SECONDS)
        return looks

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def cpu_seconds(self) -> float:
        """Return the CPU time used so far, in all its threads."""
        return cpu_seconds_of(self._process.pid)

    def peak_rss_bytes(self) -> int:
        """Return the most memory it ever had."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self._process.pid}/status").read_text())
        assert found is not None
        return int(found[1]) * 1024

    def stop(self) -> float:
        """Send SIGTERM and return how long it took to end."""
        started = time.perf_counter()
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(timeout=60)
        if code != 0:
            message = f"the flow ended with exit code {code} after SIGTERM; see {self._log}"
            raise RuntimeError(message)
        return time.perf_counter() - started


def cpu_seconds_of(process: int) -> float:
    """Return the CPU time that a process has used so far, in all its threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
