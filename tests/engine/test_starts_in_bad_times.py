"""A flow that starts while the brokers are away waits for them, and one that is told to stop before its first batch keeps its state."""

from dataclasses import dataclass, field

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from pipelines.connectors.errors import Retryable
from pipelines.engine.pace import Pace
from pipelines.engine.shard_logic import shard_logic
from pipelines.engine.source import LogPart
from tests.engine.random_log import terms


@dataclass
class AwayConsumer:
    """A consumer whose brokers are away for so many questions."""

    questions_left: int
    waits: list[float] = field(default_factory=list)
    assigned: list[TopicPartition] = field(default_factory=list)

    def get_watermark_offsets(self, _partition: TopicPartition, *, timeout: float) -> tuple[int, int]:
        assert timeout > 0
        if self.questions_left:
            self.questions_left -= 1
            raise KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN))
        return 0, 7

    def poll(self, seconds: float) -> None:
        self.waits.append(seconds)

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned = partitions


def test_a_flow_started_while_the_brokers_are_away_waits_for_them() -> None:
    consumer = AwayConsumer(questions_left=3)

    LogPart(consumer, "readings", (4,), {4: 5}, flow="a_flow", stop=lambda: False, pace=Pace(0.0))  # type: ignore[arg-type]

    assert len(consumer.waits) == 3
    assert [(one.topic, one.partition, one.offset) for one in consumer.assigned] == [("readings", 4, 5)]


def test_a_flow_that_waits_for_the_brokers_can_be_told_to_stop() -> None:
    consumer = AwayConsumer(questions_left=1_000)

    with pytest.raises(Retryable):
        LogPart(consumer, "readings", (4,), {}, flow="a_flow", stop=lambda: len(consumer.waits) >= 2, pace=Pace(0.0))  # type: ignore[arg-type]

    assert len(consumer.waits) == 2


def test_a_shard_that_is_drained_before_its_first_batch_keeps_what_it_started_from() -> None:
    logic = shard_logic(terms(), lambda _: -1)(b"what was snapshotted before")

    assert logic.snapshot() == b"what was snapshotted before"
