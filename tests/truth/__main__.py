"""`python -m tests.truth [--seeds N] [--kinds KIND ...] [--series N] [--fleets N]`: the truth campaign; exit 1 where anything disagrees."""

import argparse
import os
import sys
import time

from tests.domain.random_series import KINDS
from tests.truth import fleets, series
from tests.truth.campaign import FLEETS_EACH_SEED, chunks, explanations, run_campaign, silence, table


def main() -> None:
    """Try what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.truth", description="Random series and fleets against the simple implementation."
    )
    parser.add_argument("--seeds", type=int, default=3, help="each seed has fleets of its own")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=tuple(KINDS), metavar="KIND", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--series", type=int, default=100_000, help="series of each kind")
    parser.add_argument("--fleets", type=int, default=FLEETS_EACH_SEED, help="fleets of each seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="0: all in this process")
    parser.add_argument("--fleet", type=int, default=None, help="this fleet alone, with --kind")
    parser.add_argument("--one-series", type=int, default=None, help="this series alone, with --kind")
    parser.add_argument("--kind", choices=KINDS, default="mixed")
    wanted = parser.parse_args()
    silence()
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", file=sys.stderr, flush=True)

    if wanted.fleet is not None or wanted.one_series is not None:
        sys.exit(one(wanted.kind, wanted.fleet, wanted.one_series))
    todo = chunks(wanted.kinds, wanted.series, wanted.fleets, wanted.seeds)
    report = run_campaign(todo, wanted.processes, say)
    for text in explanations(report):
        print(f"\n{text}")
    print(f"\n{table(report)}")
    sys.exit(0 if report.is_clean else 1)


def one(kind: str, fleet: int | None, series_seed: int | None) -> int:
    """Try one fleet or series, and print it cut down where it fails."""
    if fleet is not None:
        words = fleets.explained(kind, fleet) if fleets.try_fleet(kind, fleet).failed else None
    else:
        assert series_seed is not None
        words = series.explained(kind, series_seed) if series.try_series(kind, series_seed).failed else None
    print("agrees" if words is None else words)
    return int(words is not None)


if __name__ == "__main__":
    main()
