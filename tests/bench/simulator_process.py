"""`coldstream simulate` as the generator of a bench: it fills the registry itself, and what was acknowledged is asked of the API."""

import json
import os
import re
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Final, Self

from infra.simulator.fleet import build_fleet
from tests.bench.flow_process import COLDSTREAM
from tests.bench.rig import Rig

SEED: Final = 1
TRIED_UNITS: Final = 1_000
SEEDED: Final = "registry seeded"
SEED_SECONDS: Final = 300.0
SETTLE_SECONDS: Final = 7.0
"""The simulator begins 6 s after the registry is seeded."""
STOP_SECONDS: Final = 60.0
ACCEPTED: Final = re.compile(rb'^coldstream_ingest_answers_total\{[^}]*status="202"[^}]*\} (\S+)$', re.MULTILINE)


class SimulatorProcess:
    """Sends as long as the block lasts."""

    def __init__(self, rig: Rig, devices: int, interval_seconds: float, say: Callable[[str], None]) -> None:
        """Start it, and return once its fleet is in the registry; raises RuntimeError when that does not come to be."""
        self._metrics = f"http://127.0.0.1:{rig.stack.ports.api_metrics}/metrics"
        self._say = say
        self._seeded = threading.Event()
        units = max(1, round(devices * TRIED_UNITS / len(build_fleet(TRIED_UNITS, SEED).devices)))
        options = ["--units", str(units), "--seed", str(SEED), "--interval", str(interval_seconds), "--quick"]
        environment = {**os.environ, **rig.servers.settings, "API_URL": rig.stack.api_url}
        self._process = subprocess.Popen(
            [COLDSTREAM, "simulate", *options], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._seeded.wait(SEED_SECONDS):
            self._process.kill()
            raise RuntimeError("the simulator did not fill the registry")
        time.sleep(SETTLE_SECONDS)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def look(self) -> Mapping[str, Any]:
        """Return what the API has acknowledged; what it has not taken yet only the summary at the end tells."""
        if self._process.poll() not in {None, 0}:
            raise RuntimeError(f"the simulator ended with {self._process.returncode}")
        with urllib.request.urlopen(self._metrics, timeout=30) as answer:
            counted = sum(int(float(count)) for count in ACCEPTED.findall(answer.read()))
        return {"sent": counted, "acknowledged": counted, "refused": 0, "waiting": 0, "ack_p99_ms": None}

    def stop(self) -> Mapping[str, Any]:
        """Stop it and return its summary."""
        self._process.terminate()
        assert self._process.stdout is not None
        out = self._process.stdout.read()
        self._process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        summary: dict[str, Any] = json.loads(out.splitlines()[-1])
        self._say(f"the simulator: {summary}")
        return summary

    def __enter__(self) -> Self:
        """It sends already."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, whatever happened."""
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if SEEDED in line:
                self._seeded.set()
            if "pace is not kept" in line or SEEDED in line:
                self._say(line.strip())
