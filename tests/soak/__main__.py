"""`python -m tests.soak --minutes 120 [--kills]`: a steady load, samples every 10 s, the checker at the end; exit 1 when a bound is broken."""

import argparse
import math
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Final

from infra.local.parts import FLOWS, Part
from tests.faults.checker.findings import Findings
from tests.faults.rig import Rig, now
from tests.faults.work import PARTS, Watch
from tests.soak import page
from tests.soak.latencies import Minute, minutes_of
from tests.soak.sampling import Sampler, Series
from tests.soak.slopes import Bound, Verdict, judge

UNITS: Final = 2_000
INTERVAL_MS: Final = 10_000
KILL_EVERY_SECONDS: Final = 300.0
SETTLE_SECONDS: Final = 50.0
"""A gap of three intervals, the longest recovery, the clock's grace, and the telling."""
P99_MS: Final = 2_000
KAFKA_MEGABYTES: Final = 1_000
"""A JVM grows into its heap of 512 MB and keeps it: it is held to a ceiling, not to a slope."""

MEMORY: Final = Bound("MB", 1.0, 4.0)
SERVER_MEMORY: Final = Bound("MB", 4.0, 16.0)
"""PostgreSQL's and Redis's sessions fill their caches."""
FILES: Final = Bound("", 0.0, 2.0)
SERVER_FILES: Final = Bound("", 4.0, 60.0)
"""Kafka's segments and PostgreSQL's relations are opened as they are made, up to what they keep open; the API has a socket for each connection
of the sender, which opens up to 64 and closes those that are idle."""
RECOVERY: Final = Bound("MB", 0.5, 4.0)
LAG: Final = Bound("records", 0.0, 250.0)
"""About a second of the load."""
FREE: Final = Bound("MB", math.inf, 0.0)
"""Grows with every reading: its slope is shown and held to nothing."""
P99: Final = Bound("ms", math.inf, 0.0)
"""The second half is held to the budget; the slope is shown."""
PAGE_MINUTES: Final = 20.0
"""A shorter run shows that the soak works, and nothing worth a page."""
SERVERS: Final = frozenset({Part.POSTGRES, Part.REDIS, Part.KAFKA})

REPOSITORY: Final = Path(__file__).parents[2]


def bound_of(name: str) -> Bound | None:
    """Return the bound of a series; None for what grows with every reading or is held to a ceiling."""
    part = name.rpartition(" ")[2]
    if name.startswith("memory MB"):
        return None if part == Part.KAFKA else SERVER_MEMORY if part in SERVERS else MEMORY
    if name.startswith("files"):
        return SERVER_FILES if part in {*SERVERS, Part.API} else FILES
    if name.startswith("recovery MB"):
        return RECOVERY
    if name in {"database MB", "topics MB"}:
        return FREE
    if name.startswith("p99"):
        return P99
    return LAG if name.startswith("lag") else None


def required() -> list[str]:
    """Return the series that every run must have a verdict on."""
    memory = [f"memory MB {part}" for part in PARTS if part is not Part.KAFKA]
    files = [f"files {part}" for part in PARTS]
    return [*memory, *files, *(f"{kind} {part}" for kind in ("recovery MB", "lag") for part in FLOWS), "database MB", "p99 readings"]


def with_latencies(series: Series, minutes: Mapping[str, Sequence[Minute]]) -> Series:
    """Return the series and, as series of their own, the p99 of readings and alerts by minute."""
    return series | {f"p99 {kind}": [(one.seconds, one.p99) for one in several] for kind, several in minutes.items()}


def verdicts_of(series: Series) -> list[Verdict]:
    """Return every bounded series against its bound."""
    verdicts = []
    for name, samples in series.items():
        bound, known = bound_of(name), [(at, value) for at, value in samples if not math.isnan(value)]
        verdict = None if bound is None else judge(name, [at for at, _ in known], [value for _, value in known], bound)
        if verdict is not None:
            verdicts.append(verdict)
    return verdicts


