"""Faults of processes: kill -9, pauses, restarts, and Redis gone for a while. Seeded; only the rig's own processes are touched."""

import contextlib
import os
import random
import signal
import time
from pathlib import Path
from typing import Final

from infra.local.parts import Part
from infra.local.process import ProcessRecord
from tests.faults.rig import Rig, now, wait_for
from tests.faults.work import LIMIT_SECONDS, PARTS, Recovery, Watch

KILL: Final = "kill -9"
CONTROL: Final = "killed in the control run"
STORM: Final = "kill -9, several at once"
KILL_GAP_SECONDS: Final = (0.5, 2.5)
STORM_GAP_SECONDS: Final = (0.0, 3.0)
PAIR_SHARE: Final = 0.15
"""Of the kills: the next part is killed at the same instant."""
PAUSE_SECONDS: Final = (1.0, 20.0)
STOPPED_SECONDS: Final = 5.0
REDIS_GONE_SECONDS: Final = 15.0


def kill_everything(rig: Rig, chance: random.Random, rounds: int) -> list[Recovery]:
    """Kill each process once a round, at drawn instants: every other round one after another, else several while others come back."""
    watch = Watch(rig)
    for number in range(rounds):
        is_storm = number % 2 == 1
        order = list(PARTS)
        chance.shuffle(order)
        for part in order:
            if not is_storm or chance.random() >= PAIR_SHARE:
                time.sleep(chance.uniform(*(STORM_GAP_SECONDS if is_storm else KILL_GAP_SECONDS)))
            watch.wait(part)
            rig.stack.wait_ready(part, LIMIT_SECONDS)
            began_at = now()
            rig.stack.kill(part, signal.SIGKILL)
            watch.until_at_work(STORM if is_storm else KILL, part, began_at)
            if not is_storm:
                watch.wait(part)
        watch.wait_all()
    return watch.recoveries


def kill_flows(rig: Rig, chance: random.Random, rounds: int) -> list[Recovery]:
    """Kill the flows that count and judge, one after another: for the control run."""
    watch = Watch(rig)
    for _ in range(rounds):
        for part in (Part.DETECT_EXCURSIONS, Part.DECODE_UPLINKS, Part.STORE_READINGS):
            time.sleep(chance.uniform(2.0, 4.0))
            began_at = now()
            rig.stack.kill(part, signal.SIGKILL)
            watch.until_at_work(CONTROL, part, began_at)
            watch.wait(part)
    return watch.recoveries


def pause_everything(rig: Rig, chance: random.Random, rounds: int) -> list[Recovery]:
    """Stop each process with all its children for 1 to 20 s, then let it go on."""
    watch = Watch(rig)
    for _ in range(rounds):
        order = list(PARTS)
        chance.shuffle(order)
        for part in order:
            time.sleep(chance.uniform(0.5, 2.0))
            pid = rig.stack.pid(part)
            if pid is None:
                rig.stack.wait_ready(part, LIMIT_SECONDS)
                pid = rig.stack.pid(part)
            assert pid is not None
            pause(rig, watch, part, pid, chance.uniform(*PAUSE_SECONDS))
    watch.wait_all()
    return watch.recoveries


def pause(rig: Rig, watch: Watch, part: Part, pid: int, seconds: float) -> None:
    """Stop one process and its children for a while."""
    began_at = now()
    stopped = [record for one in (pid, *children(pid)) if (record := ProcessRecord.of(one)) is not None]
    for record in stopped:
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, signal.SIGSTOP)
    assert wait_for(lambda: is_stopped(pid), time.monotonic() + STOPPED_SECONDS, 0.02), f"{part} was not stopped"
    time.sleep(seconds)
    for record in stopped:
        if record.is_alive():
            os.kill(record.pid, signal.SIGCONT)
    watch.until_at_work("pause", part, began_at, now())
    watch.wait(part)
    assert rig.stack.pid(part) is not None, f"{part} did not outlive its pause"


def is_stopped(pid: int) -> bool:
    """Say whether a process has been stopped by a signal; one of many threads takes a moment."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def children(pid: int) -> list[int]:
    """Return the children of a process, and theirs."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found, waiting = list[int](), [pid]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def restart_servers(rig: Rig, chance: random.Random, rounds: int) -> list[Recovery]:
    """Restart the broker (SIGTERM) and PostgreSQL (fast, then immediate), and take Redis away for 15 s."""
    watch = Watch(rig)
    faults = [
        ("broker restart", Part.KAFKA, signal.SIGTERM),
        ("fast shutdown", Part.POSTGRES, signal.SIGINT),
        ("immediate shutdown", Part.POSTGRES, signal.SIGQUIT),
    ]
    for _ in range(rounds):
        chance.shuffle(faults)
        for fault, part, told in faults:
            time.sleep(chance.uniform(2.0, 5.0))
            began_at = now()
            rig.stack.kill(part, told)
            watch.until_at_work(fault, part, began_at)
            watch.wait(part)
        time.sleep(chance.uniform(1.0, 3.0))
        began_at = now()
        rig.stack.stop_child(Part.REDIS)
        time.sleep(REDIS_GONE_SECONDS)
        rig.stack.start_child(Part.REDIS)
        watch.until_at_work("gone for 15 s", Part.REDIS, began_at, now())
        watch.wait(Part.REDIS)
    return watch.recoveries
