"""A Kafka producer for an event loop: each record sent is a future that ends when the broker has acknowledged it.

Callbacks are gathered in a list by the one thread that polls, and handed to the loop once per poll: a call into the loop for
each record would cost more than the record itself.
"""

import asyncio
import threading
from functools import partial
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pipelines.connectors.errors import Misconfigured, Retryable
from schemas.topics import Topic
from schemas.uplinks import Headers

POLL_SECONDS: Final = 0.1
"""Longest wait of the polling thread; a delivery ends it at once."""

FLUSH_SECONDS: Final = 5.0
"""At the end of the process: how long to wait for what is still on its way."""

Acknowledgement = asyncio.Future[KafkaError | None]
"""Ends with None once all replicas have the record, or with why they have not."""


class QueueFull(Exception):  # noqa: N818 - it says what is the case
    """The producer's queue is full: the broker does not keep up, or is away."""


class LoopProducer:
    """The one producer of an API process."""

    def __init__(self, producer: Producer) -> None:
        """Take over a producer made by KafkaConfig; must be called in the event loop that will await."""
        self._producer = producer
        self._loop = asyncio.get_running_loop()
        self._gathered: list[tuple[Acknowledgement, KafkaError | None]] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._poll, name="kafka-poll", daemon=True)
        self._thread.start()

    def send(self, topic: str, partition: int, value: bytes, key: bytes | None, headers: Headers) -> Acknowledgement:
        """Queue a record and return its acknowledgement to come; raises QueueFull at once where there is no room."""
        acknowledgement = self._loop.create_future()
        try:
            self._producer.produce(
                topic,
                value,
                key,
                partition,
                partial(self._delivered, acknowledgement),
                headers=headers,  # type: ignore[arg-type]  # the client only reads it
            )
        except BufferError as error:
            message = "the producer's queue is full"
            raise QueueFull(message) from error
        return acknowledgement

    async def check_topics(self, topics: tuple[Topic, ...], timeout: float) -> None:
        """Return when the broker answers and has the topics; raises Retryable, or Misconfigured where one is missing."""
        try:
            found = await asyncio.to_thread(self._producer.list_topics, timeout=timeout)
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
        self._stopping = True
        await asyncio.to_thread(self._thread.join)

    def _delivered(self, acknowledgement: Acknowledgement, error: KafkaError | None, _message: Message) -> None:
        self._gathered.append((acknowledgement, error))

    def _poll(self) -> None:
        while not self._stopping:
            self._producer.poll(POLL_SECONDS)
            self._hand_over()
        self._producer.flush(FLUSH_SECONDS)
        self._hand_over()

    def _hand_over(self) -> None:
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self._loop.call_soon_threadsafe(resolve, gathered)


def resolve(gathered: list[tuple[Acknowledgement, KafkaError | None]]) -> None:
    """End the futures of a poll; one that was given up on is left alone."""
    for acknowledgement, error in gathered:
        if not acknowledgement.done():
            acknowledgement.set_result(error)
