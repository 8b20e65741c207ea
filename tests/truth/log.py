"""A log in memory: topics of partitions of records, and a producer that has everything acknowledged at once."""

from collections import defaultdict

from pipelines.engine.source import Batch, Record
from tests.truth.fuses import Fuses


class MemoryLog:
    """Records by topic and partition."""

    def __init__(self) -> None:
        self._records: defaultdict[tuple[str, int], list[Record]] = defaultdict(list)

    def append(self, topic: str, partition: int, value: bytes) -> None:
        """Add a record."""
        records = self._records[topic, partition]
        records.append(Record(len(records), 0, [], value))

    def read(self, topic: str, partition: int, start: int, most: int) -> Batch | None:
        """Return records from an offset on, None where there are none."""
        records = self._records[topic, partition][start : start + most]
        return Batch(partition, records) if records else None

    def end(self, topic: str, partition: int) -> int:
        """Return the offset after the newest record."""
        return len(self._records[topic, partition])

    def end_of_all(self) -> int:
        """Return how many records there are."""
        return sum(map(len, self._records.values()))

    def values(self, topic: str) -> list[bytes]:
        """Return everything of a topic."""
        return [record.value for (name, _), records in sorted(self._records.items()) if name == topic for record in records]


class MemoryProducer:
    """Stands where AckedProducer does. A process may die at any record: what it sent before is in the log."""

    def __init__(self, log: MemoryLog, fuses: Fuses, process: str) -> None:
        self._log = log
        self._fuses = fuses
        self._process = process

    def send(self, topic: str, partition: int, value: bytes, *, key: bytes | None = None, headers: object = None) -> None:  # noqa: ARG002
        """Put a record into the log."""
        self._fuses.burn(self._process)
        self._log.append(topic, partition, value)

    def settle(self, timeout: float = 0) -> None:  # noqa: ARG002
        """Everything is acknowledged."""
        self._fuses.burn(self._process)


class SilentPublisher:
    """Stands where LivePublisher does: hints are no part of the truth."""

    def publish(self, messages: object) -> int:  # noqa: ARG002
        """Drop some messages."""
        return 0
