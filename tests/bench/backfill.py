"""Brings a stretch of the past of many sensors into the log, newest first, as a network does that was cut off: real bodies, real stamps.

It goes past the API, which has benches of its own.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from infra.seed_fleet import Fleet
from pipelines.connectors.kafka import KafkaConfig
from schemas.partitions import device_partition
from schemas.topics import UPLINKS
from schemas.uplinks import uplink_headers
from tests.bench.bodies import instant_of, template_of
from tests.bench.uplink_log import APPLICATION_ID

SLICE_SECONDS: Final = 0.05
OUT_EVERY: Final = 40
"""Reports from the beginning of one excursion of a sensor to that of the next, and how many of them are out of range."""
OUT_REPORTS: Final = 4
IN_RANGE: Final = 400
OUT_OF_RANGE: Final = 950


@dataclass(frozen=True, slots=True)
class Backfill:
    """What is sent: of each place of a fleet so many reports, the newest measured at `until` (ms UTC)."""

    fleet: Fleet
    places: Sequence[int]
    reports: int
    interval_ms: int
    until: int
    per_second: float | None
    """None: as fast as the broker takes them."""

    @property
    def uplinks(self) -> int:
        """How many uplinks that is."""
        return len(self.places) * self.reports


def hundredths_of(place: int, report: int) -> int:
    """Return what a sensor measured so many reports before the newest: in range at both ends, out of it now and then."""
    return OUT_OF_RANGE if (report + place) % OUT_EVERY < OUT_REPORTS and report > OUT_REPORTS else IN_RANGE


def send(bootstrap_servers: str, backfill: Backfill, say: Callable[[str], None]) -> dict[int, int]:
    """Send everything and return the newest offset of each partition; raises RuntimeError when a record was not taken."""
    return _Sending(bootstrap_servers, backfill).run(say)


class _Sending:
    def __init__(self, bootstrap_servers: str, backfill: Backfill) -> None:
        self._backfill = backfill
        self._producer: Producer = KafkaConfig(bootstrap_servers).producer(
            client="bench_backfill", linger_ms=20, delivery_timeout_ms=60_000, queue_messages=100_000
        )
        self._refused: list[str] = []
        self._newest: dict[int, int] = {}

    def run(self, say: Callable[[str], None]) -> dict[int, int]:
        backfill = self._backfill
        fleet, headers = backfill.fleet, [*uplink_headers(backfill.fleet.organization, APPLICATION_ID)]
        euis = [fleet.dev_eui(place) for place in backfill.places]
        devices = [
            (place, device_partition(eui), eui.encode(), template_of(eui, place)) for place, eui in zip(backfill.places, euis, strict=True)
        ]
        started = told_at = time.perf_counter()
        sent = 0
        for report in range(backfill.reports):
            instant = instant_of(backfill.until - report * backfill.interval_ms)
            for place, partition, key, template in devices:
                body = template.body(instant, backfill.reports - report, hundredths_of(place, report))
                self._send(partition, key, body, headers)
                sent += 1
                if (
                    backfill.per_second is not None
                    and (ahead := sent / backfill.per_second - (time.perf_counter() - started)) > SLICE_SECONDS
                ):
                    self._producer.poll(ahead)
            if (now := time.perf_counter()) - told_at > 10:
                told_at = now
                say(f"{sent:,} of {backfill.uplinks:,} late uplinks sent, {sent / (now - started):,.0f}/s")
        self._producer.flush(60)
        if self._refused or len(self._producer):
            raise RuntimeError(f"records were not taken: {self._refused[:1]}, {len(self._producer)} not acknowledged")
        return self._newest

    def _send(self, partition: int, key: bytes, body: bytes, headers: list[tuple[str, bytes]]) -> None:
        while True:
            try:
                self._producer.produce(UPLINKS.name, body, key, partition, on_delivery=self._delivered, headers=headers)  # type: ignore[arg-type]
            except BufferError:
                self._producer.poll(0.05)
            else:
                self._producer.poll(0)
                return

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._refused.append(error.str())
            return
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        self._newest[partition] = max(offset, self._newest.get(partition, -1))
