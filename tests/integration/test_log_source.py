"""Our Kafka source and sinks on a real broker: offsets come back, a gap stops the flow, and nothing is safe before it is acknowledged."""

import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from infra.local.local_stack import LocalStack
from pipelines.connectors.errors import Misconfigured, Retryable
from pipelines.connectors.kafka import AckedProducer, KafkaConfig
from pipelines.engine.source import Batch, Flush, LogPart, LogSource, decode_offsets, encode_offsets


@pytest.fixture
def kafka(stack: LocalStack) -> KafkaConfig:
    """The broker of this run."""
    return KafkaConfig(stack.kafka_bootstrap_servers)


@pytest.fixture
def topic(kafka: KafkaConfig) -> Iterator[str]:
    """A topic of two partitions, of its own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    for done in admin.create_topics([NewTopic(name, 2, 1)]).values():
        done.result(10)
    while len(admin.list_topics(name, timeout=10).topics[name].partitions) < 2:
        pass  # a topic that was just made is not known to every thread of the broker yet; pytest's timeout bounds this
    yield name
    admin.delete_topics([name])


def send(kafka: KafkaConfig, topic: str, *values: bytes) -> None:
    """Write values to partition 1."""
    producer = AckedProducer(kafka.flow_producer("test"))
    for value in values:
        producer.send(topic, 1, value, headers=[("name", b"x")])
    producer.settle()


def part(kafka: KafkaConfig, topic: str, snapshot: bytes | None = None) -> LogPart:
    """Return a reader of both partitions."""
    return LogSource(kafka, topic, (0, 1), flow="test", stop=lambda: False).build_part("step", "part", snapshot)


def test_a_reader_goes_on_where_its_snapshot_was_taken(kafka: KafkaConfig, topic: str) -> None:
    send(kafka, topic, b"a", b"b")
    first = part(kafka, topic)
    assert values_of(first, 2) == [b"a", b"b"]
    snapshot = first.snapshot()
    first.close()
    send(kafka, topic, b"c")

    second = part(kafka, topic, snapshot)

    assert decode_offsets(snapshot) == {0: 0, 1: 2}
    assert values_of(second, 1) == [b"c"]
    second.close()


def test_a_flush_follows_the_records_that_drain_the_log(kafka: KafkaConfig, topic: str) -> None:
    send(kafka, topic, b"a", b"b")
    reader = part(kafka, topic)

    items = first_items(reader)

    assert [type(item) for item in items] == [Batch, Flush]
    reader.close()


def first_items(reader: LogPart) -> list[Batch | Flush]:
    """Return what the first poll that has anything gives."""
    for _ in range(100_000):
        items = [item for _, item in reader.next_batch()]
        if items:
            return items
    raise AssertionError("nothing came")


def values_of(reader: LogPart, wanted: int) -> list[bytes]:
    """Read until so many values came."""
    values: list[bytes] = []
    for _ in range(100_000):
        values += [record.value for _, item in reader.next_batch() if isinstance(item, Batch) for record in item.records]
        if len(values) >= wanted:
            return values
    raise AssertionError(values)


def test_an_offset_that_the_log_no_longer_holds_stops_the_flow_and_says_what_to_do(kafka: KafkaConfig, topic: str) -> None:
    send(kafka, topic, b"a", b"b", b"c")
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    for done in admin.delete_records([TopicPartition(topic, 1, 2)]).values():
        done.result(10)

    with pytest.raises(Misconfigured, match="records were lost"):
        part(kafka, topic, encode_offsets({0: 0, 1: 1}))


def test_a_missing_topic_is_named_with_the_command_that_makes_it(kafka: KafkaConfig) -> None:
    with pytest.raises((Misconfigured, Retryable), match=r"coldstream topics --create|could not be read"):
        part(kafka, "no-such-topic")


def test_a_stop_ends_the_input(kafka: KafkaConfig, topic: str) -> None:
    reader = LogSource(kafka, topic, (0, 1), flow="test", stop=lambda: True).build_part("step", "part", None)

    with pytest.raises(StopIteration):
        reader.next_batch()
    reader.close()


def test_records_that_nobody_acknowledges_are_an_error_and_not_a_success() -> None:
    nowhere = KafkaConfig("127.0.0.1:9")
    producer = AckedProducer(nowhere.producer(client="test", linger_ms=1, delivery_timeout_ms=1_000, queue_messages=10))

    producer.send("topic", 0, b"lost")

    with pytest.raises(Retryable, match=r"not delivered|not acknowledged"):
        producer.settle(5)


def test_a_snapshot_of_another_version_is_refused() -> None:
    with pytest.raises(Misconfigured, match="version"):
        decode_offsets(b"\x92\x63\x80")
