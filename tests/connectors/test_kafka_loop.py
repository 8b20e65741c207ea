"""Each record's future ends as the broker said, late answers harm nobody, and a full queue is said at once."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from pipelines.connectors.errors import Misconfigured, Retryable
from pipelines.connectors.kafka_loop import LoopProducer, QueueFull, acknowledged
from schemas.topics import UPLINKS


class FakeClient:
    """librdkafka as far as we use it."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[KafkaError | None, object], None]] = []
        self.polls = 0
        self.error: KafkaError | None = None
        self.answers = True
        self.is_full = False
        self.partitions: int | None = 64

    def produce(self, *arguments: Any, headers: object) -> None:
        assert headers is not None
        if self.is_full:
            raise BufferError
        self.callbacks.append(arguments[4])

    def poll(self, timeout: float) -> int:
        assert timeout == 0
        self.polls += 1
        return self.flush(0) if self.answers else 0

    def flush(self, _timeout: float) -> int:
        callbacks, self.callbacks = self.callbacks, []
        for callback in callbacks:
            callback(self.error, object())
        return 0

    def list_topics(self, timeout: float) -> Any:
        assert timeout > 0
        if self.error is not None:
            raise KafkaException(self.error)
        found = {} if self.partitions is None else {UPLINKS.name: SimpleNamespace(partitions=range(self.partitions))}
        return SimpleNamespace(topics=found)


def send(producer: LoopProducer) -> Any:
    return producer.send("uplinks", 3, b"value", b"key", [])


def producer_of(client: FakeClient) -> LoopProducer:
    return LoopProducer(cast("Producer", client))


def test_an_acknowledged_record_is_acknowledged() -> None:
    async def run() -> bool:
        return await acknowledged(send(producer_of(FakeClient())), 1.0)

    assert asyncio.run(run())


def test_a_failed_delivery_is_not_an_acknowledgement() -> None:
    async def run() -> bool:
        client = FakeClient()
        client.error = KafkaError(KafkaError._MSG_TIMED_OUT)
        return await acknowledged(send(producer_of(client)), 1.0)

    assert not asyncio.run(run())


def test_an_acknowledgement_that_comes_too_late_is_passed_over() -> None:
    async def run() -> bool:
        client = FakeClient()
        client.answers = False
        waiting = send(producer_of(client))
        in_time = await acknowledged(waiting, 0.01)
        client.answers = True
        await asyncio.sleep(0.01)
        return in_time or bool(client.callbacks)

    assert not asyncio.run(run())


def test_a_caller_that_is_gone_harms_no_other() -> None:
    async def run() -> bool:
        client = FakeClient()
        producer = producer_of(client)
        send(producer).cancel()
        return await acknowledged(send(producer), 1.0)

    assert asyncio.run(run())


def test_nothing_is_polled_while_nothing_is_on_its_way() -> None:
    async def run() -> int:
        client = FakeClient()
        await acknowledged(send(producer_of(client)), 1.0)
        before = client.polls
        await asyncio.sleep(0.02)
        return client.polls - before

    assert asyncio.run(run()) == 0


def test_a_full_queue_is_said_at_once() -> None:
    async def run() -> None:
        client = FakeClient()
        client.is_full = True
        send(producer_of(client))

    with pytest.raises(QueueFull):
        asyncio.run(run())


def test_closing_waits_for_what_is_on_its_way() -> None:
    async def run() -> bool:
        client = FakeClient()
        client.answers = False
        producer = producer_of(client)
        waiting = send(producer)
        await producer.close()
        return await acknowledged(waiting, 0.1)

    assert asyncio.run(run())


@pytest.mark.parametrize(
    ("partitions", "error", "expected"),
    [
        (64, None, None),
        (12, None, Misconfigured),
        (None, None, Misconfigured),
        (64, KafkaError(KafkaError._TRANSPORT), Retryable),
    ],
)
def test_the_check_says_what_is_wrong(partitions: int | None, error: KafkaError | None, expected: type[Exception] | None) -> None:
    async def run() -> type[Exception] | None:
        client = FakeClient()
        client.partitions, client.error = partitions, error
        try:
            await producer_of(client).check_topics((UPLINKS,), 1.0)
        except (Misconfigured, Retryable) as found:
            return type(found)
        return None

    assert asyncio.run(run()) is expected
