"""The sender as a process of its own, seen from the bench: what it sent, how it was answered, and another rate."""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Self

from tests.bench.sending import Load

STOP_SECONDS = 30.0


class SenderProcess:
    """Sends as long as the block lasts."""

    def __init__(self, load: Load) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.sending", json.dumps(asdict(load))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._newest: Mapping[str, Any] = {"sent": 0, "acknowledged": 0, "refused": 0, "waiting": 0, "ack_p99_ms": None, "broken": ""}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def look(self) -> Mapping[str, Any]:
        """Return its newest line; raises RuntimeError when it could not go on."""
        newest = self._newest
        if newest["broken"] or self._process.poll() not in {None, 0}:
            raise RuntimeError(f"the sender cannot go on: {newest['broken'] or self._process.returncode}")
        return newest

    def set_rate(self, per_second: float) -> None:
        """Send so many uplinks a second from now on."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"per_second": per_second}) + "\n")
        self._process.stdin.flush()

    def stop(self) -> Mapping[str, Any]:
        """Stop sending, wait for the answers and return the last line."""
        assert self._process.stdin is not None
        if not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait(STOP_SECONDS)
        self._reader.join()
        return self._newest

    def __enter__(self) -> Self:
        """It sends already."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, whatever happened."""
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._newest = json.loads(line)
