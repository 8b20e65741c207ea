"""The baselines that read from Kafka: the same records with the same client settings, seen in the cheapest way. Judge nothing.

Run as a process of its own, `python -m tests.bench.bare_consumer readings` (records joined, numpy sees their rows) or `uplinks`
(bodies decoded from JSON by msgspec); prints one JSON line.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np
from confluent_kafka import TopicPartition

from pipelines.connectors.kafka import KafkaConfig, offsets_now
from pipelines.engine.source import POLL_RECORDS
from schemas.readings import HEAD, ROW
from schemas.topics import READINGS, UPLINKS, Topic
from tests.bench.figures import WARM_UP


def see_rows(values: list[bytes]) -> int:
    """Return how many rows some records of `readings` have."""
    return len(np.frombuffer(b"".join(value[len(HEAD) :] for value in values), dtype=ROW))


def see_bodies(values: list[bytes]) -> int:
    """Decode some records of `uplinks`, ticks left out, and return how many there were."""
    decode = DECODER.decode
    bodies = [decode(value) for value in values if value]
    return len(bodies)


DECODER: Final = msgspec.json.Decoder()
KINDS: Final[dict[str, tuple[Topic, Callable[[list[bytes]], int]]]] = {
    "readings": (READINGS, see_rows),
    "uplinks": (UPLINKS, see_bodies),
}


def main(kind: str) -> None:
    """Read the topic from its oldest record to its newest one."""
    topic, see = KINDS[kind]
    consumer = KafkaConfig.from_environment().consumer("bench_baseline")
    known = offsets_now(consumer, topic.name, range(topic.partitions))
    consumer.assign([TopicPartition(topic.name, partition, low) for partition, (low, _) in known.items()])
    wanted = sum(high - low for low, high in known.values())
    records, rows, rows_before = 0, 0, 0
    started = (time.perf_counter(), time.process_time())
    while records < wanted:
        values: list[bytes] = [message.value() or b"" for message in consumer.consume(POLL_RECORDS, 0.1)]
        if not values:
            continue
        rows += see(values)
        records += len(values)
        if not rows_before and records >= WARM_UP * wanted:
            rows_before, started = rows, (time.perf_counter(), time.process_time())
    seconds, cpu_seconds = time.perf_counter() - started[0], time.process_time() - started[1]
    answer = {
        "rows": rows,
        "rows_per_second": (rows - rows_before) / seconds,
        "rows_per_cpu_second": (rows - rows_before) / cpu_seconds,
    }
    json.dump(answer, sys.stdout)
    consumer.close()


if __name__ == "__main__":
    main(sys.argv[1])
