"""Our Kafka source: one consumer for a fixed group of partitions, offsets in the snapshot, an error where an offset is gone.

It emits `(key, Batch)` per partition and poll, and one `(FLUSH_KEY, Flush())` when the log has nothing more for now, so that
database sinks commit within milliseconds and not at the end of an epoch. It decides nothing about what a record means.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from pipelines.connectors.clock import monotonic
from pipelines.connectors.errors import Misconfigured, Retryable
from pipelines.connectors.kafka import KafkaConfig, count_error, offsets_now
from pipelines.connectors.metrics import FLOW_LAG, FLOW_POLL_RECORDS, FLOW_RECORDS
from pipelines.engine.clock_metrics import show_record_age
from pipelines.engine.pace import BUSY_RECORDS, Pace

POLL_RECORDS: Final = 1_000
"""Records asked for in one call to the consumer, at most."""

POLL_RECORDS_LEAST: Final = 1
"""Records asked for in one call, at least."""

FIRST_RECORD_BYTES: Final = 65_536
"""How large records are taken to be until some have been read: a first call for many of the largest would be a stall."""

POLL_CALLS: Final = 8
"""Calls to the consumer in one poll."""

IDLE_SECONDS: Final = 0.01
"""Pause when the log had nothing; far below the 100 ms at which one idle source would hold up an epoch."""

LAG_EVERY_POLLS: Final = 200
"""How often, in polls, the lag gauge is brought up to date (the high watermark is cached by the client: no call)."""

AWAY_SECONDS: Final = 0.5
"""Pause before brokers that are away are asked again."""

DRAINED_RECORDS: Final = 1_000
"""With more than these not read yet the log is not drained, though the client may have handed on all that it fetched."""

FLUSH_KEY: Final = "~flush"
"""Sorts after every partition's key, so that in one activation the data comes first."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record of the log. A struct: making a frozen dataclass would cost more than reading the record."""

    offset: int
    stamp: int
    """ms UTC: LogAppendTime or CreateTime, as the topic is set."""
    headers: list[tuple[str, bytes]]
    value: bytes


@dataclass(frozen=True, slots=True)
class Flush:
    """Nothing more is in the log right now: write down what is pending."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition that came together, in order; never none."""

    partition: int
    records: list[Record]


Item = tuple[str, Batch | Flush]

Renew = Callable[[Mapping[int, int], Mapping[int, int]], None]
"""Told at each snapshot the next offset and the lag of every partition; raises when this process may no longer go on."""


def keep_nothing(_next_offsets: Mapping[int, int], _lags: Mapping[int, int]) -> None:
    """Renew nothing: for a reader without a lease."""


def partition_key(partition: int) -> str:
    """Return the key under which a partition's state is kept."""
    return f"{partition:02d}"


def part_name(topic: str, partitions: tuple[int, ...]) -> str:
    """Return the name of a group's one part, under which its offsets are kept."""
    return f"{topic}-{partitions[0]:02d}-{partitions[-1]:02d}"


class LogSource(FixedPartitionedSource[Item, bytes]):
    """Reads some partitions of one topic, as one part."""

    def __init__(
        self,
        kafka: KafkaConfig,
        topic: str,
        partitions: tuple[int, ...],
        *,
        flow: str,
        stop: Callable[[], bool],
        renew: Renew = keep_nothing,
        flush_every_seconds: float = 0.0,
        gather_seconds: float = 0.0,
    ) -> None:
        """Name the topic, this cell's partitions, what says when to stop, what is renewed at each snapshot, and the pace."""
        self._kafka = kafka
        self.topic = topic
        self._partitions = partitions
        self._flow = flow
        self._stop = stop
        self._renew = renew
        self._flush_every_seconds = flush_every_seconds
        self._gather_seconds = gather_seconds

    def list_parts(self) -> list[str]:
        """Return the single part: this cell's group of partitions."""
        return [part_name(self.topic, self._partitions)]

    def build_part(self, step_id: str, for_part: str, resume_state: bytes | None) -> "LogPart":  # noqa: ARG002 - bytewax's signature
        """Return the reader, at the offsets of the snapshot; partitions without one start at their oldest record."""
        consumer = self._kafka.consumer(self._flow, gather=self._gather_seconds > 0)
        offsets = decode_offsets(resume_state)
        pace = Pace(self._flush_every_seconds, self._gather_seconds)
        return LogPart(consumer, self.topic, self._partitions, offsets, flow=self._flow, stop=self._stop, renew=self._renew, pace=pace)


