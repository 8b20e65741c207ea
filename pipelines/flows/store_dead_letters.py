"""store_dead_letters: what was rejected or unassigned becomes rows with reasons and raw bytes."""

from typing import Final

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from pipelines.connectors.kafka import KafkaConfig
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.engine.lease import Holding
from pipelines.engine.letters import LetterStore
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.sinks import FlushingSink
from pipelines.engine.source import LogSource
from pipelines.engine.stop import StopFlag
from schemas.topics import DEAD_LETTERS

FLOW: Final = "store_dead_letters"


def build(kafka: KafkaConfig, database: DatabaseConfig, partitions: tuple[int, ...], stop: StopFlag, holding: Holding) -> Dataflow:
    """Return the dataflow for some partitions."""
    flow = Dataflow(FLOW)
    source = LogSource(kafka, DEAD_LETTERS.name, partitions, flow=FLOW, stop=stop, renew=holding.renew)
    records = op.input("read_dead_letters", flow, source)
    op.output("write_dead_letters", records, FlushingSink(lambda: LetterStore(Reconnecting(database, FLOW, stop), holding.fence)))
    return flow
