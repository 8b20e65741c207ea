"""Measures the whole flow catching up from a filled log: decode, store and detect at once, broker and database on the same machine."""

import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from infra.local.parts import Part
from infra.local.ports import free_base
from schemas.topics import READINGS, TOPICS, UPLINKS
from tests.bench.figures import Figure
from tests.bench.flow_process import LOOK_SECONDS, STUCK_SECONDS, FlowProcess, Look
from tests.bench.lag import head_of
from tests.bench.process_trees import cpu_seconds_of_trees
from tests.bench.rig import Say, Servers, servers
from tests.bench.uplink_log import Filled, UplinkLog, fill

FLOWS: Final = ("decode_uplinks", "store_readings", "detect_excursions")
WRITTEN: Final = (
    "readings, latest_readings, uplink_ends, flow_progress, outbox, excursion_versions, current_excursions, open_excursions, "
    "condition_events, open_conditions, sensor_states, dead_letters"
)
INTERVAL_MS: Final = 5_000
BUDGET_PER_SECOND: Final = 40_000.0
LIVE_PER_SECOND: Final = 2_000.0
"""What 600,000 sensors at five minutes send."""
BUDGET_TIMES_LIVE: Final = 20.0
ANSWER_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Size:
    """How large the log is."""

    sensors: int
    reports: int
    repeats: int


FULL: Final = Size(10_000, reports=50, repeats=5)
QUICK: Final = Size(1_000, reports=40, repeats=1)


@dataclass
class Runs:
    """What the repeats came to."""

    per_second: list[float] = field(default_factory=list)
    per_cpu_second: list[float] = field(default_factory=list)
    """Of all processes together."""
    alone: dict[str, list[float]] = field(default_factory=lambda: {flow: [] for flow in FLOWS})
    """Readings per second until each flow was through."""
    cpu: dict[str, list[float]] = field(default_factory=dict)
    """Microseconds a reading, by process."""


def measure(*, quick: bool, say: Say, repeats: int | None = None) -> list[Figure]:
    """Measure and return the figures."""
    size = QUICK if quick else FULL
    runs = Runs()
    with servers(say, sensors=size.sensors, interval_ms=INTERVAL_MS) as on:
        start_at = int(time.time() * 1000) - size.reports * INTERVAL_MS
        filled = fill(on.stack.kafka_bootstrap_servers, UplinkLog(on.fleet, start_at, INTERVAL_MS, size.reports), say)
        for repeat in range(repeats or size.repeats):
            reset(on)
            OneRun(on, filled, runs, on.folder / f"recovery-{repeat}").run()
            say(
                f"run {repeat + 1}: {runs.per_second[-1]:,.0f} readings/s until all are through, "
                + ", ".join(f"{flow} {rates[-1]:,.0f}/s" for flow, rates in runs.alone.items())
                + f"; {runs.per_cpu_second[-1]:,.0f} per CPU-second of all processes"
            )
    return figures_of(size, runs)