class LogPart(StatefulSourcePartition[Item, bytes]):
    """One consumer over a group of partitions."""

    def __init__(
        self,
        consumer: Consumer,
        topic: str,
        partitions: tuple[int, ...],
        offsets: dict[int, int],
        *,
        flow: str,
        stop: Callable[[], bool],
        pace: Pace,
        renew: Renew = keep_nothing,
    ) -> None:
        """Assign the partitions at their next offsets; raises Misconfigured when the log no longer holds one."""
        self._consumer = consumer
        self._topic = topic
        self._flow = flow
        self._stop = stop
        self._renew = renew
        self._pace = pace
        self._next: dict[int, int] = {}
        self._lags: dict[int, int] = {}
        self._unflushed = False
        self._polls = 0
        self._record_bytes = FIRST_RECORD_BYTES
        """Mean size of the records of the newest call: it says how many to ask for."""
        self._rest = IDLE_SECONDS
        known = self._offsets_now(partitions)
        for partition, (low, high) in known.items():
            wanted = offsets.get(partition, low)
            if not low <= wanted <= high:
                message = (
                    f"{flow} has done {topic}[{partition}] up to offset {wanted}, but the log holds {low} to {high}: records were "
                    "lost. Restore the topic, or delete this flow's recovery folder to start from the oldest record"
                )
                raise Misconfigured(message)
            self._next[partition] = wanted
        renew(self._next, self._lags)
        consumer.assign([TopicPartition(topic, partition, offset) for partition, offset in self._next.items()])

    def _offsets_now(self, partitions: tuple[int, ...]) -> dict[int, tuple[int, int]]:
        """Return the oldest and the next offset of each partition; waits while the brokers are away, until told to stop."""
        said = False
        while True:
            try:
                return offsets_now(self._consumer, self._topic, partitions)
            except Retryable as away:
                if self._stop():
                    raise
                if not said:
                    structlog.get_logger().warning("log_away", flow=self._flow, topic=self._topic, reason=str(away))
                    said = True
                self._renew(self._next, self._lags)
                self._consumer.poll(AWAY_SECONDS)

    def next_batch(self) -> list[Item]:
        """Return what the log has now, grouped by partition, in order."""
        if self._stop():
            raise StopIteration
        self._pace.asked(monotonic())
        items, records, drained = self._collect()
        if drained and records >= BUSY_RECORDS:
            # What the client has fetched is at its end; the log may not be.
            drained = self._measure_lag() <= DRAINED_RECORDS
        self._rest = self._pace.rest_seconds(records, drained=drained) if items else IDLE_SECONDS
        if items:
            self._unflushed = True
            self._pace.handed_on(monotonic())
        if self._unflushed and self._pace.may_flush(monotonic(), drained=drained):
            self._unflushed = False
            items.append((FLUSH_KEY, Flush()))
        return items

    def next_awake(self) -> datetime | None:
        """Return when to be asked again: at once while there is more to take."""
        return datetime.now(UTC) + timedelta(seconds=self._rest) if self._rest else None

    def snapshot(self) -> bytes:
        """Return the next offset of every partition; the cell's lease is renewed with it, once an epoch."""
        self._measure_lag()
        self._renew(self._next, self._lags)
        return encode_offsets(self._next)

    def close(self) -> None:
        """Leave the brokers."""
        self._consumer.close()

    def _collect(self) -> tuple[list[Item], int, bool]:
        """Return what the log has now by partition, how many records that is, and whether the log then had nothing more."""
        drained = True
        grouped: list[Item] = []
        by_partition: dict[int, list[Record]] = {}
        size, most = 0, self._pace.poll_bytes
        for _ in range(POLL_CALLS):
            wanted = max(POLL_RECORDS_LEAST, min(POLL_RECORDS, (most - size) // self._record_bytes))
            messages = self._consumer.consume(wanted, 0)
            if not messages:
                break
            taken = sum(self._take(message, by_partition) for message in messages)
            self._record_bytes = max(1, taken // len(messages))
            size += taken
            if len(messages) < wanted:
                break
            if size >= most:
                drained = False
                break
        else:
            drained = False
        for partition, records in by_partition.items():
            self._next[partition] = records[-1].offset + 1
            grouped.append((partition_key(partition), Batch(partition, records)))
        read = sum(map(len, by_partition.values()))
        if by_partition:
            FLOW_RECORDS.labels(self._flow, self._topic).inc(read)
            FLOW_POLL_RECORDS.labels(self._flow).observe(read)
            show_record_age(self._flow, min(records[0].stamp for records in by_partition.values()))
        self._polls += 1
        if self._polls % LAG_EVERY_POLLS == 1:
            self._measure_lag()
        return grouped, read, drained

    def _take(self, message: Message, by_partition: dict[int, list[Record]]) -> int:
        error = message.error()
        if error is not None:
            count_error("reading", error)
            raise_unless_passing(error, self._topic)
            return 0
        partition, offset, value = message.partition(), message.offset(), message.value() or b""
        assert partition is not None
        assert offset is not None
        assert isinstance(value, bytes)
        headers = message.headers()
        record = Record(offset, message.timestamp()[1], headers or [], value)  # type: ignore[arg-type]
        by_partition.setdefault(partition, []).append(record)
        return len(value) + 64

    def _measure_lag(self) -> int:
        """Bring the lag gauges up to date, and return how many records of the log are not read yet, as far as the client knows."""
        for partition, offset in self._next.items():
            try:
                _, high = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
            except KafkaException:
                continue
            lag = self._lags[partition] = max(0, high - offset)
            FLOW_LAG.labels(self._flow, self._topic, partition).set(lag)
        return sum(self._lags.values())


def raise_unless_passing(error: KafkaError, topic: str) -> None:
    """Raise where the consumer cannot go on; errors that pass by themselves (a broker restarting) are left to the client."""
    if error.code() in {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}:  # noqa: SLF001 - the client's own names
        message = f"an offset of {topic} is no longer in the log: {error.str()}; nothing was skipped, a person must decide"
        raise Misconfigured(message)
    if error.code() in {KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART}:  # noqa: SLF001
        message = f"topic {topic} or one of its partitions is missing: run `coldstream topics --create`"
        raise Misconfigured(message)
    if error.fatal():
        message = f"the consumer of {topic} failed: {error.str()}"
        raise Retryable(message)


_OFFSETS_VERSION: Final = 1


def encode_offsets(offsets: dict[int, int]) -> bytes:
    """Return a snapshot of offsets: a version and the next offset by partition."""
    return msgspec.msgpack.encode((_OFFSETS_VERSION, offsets))


def decode_offsets(snapshot: bytes | None) -> dict[int, int]:
    """Return the offsets of a snapshot, none of no snapshot; raises Misconfigured on an unknown version."""
    if snapshot is None:
        return {}
    version, offsets = msgspec.msgpack.decode(snapshot, type=tuple[int, dict[int, int]])
    if version != _OFFSETS_VERSION:
        message = f"a source's snapshot has version {version}; this code reads {_OFFSETS_VERSION}"
        raise Misconfigured(message)
    return offsets
