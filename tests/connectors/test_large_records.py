"""What is too large for the log is said by its sender."""

import pytest

from pipelines.connectors.errors import Rejected
from pipelines.connectors.kafka import LARGEST_RECORD_BYTES, AckedProducer, KafkaConfig
from schemas.topics import REVISED


def test_a_record_larger_than_any_topic_takes_is_rejected() -> None:
    producer = AckedProducer(KafkaConfig("127.0.0.1:9").flow_producer("test"))

    with pytest.raises(Rejected, match="more than a topic takes"):
        producer.send(REVISED.name, 0, bytes(LARGEST_RECORD_BYTES + 1))
