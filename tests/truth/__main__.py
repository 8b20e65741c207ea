"""`python -m tests.truth [--seeds N] [--kinds KIND ...] [--series N] [--fleets N]`: the truth campaign; exit 1 where anything disagrees."""

import argparse
import os
import sys
import time

from tests.domain.random_series import KINDS
from tests.truth.campaign import BYTEWAX_EACH_SEED, EXPLAIN, FLEETS_EACH_SEED, TRY, chunks, explanations, run_campaign, silence, table


def main() -> None:
    """Try what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.truth", description="Random series and fleets against the simple implementation."
    )
    parser.add_argument("--seeds", type=int, default=3, help="each seed has fleets of its own")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=tuple(KINDS), metavar="KIND", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--series", type=int, default=100_000, help="series of each kind")
    parser.add_argument("--fleets", type=int, default=FLEETS_EACH_SEED, help="fleets of each seed")
    parser.add_argument(
        "--through-bytewax", type=int, default=BYTEWAX_EACH_SEED, help="fleets of each seed that the real dataflows carry out"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="0: all in this process")
    parser.add_argument("--one-series", type=int, default=None, metavar="SEED", help="this series alone, with --kind")
    parser.add_argument("--fleet", type=int, default=None, metavar="SEED", help="this fleet alone, with --kind")
    parser.add_argument("--bytewax", type=int, default=None, metavar="SEED", help="this fleet through the dataflows alone, with --kind")
    parser.add_argument("--kind", choices=KINDS, default="mixed")
    wanted = parser.parse_args()
    silence()
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", file=sys.stderr, flush=True)

    alone = {"series": wanted.one_series, "fleets": wanted.fleet, "bytewax": wanted.bytewax}
    for what, seed in alone.items():
        if seed is not None:
            failed = TRY[what](wanted.kind, seed).failed
            print(EXPLAIN[what](wanted.kind, seed) if failed else "agrees")
            sys.exit(1 if failed else 0)
    todo = chunks(wanted.kinds, wanted.series, wanted.fleets, wanted.through_bytewax, wanted.seeds)
    report = run_campaign(todo, wanted.processes, say)
    for text in explanations(report):
        print(f"\n{text}")
    print(f"\n{table(report)}")
    sys.exit(0 if report.is_clean else 1)


if __name__ == "__main__":
    main()
