"""`python -m tests.soak --minutes 120 [--kills]`: a steady load, samples every 10 s, the checker at the end; exit 1 when a bound is broken."""

import argparse
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Final

from infra.local.parts import Part
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
"""Kafka's segments and PostgreSQL's relations are opened as they are made, up to what they keep open."""
RECOVERY: Final = Bound("MB", 0.5, 4.0)
LAG: Final = Bound("records", 0.0, 250.0)
"""About a second of the load."""
SERVERS: Final = frozenset({Part.POSTGRES, Part.REDIS, Part.KAFKA})

REPOSITORY: Final = Path(__file__).parents[2]


def bound_of(name: str) -> Bound | None:
    """Return the bound of a series; None for what grows with every reading or is held to a ceiling."""
    part = name.rpartition(" ")[2]
    if name.startswith("memory MB"):
        return None if part == Part.KAFKA else SERVER_MEMORY if part in SERVERS else MEMORY
    if name.startswith("files"):
        return SERVER_FILES if part in SERVERS else FILES
    if name.startswith("recovery MB"):
        return RECOVERY
    return LAG if name.startswith("lag") else None


def verdicts_of(series: Series) -> list[Verdict]:
    """Return every bounded series against its bound."""
    verdicts = []
    for name, samples in series.items():
        bound = bound_of(name)
        verdict = None if bound is None else judge(name, [at for at, _ in samples], [value for _, value in samples], bound)
        if verdict is not None:
            verdicts.append(verdict)
    return verdicts


def misses_of(verdicts: Sequence[Verdict], series: Series, readings: Sequence[Minute], findings: Findings) -> list[str]:
    """Return what is not as it should be."""
    misses = [f"{one.name} grows by {one.slope:+.1f} {one.unit} an hour, bound {one.bound:.1f}" for one in verdicts if not one.holds]
    highest = max((value for _, value in series.get(f"memory MB {Part.KAFKA}", [])), default=0)
    if highest > KAFKA_MEGABYTES:
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

    with Rig(folder) as rig:
        say("the stack runs")
        with rig.fleet("soak", 1, units=wanted.units, interval_ms=INTERVAL_MS), Sampler(rig) as sampler:
            load(rig, wanted.minutes * 60, kills=wanted.kills, say=say)
        rig.quiesce(settle_seconds=SETTLE_SECONDS)
        findings = rig.check()
    minutes = minutes_of(rig.events)
    verdicts = verdicts_of(sampler.series)
    misses = misses_of(verdicts, sampler.series, minutes["readings"], findings)
    plan = f"{wanted.minutes:g} minutes, {wanted.units:,} units with a reading each {INTERVAL_MS // 1000} s"
    plan += ", a random kill -9 every 5 minutes" if wanted.kills else ""
    text = page.text_of(plan, verdicts, minutes, findings, misses)
    content = {"plan": plan, "misses": misses, "verdicts": [page.shown(one) for one in verdicts], "series": sampler.series}
    say(
        f"kept in {page.save(folder, content | {'minutes': {kind: [asdict(one) for one in several] for kind, several in minutes.items()}})}"
    )
    page.draw(sampler.series, minutes, page.DRAWING)
    page.write_page(text)
    print(text)
    if not misses:
        rig.stack.remove()
        shutil.rmtree(folder / "stack", ignore_errors=True)
    sys.exit(1 if misses else 0)


if __name__ == "__main__":
    main()
