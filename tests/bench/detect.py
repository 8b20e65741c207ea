"""Measures detect_excursions from Kafka as it runs in production, beside a bare consumer of the same records, in turn."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
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
from tests.bench.flow_process import FlowProcess, Look, readings_of

FLOW: Final = "detect_excursions"
WRITTEN: Final = "flow_progress, outbox, excursion_versions, current_excursions, open_excursions, condition_events, open_conditions"
"""What the flow writes: emptied before each run, so that every run does the same work. States of sensors stay."""
STALL_BUDGET_SECONDS: Final = 1.0
STATE_BUDGET_BYTES: Final = 500
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Size:
    """One size of fleet, and how long its log is."""

    sensors: int
    interval_ms: int
    first_reports: int
    reports: int
    repeats: int
    budget: float


FULL: Final = (
    Size(10_000, 10_000, first_reports=50, reports=1_000, repeats=5, budget=800_000),
    Size(100_000, 60_000, first_reports=5, reports=100, repeats=5, budget=500_000),
    Size(1_000_000, 300_000, first_reports=2, reports=12, repeats=3, budget=500_000),
)
QUICK: Final = (
    Size(1_000, 10_000, first_reports=20, reports=1_000, repeats=1, budget=800_000),
    Size(20_000, 300_000, first_reports=2, reports=40, repeats=1, budget=500_000),
)


@dataclass
class Runs:
    """What the repeats of one size came to."""

    per_second: list[float] = field(default_factory=list)
    per_cpu_second: list[float] = field(default_factory=list)
    quiet_share: list[float] = field(default_factory=list)
    stall_seconds: list[float] = field(default_factory=list)
    first_per_second: list[float] = field(default_factory=list)
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
        self._producer = AckedProducer(KafkaConfig(stack.kafka_bootstrap_servers).flow_producer("bench"))
        self._say: Callable[[str], None] = lambda text: say(f"{size.sensors:,} sensors: {text}")

    def measure(self) -> Runs:
        """Let the flow see every sensor once; then let it and the bare consumer catch up with the rest, in turn."""
        size = self._size
        reports = size.first_reports + size.reports
        start_at = (int(time.time() * 1000) - reports * size.interval_ms - 60_000) // 1000 * 1000
        log = FleetLog(self._seed(start_at), size.interval_ms, size.first_reports, size.reports, start_at)
        rest = self._fill(log)
        runs = Runs()
        self._first_part(log, runs)
        for partition, value in rest:
            self._producer.send(READINGS.name, partition, value)
        self._producer.settle()
        for repeat in range(size.repeats):
            self._run(log, runs)
            self._bare(log, runs)
            self._say(
                f"run {repeat + 1} of {size.repeats}: {runs.per_second[-1]:,.0f}/s, {runs.per_cpu_second[-1]:,.0f} per CPU-second, "
                f"bare {runs.bare_per_cpu_second[-1]:,.0f}, quiet {runs.quiet_share[-1]:.1%}, stall {runs.stall_seconds[-1]:.2f} s"
            )
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

    def _fill(self, log: FleetLog) -> list[tuple[int, bytes]]:
        """Put the first part into the log, and return the records of the rest with their partitions."""
        rest: list[tuple[int, bytes]] = []
        size_bytes = 0
        for partition, value, is_first in log.records():
            if is_first:
                self._producer.send(READINGS.name, partition, value)
            else:
                rest.append((partition, value))
                size_bytes += len(value) - len(HEAD)
        self._producer.settle()
        ticks = size_bytes // ROW.itemsize - log.readings
        minutes = log.reports * log.interval_ms / 60_000
        self._say(
            f"the log to catch up with has {log.readings:,} readings and {ticks:,} ticks in {len(rest):,} records, {minutes:,.0f} min"
        )
        return rest

    def _flow(self) -> FlowProcess:
        port = self._stack.ports.metrics(0)
        return FlowProcess(FLOW, self._stack.settings, self._folder / "recovery", port, self._folder / "flow.log")

    def _first_part(self, log: FleetLog, runs: Runs) -> None:
        """Run the flow over the first part and keep its state: every run starts from there."""
        with self._flow() as flow:
            looks = flow.watch(log.first_readings, self._say)
            flow.stop()
        runs.first_per_second.append(looks[-1].readings / (looks[-1].at - flow.started_at))
        runs.first_stall_seconds.append(longest_stall(looks))
        (self._folder / "recovery").rename(self._folder / "first")
        with psycopg.connect(self._stack.database_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE bench_progress AS TABLE flow_progress")
        self._say(f"has seen every sensor: {runs.first_per_second[-1]:,.0f}/s, longest stall {runs.first_stall_seconds[-1]:.1f} s")

    def _reset(self) -> None:
        """Put the state back to the end of the first part, so that every run does the same work."""
        shutil.rmtree(self._folder / "recovery", ignore_errors=True)
        shutil.copytree(self._folder / "first", self._folder / "recovery")
        with psycopg.connect(self._stack.database_url, autocommit=True) as connection:
            connection.execute(f"TRUNCATE {WRITTEN}")
            connection.execute("INSERT INTO flow_progress SELECT * FROM bench_progress")

    def _run(self, log: FleetLog, runs: Runs) -> None:
        """Start the flow as after a stop, and let it catch up to the end of the log."""
        self._reset()
        with self._flow() as flow:
            looks = flow.watch(log.readings, self._say)
            runs.peak_bytes.append(flow.peak_rss_bytes())
            runs.drain_seconds.append(flow.stop())
        begun = next(look for look in looks if look.readings)
        runs.resume_seconds.append(begun.at - flow.started_at)
        counted = looks[next(index for index, look in enumerate(looks) if look.readings >= WARM_UP * log.readings) :]
        first, last = counted[0], counted[-1]
        judged = last.readings - first.readings
        if not judged:
            message = "the flow was done between two looks: the log is too short"
            raise RuntimeError(message)
        runs.per_second.append(judged / (last.at - first.at))
        runs.per_cpu_second.append(judged / (last.cpu_seconds - first.cpu_seconds))
        runs.quiet_share.append((last.by_path.get("quiet", 0) - first.by_path.get("quiet", 0)) / judged)
        runs.stall_seconds.append(longest_stall(looks))
        with psycopg.connect(self._stack.database_url) as connection:
            row = connection.execute("SELECT count(*) FROM current_excursions").fetchone()
        assert row is not None
        runs.excursions.append(row[0])

    def _bare(self, log: FleetLog, runs: Runs) -> None:
        answer = bare("readings", self._stack.settings)
        share = (log.first_readings + log.readings) / answer["rows"]
        runs.bare_per_second.append(answer["rows_per_second"] * share)
        runs.bare_per_cpu_second.append(answer["rows_per_cpu_second"] * share)


def bare(kind: str, settings: Mapping[str, str]) -> dict[str, float]:
    """Run the bare consumer of a topic once and return what it says."""
    command = [sys.executable, "-m", "tests.bench.bare_consumer", kind]
    result = subprocess.run(command, env={**os.environ, **settings}, check=True, stdout=subprocess.PIPE)
    answer: dict[str, float] = json.loads(result.stdout)
    return answer


def longest_stall(looks: Sequence[Look]) -> float:
    """Return the longest time without a reading judged, as far as looks every LOOK_SECONDS can tell."""
    return longest_progress_gap(looks, readings_of)


def longest_progress_gap(looks: Sequence[Look], of: Callable[[Look], int]) -> float:
    """Return the longest time between two looks that saw something new."""
    changes = [look.at for before, look in pairwise(looks) if of(look) > of(before)]
    return max((later - earlier for earlier, later in pairwise(changes)), default=0.0)


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
            "longest stall",
            "s",
            runs.stall_seconds,
            STALL_BUDGET_SECONDS,
            at_most=True,
        )
        figure("first sight of all: readings", "1/s", runs.first_per_second)
        figure("first sight of all: longest stall", "s", runs.first_stall_seconds)
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
