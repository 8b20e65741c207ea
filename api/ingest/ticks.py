"""Ticks: once a second, one empty record to every partition of `uplinks`; the broker's stamp of it is the partition's clock.

A deadline passes by ticks alone. So they must not run ahead of uplinks that are still on their way: after a time in which
senders were refused, the first tick waits for FIRST_TICK_SECONDS, and a tick that was missed is not made up for.
"""

import asyncio
from typing import Final, Protocol

import structlog

from api.ingest.webhook import UplinkLog
from pipelines.connectors.clock import monotonic
from pipelines.connectors.kafka_loop import Acknowledgement, QueueFull, acknowledged
from pipelines.connectors.metrics import TICKS_ACK_SECONDS, TICKS_MISSED, TICKS_WRITTEN
from schemas.partitions import DEVICE_PARTITIONS
from schemas.topics import UPLINKS
from schemas.uplinks import tick_headers

INTERVAL_SECONDS: Final = 1.0

FIRST_TICK_SECONDS: Final = 5.0
"""After the process became ready, and after the broker was away: senders that were refused meanwhile send again first, so
that the clock does not pass what is still on its way (The Things Stack's own patience is 5 s)."""

ACK_SECONDS: Final = 1.5
"""A round of ticks not acknowledged by then means that uplinks are being refused too."""

log = structlog.get_logger()


class Readiness(Protocol):
    """Says when uplinks are being accepted."""

    async def wait_until_accepting(self) -> None:
        """Return once the log and the secrets are there."""
        ...


class Ticker:
    """Writes the ticks of one process."""

    def __init__(
        self,
        uplinks: UplinkLog,
        readiness: Readiness,
        process: str,
        *,
        interval: float = INTERVAL_SECONDS,
        first: float = FIRST_TICK_SECONDS,
    ) -> None:
        """Write to this log, in this process's name."""
        self._log = uplinks
        self._readiness = readiness
        self._headers = tick_headers(process)
        self._interval = interval
        self._first = first

    async def run(self) -> None:
        """Write ticks for as long as the process lives."""
        loop = asyncio.get_running_loop()
        while True:
            await self._readiness.wait_until_accepting()
            await asyncio.sleep(self._first)
            log.info("ticks begin")
            due = loop.time()
            while await self._write_round():
                due += self._interval
                late = loop.time() - due
                if late > 0:
                    missed = int(late // self._interval) + 1
                    TICKS_MISSED.labels("process_slow").inc(missed)
                    due += missed * self._interval
                await asyncio.sleep(due - loop.time())
            log.warning("ticks held back: the log did not acknowledge them")

    async def _write_round(self) -> bool:
        """Write a tick to every partition; return whether the broker has them all in time."""
        started_at = monotonic()
        sent: list[Acknowledgement] = []
        try:
            sent.extend(self._log.send(UPLINKS.name, partition, b"", None, self._headers) for partition in range(DEVICE_PARTITIONS))
        except QueueFull:
            TICKS_MISSED.labels("queue_full").inc()
            return False
        if not await all_acknowledged(sent):
            TICKS_MISSED.labels("not_acknowledged").inc()
            return False
        TICKS_ACK_SECONDS.observe(monotonic() - started_at)
        TICKS_WRITTEN.inc(DEVICE_PARTITIONS)
        return True


async def all_acknowledged(sent: list[Acknowledgement]) -> bool:
    """Return whether the broker has every one of them within ACK_SECONDS."""
    return all(await asyncio.gather(*(acknowledged(one, ACK_SECONDS) for one in sent)))