def misses_of(verdicts: Sequence[Verdict], series: Series, readings: Sequence[Minute], findings: Findings) -> list[str]:
    """Return what is not as it should be."""
    misses = [f"{one.name} grows by {one.slope:+.1f} {one.unit} an hour, bound {one.bound:.1f}" for one in verdicts if not one.holds]
    judged = {one.name for one in verdicts}
    misses += [f"{name} was measured too seldom to be judged" for name in required() if name not in judged]
    heap = [value for _, value in series.get(f"memory MB {Part.KAFKA}", [])]
    if not heap:
        misses.append("memory of Kafka was not measured")
    if (highest := max(heap, default=0.0)) > KAFKA_MEGABYTES:
        misses.append(f"memory of Kafka reached {highest:.0f} MB, ceiling {KAFKA_MEGABYTES} MB")
    later = [minute.p99 for minute in readings[len(readings) // 2 :]]
    if not later or median(later) > P99_MS:
        misses.append(f"p99 of accepted to WebSocket is {median(later) if later else 'unknown'} ms in the second half, budget {P99_MS} ms")
    return misses + [str(finding) for finding in findings.findings[:20]]


def load(rig: Rig, seconds: float, *, kills: bool, say: Callable[[str], None]) -> None:
    """Wait while the fleet posts; with `kills` kill a drawn process every five minutes."""
    watch, chance, deadline = Watch(rig), random.Random(1), time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, KILL_EVERY_SECONDS))
        if kills and deadline - time.monotonic() > KILL_EVERY_SECONDS / 2:
            part = chance.choice(PARTS)
            began_at = now()
            rig.stack.kill(part, signal.SIGKILL)
            watch.until_at_work("kill -9", part, began_at)
            watch.wait_all()
            say(f"killed {part}, back after {watch.recoveries[-1].seconds} s")


def main() -> None:
    """Soak."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="A steady load for a long time.")
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--units", type=int, default=UNITS)
    parser.add_argument("--kills", action="store_true", help="kill a process at random every 5 minutes")
    wanted = parser.parse_args()
    began = time.monotonic()
    folder = REPOSITORY / ".local" / "soak" / time.strftime("%Y%m%d-%H%M%S")

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", file=sys.stderr, flush=True)

    series: Series = {}
    try:
        with Rig(folder) as rig:
            say("the stack runs")
            with rig.fleet("soak", 1, units=wanted.units, interval_ms=INTERVAL_MS), Sampler(rig) as sampler:
                series = sampler.series
                load(rig, wanted.minutes * 60, kills=wanted.kills, say=say)
            rig.quiesce(settle_seconds=SETTLE_SECONDS)
            findings = rig.check()
    finally:
        # Hours of samples are kept also where the end did not come.
        say(f"samples are in {page.save(folder, {'series': page.shown_series(series)}, 'samples.json')}")
    minutes = minutes_of(rig.events)
    verdicts = verdicts_of(with_latencies(series, minutes))
    misses = misses_of(verdicts, series, minutes["readings"], findings)
    plan = f"{wanted.minutes:g} minutes, {wanted.units:,} units with a reading each {INTERVAL_MS // 1000} s"
    plan += ", a random kill -9 every 5 minutes" if wanted.kills else ""
    text = page.text_of(plan, verdicts, minutes, findings, misses)
    content = {"plan": plan, "misses": misses, "verdicts": [page.shown(one) for one in verdicts], "series": page.shown_series(series)}
    say(
        f"kept in {page.save(folder, content | {'minutes': {kind: [asdict(one) for one in several] for kind, several in minutes.items()}})}"
    )
    if wanted.minutes >= PAGE_MINUTES:
        page.draw(series, minutes, page.DRAWING)
        page.write_page(text)
    print(text)
    if not misses:
        rig.stack.remove()
        shutil.rmtree(folder / "stack", ignore_errors=True)
    sys.exit(1 if misses else 0)


if __name__ == "__main__":
    main()
