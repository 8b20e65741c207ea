"""Measures the fan-out of one event to ten thousand WebSocket clients, which live in other processes, and the memory of a client."""

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import redis

from infra.local.parts import Part
from schemas.events import Event, EventName, live_channel
from tests.bench.dashboard import access_token, percentile
from tests.bench.figures import Figure
from tests.bench.rig import Rig, Say, running, servers

BUDGET_MS: Final = 1_000.0
PROCESSES: Final = 2
END_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How many clients, and how many events in each repeat, one a second."""

    clients: int = 10_000
    events: int = 10
    repeats: int = 5


QUICK: Final = Plan(clients=500, events=3, repeats=1)


def measure(*, quick: bool, say: Say, repeats: int | None = None) -> list[Figure]:
    """Measure and return the figures."""
    plan = QUICK if quick else Plan()
    p50: list[float] = []
    p99: list[float] = []
    longest: list[float] = []
    memory: list[float] = []
    with servers(say, sensors=100, interval_ms=60_000) as on:
        for repeat in range(repeats or plan.repeats):
            # The API begins anew each time, so that its memory without clients is known.
            with running(on, say, (Part.API,)) as rig:
                took, bytes_of_client = fan_out(plan, rig, say)
            p50.append(percentile(took, 0.5))
            p99.append(percentile(took, 0.99))
            longest.append(max(took))
            memory.append(bytes_of_client)
            say(f"run {repeat + 1}: p99 {p99[-1]:,.0f} ms, {bytes_of_client:,.0f} bytes a client")

    def figure(what: str, unit: str, values: list[float], budget: float | None = None) -> Figure:
        return Figure("websocket", f"{plan.clients:,} clients: {what}", unit, tuple(values), budget, at_most=True)

    return [
        figure("published to the frame, p50", "ms", p50),
        figure("published to the frame, p99", "ms", p99, BUDGET_MS),
        figure("published to the frame, longest", "ms", longest),
        figure("memory of the API for one more", "bytes", memory),
    ]


def fan_out(plan: Plan, rig: Rig, say: Say) -> tuple[list[float], float]:
    """Connect the clients, publish events, and return the times in ms and the API's memory for each client."""
    pid = rig.stack.pid(Part.API)
    assert pid is not None
    before = rss_bytes(pid)
    host, _, port = rig.stack.api_url.removeprefix("http://").rpartition(":")
    site = rig.servers.sites[0]
    arguments = [host, port, access_token(rig.servers.stack), str(site), str(plan.clients // PROCESSES)]
    command = [sys.executable, "-m", "tests.bench.ws_clients", *arguments]
    clients = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    try:
        started = time.perf_counter()
        for client in clients:
            assert client.stdout is not None
            if not client.stdout.readline():
                raise RuntimeError("the clients could not connect")
        say(f"{plan.clients:,} clients are subscribed after {time.perf_counter() - started:.1f} s")
        memory = (rss_bytes(pid) - before) / plan.clients
        publish(plan, rig, site)
        answers = [json.loads(client.communicate(timeout=END_SECONDS)[0].splitlines()[-1]) for client in clients]
    finally:
        for client in clients:
            client.kill()
            client.wait()
    took = [value for answer in answers for value in answer["took_ms"]]
    if any(answer["broken"] for answer in answers) or len(took) != plan.clients * plan.events:
        raise RuntimeError(f"{len(took):,} of {plan.clients * plan.events:,} frames came, {answers[0]['broken']} connections broke off")
    return took, memory


def publish(plan: Plan, rig: Rig, site: int) -> None:
    """Publish the events, one a second, and wait a second after the last."""
    organization = rig.servers.fleet.organization
    with redis.Redis.from_url(rig.servers.stack.redis_url) as source:
        for number in range(plan.events):
            data = msgspec.Raw(msgspec.json.encode({"sent_ns": time.time_ns()}))
            event = Event(EventName.ALERT_TRIGGERED.value, f"bench-{number}", organization, site, rig.servers.fleet.first_unit, data)
            source.publish(live_channel(organization), msgspec.json.encode(event))
            time.sleep(1)
    time.sleep(1)


def rss_bytes(pid: int) -> int:
    """Return the memory that a process has now."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024
