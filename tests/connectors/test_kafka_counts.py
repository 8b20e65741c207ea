"""What is counted of Kafka: errors by name and occasion, and the wait for acknowledgements where there was something to wait for."""

from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, Producer
from prometheus_client import REGISTRY

from pipelines.connectors.errors import Retryable
from pipelines.connectors.kafka import AckedProducer, count_connection_error


class FakeProducer:
    """Acknowledges everything on flush, or refuses it with an error."""

    def __init__(self, error: KafkaError | None = None) -> None:
        """Say whether records are refused."""
        self._error = error
        self._waiting: list[Any] = []

    def __len__(self) -> int:
        """Return how many records wait."""
        return len(self._waiting)

    def produce(self, *_record: object, on_delivery: object, **_fields: object) -> None:
        """Take a record."""
        self._waiting.append(on_delivery)

    def poll(self, _seconds: float) -> None:
        """Nothing is acknowledged before the flush."""

    def flush(self, _seconds: float) -> int:
        """Tell of every record."""
        for delivered in self._waiting:
            delivered(self._error, None)
        self._waiting.clear()
        return 0


def value(name: str, **labels: str) -> float:
    """Return what a metric stands at."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_only_a_wait_for_something_is_timed() -> None:
    producer = AckedProducer(cast("Producer", FakeProducer()))
    before = value("coldstream_kafka_ack_seconds_count")

    producer.settle()
    producer.send("topic", 0, b"x")
    producer.settle()

    assert value("coldstream_kafka_ack_seconds_count") - before == 1


def test_a_record_that_is_refused_is_counted_by_the_name_of_its_error() -> None:
    producer = AckedProducer(cast("Producer", FakeProducer(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))))
    labels = {"during": "delivering", "error": "msg_size_too_large"}
    before = value("coldstream_kafka_errors_total", **labels)

    producer.send("topic", 0, b"x")
    with pytest.raises(Retryable):
        producer.settle()

    assert value("coldstream_kafka_errors_total", **labels) - before == 1


def test_a_connection_error_is_counted_apart() -> None:
    labels = {"during": "connected", "error": "_all_brokers_down"}
    before = value("coldstream_kafka_errors_total", **labels)

    count_connection_error(KafkaError(KafkaError._ALL_BROKERS_DOWN))

    assert value("coldstream_kafka_errors_total", **labels) - before == 1


def test_a_failed_delivery_is_raised_once_and_what_is_sent_again_can_settle() -> None:
    broker = FakeProducer(KafkaError(KafkaError._MSG_TIMED_OUT))
    producer = AckedProducer(cast("Producer", broker))
    producer.send("alerting", 0, b"event")
    with pytest.raises(Retryable):
        producer.settle()

    broker._error = None
    producer.send("alerting", 0, b"event")

    producer.settle()
