"""Fills the topic `uplinks` as a fleet would have over a stretch of the past: real-looking uplinks, ticks between, and their stamps.

The broker takes our stamps while it is filled (CreateTime) and its own again afterwards, so that a flow finds the backlog of a stop and
not a stretch of late readings.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stub does not export them
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from infra.seed_fleet import Fleet
from pipelines.connectors.kafka import Headers as KafkaHeaders
from pipelines.connectors.kafka import KafkaConfig
from schemas.partitions import device_partition
from schemas.topics import UPLINKS
from schemas.uplinks import tick_headers, uplink_headers
from tests.bench.bodies import instant_of
from tests.bench.sending import Devices, out_readings_of

ANSWER_SECONDS: Final = 30.0
APPLICATION_ID: Final = "fleet"
TRAVEL_MS: Final = 60
"""From the network server to us."""


@dataclass(frozen=True, slots=True)
class UplinkLog:
    """What to fill in; times in ms, `start_at` in ms UTC."""

    fleet: Fleet
    start_at: int
    interval_ms: int
    reports: int
    """Of each device."""
    tick_ms: int = 1_000
    partitions: range = range(UPLINKS.partitions)
    """Only devices of these send, and only these get ticks."""
    excursions_per_second: float = 2.0

    @property
    def seconds(self) -> float:
        """How long the stretch is."""
        return self.reports * self.interval_ms / 1_000


@dataclass(frozen=True, slots=True)
class Filled:
    """What is in the topic."""

    uplinks: int
    ticks: int
    body_bytes: int

    @property
    def records(self) -> int:
        """All records."""
        return self.uplinks + self.ticks


def fill(bootstrap_servers: str, log: UplinkLog, say: Callable[[str], None]) -> Filled:
    """Fill the topic in the order of time and return what is in it; raises RuntimeError when a record was not taken."""
    set_stamps(bootstrap_servers, "CreateTime")
    try:
        filled = _Filling(bootstrap_servers, log).run()
    finally:
        set_stamps(bootstrap_servers, UPLINKS.broker_settings()["message.timestamp.type"])
    say(f"the log has {filled.uplinks:,} uplinks ({filled.body_bytes / max(1, filled.uplinks):,.0f} bytes each) and {filled.ticks:,} ticks")
    return filled


class _Filling:
    """One filling."""

    def __init__(self, bootstrap_servers: str, log: UplinkLog) -> None:
        """Connect."""
        self._log = log
        self._producer: Producer = KafkaConfig(bootstrap_servers).producer(
            client="bench_fill", linger_ms=20, delivery_timeout_ms=60_000, queue_messages=100_000
        )
        self._refused: list[str] = []
        self._headers: KafkaHeaders = [*uplink_headers(log.fleet.organization, APPLICATION_ID)]

    def run(self) -> Filled:
        """Fill."""
        log = self._log
        euis = [log.fleet.dev_eui(place) for place in range(log.fleet.size)]
        wanted = [place for place, eui in enumerate(euis) if device_partition(eui) in log.partitions]
        devices = Devices(log.fleet.eui_base, wanted, seed=1)
        keys = [(device_partition(euis[place]), euis[place].encode()) for place in wanted]
        per_second = len(wanted) * 1_000 / log.interval_ms
        out_readings = out_readings_of(log.interval_ms / 1_000)
        uplinks = ticks = size = 0
        at, instant, instant_at = 0.0, b"", -1
        next_tick = log.start_at
        for _ in range(len(wanted) * log.reports):
            measured_at = log.start_at + int(at)
            at += 1_000 / per_second
            while next_tick <= measured_at:
                ticks += self._tick(next_tick)
                next_tick += log.tick_ms
            if measured_at != instant_at:
                instant, instant_at = instant_of(measured_at), measured_at
            place, body = devices.next(instant, log.excursions_per_second / per_second, out_readings)
            partition, key = keys[place]
            self._send(partition, body, key, self._headers, measured_at + TRAVEL_MS)
            uplinks += 1
            size += len(body)
        ticks += self._tick(log.start_at + int(log.seconds * 1_000) + TRAVEL_MS + 1)
        self._producer.flush(60)
        if self._refused or len(self._producer):
            raise RuntimeError(f"records were not taken: {self._refused[:1]}, {len(self._producer)} not acknowledged")
        return Filled(uplinks, ticks, size)

    def _tick(self, stamp: int) -> int:
        for partition in self._log.partitions:
            self._send(partition, b"", None, [*tick_headers("bench")], stamp)
        return len(self._log.partitions)

    def _send(self, partition: int, value: bytes, key: bytes | None, headers: KafkaHeaders, stamp: int) -> None:
        while True:
            try:
                self._producer.produce(UPLINKS.name, value, key, partition, on_delivery=self._delivered, timestamp=stamp, headers=headers)
            except BufferError:
                self._producer.poll(0.05)
            else:
                self._producer.poll(0)
                return

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._refused.append(error.str())


def set_stamps(bootstrap_servers: str, kind: str) -> None:
    """Have the broker take our stamps (CreateTime) or its own (LogAppendTime) in `uplinks`."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 4})
    entry = ConfigEntry("message.timestamp.type", kind, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, UPLINKS.name, incremental_configs=[entry])
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(ANSWER_SECONDS)
