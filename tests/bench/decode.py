"""Measures decode_uplinks from Kafka as it runs in production, beside a bare consumer that only decodes the JSON, in turn."""

import shutil
import time
from dataclasses import dataclass, field
from typing import Final

from infra.local.ports import free_base
from tests.bench.detect import bare, longest_progress_gap
from tests.bench.figures import WARM_UP, Figure
from tests.bench.flow_process import FlowProcess, counted_part, records_of
from tests.bench.rig import Say, Servers, servers
from tests.bench.uplink_log import Filled, UplinkLog, fill

FLOW: Final = "decode_uplinks"
INTERVAL_MS: Final = 5_000


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
    peak_bytes: list[float] = field(default_factory=list)
    stall_seconds: list[float] = field(default_factory=list)
    bare_per_second: list[float] = field(default_factory=list)
    bare_per_cpu_second: list[float] = field(default_factory=list)


def measure(*, quick: bool, say: Say, repeats: int | None = None) -> list[Figure]:
    """Measure and return the figures."""
    size = QUICK if quick else FULL
    runs = Runs()
    with servers(say, sensors=size.sensors, interval_ms=INTERVAL_MS) as on:
        start_at = int(time.time() * 1000) - size.reports * INTERVAL_MS
        filled = fill(on.stack.kafka_bootstrap_servers, UplinkLog(on.fleet, start_at, INTERVAL_MS, size.reports), say)
        for repeat in range(repeats or size.repeats):
            run(on, filled, runs)
            answer = bare("uplinks", on.settings)
            runs.bare_per_second.append(answer["rows_per_second"])
            runs.bare_per_cpu_second.append(answer["rows_per_cpu_second"])
            say(
                f"run {repeat + 1}: {runs.per_second[-1]:,.0f}/s, {runs.per_cpu_second[-1]:,.0f} per CPU-second; "
                f"bare {runs.bare_per_cpu_second[-1]:,.0f} per CPU-second"
            )
    return figures_of(size, runs)


def run(on: Servers, filled: Filled, runs: Runs) -> None:
    """Let the flow read the whole topic once, from nothing."""
    recovery = on.folder / "decode-recovery"
    shutil.rmtree(recovery, ignore_errors=True)
    with FlowProcess(FLOW, on.settings, recovery, free_base(), on.folder / "decode.log") as flow:
        looks = flow.watch(filled.records, of=records_of)
        runs.peak_bytes.append(flow.peak_rss_bytes())
        flow.stop()
    first, last = counted_part(looks, WARM_UP * filled.records, records_of)
    uplinks = (last.records - first.records) * filled.uplinks / filled.records
    runs.per_second.append(uplinks / (last.at - first.at))
    runs.per_cpu_second.append(uplinks / (last.cpu_seconds - first.cpu_seconds))
    runs.stall_seconds.append(longest_progress_gap(looks, records_of))


def figures_of(size: Size, runs: Runs) -> list[Figure]:
    """Return what is shown."""

    def figure(what: str, unit: str, values: list[float], baseline: list[float] | None = None) -> Figure:
        return Figure("decode", f"{size.sensors:,} devices: {what}", unit, tuple(values), baseline=tuple(baseline or ()))

    return [
        figure("uplinks", "1/CPU-second", runs.per_cpu_second, runs.bare_per_cpu_second),
        figure("uplinks", "1/s", runs.per_second, runs.bare_per_second),
        figure("longest stall", "s", runs.stall_seconds),
        figure("peak memory", "MB", [value / 1_000_000 for value in runs.peak_bytes]),
    ]
