"""Clock jumps of one process at a time by an hour, forwards and back; and a disk on which every fsync takes long."""

import email.utils
import random
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from infra.local.parts import FLOWS, Part
from tests.faults.rig import Rig, now
from tests.faults.shim import Shim
from tests.faults.work import Recovery, Watch

HOUR_SECONDS: Final = 3600.0
JUMP_SECONDS: Final = (4.0, 8.0)
SLOW_SECONDS: Final = 20.0
FSYNC_SECONDS: Final = 0.3


def shim_of(rig: Rig) -> Shim:
    """Return the shim of a rig that was started with it."""
    return Shim(rig.folder / "shim")


def jump_clocks(rig: Rig, chance: random.Random, rounds: int) -> list[Recovery]:
    """Let the API's clock and then each flow's be an hour ahead, and an hour behind."""
    shim, watch = shim_of(rig), Watch(rig)
    for _ in range(rounds):
        for part in (Part.API, *FLOWS):
            for offset in chance.sample([HOUR_SECONDS, -HOUR_SECONDS], 2):
                began_at = now()
                shim.order(part, clock_offset_seconds=offset)
                time.sleep(chance.uniform(*JUMP_SECONDS))
                if part is Part.API:
                    assert abs(clock_of_api(rig) - time.time() - offset) < HOUR_SECONDS / 2, "the API's clock did not jump"
                shim.order(part)
                watch.until_at_work("clock jump", part, began_at, now())
                watch.wait(part)
    return watch.recoveries


def clock_of_api(rig: Rig) -> float:
    """Return the Unix time that the API's answers name."""
    try:
        with urllib.request.urlopen(f"{rig.stack.api_url}/health", timeout=10) as answer:
            date = answer.headers["Date"]
    except urllib.error.HTTPError as error:
        date = error.headers["Date"]
    return email.utils.parsedate_to_datetime(date).timestamp()


def slow_disk(rig: Rig, chance: random.Random, rounds: int) -> list[Recovery]:
    """Let every fsync of PostgreSQL, of Kafka and of the flows' recovery stores take 0.3 s longer, one after another."""
    shim, watch = shim_of(rig), Watch(rig)
    for _ in range(rounds):
        for parts in chance.sample([(Part.POSTGRES,), (Part.KAFKA,), FLOWS], 3):
            began_at = now()
            with held_up(shim, parts):
                time.sleep(SLOW_SECONDS / 2)
                if Part.POSTGRES in parts:
                    assert commit_seconds(rig) > FSYNC_SECONDS, "PostgreSQL's disk is not slow"
                time.sleep(SLOW_SECONDS / 2)
            for part in parts:
                watch.until_at_work("slow disk", part, began_at, now())
            watch.wait_all()
    return watch.recoveries


@contextmanager
def held_up(shim: Shim, parts: tuple[Part, ...]) -> Iterator[None]:
    """Slow the fsyncs of some parts while the block runs."""
    for part in parts:
        shim.order(part, fsync_delay_seconds=FSYNC_SECONDS)
    yield
    for part in parts:
        shim.order(part)


def commit_seconds(rig: Rig) -> float:
    """Return how long a small commit takes."""
    with psycopg.connect(rig.stack.database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS probe_of_faults (at timestamptz)")
        began = time.monotonic()
        connection.execute("INSERT INTO probe_of_faults VALUES (now())")
        return time.monotonic() - began
