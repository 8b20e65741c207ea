"""decode_uplinks: raw uplinks become readings, stamped with the terms in force, and dead letters."""

from typing import Final

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from pipelines.connectors.kafka import AckedProducer, KafkaConfig
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.engine.decode_logic import decode_logic
from pipelines.engine.decoding import UplinkDecoder
from pipelines.engine.lease import Holding
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.sinks import FlushingSink
from pipelines.engine.source import LogSource
from pipelines.engine.stop import StopFlag
from pipelines.engine.writers import ReadingsWriter
from schemas.topics import UPLINKS

FLOW: Final = "decode_uplinks"

GATHER_SECONDS: Final = 0.1
"""A busy log is read ten times a second: a few rows of a partition then share a record, which halves the work of all that follows."""


def build(kafka: KafkaConfig, database: DatabaseConfig, partitions: tuple[int, ...], stop: StopFlag, holding: Holding) -> Dataflow:
    """Return the dataflow for some partitions."""
    decoder = UplinkDecoder(Reconnecting(database, FLOW, stop))

    flow = Dataflow(FLOW)
    source = LogSource(kafka, UPLINKS.name, partitions, flow=FLOW, stop=stop, renew=holding.renew, gather_seconds=GATHER_SECONDS)
    uplinks = op.input("read_uplinks", flow, source)
    readings = op.stateful_batch("decode", uplinks, decode_logic(decoder))
    sink = FlushingSink(lambda: ReadingsWriter(AckedProducer(kafka.flow_producer(FLOW))), in_lulls=False)
    op.output("write_readings", readings, sink)
    return flow