def reset(on: Servers) -> None:
    """Empty the tables, and every topic but `uplinks`."""
    with psycopg.connect(on.stack.database_url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {WRITTEN}")
        connection.execute("CHECKPOINT")
    admin = AdminClient({"bootstrap.servers": on.stack.kafka_bootstrap_servers, "log_level": 4})
    newest = -1
    emptied = [
        TopicPartition(topic.name, partition, newest)
        for topic in TOPICS
        if topic.name != UPLINKS.name
        for partition in range(topic.partitions)
    ]
    for future in admin.delete_records(emptied).values():
        future.result(ANSWER_SECONDS)


class OneRun:
    """All three flows from nothing to the end of the log."""

    def __init__(self, on: Servers, filled: Filled, runs: Runs, recovery: Path) -> None:
        """Take the servers and where the result goes."""
        self._on = on
        self._filled = filled
        self._runs = runs
        self._recovery = recovery
        self._admin = AdminClient({"bootstrap.servers": on.stack.kafka_bootstrap_servers, "log_level": 4})
        self._before = self._head()

    def run(self) -> None:
        """Start them together, and stop them when each is through."""
        on = self._on
        servers_pids = {part.value: pid for part in (Part.KAFKA, Part.POSTGRES, Part.REDIS) if (pid := on.stack.pid(part)) is not None}
        with ExitStack() as stack:
            port = free_base()
            flows = {
                flow: stack.enter_context(FlowProcess(flow, on.settings, self._recovery / flow, port + place, on.folder / f"{flow}.log"))
                for place, flow in enumerate(FLOWS)
            }
            cpu_before = cpu_seconds_of_trees(servers_pids)
            began, done, cpu_at_start = self._watch(flows)
            cpu = {flow: process.cpu_seconds() - cpu_at_start[flow] for flow, process in flows.items()}
            cpu |= {name: used - cpu_before[name] for name, used in cpu_seconds_of_trees(servers_pids).items()}
            for process in flows.values():
                process.stop()
        shutil.rmtree(self._recovery, ignore_errors=True)
        runs, uplinks = self._runs, self._filled.uplinks
        runs.per_second.append(uplinks / (max(done.values()) - began))
        runs.per_cpu_second.append(uplinks / sum(cpu.values()))
        for flow, at in done.items():
            runs.alone[flow].append(uplinks / (at - began))
        for name, used in cpu.items():
            runs.cpu.setdefault(name, []).append(used / uplinks * 1_000_000)

    def _watch(self, flows: dict[str, FlowProcess]) -> tuple[float, dict[str, float], dict[str, float]]:
        """Return when the first record was read, when each flow was through, and what CPU each had used before its first record."""
        began, done, written = 0.0, dict[str, float](), -1
        cpu_at_start: dict[str, float] = {}
        changed_at, seen = time.perf_counter(), -1
        while len(done) < len(flows):
            looks = {flow: look for flow, process in flows.items() if (look := process.look()) is not None}
            began = began or next((look.at for look in looks.values() if look.records), 0.0)
            if "decode_uplinks" in done and written < 0:
                written = self._head() - self._before
            for flow, look in looks.items():
                cpu_at_start.setdefault(flow, look.cpu_seconds)
                if flow not in done and self._is_through(flow, look, written):
                    done[flow] = look.at
            if (now_seen := sum(look.records for look in looks.values())) != seen:
                changed_at, seen = time.perf_counter(), now_seen
            if time.perf_counter() - changed_at > STUCK_SECONDS:
                raise RuntimeError(f"no progress for {STUCK_SECONDS:.0f} s; through are {sorted(done)}")
            time.sleep(LOOK_SECONDS)
        return began, done, cpu_at_start

    def _head(self) -> int:
        return head_of(self._admin, READINGS)

    def _is_through(self, flow: str, look: Look, written: int) -> bool:
        match flow:
            case "decode_uplinks":
                return look.records >= self._filled.records
            case "store_readings":
                return written >= 0 and look.records >= written and self._all_stored()
            case _:
                return written >= 0 and look.records >= written

    def _all_stored(self) -> bool:
        """Say whether every record of `uplinks` has its end in the database."""
        query = "SELECT coalesce(sum(position + 1), 0) FROM flow_progress WHERE flow = 'store_readings'"
        with psycopg.connect(self._on.stack.database_url) as connection:
            row = connection.execute(query).fetchone()
        return row is not None and int(row[0]) >= self._filled.records


def figures_of(size: Size, runs: Runs) -> list[Figure]:
    """Return what is shown."""

    def figure(what: str, unit: str, values: list[float], budget: float | None = None) -> Figure:
        return Figure("flows", f"{size.sensors:,} sensors: {what}", unit, tuple(values), budget)

    times_live = [rate / LIVE_PER_SECOND for rate in runs.per_second]
    return [
        figure("readings until all are through", "1/s", runs.per_second, BUDGET_PER_SECOND),
        figure("times live (600,000 sensors at 5 min)", "", times_live, BUDGET_TIMES_LIVE),
        figure("readings", "1/CPU-second of all processes", runs.per_cpu_second),
        *(figure(f"until {flow} is through", "1/s", rates) for flow, rates in runs.alone.items()),
        *(figure(f"CPU of {name} for a reading", "µs", used) for name, used in runs.cpu.items()),
    ]
