"""What a campaign came to: a table for the terminal and docs/faults.md, and everything in .local/faults as JSON."""

import json
import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from tests.faults.campaign import BACK_SECONDS, KILLS_EACH, Outcome
from tests.faults.checker.findings import Kind, counts_of
from tests.faults.processes import KILL

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
    lines = ["| scenario | seeds | faults | uplinks | excursions | alerts | " + " | ".join(Kind) + " | sensors left out |"]
    lines += ["|---" * (7 + len(Kind)) + "|"]
    for name in dict.fromkeys(outcome.scenario for outcome in outcomes):
        several = [outcome for outcome in outcomes if outcome.scenario == name]
        counts = counts_of(finding for outcome in several for finding in outcome.findings)
        counted = " | ".join(str(counts[kind]) for kind in Kind)
        sums = [sum(getattr(one, field) for one in several) for field in ("faults", "acknowledged", "excursions", "told")]
        left_out = sum(outcome.left_out for outcome in several)
        lines.append(f"| {name} | {len(several)} | " + " | ".join(f"{one:,}" for one in sums) + f" | {counted} | {left_out} |")
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


def misses(outcomes: Sequence[Outcome], seeds: int) -> list[str]:
    """Return in which respects the campaign fell short of what it is to show; findings are told elsewhere."""
    kills: dict[str, int] = defaultdict(int)
    slowest: dict[str, float] = defaultdict(float)
    for outcome in outcomes:
        for one in outcome.recoveries:
            if one.fault.startswith(KILL):
                kills[one.part] += 1
            if one.fault == KILL:
                slowest[one.part] = max(slowest[one.part], one.seconds or float("inf"))
    few = [
        f"{part} was killed {count} times, not {KILLS_EACH}"
        for part, count in kills.items()
        if count < KILLS_EACH and seeds >= ENOUGH_SEEDS
    ]
    late = [
        f"{part} needed up to {seconds:.1f} s after a kill -9, budget {BACK_SECONDS:.0f} s"
        for part, seconds in slowest.items()
        if seconds > BACK_SECONDS
    ]
    return few + late


def page(outcomes: Sequence[Outcome], seeds: Sequence[int], seconds: float) -> str:
    """Return the generated section."""
    totals = counts_of(finding for outcome in outcomes for finding in outcome.findings)
    said = ", ".join(f"**{count} {kind}**" for kind, count in totals.items())
    head = (
        f"Commit {git_commit()}, seeds {', '.join(map(str, seeds))}, {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, {seconds / 60:.0f} "
        f"minutes, {os.cpu_count()} cores, load average at the end {os.getloadavg()[2]:.1f}: {said}."
    )
    failures = [f"- seed {one.seed} {one.scenario} did not come to its end: {one.failure}" for one in outcomes if one.failure]
    short = [f"- {miss}" for miss in misses(outcomes, len(seeds))]
    found = [f"- seed {one.seed} {one.scenario}: {finding}" for one in outcomes for finding in one.findings[:5]]
    parts = [
        head,
        scenario_table(outcomes),
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
        "misses": misses(outcomes, len(seeds)),
        "outcomes": [outcome.shown() for outcome in outcomes],
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path
