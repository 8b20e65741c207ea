"""`python -m tests.bench [ingest|detect] [--quick]`: measure, show, and keep the figures in .local/bench and docs/bench.md."""

import argparse
import sys
import time

from tests.bench import detect, ingest
from tests.bench.figures import Figure, save, terminal_table, write_page


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measure ingest and detection beside their budgets.",
    )
    parser.add_argument("areas", nargs="*", choices=[[], "ingest", "detect"], help="default: both")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small sizes, one repeat: shows that it works; its figures are not kept",
    )
    parser.add_argument(
        "--sensors",
        type=int,
        action="append",
        default=[],
        help="detect: only this size",
    )
    parser.add_argument("--repeats", type=int, default=None, help="instead of the usual 5, or 3 of the largest fleet")
    wanted = parser.parse_args()
    started = time.perf_counter()

    def say(text: str) -> None:
        print(
            f"[{time.perf_counter() - started:5.0f} s] {text}",
            file=sys.stderr,
            flush=True,
        )

    areas = wanted.areas or ["detect", "ingest"]
    for area in areas:
        figures: list[Figure]
        if area == "ingest":
            figures = ingest.measure(quick=wanted.quick, say=say, repeats=wanted.repeats)
        else:
            figures = detect.measure(quick=wanted.quick, say=say, only=wanted.sensors, repeats=wanted.repeats)
        print(terminal_table(figures), flush=True)
        if not wanted.quick and not wanted.sensors and wanted.repeats is None:
            say(f"kept in {save(area, figures, f'make bench ({area})')}")
            write_page()
    say("done")


main()
