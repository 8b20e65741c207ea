"""Flows as several cells under load, on the real stack: killed, grouped anew, moved, stopped for long; the checker finds nothing wrong."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from infra.local.cells import Counts
from infra.local.local_stack import LocalStack
from infra.local.parts import ALL, COLDSTREAM, Part
from infra.local.ports import free_base, span
from pipelines.connectors.timescale import STATEMENT_SECONDS
from pipelines.engine.lease import STARTING_SECONDS
from tests.faults.rig import Rig
from tests.faults.test_kill_nine import kill_in_turn

CELLS: Counts = {Part.DETECT_EXCURSIONS: 4, Part.DECODE_UPLINKS: 2, Part.STORE_READINGS: 2}
BACK_SECONDS = 10.0


def rig_of(folder: Path, base: int, cells: Counts) -> Rig:
    """Describe a rig whose flows have so many cells."""
    rig = Rig(folder)
    rig.stack = LocalStack(folder / "stack", base, ALL, cells=cells)
    return rig


@contextmanager
def cell_elsewhere(stack: LocalStack, flow: str, partitions: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a cell that the stack does not know of, on a folder outside of it."""
    command = [COLDSTREAM, "flow", flow, "--partitions", partitions, "--recovery", str(folder)]
    with (folder.parent / "elsewhere.log").open("ab") as log:
        process = subprocess.Popen(command, env={**os.environ, **stack.settings}, stdout=log, stderr=log)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def holder_of(stack: LocalStack, flow: str, partition: int) -> int:
    """Return the process that holds a partition."""
    with psycopg.connect(stack.database_url) as connection:
        row = connection.execute("SELECT pid FROM cell_leases WHERE flow = %s AND partition = %s", (flow, partition)).fetchone()
    assert row is not None
    return int(row[0])


def wait_until_run_out(stack: LocalStack, flows: tuple[Part, ...]) -> None:
    """Return once nobody holds the first partition of these flows any longer."""
    deadline = time.monotonic() + STARTING_SECONDS + 5
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        held = "SELECT count(*) FROM cell_leases WHERE flow = ANY(%s) AND partition = 0 AND expires_at > now()"
        while connection.execute(held, (list(flows),)).fetchone() != (0,):
            assert time.monotonic() < deadline
            time.sleep(0.5)


def wait_for(said: str, log: Path, seconds: float) -> None:
    """Return once a log says something."""
    deadline = time.monotonic() + seconds
    while said not in log.read_text():
        assert time.monotonic() < deadline, f"{log} does not say {said!r}:\n{log.read_text()[-2000:]}"
        time.sleep(0.1)


@pytest.mark.timeout(900)
def test_grouped_anew_killed_and_moved_cells_lose_and_double_nothing(tmp_path: Path) -> None:
    base, data = free_base(span(4)), tmp_path / "stack"
    cells = ",".join(f"{part}={count}" for part, count in CELLS.items())
    with rig_of(tmp_path, base, {}) as rig:
        with rig.fleet("as-one", 3, seconds=10):
            time.sleep(5)
        with rig.faults.during("stop", "stack"):
            rig.stack.stop()
            subprocess.run([COLDSTREAM, "regroup", "--data", str(data), "--cells", cells], check=True)
            rig.stack = LocalStack(data, base, ALL, cells=CELLS)
            rig.stack.start()
        with rig.fleet("as-several", 4, seconds=45):
            time.sleep(3)
            for cell in ("detect_excursions-16-31", "decode_uplinks-32-63", "store_readings-00-31", "detect_excursions-48-63"):
                began = time.monotonic()
                kill_in_turn(rig, [cell], pause=0)
                assert time.monotonic() - began < BACK_SECONDS
            with rig.faults.during("move", "detect_excursions"):
                rig.stack.stop_child("detect_excursions-00-15")
                here, elsewhere = data / "detect_excursions" / "00-15", tmp_path / "elsewhere"
                shutil.copytree(here, elsewhere)
                shutil.rmtree(here)
                with cell_elsewhere(rig.stack, "detect_excursions", "00-15", elsewhere / "recovery"):
                    wait_for("cell_started", elsewhere / "elsewhere.log", 20)
                    time.sleep(8)
                shutil.copytree(elsewhere, here)
                rig.stack.start_child("detect_excursions-00-15")
        rig.quiesce()

        findings = rig.check()
    rig.stack.remove()

    assert findings.findings == []
    assert findings.acknowledged > 300
    assert findings.excursions > 3


@pytest.mark.timeout(900)
def test_a_cell_that_was_stopped_for_so_long_that_another_took_over_writes_nothing_more(tmp_path: Path) -> None:
    flows = (Part.DETECT_EXCURSIONS, Part.DECODE_UPLINKS, Part.STORE_READINGS)
    with rig_of(tmp_path, free_base(span(2)), dict.fromkeys(flows, 2)) as rig:
        stack = rig.stack
        with rig.fleet("stopped", 5, seconds=55), rig.faults.during("SIGSTOP", "cells"):
            time.sleep(5)
            for flow in flows:
                stack.kill(f"{flow}-00-31", signal.SIGSTOP)
                shutil.copytree(tmp_path / "stack" / flow / "00-31" / "recovery", tmp_path / flow / "recovery")
            wait_until_run_out(stack, flows)
            with ExitStack() as successors:
                pids = {}
                for flow in flows:
                    pids[flow] = successors.enter_context(cell_elsewhere(stack, flow, "00-31", tmp_path / flow / "recovery")).pid
                for flow in flows:
                    wait_for("cell_started", tmp_path / flow / "elsewhere.log", STATEMENT_SECONDS + 20)
                    stack.kill(f"{flow}-00-31", signal.SIGCONT)
                for flow in flows:
                    wait_for("has lost the lease", stack.logs / f"{flow}-00-31.log", 20)
                    wait_for("cannot start", stack.logs / f"{flow}-00-31.log", 20)
                held_by = {flow: holder_of(stack, flow, 7) for flow in flows}
                time.sleep(5)
            # The stack's own cells go on from their folders of before, on which nothing was written since they were stopped.
            for flow in flows:
                stack.wait_ready(f"{flow}-00-31")
        rig.quiesce()

        findings = rig.check()
    stack.remove()

    assert held_by == pids
    assert findings.findings == []
    assert findings.excursions > 3
