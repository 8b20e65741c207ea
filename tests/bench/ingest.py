"""Measures ingest over HTTP, Kafka's acknowledgement awaited, beside a bare echo on the same server settings, in turn. Load by wrk."""

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg

from infra.local.local_stack import LocalStack
from infra.local.parts import SERVERS, Part
from infra.seed_fleet import FleetSpec, seed_fleet
from tests.bench.figures import Figure
from tests.bench.fleet_log import DOCUMENT
from tests.bench.flow_process import cpu_seconds_of

PARTS: Final = [*SERVERS, Part.SANDBOX, Part.MIGRATIONS, Part.TOPICS, Part.API]
SCRIPT: Final = Path(__file__).with_name("uplinks.lua")
CONNECTIONS: Final = (64, 256)
BUDGET_PER_SECOND: Final = 12_000
BUDGET_P99_MS: Final = 200.0
DEVICES: Final = 2_000
BODY_BYTES: Final = 1_500
SECRET: Final = "bench-secret"
START_SECONDS: Final = 60.0


@dataclass
class Runs:
    """What the repeats at one number of connections came to."""

    per_second: list[float] = field(default_factory=list)
    per_cpu_second: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    max_ms: list[float] = field(default_factory=list)


def measure(*, quick: bool, say: Callable[[str], None], repeats: int | None = None) -> list[Figure]:
    """Measure and return the figures; raises RuntimeError where wrk is missing or an uplink was refused."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise RuntimeError("wrk is missing. Install it with: apt-get install -y --no-install-recommends wrk")
    seconds = 2 if quick else 8
    folder = Path(tempfile.mkdtemp(prefix="coldstream-bench-"))
    stack = LocalStack(folder / "data", None, PARTS)
    ours = {connections: Runs() for connections in CONNECTIONS}
    bare = {connections: Runs() for connections in CONNECTIONS}
    try:
        say("starting Kafka, PostgreSQL, Redis and the API")
        stack.start()
        with psycopg.connect(stack.database_url, autocommit=True) as connection:
            seed_fleet(connection, FleetSpec(sensors=1, document=DOCUMENT, valid_from=0, secret=SECRET))
        bodies = write_bodies(folder / "bodies")
        api_process = stack.pid("api")
        assert api_process is not None
        with echo_server(stack.ports.base + 19) as (echo_url, echo_process):
            accepts(stack.api_url, bodies)
            # The broker's virtual machine compiles what is used often: a young one is several times slower.
            load(wrk, stack.api_url, api_process, CONNECTIONS[0], seconds, bodies, Runs())
            for repeat in range(repeats or (1 if quick else 5)):
                for connections in CONNECTIONS:
                    load(wrk, stack.api_url, api_process, connections, seconds, bodies, ours[connections])
                    load(wrk, echo_url, echo_process, connections, seconds, bodies, bare[connections])
                    say(
                        f"run {repeat + 1}, {connections} connections: {ours[connections].per_second[-1]:,.0f}/s, "
                        f"p50 {ours[connections].p50_ms[-1]:.1f} ms, p99 {ours[connections].p99_ms[-1]:.1f} ms; "
                        f"echo {bare[connections].per_second[-1]:,.0f}/s"
                    )
    finally:
        stack.remove()
        shutil.rmtree(folder, ignore_errors=True)
    return [figure for connections in CONNECTIONS for figure in figures_of(connections, ours[connections], bare[connections])]


def write_bodies(path: Path) -> Path:
    """Write bodies of many devices, one a line, and return the file."""
    chance = random.Random(1)
    lines = [uplink(f"{0xC01D_0000_0000_0000 + device:016X}", chance) for device in range(DEVICES)]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def uplink(dev_eui: str, chance: random.Random) -> str:
    """Return an uplink message of about BODY_BYTES, as The Things Stack sends it."""
    received_at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    message = {
        "end_device_ids": {
            "device_id": f"eui-{dev_eui.lower()}",
            "application_ids": {"application_id": "fleet"},
            "dev_eui": dev_eui,
            "join_eui": "A000000000000100",
            "dev_addr": f"27{chance.randrange(1 << 24):06X}",
        },
        "correlation_ids": [f"gs:uplink:{chance.randrange(1 << 100):026X}" for _ in range(3)],
        "received_at": received_at,
        "uplink_message": {
            "session_key_id": f"{chance.randrange(1 << 80):020x}",
            "f_port": 2,
            "f_cnt": chance.randrange(10_000),
            "frm_payload": "y6QH0QIBAQfQf/8=",
            "decoded_payload": {"BatV": 2.98, "Hum_SHT": 51.3, "TempC_SHT": 4.2, "TempC_DS": round(chance.uniform(3, 7), 2)},
            "rx_metadata": [
                {
                    "gateway_ids": {"gateway_id": f"gateway-{gateway}", "eui": f"58A0CBFFFE80{gateway:04X}"},
                    "time": received_at,
                    "timestamp": chance.randrange(1 << 32),
                    "rssi": -chance.randrange(60, 120),
                    "snr": chance.randrange(-10, 10),
                    "uplink_token": f"{chance.randrange(1 << 200):050x}",
                }
                for gateway in range(2)
            ],
            "settings": {"data_rate": {"lora": {"bandwidth": 125_000, "spreading_factor": 7}}, "frequency": "868300000"},
            "received_at": received_at,
            "consumed_airtime": "0.061696s",
            "version_ids": {"brand_id": "dragino", "model_id": "lht65", "firmware_version": "1.8"},
        },
    }
    text = json.dumps(message)
    missing = BODY_BYTES - len(text) - len(', "padding": ""')
    return f'{text[:-1]}, "padding": "{"x" * missing}"}}' if missing > 0 else text


@contextmanager
def echo_server(port: int) -> Iterator[tuple[str, int]]:
    """Run the baseline; yield its address and process id."""
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.echo", str(port)])
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(url, timeout=1).close()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                break
        yield url, process.pid
    finally:
        process.kill()
        process.wait()


def accepts(url: str, bodies: Path) -> None:
    """Return once the API accepts an uplink: it has loaded the secret then."""
    body = bodies.read_text().splitlines()[0].encode()
    deadline = time.monotonic() + START_SECONDS
    while True:
        request = urllib.request.Request(f"{url}/api/webhooks/ttn", body, {"X-Coldstream-Secret": SECRET})
        try:
            urllib.request.urlopen(request, timeout=5).close()
        except urllib.error.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def load(wrk: str, url: str, process: int, connections: int, seconds: int, bodies: Path, runs: Runs) -> None:
    """Load a server once and add what came of it; raises RuntimeError when any request was not answered with 202."""
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT), url, "--", str(bodies), SECRET]
    cpu_before = cpu_seconds_of(process)
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    cpu_seconds = cpu_seconds_of(process) - cpu_before
    answer = json.loads(result.stdout.splitlines()[-1])
    if answer["refused"] or answer["broken"]:
        message = f"{answer['refused']} of {answer['requests']} requests were refused and {answer['broken']} broke off"
        raise RuntimeError(message)
    runs.per_second.append(answer["requests"] / answer["seconds"])
    runs.per_cpu_second.append(answer["requests"] / cpu_seconds)
    for name, values in (("p50_ms", runs.p50_ms), ("p99_ms", runs.p99_ms), ("max_ms", runs.max_ms)):
        values.append(answer[name])


def figures_of(connections: int, ours: Runs, bare: Runs) -> list[Figure]:
    """Return what is shown."""

    def figure(
        what: str, unit: str, values: list[float], baseline: list[float], budget: float | None = None, *, at_most: bool = False
    ) -> Figure:
        return Figure("ingest", f"{connections} connections: {what}", unit, tuple(values), budget, at_most, tuple(baseline))

    return [
        figure("uplinks", "1/s", ours.per_second, bare.per_second, BUDGET_PER_SECOND),
        figure("uplinks", "1/CPU-second of the API", ours.per_cpu_second, bare.per_cpu_second),
        figure("answer p50", "ms", ours.p50_ms, bare.p50_ms),
        figure("answer p99", "ms", ours.p99_ms, bare.p99_ms, BUDGET_P99_MS, at_most=True),
        figure("answer, longest", "ms", ours.max_ms, bare.max_ms, 2_000, at_most=True),
    ]
