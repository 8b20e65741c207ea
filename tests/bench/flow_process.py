"""A flow as it runs in production, `coldstream flow NAME`, watched from outside: its counters by HTTP, its CPU and memory by /proc."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

COLDSTREAM: Final = str(Path(sys.executable).parent / "coldstream")
LOOK_SECONDS: Final = 0.2
STUCK_SECONDS: Final = 60.0
"""No progress for so long: something is broken."""
LAST_LINES: Final = 12
TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
COUNTER: Final = re.compile(rb'^coldstream_detect_readings_total\{path="(\w+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one time."""

    at: float
    cpu_seconds: float
    by_path: Mapping[str, int]

    @property
    def readings(self) -> int:
        """Readings judged so far, those skipped as repeated not counted."""
        return sum(count for path, count in self.by_path.items() if path not in {"repeated", "late"})


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
        )

    def watch(self, until: int, say: Callable[[str], None] | None = None) -> list[Look]:
        """Look until so many readings are judged, and return what was seen."""
        looks: list[Look] = []
        changed_at = said_at = time.perf_counter()
        while not looks or looks[-1].readings < until:
            look = self.look()
            if look is not None:
                if not looks or look.readings > looks[-1].readings:
                    changed_at = look.at
                looks.append(look)
                if say is not None and look.at - said_at > 5:
                    said_at = look.at
                    say(f"{look.readings / until:.0%} of {until:,} readings")
            if time.perf_counter() - changed_at > STUCK_SECONDS:
                message = f"no progress for {STUCK_SECONDS:.0f} s at {looks[-1].readings if looks else 0:,} of {until:,}; see {self._log}"
                raise RuntimeError(message)
            time.sleep(LOOK_SECONDS)
        return looks

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
