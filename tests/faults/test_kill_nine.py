"""kill -9 of detect, decode, store and API in turn under load: nothing acknowledged is lost, nothing is counted or told twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from infra.local.local_stack import LocalStack
from infra.local.parts import ALL
from tests.faults.checker import Findings, check

COLDSTREAM = str(Path(sys.executable).parent / "coldstream")
INTERVAL_SECONDS = 1.0
SETTLE_SECONDS = 14.0
"""After the last reading: a gap of 3 intervals, the longest recovery, the clock's grace, and the telling."""


@contextmanager
def whole_stack(folder: Path, extra: dict[str, str]) -> Iterator[LocalStack]:
    """Run everything on free ports; what dies comes back by itself."""
    with LocalStack(folder, None, ALL, extra=extra) as stack:
        yield stack
    stack.remove()


@contextmanager
def simulated_fleet(stack: LocalStack, journal: Path, seconds: float, seed: int) -> Iterator[subprocess.Popen[bytes]]:
    """Post a fleet without oddities, in real time, while the block runs; and wait for its end."""
    arguments = ["--units", "80", "--seed", str(seed), "--interval", str(INTERVAL_SECONDS), "--quick", "--clean"]
    arguments += ["--duration", str(seconds), "--journal", str(journal)]
    process = subprocess.Popen([COLDSTREAM, "simulate", *arguments], env={**os.environ, **stack.settings}, stdout=subprocess.DEVNULL)
    try:
        yield process
        assert process.wait(timeout=seconds + 90) == 0
    finally:
        process.kill()
        process.wait()


def settled(stack: LocalStack, journal: Path) -> Findings:
    """Wait until every acknowledged uplink has its end and every deadline has passed; then check."""
    wanted = len(journal.read_bytes().splitlines())
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            row = connection.execute("SELECT coalesce(sum(uplinks), 0) FROM uplink_ends").fetchone()
            assert row is not None
            if row[0] >= wanted:
                break
            time.sleep(0.5)
    time.sleep(SETTLE_SECONDS)
    return check(stack.database_url, journal, int(time.time() * 1000))


def kill_in_turn(stack: LocalStack, parts: list[str], pause: float) -> None:
    """Kill each part and wait until it is back."""
    for part in parts:
        time.sleep(pause)
        stack.kill(part, signal.SIGKILL)
        stack.wait_ready(part)


@pytest.mark.timeout(300)
def test_kill_nine_of_every_part_in_turn_loses_and_doubles_nothing(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    with whole_stack(tmp_path / "data", {}) as stack:
        with simulated_fleet(stack, journal, seconds=60, seed=3):
            time.sleep(8)
            kill_in_turn(stack, ["detect_excursions", "decode_uplinks", "store_readings", "api", "detect_excursions"], pause=4)

        findings = settled(stack, journal)

    assert findings.problems == []
    assert findings.acknowledged > 300
    assert findings.excursions > 3


@pytest.mark.timeout(300)
def test_without_the_offset_skip_the_same_kills_are_found_out(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    with whole_stack(tmp_path / "data", {"SKIP_DONE": "false"}) as stack:
        with simulated_fleet(stack, journal, seconds=45, seed=3):
            time.sleep(10)
            kill_in_turn(stack, ["detect_excursions", "decode_uplinks", "store_readings", "detect_excursions"], pause=4)

        findings = settled(stack, journal)

    assert findings.problems != []
