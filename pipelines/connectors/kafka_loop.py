"""A Kafka producer for an event loop: each record sent is a future that ends when the broker has acknowledged it.

The loop itself polls, each millisecond while anything is on its way. A polling thread would hand the interpreter's lock back
and forth with the loop for every record (measured: 79 instead of 61 microseconds of CPU per uplink, all told).
"""

import asyncio
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pipelines.connectors.errors import Misconfigured, Retryable
from pipelines.connectors.kafka import count_error
from pipelines.connectors.metrics import INGEST_UNACKNOWLEDGED
from schemas.topics import Topic
from schemas.uplinks import Headers

POLL_SECONDS: Final = 0.001
"""Between two looks for deliveries: adds half of it to an acknowledgement that takes 2 ms anyway."""

FLUSH_SECONDS: Final = 5.0
"""At the end of the process: how long to wait for what is still on its way."""


class Expired(Enum):
    """Nobody waits for the acknowledgement any longer."""

    EXPIRED = "expired"


Acknowledgement = asyncio.Future[KafkaError | Expired | None]
"""Ends with None once all replicas have the record, or with why it is not known that they have."""


Placing = asyncio.Future[int | KafkaError | Expired]
"""Ends with the record's offset once all replicas have it, or with why it is not known that they have."""


DeliveryCallback = Callable[[KafkaError | None, Message], None]


class QueueFull(Exception):
    """The producer's queue is full: the broker does not keep up, or is away."""


class LoopProducer:
    """The one producer of an API process."""

    def __init__(self, producer: Producer) -> None:
        """Take over a producer made by KafkaConfig; must be called in the event loop that will await."""
        self._producer = producer
        self._loop = asyncio.get_running_loop()
        self._outstanding = 0
        self._timer: asyncio.TimerHandle | None = None
        INGEST_UNACKNOWLEDGED.set_function(lambda: self._outstanding)

    def send(self, topic: str, partition: int, value: bytes, key: bytes | None, headers: Headers) -> Acknowledgement:
        """Queue a record and return its acknowledgement to come; raises QueueFull at once where there is no room."""
        acknowledgement: Acknowledgement = self._loop.create_future()
        self._queue(topic, partition, value, key, headers, partial(self._delivered, acknowledgement))
        return acknowledgement

    def place(self, topic: str, partition: int, value: bytes, key: bytes | None, headers: Headers) -> Placing:
        """Queue a record as `send` does, and return its offset to come: for the few records whose place must be known."""
        placing: Placing = self._loop.create_future()
        self._queue(topic, partition, value, key, headers, partial(self._placed, placing))
        return placing

    async def check_topics(self, topics: tuple[Topic, ...], seconds: float) -> None:
        """Return when the broker answers and has the topics; raises Retryable, or Misconfigured where one is missing."""
        try:
            found = await asyncio.to_thread(self._producer.list_topics, timeout=seconds)
        except KafkaException as error:
            message = f"Kafka does not answer: {error.args[0].str()}"
            raise Retryable(message) from error
        for topic in topics:
            partitions = len(found.topics[topic.name].partitions) if topic.name in found.topics else 0
            if partitions != topic.partitions:
                message = f"topic {topic.name} has {partitions} partitions instead of {topic.partitions}: run `coldstream topics --create`"
                raise Misconfigured(message)

    async def close(self) -> None:
        """Wait for what is on its way, at most FLUSH_SECONDS, and stop."""
        await asyncio.to_thread(self._producer.flush, FLUSH_SECONDS)

    def _delivered(self, acknowledgement: Acknowledgement, error: KafkaError | None, _message: Message) -> None:
        """End the future of a record; one that was given up on is left alone."""
        self._outstanding -= 1
        if error is not None:
            count_error("delivering", error)
        if not acknowledgement.done():
            acknowledgement.set_result(error)

    def _placed(self, placing: Placing, error: KafkaError | None, message: Message) -> None:
        """End the future of a record with its offset; one that was given up on is left alone."""
        self._outstanding -= 1
        if not placing.done():
            offset = message.offset()
            placing.set_result(error if error is not None else Expired.EXPIRED if offset is None else offset)

    def _queue(self, topic: str, partition: int, value: bytes, key: bytes | None, headers: Headers, told: DeliveryCallback) -> None:
        """Hand a record to the client, which calls `told` with what became of it, and see that it is polled."""
        try:
            self._producer.produce(
                topic,
                value,
                key,
                partition,
                told,
                headers=headers,  # type: ignore[arg-type]  # the client only reads it
            )
        except BufferError as error:
            message = "the producer's queue is full"
            raise QueueFull(message) from error
        self._outstanding += 1
        if self._timer is None:
            self._timer = self._loop.call_later(POLL_SECONDS, self._poll)

    def _poll(self) -> None:
        self._producer.poll(0)
        self._timer = self._loop.call_later(POLL_SECONDS, self._poll) if self._outstanding else None


async def acknowledged(acknowledgement: Acknowledgement, seconds: float) -> bool:
    """Return whether the broker has the record, waiting for at most so long (asyncio.timeout would cost three times as much)."""
    timer = acknowledgement.get_loop().call_later(seconds, _expire, acknowledgement)
    try:
        return await acknowledgement is None
    finally:
        timer.cancel()


def _expire(acknowledgement: Acknowledgement) -> None:
    if not acknowledgement.done():
        acknowledgement.set_result(Expired.EXPIRED)
