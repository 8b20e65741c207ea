"""What a campaign came to: a table for the terminal and docs/faults.md, and everything in .local/faults as JSON."""

import json
import os
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from tests.faults.campaign import BACK_SECONDS, KILLS_EACH, Outcome, shown_delays
from tests.faults.checker.findings import Kind, counts_of
from tests.faults.processes import KILL
from tests.faults.work import PARTS

REPOSITORY: Final = Path(__file__).parents[2]
PAGE: Final = REPOSITORY / "docs" / "faults.md"
ENOUGH_SEEDS: Final = 3
BEGIN, END = "<!-- campaign -->", "<!-- end of campaign -->"


def git_commit() -> str:
    """Return the commit that was run, with a plus where the tree holds changes."""
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def scenario_table(outcomes: Sequence[Outcome]) -> str:
    """Return the findings of each scenario over all seeds."""
    lines = ["| scenario | seeds | faults | uplinks | excursions | alerts | " + " | ".join(Kind) + " | sensors with late readings |"]
    lines += ["|---" * (7 + len(Kind)) + "|"]
    for name in dict.fromkeys(outcome.scenario for outcome in outcomes):
        several = [outcome for outcome in outcomes if outcome.scenario == name]
        counts = counts_of(finding for outcome in several for finding in outcome.findings)
        counted = " | ".join(str(counts[kind]) for kind in Kind)
        sums = [sum(getattr(one, field) for one in several) for field in ("faults", "acknowledged", "excursions", "told")]
        late_sensors = sum(outcome.late_sensors for outcome in several)
        lines.append(f"| {name} | {len(several)} | " + " | ".join(f"{one:,}" for one in sums) + f" | {counted} | {late_sensors} |")
    return "\n".join(lines)


def recovery_table(outcomes: Sequence[Outcome]) -> str:
    """Return how soon each part did its work again, by fault."""
    times: dict[tuple[str, str], list[float | None]] = defaultdict(list)
    for outcome in outcomes:
        for one in outcome.recoveries:
            times[one.fault, one.part].append(one.seconds)
    lines = ["| fault | process | times | p50 s | max s | did not come back |", "|---|---|---|---|---|---|"]
    for (fault, part), several in sorted(times.items()):
        back = [seconds for seconds in several if seconds is not None]
        figures = f"{median(back):.1f} | {max(back):.1f}" if back else "- | -"
        lines.append(f"| {fault} | {part} | {len(several)} | {figures} | {len(several) - len(back)} |")
    return "\n".join(lines)


def delay_table(outcomes: Sequence[Outcome]) -> str:
    """Return how long after its instant each alert was told, apart by the bound that it was held to."""
    lines = ["| scenario | held to 4 s | p50 ms | p99 ms | longest ms | held to a heal | p50 ms | p99 ms | longest ms |", "|---" * 9 + "|"]
    for name in dict.fromkeys(outcome.scenario for outcome in outcomes):
        shown = shown_delays([delay for outcome in outcomes if outcome.scenario == name for delay in outcome.delays])
        keys = [f"{held}_{key}" for held in ("calm", "faults") for key in ("alerts", "p50_ms", "p99_ms", "longest_ms")]
        lines.append(f"| {name} | " + " | ".join(f"{shown[key]:,}" if key in shown else "-" for key in keys) + " |")
    return "\n".join(lines)


def kills_missing(outcomes: Sequence[Outcome], seeds: int) -> list[str]:
    """Return which processes were killed less often than a campaign of three seeds must; fewer seeds must nothing."""
    kills = Counter(one.part for outcome in outcomes for one in outcome.recoveries if one.fault.startswith(KILL))
    return [
        f"{part} was killed {kills[part]} times, not {KILLS_EACH}" for part in PARTS if kills[part] < KILLS_EACH and seeds >= ENOUGH_SEEDS
    ]


def budgets_missed(outcomes: Sequence[Outcome]) -> list[str]:
    """Return which processes needed longer than the budget after a kill -9 of them alone."""
    slowest: dict[str, float] = defaultdict(float)
    for outcome in outcomes:
        for one in outcome.recoveries:
            if one.fault == KILL:
                slowest[one.part] = max(slowest[one.part], float("inf") if one.seconds is None else one.seconds)
    return [
        f"budget missed: {part} needed up to {seconds:.1f} s after a kill -9, budget {BACK_SECONDS:.0f} s"
        for part, seconds in slowest.items()
        if seconds > BACK_SECONDS
    ]


def page(outcomes: Sequence[Outcome], seeds: Sequence[int], seconds: float) -> str:
    """Return the generated section."""
    totals = counts_of(finding for outcome in outcomes for finding in outcome.findings)
    said = ", ".join(f"**{count} {kind}**" for kind, count in totals.items())
    head = (
        f"Commit {git_commit()}, seeds {', '.join(map(str, seeds))}, {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, {seconds / 60:.0f} "
        f"minutes, {os.cpu_count()} cores, load average at the end {os.getloadavg()[2]:.1f}: {said}."
    )
    failures = [f"- seed {one.seed} {one.scenario} did not come to its end: {one.failure}" for one in outcomes if one.failure]
    failures += [f"- seed {one.seed} {one.scenario}: {short}" for one in outcomes for short in one.shortfalls]
    short = [f"- {miss}" for miss in kills_missing(outcomes, len(seeds)) + budgets_missed(outcomes)]
    found = [f"- seed {one.seed} {one.scenario}: {finding}" for one in outcomes for finding in one.findings[:5]]
    parts = [
        head,
        scenario_table(outcomes),
        delay_table(outcomes),
        recovery_table(outcomes),
        *(["\n".join(failures + short + found)] if failures + short + found else []),
    ]
    return "\n\n".join(parts)


def write_page(text: str) -> None:
    """Put the generated section into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def save(folder: Path, outcomes: Sequence[Outcome], seeds: Sequence[int], seconds: float) -> Path:
    """Keep everything as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "campaign.json"
    content = {
        "commit": git_commit(),
        "seeds": list(seeds),
        "seconds": round(seconds, 1),
        "load_average": os.getloadavg(),
        "kills_missing": kills_missing(outcomes, len(seeds)),
        "budgets_missed": budgets_missed(outcomes),
        "outcomes": [outcome.shown() for outcome in outcomes],
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path
