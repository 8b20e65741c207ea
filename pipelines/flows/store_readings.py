"""store_readings: rows become the hypertable, each uplink's one end is counted, and the newest readings are published."""

from typing import Final

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from pipelines.connectors.kafka import KafkaConfig
from pipelines.connectors.live import LivePublisher
from pipelines.connectors.redis import RedisConfig
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.engine.lease import Holding
from pipelines.engine.reading_store import ReadingStore
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.sinks import FlushingSink
from pipelines.engine.source import LogSource
from pipelines.engine.stop import StopFlag
from schemas.topics import READINGS

FLOW: Final = "store_readings"

COMMIT_EVERY_SECONDS: Final = 0.05
"""A commit costs 2 ms of CPU whatever it holds (measured): at most 20 of them in a second, while the log has lulls between."""


def build(
    kafka: KafkaConfig,
    database: DatabaseConfig,
    redis: RedisConfig,
    partitions: tuple[int, ...],
    stop: StopFlag,
    holding: Holding,
    *,
    skip_done: bool = True,
) -> Dataflow:
    """Return the dataflow for some partitions; `skip_done=False` only for the control run of the fault test."""

    def writer() -> ReadingStore:
        publisher = LivePublisher(redis, FLOW)
        return ReadingStore(Reconnecting(database, FLOW, stop), publisher, fence=holding.fence, skip_done=skip_done)

    flow = Dataflow(FLOW)
    source = LogSource(
        kafka, READINGS.name, partitions, flow=FLOW, stop=stop, renew=holding.renew, flush_every_seconds=COMMIT_EVERY_SECONDS
    )
    records = op.input("read_readings", flow, source)
    op.output("write_hypertable", records, FlushingSink(writer))
    return flow
