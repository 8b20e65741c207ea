"""Kafka by confluent-kafka: the settings of every producer and consumer, each named because its default would hurt.

Nothing here decides what a record means. kafka-python stays the independent second client (topics, lag, tests).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from pipelines.connectors.clock import monotonic
from pipelines.connectors.errors import Misconfigured, Rejected, Retryable
from pipelines.connectors.metrics import KAFKA_ACK_SECONDS, KAFKA_ERRORS
from pipelines.connectors.settings import setting
from schemas.topics import TOPICS

SETTLE_SECONDS: Final = 120.0
"""A flow waits so long for acknowledgements; it then stops and starts again from its snapshot."""

NEVER_GIVE_UP_MS: Final = 0
"""Of a flow's producer: a record that timed out while a later one of its partition was taken would leave a gap for ever, as readers
skip what is at or below the offset they have done. What is in the log is always a beginning of what was sent."""

INGEST_DELIVERY_TIMEOUT_MS: Final = 30_000
"""Ingest answers 503 after 1.5 s already; a later acknowledgement only makes a duplicate, which the store drops."""

INGEST_QUEUE_MESSAGES: Final = 20_000
"""Bound of ingest's producer queue, about 30 MB of bodies; when it is full the answer is 503 at once."""

FLOW_QUEUE_MESSAGES: Final = 100_000
"""Bound of a flow's producer queue."""

LARGEST_RECORD_BYTES: Final = max(topic.most_bytes for topic in TOPICS)
"""No topic takes a larger one; each topic has a bound of its own."""

GATHER_MS: Final = 25
GATHER_BYTES: Final = 65_536
"""A consumer that gathers is answered once there is so much, or after so long."""

Headers = list[tuple[str, str | bytes | None]]


@dataclass(frozen=True, slots=True)
class KafkaConfig:
    """Where the brokers are."""

    bootstrap_servers: str

    @classmethod
    def from_environment(cls) -> "KafkaConfig":
        """Return the configuration that KAFKA_BOOTSTRAP_SERVERS names."""
        return cls(bootstrap_servers=setting("KAFKA_BOOTSTRAP_SERVERS"))

    def producer(self, *, client: str, linger_ms: float, delivery_timeout_ms: int, queue_messages: int) -> Producer:
        """Return an idempotent producer that waits for all replicas and keeps order."""
        return Producer(
            {
                "bootstrap.servers": self.bootstrap_servers,
                "client.id": client,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": linger_ms,
                "compression.type": "lz4",
                "delivery.timeout.ms": delivery_timeout_ms,
                "queue.buffering.max.messages": queue_messages,
                "message.max.bytes": LARGEST_RECORD_BYTES,
                "socket.keepalive.enable": True,
                "reconnect.backoff.max.ms": 1_000,
                "error_cb": count_connection_error,
            },
        )

    def ingest_producer(self, client: str) -> Producer:
        """Return the API's producer: acknowledged in milliseconds."""
        return self.producer(
            client=client,
            linger_ms=0.5,
            delivery_timeout_ms=INGEST_DELIVERY_TIMEOUT_MS,
            queue_messages=INGEST_QUEUE_MESSAGES,
        )

    def flow_producer(self, client: str) -> Producer:
        """Return a flow's producer."""
        return self.producer(
            client=client,
            linger_ms=1,
            delivery_timeout_ms=NEVER_GIVE_UP_MS,
            queue_messages=FLOW_QUEUE_MESSAGES,
        )

    def consumer(self, client: str, *, gather: bool = False) -> Consumer:
        """Return a consumer for assigned partitions: no group, no commits, and an error where an offset is gone.

        With `gather` the broker waits a moment for more, so that a busy topic of small records is not fetched a few at a time.

        Our offsets live in the flows' snapshots. `auto.offset.reset` is `error`: its default would jump to the end of the
        log in silence.
        """
        return Consumer(
            {
                "bootstrap.servers": self.bootstrap_servers,
                "client.id": client,
                "group.id": f"coldstream-{client}",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": False,
                "fetch.wait.max.ms": GATHER_MS if gather else 50,
                "fetch.min.bytes": GATHER_BYTES if gather else 1,
                "fetch.queue.backoff.ms": 20,  # the default, a second, starves a consumer that catches up
                "fetch.message.max.bytes": 1_048_576,
                "queued.max.messages.kbytes": 65_536,
                "queued.min.messages": 10_000,
                "socket.keepalive.enable": True,
                "reconnect.backoff.max.ms": 1_000,
                "check.crcs": True,
                "error_cb": count_connection_error,
            },
        )


