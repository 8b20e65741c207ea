"""The campaign: series and fleets tried on all cores, with a line of progress now and then, and a table at the end."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from multiprocessing import get_context
from typing import Final

import structlog

from tests.truth import fleets, series
from tests.truth.counted import Counted

FLEETS_EACH_SEED: Final = 1_000
BYTEWAX_EACH_SEED: Final = 25
"""Fleets that go through the real dataflows: seconds each."""

CHUNK: Final = {"series": 250, "fleets": 10, "bytewax": 1}
"""Tries that a process takes at once."""

TRY: Final[dict[str, Callable[[str, int], Counted]]] = {
    "series": series.try_series,
    "fleets": fleets.try_fleet,
    "bytewax": fleets.try_through_bytewax,
}
EXPLAIN: Final[dict[str, Callable[[str, int], str]]] = {
    "series": series.explained,
    "fleets": fleets.explained,
    "bytewax": fleets.explained_through_bytewax,
}

PROGRESS_SECONDS: Final = 10.0
MOST_EXPLAINED: Final = 3
"""Failures of each kind that are cut down and printed: the others have their seeds."""

Say = Callable[[str], None]
Chunk = tuple[str, str, range]
"""What is tried (series, fleets, or fleets through Bytewax), of which kind, with which seeds."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a campaign came to."""

    counted: dict[tuple[str, str], Counted]
    """By what was tried and of which kind."""
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether everything agreed."""
        return not any(one.failed for one in self.counted.values())


def chunks(kinds: Sequence[str], many_series: int, many_fleets: int, through_bytewax: int, seeds: int) -> Iterator[Chunk]:
    """Yield everything that is to be tried: each kind's series, then each seed's fleets, some of them through Bytewax too."""
    for kind in kinds:
        yield from _cut("series", kind, range(many_series))
    for seed in range(1, seeds + 1):
        for what, many in (("fleets", many_fleets), ("bytewax", through_bytewax)):
            for place, kind in enumerate(kinds):
                first, last = (many * number // len(kinds) for number in (place, place + 1))
                yield from _cut(what, kind, range(seed * 1_000_000 + first, seed * 1_000_000 + last))


def _cut(what: str, kind: str, seeds: range) -> Iterator[Chunk]:
    width = CHUNK[what]
    return ((what, kind, seeds[start : start + width]) for start in range(0, len(seeds), width))


def try_chunk(chunk: Chunk) -> tuple[str, Counted]:
    """Try some seeds, in whichever process."""
    what, kind, seeds = chunk
    began = time.process_time()
    counted = reduce(Counted.__add__, (TRY[what](kind, seed) for seed in seeds), Counted(kind))
    return what, counted + Counted(kind, seconds=time.process_time() - began)


def silence() -> None:
    """Keep the product's log lines out of the campaign's: what they warn of is done on purpose."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def run_campaign(todo: Iterable[Chunk], processes: int, say: Say) -> Report:
    """Try everything, on so many processes (0: in this one)."""
    began = told_at = now = time.monotonic()
    waiting = list(todo)
    totals: dict[tuple[str, str], int] = {}
    for what, kind, seeds in waiting:
        totals[what, kind] = totals.get((what, kind), 0) + len(seeds)
    counted: dict[tuple[str, str], Counted] = {}
    begun: dict[tuple[str, str], float] = {}
    with ExitStack() as stack:
        results: Iterable[tuple[str, Counted]]
        if processes:
            # One whose process is gone ends the campaign: multiprocessing's own pool would wait for ever.
            pool = stack.enter_context(ProcessPoolExecutor(processes, get_context("spawn"), silence))
            results = pool.map(try_chunk, waiting)
        else:
            results = map(try_chunk, waiting)
        for what, some in results:
            key = (what, some.kind)
            begun.setdefault(key, now)
            now = time.monotonic()
            counted[key] = counted.get(key, Counted(some.kind)) + some
            if now - told_at >= PROGRESS_SECONDS or counted[key].tried == totals[key]:
                say(progress(what, counted[key], totals[key], now - begun[key]))
                told_at = now
    return Report(counted, time.monotonic() - began)


def progress(what: str, so_far: Counted, total: int, seconds: float) -> str:
    """Return how far one kind is, how fast it goes and how long it will take."""
    rate = so_far.tried / seconds if seconds > 0 else 0.0
    left = (total - so_far.tried) / rate if rate else 0.0
    wrong = f", {len(so_far.failed)} DISAGREE" if so_far.failed else ""
    return f"{what} {so_far.kind}: {so_far.tried:,} of {total:,}, {rate:,.0f}/s, {left:,.0f} s left{wrong}"


def table(report: Report) -> str:
    """Return a table of all kinds: what was tried, found and how fast, in tries a second of one core."""
    head = "| what | kind | tried | excursions found | versions written | of them late | CPU seconds | tries a CPU second | disagreements |"
    lines = [head, "|---|---|---:|---:|---:|---:|---:|---:|---:|"]
    for (what, kind), one in report.counted.items():
        rate = one.tried / one.seconds if one.seconds else 0
        versions = (f"{one.versions:,}", f"{one.late:,}") if what != "series" else ("", "")
        figures = (f"{one.tried:,}", f"{one.excursions:,}", *versions, f"{one.seconds:,.0f}", f"{rate:,.0f}", f"{len(one.failed):,}")
        lines.append(f"| {what} | {kind} | " + " | ".join(figures) + " |")
    return "\n".join([*lines, "", f"{report.seconds:,.0f} s in all"])


def explanations(report: Report) -> Iterator[str]:
    """Yield the first failures of each kind, cut down, and the seeds of the others."""
    for (what, kind), one in report.counted.items():
        for seed in islice(one.failed, MOST_EXPLAINED):
            yield EXPLAIN[what](kind, seed)
        if len(one.failed) > MOST_EXPLAINED:
            yield f"{what} of kind {kind} that fail too: {', '.join(map(str, one.failed[MOST_EXPLAINED:]))}"
