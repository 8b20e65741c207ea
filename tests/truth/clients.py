"""Stand-ins for the clients of Kafka and Redis on the log in memory, as the flows' connectors use them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from confluent_kafka import TopicPartition

from tests.truth.fuses import Fuses
from tests.truth.log import MemoryLog

Delivered = Callable[[None, object], None]


class MemoryKafka:
    """Stands where KafkaConfig does, for one process."""

    def __init__(self, log: MemoryLog, fuses: Fuses, process: str) -> None:
        self._log = log
        self._fuses = fuses
        self._process = process
        self.consumers: list[MemoryConsumer] = []

    def consumer(self, _client: str, *, gather: bool = False) -> "MemoryConsumer":  # noqa: ARG002
        """Return a consumer of the log."""
        self.consumers.append(MemoryConsumer(self._log))
        return self.consumers[-1]

    def flow_producer(self, _client: str) -> "MemoryClient":
        """Return a producer to the log."""
        return MemoryClient(self._log, self._fuses, self._process)

    @property
    def is_drained(self) -> bool:
        """Whether every consumer has read everything."""
        return all(consumer.is_drained for consumer in self.consumers)


class MemoryConsumer:
    """One consumer over assigned partitions."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._next: dict[tuple[str, int], int] = {}

    @property
    def is_drained(self) -> bool:
        """Whether nothing is left to read."""
        return all(offset >= self._log.end(*place) for place, offset in self._next.items())

    def assign(self, places: list[TopicPartition]) -> None:
        """Take partitions over, each at an offset."""
        self._next = {(place.topic, place.partition): place.offset for place in places}

    def get_watermark_offsets(self, place: TopicPartition, timeout: float = 0, *, cached: bool = False) -> tuple[int, int]:  # noqa: ARG002
        """Return the oldest and the next offset of a partition."""
        return 0, self._log.end(place.topic, place.partition)

    def consume(self, most: int, _timeout: float) -> list["MemoryMessage"]:
        """Return what comes next."""
        messages: list[MemoryMessage] = []
        for (topic, partition), start in self._next.items():
            batch = self._log.read(topic, partition, start, most - len(messages)) if most > len(messages) else None
            if batch is not None:
                messages += [MemoryMessage(partition, record.offset, record.value) for record in batch.records]
                self._next[topic, partition] = start + len(batch.records)
        return messages

    def poll(self, _timeout: float) -> None:
        """Nothing comes by this way."""

    def close(self) -> None:
        """Nothing to leave."""


class MemoryMessage:
    """One message of a consumer."""

    def __init__(self, partition: int, offset: int, value: bytes) -> None:
        self._partition, self._offset, self._value = partition, offset, value

    def error(self) -> None:
        """Return that there is none."""

    def partition(self) -> int:
        """Return the partition."""
        return self._partition

    def offset(self) -> int:
        """Return the offset."""
        return self._offset

    def value(self) -> bytes:
        """Return the value."""
        return self._value

    def headers(self) -> list[tuple[str, bytes]]:
        """Return that there are none."""
        return []

    def timestamp(self) -> tuple[int, int]:
        """Return the kind of stamp, and the stamp (ms UTC)."""
        return 1, 0


class MemoryClient:
    """One producer: everything is acknowledged at once."""

    def __init__(self, log: MemoryLog, fuses: Fuses, process: str) -> None:
        self._log, self._fuses, self._process = log, fuses, process

    def __len__(self) -> int:
        """Return how many records wait."""
        return 0

    def produce(self, topic: str, *, value: bytes, partition: int, on_delivery: Delivered, **_: object) -> None:
        """Put a record into the log."""
        self._fuses.burn(self._process)
        self._log.append(topic, partition, value)
        on_delivery(None, None)

    def poll(self, _timeout: float) -> int:
        """Serve no callbacks: there are none."""
        return 0

    def flush(self, _timeout: float) -> int:
        """Return that nothing is left."""
        return 0


class MemoryRedis:
    """Stands where RedisConfig does: hints go nowhere."""

    def client(self, _name: str) -> "MemoryRedis":
        """Return a client."""
        return self

    def pipeline(self, *, transaction: bool) -> AbstractContextManager["MemoryRedis"]:  # noqa: ARG002
        """Return a pipeline."""
        return nullcontext(self)

    def publish(self, _channel: object, _message: object) -> None:
        """Drop a message."""

    def execute(self) -> list[int]:
        """Return what publishing returned."""
        return []
