"""Ticks come once a second, begin late, stop when the log does not answer, and are never made up for."""

import asyncio
from collections.abc import Callable

from api.ingest.ticks import Ticker
from schemas.partitions import DEVICE_PARTITIONS
from schemas.uplinks import TICK
from tests.api.fake_log import FakeLog

INTERVAL = 0.02
FIRST = 0.05


class Gate:
    """Readiness that is opened by hand."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.event = asyncio.Event()
        self.asked = 0
        if is_open:
            self.event.set()

    async def wait_until_accepting(self) -> None:
        self.asked += 1
        await self.event.wait()


def run_for(seconds: float, log: FakeLog, *, first: float = FIRST, meanwhile: Callable[[], None] | None = None) -> Gate:
    async def run() -> Gate:
        gate = Gate()
        job = asyncio.create_task(Ticker(log, gate, "api-test", interval=INTERVAL, first=first).run())
        await asyncio.sleep(seconds)
        if meanwhile is not None:
            meanwhile()
            await asyncio.sleep(seconds)
        job.cancel()
        return gate

    return asyncio.run(run())


def test_no_tick_is_written_right_after_the_start() -> None:
    log = FakeLog()

    run_for(FIRST / 2, log)

    assert log.records == []


def test_a_round_has_one_empty_record_for_every_partition_that_names_the_process() -> None:
    log = FakeLog()

    run_for(0.01, log, first=0.0)

    first_round = log.records[:DEVICE_PARTITIONS]
    assert [record.partition for record in first_round] == list(range(DEVICE_PARTITIONS))
    assert {(record.topic, record.value, record.key) for record in first_round} == {("uplinks", b"", None)}
    assert all(record.headers == [(TICK, b"api-test")] for record in first_round)


def test_rounds_follow_at_the_interval() -> None:
    log = FakeLog()

    run_for(INTERVAL * 5.5, log, first=0.0)

    assert 2 <= len(log.records) / DEVICE_PARTITIONS <= 6


def test_ticks_missed_while_the_process_hung_are_not_made_up_for() -> None:
    import time  # noqa: PLC0415 - blocks on purpose

    log = FakeLog()

    run_for(INTERVAL * 2.5, log, first=0.0, meanwhile=lambda: time.sleep(INTERVAL * 10))

    assert len(log.records) / DEVICE_PARTITIONS <= 7


def test_after_a_round_that_was_not_acknowledged_ticks_wait_like_at_the_start() -> None:
    log = FakeLog()
    log.is_full = True

    gate = run_for(FIRST * 2.5, log)

    assert log.records == []
    assert gate.asked == 3


def test_no_tick_is_written_before_uplinks_are_accepted() -> None:
    async def run() -> int:
        log = FakeLog()
        job = asyncio.create_task(Ticker(log, Gate(is_open=False), "api", interval=INTERVAL, first=0.0).run())
        await asyncio.sleep(INTERVAL * 3)
        job.cancel()
        return len(log.records)

    assert asyncio.run(run()) == 0
