"""revise_excursions: sensors with late readings are judged again from what is stored, and their state goes back to detect_excursions."""

from typing import Final

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from pipelines.connectors.kafka import AckedProducer, KafkaConfig
from pipelines.connectors.live import LivePublisher
from pipelines.connectors.redis import RedisConfig
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.engine.lease import Holding
from pipelines.engine.outbox import Outbox
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.reviser import Reviser
from pipelines.engine.revision_logic import StoredOffsets, revision_logic
from pipelines.engine.sinks import FlushingSink
from pipelines.engine.source import LogSource
from pipelines.engine.stop import StopFlag
from pipelines.engine.terms_loader import load_terms
from schemas.topics import REVISIONS

FLOW: Final = "revise_excursions"


def build(
    kafka: KafkaConfig,
    database: DatabaseConfig,
    redis: RedisConfig,
    partitions: tuple[int, ...],
    stop: StopFlag,
    holding: Holding,
    *,
    cell: str,
) -> Dataflow:
    """Return the dataflow for some partitions."""

    def reviser() -> Reviser:
        outbox = Outbox(FLOW, cell, AckedProducer(kafka.flow_producer(FLOW)), LivePublisher(redis, FLOW))
        terms = load_terms(Reconnecting(database, f"{FLOW}-terms", stop))
        answers = AckedProducer(kafka.flow_producer(f"{FLOW}-answers"))
        return Reviser(Reconnecting(database, FLOW, stop), terms, outbox, answers, fence=holding.fence)

    flow = Dataflow(FLOW)
    requests = op.input("read_revisions", flow, LogSource(kafka, REVISIONS.name, partitions, flow=FLOW, stop=stop, renew=holding.renew))
    offsets = StoredOffsets(Reconnecting(database, f"{FLOW}-offsets", stop))
    due = op.stateful_batch("gather", requests, revision_logic(offsets))
    op.output("revise", due, FlushingSink(reviser))
    return flow
