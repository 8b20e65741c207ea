"""`python -m tests.faults [--seeds N | --seed X] [--only NAME]`: a campaign; exit 1 on any finding."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.faults.campaign import SCENARIOS, Outcome, run_campaign
from tests.faults.report import kills_missing, page, save, write_page

REPOSITORY: Final = Path(__file__).parents[2]


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Real processes under load, with seeded faults.")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 1 to N")
    parser.add_argument("--seed", type=int, default=None, help="this seed alone")
    parser.add_argument("--only", action="append", choices=[scenario.name for scenario in SCENARIOS], default=None)
    wanted = parser.parse_args()
    seeds = range(1, wanted.seeds + 1) if wanted.seed is None else [wanted.seed]
    scenarios = [scenario for scenario in SCENARIOS if wanted.only is None or scenario.name in wanted.only]
    began = time.monotonic()
    folder = REPOSITORY / ".local" / "faults" / time.strftime("%Y%m%d-%H%M%S")

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", file=sys.stderr, flush=True)

    def keep(outcomes: Sequence[Outcome]) -> None:
        say(f"kept in {save(folder, outcomes, seeds, time.monotonic() - began)}")

    outcomes = run_campaign(folder, seeds, scenarios, say, keep)
    seconds = time.monotonic() - began
    text = page(outcomes, seeds, seconds)
    print(text)
    is_whole = wanted.seed is None and wanted.only is None
    if is_whole:
        write_page(text)
    too_few = is_whole and bool(kills_missing(outcomes, len(seeds)))
    sys.exit(0 if all(outcome.is_clean for outcome in outcomes) and not too_few else 1)


main()
