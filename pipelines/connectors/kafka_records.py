"""Single records of the log by their places, for as long as the log keeps them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from confluent_kafka import Consumer, KafkaException, TopicPartition

from pipelines.connectors.clock import monotonic
from pipelines.connectors.errors import Retryable
from pipelines.connectors.kafka import KafkaConfig
from schemas.uplinks import Headers

SECONDS: Final = 5.0
"""How long the brokers may take for a record that is there."""

ALL_SECONDS: Final = 30.0
"""How long they may take for all that were asked for."""

Place = tuple[int, int]
"""Partition and offset."""


@dataclass(frozen=True, slots=True)
class LoggedRecord:
    """A record as it stands in the log."""

    stamp: int
    """ms UTC."""
    headers: Headers
    value: bytes


def read_records(kafka: KafkaConfig, topic: str, places: Iterable[Place]) -> dict[Place, LoggedRecord]:
    """Return those of some records that the log still holds; raises Retryable. Blocks: call it in a thread."""
    consumer = kafka.consumer("record-reader")
    deadline = monotonic() + ALL_SECONDS
    found: dict[Place, LoggedRecord] = {}
    try:
        for place in sorted(set(places)):
            if monotonic() > deadline:
                text = "the log does not answer in time: ask for fewer records"
                raise Retryable(text)
            record = _read(consumer, topic, *place)
            if record is not None:
                found[place] = record
    except KafkaException as error:
        text = f"the log does not answer: {error.args[0].str()}"
        raise Retryable(text) from error
    finally:
        consumer.close()
    return found


def _read(consumer: Consumer, topic: str, partition: int, offset: int) -> LoggedRecord | None:
    place = TopicPartition(topic, partition, offset)
    low, high = consumer.get_watermark_offsets(place, timeout=SECONDS)
    if not low <= offset < high:
        return None
    consumer.assign([place])
    for message in consumer.consume(1, SECONDS):
        if message.error() is None and message.offset() == offset:
            headers = cast("list[tuple[str, bytes | None]]", message.headers() or [])
            return LoggedRecord(message.timestamp()[1], [(name, value or b"") for name, value in headers], message.value() or b"")
    return None
