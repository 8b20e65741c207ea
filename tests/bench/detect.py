"""Measures detect_excursions from Kafka as it runs in production, beside a bare consumer of the same records, in turn."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import psycopg

from infra.local.local_stack import LocalStack
from infra.local.parts import SERVERS, Part
from infra.seed_fleet import Fleet, FleetSpec, seed_fleet
from pipelines.connectors.kafka import AckedProducer, KafkaConfig
from schemas.readings import HEAD, ROW
from schemas.topics import READINGS
from tests.bench.figures import WARM_UP, Figure
from tests.bench.fleet_log import DOCUMENT, FleetLog
from tests.bench.flow_process import FlowProcess, Look

FLOW: Final = "detect_excursions"
WRITTEN: Final = (
    "flow_progress, outbox, excursion_versions, current_excursions, open_excursions, condition_events, open_conditions, sensor_states"
)
"""What the flow writes: emptied before each run, so that every run does the same work."""
STALL_BUDGET_SECONDS: Final = 1.0
STATE_BUDGET_BYTES: Final = 500
SAY_SECONDS: Final = 5.0
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Size:
    """One size of fleet, and how long its log is."""

    sensors: int
    interval_ms: int
    reports: int
    repeats: int
    budget: float
    warm_up: float = WARM_UP
    """The first part of a run, which is not counted: terms are loaded and sensors seen for the first time in it."""


FULL: Final = (
    Size(10_000, 10_000, 1_000, repeats=5, budget=800_000),
    Size(1_000_000, 300_000, 20, repeats=3, budget=500_000, warm_up=0.25),
)
QUICK: Final = (
    Size(1_000, 10_000, 400, repeats=1, budget=800_000),
    Size(20_000, 300_000, 20, repeats=1, budget=500_000),
)


@dataclass
class Runs:
    """What the repeats of one size came to."""

    per_second: list[float] = field(default_factory=list)
    per_cpu_second: list[float] = field(default_factory=list)
    quiet_share: list[float] = field(default_factory=list)
    stall_seconds: list[float] = field(default_factory=list)
    first_stall_seconds: list[float] = field(default_factory=list)
    peak_bytes: list[float] = field(default_factory=list)
    excursions: list[float] = field(default_factory=list)
    bare_per_second: list[float] = field(default_factory=list)
    bare_per_cpu_second: list[float] = field(default_factory=list)
    drain_seconds: list[float] = field(default_factory=list)
    resume_seconds: list[float] = field(default_factory=list)


def measure(*, quick: bool, say: Callable[[str], None], only: Sequence[int] = (), repeats: int | None = None) -> list[Figure]:
    """Measure every size and return the figures."""
    found: list[tuple[Size, Runs]] = []
    for size in QUICK if quick else FULL:
        if only and size.sensors not in only:
            continue
        size = replace(size, repeats=repeats or size.repeats)
        folder = Path(tempfile.mkdtemp(prefix="coldstream-bench-"))
        stack = LocalStack(folder / "data", None, [*SERVERS, Part.MIGRATIONS, Part.TOPICS])
        try:
            say(f"{size.sensors:,} sensors: starting Kafka, PostgreSQL and Redis")
            stack.start()
            found.append((size, OneSize(size, stack, folder, say).measure()))
        finally:
            stack.remove()
            shutil.rmtree(folder, ignore_errors=True)
    return figures_of(found)


class OneSize:
    """The runs of one size on one stack."""

    def __init__(self, size: Size, stack: LocalStack, folder: Path, say: Callable[[str], None]) -> None:
        """Take a running stack."""
        self._size = size
        self._stack = stack
        self._folder = folder
        self._later: list[tuple[int, bytes]] = []
        self._producer = AckedProducer(KafkaConfig(stack.kafka_bootstrap_servers).flow_producer("bench"))
        self._say: Callable[[str], None] = lambda text: say(f"{size.sensors:,} sensors: {text}")

    def measure(self) -> Runs:
        """Fill the log, then run detect and the bare consumer in turn."""
        size = self._size
        start_at = (int(time.time() * 1000) - size.reports * size.interval_ms - 60_000) // 1000 * 1000
        log = FleetLog(self._seed(start_at), size.interval_ms, size.reports, start_at)
        self._fill(log)
        runs = Runs()
        for repeat in range(size.repeats):
            recovery = self._run(log, runs)
            self._bare(log, runs)
            self._say(
                f"run {repeat + 1} of {size.repeats}: {runs.per_second[-1]:,.0f}/s, {runs.per_cpu_second[-1]:,.0f} per CPU-second, "
                f"bare {runs.bare_per_cpu_second[-1]:,.0f}, quiet {runs.quiet_share[-1]:.1%}, stall {runs.stall_seconds[-1]:.2f} s"
            )
        self._restart(recovery, runs)
        return runs

    def _seed(self, start_at: int) -> Fleet:
        self._say("filling the registry")
        spec = FleetSpec(
            sensors=self._size.sensors,
            document=DOCUMENT,
            valid_from=start_at - DAY_MS,
            interval_ms=self._size.interval_ms,
            max_gap_ms=3 * self._size.interval_ms,
            offline_after_ms=4 * self._size.interval_ms,
        )
        with psycopg.connect(self._stack.database_url, autocommit=True) as connection:
            return seed_fleet(connection, spec)

    def _fill(self, log: FleetLog) -> None:
        records = size_bytes = 0
        said_at = time.perf_counter()
        for partition, value, is_later in log.records():
            if is_later:
                self._later.append((partition, value))
                continue
            self._producer.send(READINGS.name, partition, value)
            records += 1
            size_bytes += len(value)
            if time.perf_counter() - said_at > SAY_SECONDS:
                said_at = time.perf_counter()
                self._say(f"filling the log, partition {partition} of {READINGS.partitions}")
        self._producer.settle()
        rows = (size_bytes - records * len(HEAD)) // ROW.itemsize
        self._say(
            f"the log has {log.readings:,} readings and {rows - log.readings:,} ticks in {records:,} records, {log.span_ms / 60_000:,.0f} min"
        )

    def _flow(self, recovery: Path) -> FlowProcess:
        return FlowProcess(
            FLOW,
            self._stack.settings,
            recovery,
            self._stack.ports.metrics(0),
            self._folder / "flow.log",
        )

    def _fresh(self) -> Path:
        """Empty what the flow has written, and return a recovery folder that does not exist yet."""
        with psycopg.connect(self._stack.database_url, autocommit=True) as connection:
            connection.execute(f"TRUNCATE {WRITTEN}")
        recovery = self._folder / "recovery"
        shutil.rmtree(recovery, ignore_errors=True)
        return recovery

    def _run(self, log: FleetLog, runs: Runs) -> Path:
        """Run the flow from an empty state to the end of the log; return its recovery folder."""
        recovery = self._fresh()
        with self._flow(recovery) as flow:
            looks = flow.watch(log.readings, self._say)
            runs.peak_bytes.append(flow.peak_rss_bytes())
            runs.drain_seconds.append(flow.stop())
        counted = looks[next(index for index, look in enumerate(looks) if look.readings >= self._size.warm_up * log.readings) :]
        first, last = counted[0], counted[-1]
        judged = last.readings - first.readings
        runs.per_second.append(judged / (last.at - first.at))
        runs.per_cpu_second.append(judged / (last.cpu_seconds - first.cpu_seconds))
        runs.quiet_share.append((last.by_path.get("quiet", 0) - first.by_path.get("quiet", 0)) / judged)
        runs.stall_seconds.append(longest_stall(counted))
        runs.first_stall_seconds.append(longest_stall(looks))
        with psycopg.connect(self._stack.database_url) as connection:
            row = connection.execute("SELECT count(*) FROM current_excursions").fetchone()
        assert row is not None
        runs.excursions.append(row[0])
        return recovery

    def _bare(self, log: FleetLog, runs: Runs) -> None:
        command = [sys.executable, "-m", "tests.bench.bare_consumer"]
        result = subprocess.run(
            command,
            env={**os.environ, **self._stack.settings},
            check=True,
            capture_output=True,
        )
        answer = json.loads(result.stdout)
        share = log.readings / answer["rows"]
        runs.bare_per_second.append(answer["rows_per_second"] * share)
        runs.bare_per_cpu_second.append(answer["rows_per_cpu_second"] * share)

    def _restart(self, recovery: Path, runs: Runs) -> None:
        """Start the flow again on the state of the last run, with what was kept back of the log: how long until it judges on."""
        for partition, value in self._later:
            self._producer.send(READINGS.name, partition, value)
        self._producer.settle()
        with self._flow(recovery) as flow:
            looks = flow.watch(1)
            runs.resume_seconds.append(looks[-1].at - flow.started_at)
            flow.watch(self._size.sensors)
            flow.stop()
        self._say(f"restart: ended in {runs.drain_seconds[-1]:.1f} s, judged on after {runs.resume_seconds[-1]:.1f} s")


def longest_stall(looks: Sequence[Look]) -> float:
    """Return the longest time without a reading judged, as far as looks every LOOK_SECONDS can tell."""
    changes = [look.at for before, look in pairwise(looks) if look.readings > before.readings]
    return max(
        (later - earlier for earlier, later in pairwise(changes)),
        default=0.0,
    )


def figures_of(found: Sequence[tuple[Size, Runs]]) -> list[Figure]:
    """Return what is shown."""
    figures: list[Figure] = []
    for size, runs in found:

        def figure(
            what: str,
            unit: str,
            values: list[float],
            budget: float | None = None,
            baseline: Sequence[float] = (),
            *,
            at_most: bool = False,
            sensors: int = size.sensors,
        ) -> None:
            figures.append(
                Figure(
                    "detect",
                    f"{sensors:,} sensors: {what}",
                    unit,
                    tuple(values),
                    budget,
                    at_most,
                    tuple(baseline),
                )
            )

        figure(
            "readings",
            "1/CPU-second",
            runs.per_cpu_second,
            size.budget,
            runs.bare_per_cpu_second,
        )
        figure("readings", "1/s", runs.per_second, None, runs.bare_per_second)
        figure("share of the quiet path", "%", [share * 100 for share in runs.quiet_share])
        figure(
            f"longest stall after the first {size.warm_up:.0%}",
            "s",
            runs.stall_seconds,
            STALL_BUDGET_SECONDS,
            at_most=True,
        )
        figure("longest stall, start included", "s", runs.first_stall_seconds)
        figure("peak memory", "MB", [value / 1_000_000 for value in runs.peak_bytes])
        figure("excursions recorded", "", runs.excursions)
        figure("SIGTERM to exit", "s", runs.drain_seconds)
        figure(
            "start to first new reading after it",
            "s",
            runs.resume_seconds,
            10,
            at_most=True,
        )
    if len(found) > 1:
        (small, of_small), (big, of_big) = found[0], found[-1]
        more = [(peak - min(of_small.peak_bytes)) / (big.sensors - small.sensors) for peak in of_big.peak_bytes]
        figures.append(
            Figure(
                "detect",
                "memory for one more sensor",
                "bytes",
                tuple(more),
                STATE_BUDGET_BYTES,
                at_most=True,
            )
        )
    return figures
