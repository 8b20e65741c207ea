"""The shim bites: a process's wall clock jumps while it runs, its waits do not, and its fsyncs take longer."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

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

WAITED = """
import ctypes, sys, time
library = ctypes.CDLL(None)
condition, mutex = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
library.cnd_init(condition), library.mtx_init(mutex, 1), library.mtx_lock(mutex)
sys.stdin.readline()
until, began = time.time() + 0.5, time.monotonic()
instant = (ctypes.c_long * 2)(int(until), int(until % 1 * 1e9))
library.cnd_timedwait(condition, mutex, instant)
print(time.monotonic() - began)
"""
"""Waits as the Kafka client does: until an instant of the wall clock."""


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


@pytest.mark.parametrize("offset", [-3600, 3600])
def test_a_wait_until_an_instant_of_the_shifted_clock_lasts_as_long_as_it_is_meant_to(tmp_path: Path, offset: float) -> None:
    shim = Shim(tmp_path / "shim")
    (tmp_path / "waited.py").write_text(WAITED)
    with shim.loaded():
        process = subprocess.Popen(
            [sys.executable, "waited.py", "serve"], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    shim.order("api", clock_offset_seconds=offset)

    try:
        said, _ = process.communicate("now\n", timeout=20)
    finally:
        process.kill()
        remove_places(tmp_path)

    assert 0.4 < float(said) < 5
