"""The baseline of store: the rows of the topic `readings`, made into binary COPY beforehand, then copied into the same table. Nothing else.

Run as a process of its own, `python -m tests.bench.bare_copy`; prints one JSON line about the copying alone.
"""

import json
import sys
import time
from collections.abc import Iterator

import numpy as np
import psycopg
from confluent_kafka import TopicPartition

from pipelines.connectors.kafka import KafkaConfig, offsets_now
from pipelines.connectors.settings import setting
from pipelines.engine.copying import copy_payload
from pipelines.engine.reading_columns import reading_columns
from pipelines.engine.reading_store import COMMIT_ROWS, COPY_READINGS
from pipelines.engine.source import POLL_RECORDS
from schemas.readings import STORED_KINDS, Rows, decode_rows
from schemas.topics import READINGS
from tests.bench.figures import WARM_UP


def batches() -> Iterator[tuple[Rows, "np.typing.NDArray[np.int64]"]]:
    """Yield the topic's rows with their partitions, as many at once as store_readings commits."""
    consumer = KafkaConfig.from_environment().consumer("bench_copy")
    known = offsets_now(consumer, READINGS.name, range(READINGS.partitions))
    consumer.assign([TopicPartition(READINGS.name, partition, low) for partition, (low, _) in known.items()])
    left = sum(high - low for low, high in known.values())
    rows: list[Rows] = []
    partitions: list[int] = []
    while left:
        for message in consumer.consume(POLL_RECORDS, 0.1):
            rows.append(decode_rows([message.value() or b""]))
            partitions.append(message.partition() or 0)
            left -= 1
        if rows and (sum(map(len, rows)) >= COMMIT_ROWS or not left):
            yield np.concatenate(rows), np.repeat(np.array(partitions, dtype=np.int64), [len(one) for one in rows])
            rows, partitions = [], []
    consumer.close()


def payloads() -> list[tuple[int, bytes]]:
    """Return what to copy, each with its number of rows."""
    found = []
    for rows, partitions in batches():
        stored = np.isin(rows["kind"], STORED_KINDS)
        late = np.zeros(int(stored.sum()), dtype=np.bool_)
        found.append((len(late), copy_payload(reading_columns(rows[stored], partitions[stored], late))))
    return found


def main() -> None:
    """Copy everything, a transaction each."""
    prepared = payloads()
    total = sum(count for count, _ in prepared)
    copied, before, started = 0, 0, time.perf_counter()
    with psycopg.connect(setting("DATABASE_URL")) as connection:
        for count, payload in prepared:
            with connection.transaction(), connection.cursor().copy(COPY_READINGS) as copy:
                copy.write(payload)
            copied += count
            if not before and copied >= WARM_UP * total:
                before, started = copied, time.perf_counter()
    json.dump({"rows": copied, "rows_per_second": (copied - before) / (time.perf_counter() - started)}, sys.stdout)


if __name__ == "__main__":
    main()
