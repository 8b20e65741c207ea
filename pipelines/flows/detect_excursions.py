"""detect_excursions: readings in order and the partition's clock become excursions and offline conditions; late ones a request."""

from typing import Final

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from pipelines.connectors.kafka import AckedProducer, KafkaConfig
from pipelines.connectors.live import LivePublisher
from pipelines.connectors.redis import RedisConfig
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.engine.lease import Holding
from pipelines.engine.outbox import Outbox
from pipelines.engine.progress import recorded_positions
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.recorder import Recorder
from pipelines.engine.shard_logic import answers_of, shard_logic
from pipelines.engine.sinks import FlushingSink
from pipelines.engine.source import LogSource
from pipelines.engine.stop import StopFlag
from pipelines.engine.terms_loader import load_terms
from pipelines.engine.writers import RevisionWriter
from schemas.topics import READINGS, REVISED

FLOW: Final = "detect_excursions"


def build(
    kafka: KafkaConfig,
    database: DatabaseConfig,
    redis: RedisConfig,
    partitions: tuple[int, ...],
    stop: StopFlag,
    holding: Holding,
    *,
    cell: str,
    skip_done: bool = True,
) -> Dataflow:
    """Return the dataflow for some partitions; `skip_done=False` only for the control run of the fault test."""

    def recorder() -> Recorder:
        publisher = LivePublisher(redis, FLOW)
        outbox = Outbox(FLOW, cell, AckedProducer(kafka.flow_producer(FLOW)), publisher)
        revisions = RevisionWriter(AckedProducer(kafka.flow_producer(f"{FLOW}-requests")))
        return Recorder(Reconnecting(database, FLOW, stop), outbox, publisher, revisions, fence=holding.fence, skip_done=skip_done)

    lookups = Reconnecting(database, f"{FLOW}-terms", stop)
    flow = Dataflow(FLOW)
    records = op.input("read_readings", flow, LogSource(kafka, READINGS.name, partitions, flow=FLOW, stop=stop, renew=holding.renew))
    revised = op.input("read_revised", flow, LogSource(kafka, REVISED.name, partitions, flow=FLOW, stop=stop))
    answers = op.map("take_answers", revised, answers_of)
    both = op.merge("merge_answers", records, answers)
    judged = op.stateful_batch("judge", both, shard_logic(load_terms(lookups), recorded_positions(lookups, FLOW)))
    op.output("record", judged, FlushingSink(recorder))
    return flow
