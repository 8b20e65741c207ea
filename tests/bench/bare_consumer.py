"""The baseline of detect: reads the same records with the same client settings, joins them, and lets numpy see them. Judges nothing.

Run as a process of its own, `python -m tests.bench.bare_consumer`; prints one JSON line.
"""

import json
import sys
import time

import numpy as np
from confluent_kafka import TopicPartition

from pipelines.connectors.kafka import KafkaConfig, offsets_now
from pipelines.engine.source import POLL_RECORDS
from schemas.readings import HEAD, ROW
from schemas.topics import READINGS
from tests.bench.figures import WARM_UP


def main() -> None:
    """Read the topic from its oldest record to its newest one."""
    consumer = KafkaConfig.from_environment().consumer("bench_baseline")
    known = offsets_now(consumer, READINGS.name, range(READINGS.partitions))
    consumer.assign([TopicPartition(READINGS.name, partition, low) for partition, (low, _) in known.items()])
    wanted = sum(high - low for low, high in known.values())
    records, rows, rows_before, started = (
        0,
        0,
        0,
        (time.perf_counter(), time.process_time()),
    )
    while records < wanted:
        values: list[bytes] = [message.value() or b"" for message in consumer.consume(POLL_RECORDS, 0.1)]
        if not values:
            continue
        rows += len(np.frombuffer(b"".join(value[len(HEAD) :] for value in values), dtype=ROW))
        records += len(values)
        if not rows_before and records >= WARM_UP * wanted:
            rows_before, started = rows, (time.perf_counter(), time.process_time())
    seconds, cpu_seconds = (
        time.perf_counter() - started[0],
        time.process_time() - started[1],
    )
    json.dump(
        {
            "rows": rows,
            "rows_per_second": (rows - rows_before) / seconds,
            "rows_per_cpu_second": (rows - rows_before) / cpu_seconds,
        },
        sys.stdout,
    )
    consumer.close()


if __name__ == "__main__":
    main()
