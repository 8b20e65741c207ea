"""`python -m tests.bench [AREA ...] [--quick]`: measure, show, and keep the figures in docs/bench and docs/bench.md.

Only runs without options are kept. Exits with 1 where an area could not be measured, once the others are.
"""

import argparse
import shlex
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.bench import decode, detect, fleet, flows, ingest, late, latency, page, reading_api, store, websocket
from tests.bench.figures import AREAS, Figure, terminal_table
from tests.bench.report import FOLDER, Report, save, write_page

QUICK_AT_ONCE: Final = 3


def measured(area: str, wanted: argparse.Namespace, say: Callable[[str], None]) -> list[Figure]:
    """Measure one area."""
    match area:
        case "ingest":
            return ingest.measure(quick=wanted.quick, say=say, repeats=wanted.repeats)
        case "decode":
            return decode.measure(quick=wanted.quick, say=say, repeats=wanted.repeats)
        case "store":
            return store.measure(quick=wanted.quick, say=say, repeats=wanted.repeats, database=wanted.database)
        case "flows":
            return flows.measure(quick=wanted.quick, say=say, repeats=wanted.repeats)
        case "latency":
            return latency.measure(quick=wanted.quick, say=say, repeats=wanted.repeats)
        case "late":
            return late.measure(quick=wanted.quick, say=say, repeats=wanted.repeats)
        case "api":
            return reading_api.measure(quick=wanted.quick, say=say, repeats=wanted.repeats)
        case "websocket":
            return websocket.measure(quick=wanted.quick, say=say, repeats=wanted.repeats)
        case "page":
            return page.measure_page(quick=wanted.quick, say=say, repeats=wanted.repeats)
        case "detect":
            return detect.measure(quick=wanted.quick, say=say, only=wanted.sensors, repeats=wanted.repeats)
        case "fleet":
            return fleet.measure(fleet_plan(wanted), say)
        case _:
            raise ValueError(f"there is no area {area}")


def fleet_plan(wanted: argparse.Namespace) -> fleet.Plan:
    """Return the plan that the options ask for."""
    plan = fleet.QUICK if wanted.quick else fleet.Plan(picture=FOLDER / "fleet.png")
    if wanted.minutes is not None:
        plan = replace(plan, seconds=wanted.minutes * 60)
    if wanted.sensors:
        plan = replace(plan, sensors=wanted.sensors[0])
    if wanted.screenshot is not None:
        plan = replace(plan, picture=wanted.screenshot, page=True)
    if wanted.simulator:
        plan = replace(plan, simulator=True)
    if wanted.no_page:
        plan = replace(plan, page=False)
    return plan


def parser_of() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure beside the budgets of the design.")
    parser.add_argument("areas", nargs="*", choices=[[], *AREAS], help="default: all of them")
    parser.add_argument("--quick", action="store_true", help="small and short: shows that it works; its figures are not kept")
    parser.add_argument("--sensors", type=int, action="append", default=[], help="detect, fleet: only this size")
    parser.add_argument("--repeats", type=int, default=None, help="instead of the usual ones")
    parser.add_argument("--minutes", type=float, default=None, help="fleet: how long; default 10")
    parser.add_argument("--screenshot", type=Path, default=None, help="fleet: where the picture of the page goes")
    parser.add_argument("--no-page", action="store_true", help="fleet: without Chromium")
    parser.add_argument("--simulator", action="store_true", help="fleet: `coldstream simulate` is the generator")
    parser.add_argument("--database", default=None, help="store: an empty database of an existing server, such as one with TimescaleDB")
    return parser


def options_of(wanted: argparse.Namespace) -> list[str]:
    """Return the options that were given, as words of a command line; none of a usual run."""
    usual, words = vars(parser_of().parse_args([])), list[str]()
    for name, value in vars(wanted).items():
        if name == "areas" or value == usual[name]:
            continue
        option = f"--{name.replace('_', '-')}"
        for one in value if isinstance(value, list) else [value]:
            words += [option] if one is True else [option, str(one)]
    return words


def measure_each(
    areas: Sequence[str], wanted: argparse.Namespace, measure: Callable[[str], Sequence[Figure]], say: Callable[[str], None]
) -> list[str]:
    """Measure each area, show it and keep it where it is a usual run; return those that could not be measured."""
    options, failed = options_of(wanted), []
    for area in areas:
        try:
            figures = measure(area)
        except Exception as error:  # noqa: BLE001 - one area's failure does not end the others
            say(f"{area} failed: {type(error).__name__}: {error}")
            traceback.print_exc()
            failed.append(area)
            continue
        print(shlex.join(["python", "-m", "tests.bench", area, *options]))
        print(terminal_table(figures), flush=True)
        if not options:
            say(f"kept in {save(area, Report.of(f'python -m tests.bench {area}', figures))}")
            write_page()
    return failed


def shown_quickly(areas: Sequence[str], say: Callable[[str], None]) -> None:
    """Run some areas in processes of their own, a few at a time: quick figures mean nothing anyway. Exits with 1 where one failed."""
    processes: list[subprocess.Popen[str]] = []

    def run(area: str) -> tuple[str, int]:
        command = [sys.executable, "-m", "tests.bench", area, "--quick"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        processes.append(process)
        return process.communicate()[0], process.returncode

    failed = []
    with ThreadPoolExecutor(QUICK_AT_ONCE) as pool:
        try:
            for area, (out, code) in zip(areas, pool.map(run, areas), strict=True):
                print(out, flush=True)
                if code:
                    failed.append(area)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()
    say(f"failed: {', '.join(failed)}" if failed else "all of them work")
    sys.exit(1 if failed else 0)


def main() -> None:
    """Measure what was asked for."""
    wanted = parser_of().parse_args()
    # As Ctrl-C: what was started is ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    started = time.perf_counter()

    def say(text: str) -> None:
        print(f"[{time.perf_counter() - started:5.0f} s] {text}", file=sys.stderr, flush=True)

    if wanted.quick and len(wanted.areas) != 1:
        shown_quickly(wanted.areas or AREAS, say)
        return

    def measure(area: str) -> list[Figure]:
        return measured(area, wanted, lambda text: say(f"{area}: {text}"))

    failed = measure_each(wanted.areas or AREAS, wanted, measure, say)
    say(f"failed: {', '.join(failed)}" if failed else "done")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
