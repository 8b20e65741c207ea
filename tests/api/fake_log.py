"""A log that acknowledges as it is told to. For tests only; tests/integration holds the real producer to the same."""

import asyncio
from dataclasses import dataclass

from confluent_kafka import KafkaError

from pipelines.connectors.kafka_loop import Acknowledgement, Placing, QueueFull
from schemas.uplinks import Headers


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    value: bytes
    key: bytes | None
    headers: Headers


class FakeLog:
    """Keeps records, and acknowledges them at once, with an error, never, or has no room."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.pending: list[Acknowledgement] = []
        self.acknowledges = True
        self.error: KafkaError | None = None
        self.is_full = False

    def send(self, topic: str, partition: int, value: bytes, key: bytes | None, headers: Headers) -> Acknowledgement:
        if self.is_full:
            raise QueueFull
        self.records.append(Record(topic, partition, value, key, headers))
        acknowledgement: Acknowledgement = asyncio.get_running_loop().create_future()
        if self.acknowledges:
            acknowledgement.set_result(self.error)
        else:
            self.pending.append(acknowledgement)
        return acknowledgement

    def place(self, topic: str, partition: int, value: bytes, key: bytes | None, headers: Headers) -> Placing:
        """Give each record of the log the next offset."""
        placing: Placing = asyncio.get_running_loop().create_future()
        if self.is_full:
            raise QueueFull
        self.records.append(Record(topic, partition, value, key, headers))
        if self.acknowledges:
            placing.set_result(len(self.records) - 1 if self.error is None else self.error)
        return placing