def count_error(during: str, error: KafkaError) -> None:
    """Count an error by its name in the client: `connected`, `reading` or `delivering`."""
    KAFKA_ERRORS.labels(during, error.name().lower()).inc()


def count_connection_error(error: KafkaError) -> None:
    """Count what the client says of its brokers (it is asked by poll, flush and consume)."""
    count_error("connected", error)


class AckedProducer:
    """A producer that knows what was acknowledged: `send` any number of records, then `settle` until all are."""

    def __init__(self, producer: Producer) -> None:
        """Take over a producer made by KafkaConfig."""
        self._producer = producer
        self._failure: KafkaError | None = None

    def send(
        self,
        topic: str,
        partition: int,
        value: bytes,
        *,
        key: bytes | None = None,
        headers: Headers | None = None,
    ) -> None:
        """Queue a record, serving callbacks while the queue is full.

        Raises Retryable once any delivery has failed, or when the queue stays full for SETTLE_SECONDS, and Rejected for a record that is
        larger than any topic takes.
        """
        full_at: float | None = None
        while True:
            try:
                self._producer.produce(
                    topic,
                    value=value,
                    key=key,
                    partition=partition,
                    headers=headers or [],
                    on_delivery=self._delivered,
                )
            except BufferError:
                full_at = monotonic() if full_at is None else full_at
                self._producer.poll(0.05)
                self._raise_failure()
                if monotonic() - full_at > SETTLE_SECONDS:
                    message = f"the producer's queue is full and nothing was acknowledged for {SETTLE_SECONDS:.0f} s"
                    raise Retryable(message) from None
            except KafkaException as error:
                if error.args[0].code() != KafkaError.MSG_SIZE_TOO_LARGE:
                    raise
                message = f"a record of {len(value):,} bytes is more than a topic takes ({LARGEST_RECORD_BYTES:,})"
                raise Rejected(message) from error
            else:
                self._producer.poll(0)
                return

    def settle(self, timeout: float = SETTLE_SECONDS) -> None:
        """Wait until every record sent so far is acknowledged; raises Retryable when one was not."""
        waiting, started_at = len(self._producer), monotonic()
        left = self._producer.flush(timeout)
        if waiting:
            KAFKA_ACK_SECONDS.observe(monotonic() - started_at)
        self._raise_failure()
        if left:
            message = f"{left} records were not acknowledged within {timeout:.0f} s"
            raise Retryable(message)

    def _delivered(self, error: KafkaError | None, _record: object) -> None:
        if error is not None:
            count_error("delivering", error)
            self._failure = error

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            message = f"a record was not delivered: {failure.str()}"
            raise Retryable(message)


OFFSET_TRIES: Final = 20
"""Tries to read a partition's offsets, half a second apart: a broker that has just started has no leaders yet."""

MISSING: Final = frozenset({KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART})  # noqa: SLF001


PASSING: Final = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.BROKER_NOT_AVAILABLE})
"""Errors of a partition that has just been made or moved; the client does not call all of them retriable."""


def offsets_now(consumer: Consumer, topic: str, partitions: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return the oldest and the next offset of each partition.

    Raises Misconfigured when the topic is missing, Retryable when the brokers do not say.
    """
    return {partition: _offsets_of(consumer, topic, partition) for partition in partitions}


def _offsets_of(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    for left in reversed(range(OFFSET_TRIES)):
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
        except KafkaException as error:
            kafka_error = error.args[0]
            if kafka_error.code() in MISSING:
                message = f"topic {topic} or one of its partitions is missing: run `coldstream topics --create`"
                raise Misconfigured(message) from error
            if not left or not (kafka_error.retriable() or kafka_error.code() in PASSING):
                message = f"the offsets of {topic} could not be read: {kafka_error.str()}"
                raise Retryable(message) from error
            consumer.poll(0.5)
        else:
            return low, high
    message = f"the offsets of {topic}[{partition}] could not be read"
    raise Retryable(message)
