"""The shim bites: a process's wall clock jumps while it runs, its waits do not, and its fsyncs take longer."""

import subprocess
import sys
import time
from pathlib import Path

from tests.faults.places import remove_places
from tests.faults.shim import Shim

TOLD = """
import os, sys, time
for line in sys.stdin:
    began = time.monotonic()
    with open("file", "wb") as file:
        os.fsync(file.fileno())
    print(time.time(), time.monotonic() - began, flush=True)
"""


def test_clock_and_disk_of_one_process_are_changed_while_it_runs(tmp_path: Path) -> None:
    shim = Shim(tmp_path / "shim")
    (tmp_path / "told.py").write_text(TOLD)
    with shim.loaded():
        process = subprocess.Popen(
            [sys.executable, "told.py", "serve"], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    assert process.stdin is not None
    assert process.stdout is not None

    def ask() -> tuple[float, float]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("now\n")
        process.stdin.flush()
        wall, fsync_seconds = process.stdout.readline().split()
        return float(wall) - time.time(), float(fsync_seconds)

    try:
        before = ask()
        shim.order("api", clock_offset_seconds=-3600)
        back = ask()
        shim.order("api", fsync_delay_seconds=0.4)
        slow = ask()
    finally:
        process.stdin.close()
        process.wait()
        held_up = shim.held_up("api"), shim.held_up("kafka")
        remove_places(tmp_path)

    assert abs(before[0]) < 60
    assert abs(back[0] + 3600) < 60
    assert abs(slow[0]) < 60
    assert slow[1] > 0.4
    assert held_up == (1, 0)
