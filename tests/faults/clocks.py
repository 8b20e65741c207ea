"""Clock jumps of one process at a time by an hour, forwards and back; and a disk on which every fsync takes long."""

import email.utils
import random
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Final

import psycopg
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stub does not export them
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from infra.local.parts import FLOWS, Part
from schemas.topics import READINGS, UPLINKS
from tests.faults.rig import Rig, now, wait_for, written_since
from tests.faults.shim import Shim
from tests.faults.work import Recovery, Watch

HOUR_SECONDS: Final = 3600.0
JUMP_SECONDS: Final = (4.0, 8.0)
SLOW_SECONDS: Final = 20.0
FSYNC_SECONDS: Final = 0.3
NOTICED_SECONDS: Final = 15.0
STEPPED_BACK: Final = b"clock_stepped_back"
ANSWER_SECONDS: Final = 30.0


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
                jump(rig, shim, part, offset, chance.uniform(*JUMP_SECONDS))
                watch.until_at_work("clock jump", part, began_at, now())
                watch.wait(part)
    return watch.recoveries


def jump(rig: Rig, shim: Shim, part: Part, offset: float, seconds: float) -> None:
    """Shift a part's clock for a while; it must have been noticed: by the API's answers, and by a flow that ends on a step back.

    A clock that was ahead steps back when it is right again.
    """
    log = rig.stack.logs / f"{part}.log"
    begin = log.stat().st_size
    try:
        shim.order(part, clock_offset_seconds=offset)
        time.sleep(seconds)
        if part is Part.API:
            assert abs(clock_of_api(rig) - time.time() - offset) < HOUR_SECONDS / 2, "the API's clock did not jump"
    finally:
        shim.order(part)
    if part in FLOWS:
        deadline = time.monotonic() + NOTICED_SECONDS
        assert wait_for(lambda: STEPPED_BACK in written_since(log, begin), deadline), f"{part} did not notice its clock"


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
            with flushing(rig) if Part.KAFKA in parts else nullcontext(), held_up(shim, parts):
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
    """Slow the fsyncs of some parts while the block runs; each of them must have had some."""
    before = {part: shim.held_up(part) for part in parts}
    try:
        for part in parts:
            shim.order(part, fsync_delay_seconds=FSYNC_SECONDS)
        yield
    finally:
        for part in parts:
            shim.order(part)
    unharmed = [part for part in parts if shim.held_up(part) == before[part]]
    assert not unharmed, f"no fsync was held up of {', '.join(unharmed)}"


@contextmanager
def flushing(rig: Rig) -> Iterator[None]:
    """Let the broker flush each record of the topics to its disk while the block runs; by itself it leaves that to the system."""
    flush_each(rig, AlterConfigOpType.SET)
    try:
        yield
    finally:
        flush_each(rig, AlterConfigOpType.DELETE)


def flush_each(rig: Rig, operation: AlterConfigOpType) -> None:
    """Set or delete `flush.messages` of the topics that uplinks and readings go through."""
    admin = AdminClient({"bootstrap.servers": rig.stack.kafka_bootstrap_servers, "log_level": 4})
    resources = [
        ConfigResource(
            ResourceType.TOPIC, topic.name, incremental_configs=[ConfigEntry("flush.messages", "1", incremental_operation=operation)]
        )
        for topic in (UPLINKS, READINGS)
    ]
    for future in admin.incremental_alter_configs(resources).values():
        future.result(ANSWER_SECONDS)


def commit_seconds(rig: Rig) -> float:
    """Return how long a small commit takes."""
    with psycopg.connect(rig.stack.database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS probe_of_faults (at timestamptz)")
        began = time.monotonic()
        connection.execute("INSERT INTO probe_of_faults VALUES (now())")
        return time.monotonic() - began
