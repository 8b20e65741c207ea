"""Draws each flow and the graph of topics, and lists the step ids, from the code as it is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bytewax.dataflow import Dataflow
from bytewax.visualize import to_mermaid

from pipelines.connectors.kafka import KafkaConfig
from pipelines.connectors.redis import RedisConfig
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.engine.lease import Unleased
from pipelines.engine.stop import StopFlag
from pipelines.flows import decode_uplinks, detect_excursions, revise_excursions, store_dead_letters, store_readings
from schemas.topics import TOPICS

ROOT = Path(__file__).parents[2]
FLOWS_PAGE = ROOT / "docs" / "flows.md"
STEP_IDS = ROOT / "tests" / "golden" / "step_ids.json"

HEAD = """# Flows and topics

Drawn from the code by `make golden`; a test compares.

## Topics

"""


def flows() -> list[Dataflow]:
    """Build every flow; nothing connects before it runs."""
    kafka, database, redis = KafkaConfig("nowhere:1"), DatabaseConfig("postgresql://nowhere/none"), RedisConfig("redis://nowhere")
    stop, two = StopFlag(), (0, 1)
    return [
        decode_uplinks.build(kafka, database, two, stop, Unleased()),
        store_readings.build(kafka, database, redis, two, stop, Unleased()),
        detect_excursions.build(kafka, database, redis, two, stop, Unleased(), cell="cell"),
        revise_excursions.build(kafka, database, redis, two, stop, Unleased(), cell="cell"),
        store_dead_letters.build(kafka, database, two, stop, Unleased()),
    ]


def topic_graph() -> str:
    """Return the graph of who writes and reads which topic."""
    lines = ["```mermaid", "flowchart LR"]
    for topic in TOPICS:
        lines += [f"  {writer}[{writer}] --> {topic.name}[({topic.name})]" for writer in topic.writers]
        lines += [f"  {topic.name}[({topic.name})] --> {reader}[{reader}]" for reader in topic.readers]
    return "\n".join([*lines, "```"])


def topic_table() -> str:
    """Return the topics as a table."""
    rows = ["| topic | partitions | key | value | kept |", "|---|---|---|---|---|"]
    rows += [
        f"| `{topic.name}` | {topic.partitions} | {topic.key} | {topic.value} | {topic.retention_ms // 86_400_000} days |"
        for topic in TOPICS
    ]
    return "\n".join(rows)


def flows_page() -> str:
    """Return docs/flows.md."""
    drawings = [f"## {flow.flow_id}\n\n```mermaid\n{to_mermaid(flow)}\n```\n" for flow in flows()]
    return HEAD + topic_graph() + "\n\n" + topic_table() + "\n\n" + "\n".join(drawings)


def step_ids() -> str:
    """Return every step id of every flow as JSON: state is kept under them, so they never change without a migration note."""
    return json.dumps({flow.flow_id: sorted(_ids(flow.substeps)) for flow in flows()}, indent=1) + "\n"


def _ids(operators: list[Any]) -> Iterator[str]:
    for operator in operators:
        yield operator.step_id
        yield from _ids(operator.substeps)
