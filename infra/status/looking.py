"""Looks at the leases in the database, at the ends of the log by kafka-python, and at the metrics of processes it can reach."""

import socket
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import psycopg
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from prometheus_client.parser import text_string_to_metric_families

from infra.status.seen import CellSeen, ProcessSeen
from schemas.topics import TOPICS, Topic

ANSWER_SECONDS: Final = 2.0
ASKED_AT_ONCE: Final = 16

Places = dict[TopicPartition, int]
"""Offsets by place in the log."""

CLOCK: Final = "coldstream_flow_clock_seconds"
MEMORY: Final = "process_resident_memory_bytes"

CELLS: Final = """
SELECT flow, cell, array_agg(partition ORDER BY partition), host, pid, metrics_port,
  extract(epoch FROM now() - max(renewed_at))::float, min(expires_at) > now(), max(expires_at) = '-infinity', sum(lag)::bigint, sum(lag_before)::bigint,
  sum(per_second)::float, array_agg(next_offset ORDER BY partition)
FROM cell_leases WHERE cell <> '' GROUP BY flow, cell, epoch, host, pid, metrics_port ORDER BY flow, min(partition)
"""


def topics_by_flow(flows: tuple[str, ...]) -> dict[str, Topic]:
    """Return the topic that each flow reads: of several the first, by which its lag is told."""
    return {reader: topic for topic in reversed(TOPICS) for reader in topic.readers if reader in flows}


def look(database_url: str, bootstrap_servers: str, topics: Mapping[str, Topic]) -> list[CellSeen]:
    """Return every cell there is a lease of; raises psycopg.Error while the database does not answer.

    A broker or a process that does not answer leaves gaps.
    """
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        rows = connection.execute(CELLS).fetchall()
    cells: list[CellSeen] = []
    unread: dict[int, Places] = {}
    for flow, cell, partitions, host, pid, port, renewed, is_held, is_let_go, lag, before, rate, offsets in rows:
        known = CellSeen(flow, cell, tuple(partitions), host, pid, port, renewed, is_held, is_let_go, lag, before, rate)
        if not is_held:
            known = replace(known, lag=None, lag_before=None, per_second=None)
            named = {TopicPartition(topics[flow].name, number): offset for number, offset in zip(partitions, offsets, strict=True)}
            unread[len(cells)] = {place: offset for place, offset in named.items() if offset is not None}
        cells.append(known)
    ends = ends_of(bootstrap_servers, [place for places in unread.values() for place in places])
    for index, places in unread.items():
        if places and places.keys() <= ends.keys():
            cells[index] = replace(cells[index], lag=sum(max(0, ends[place] - offset) for place, offset in places.items()))
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        return list(pool.map(with_process, cells))


def ends_of(bootstrap_servers: str, places: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the next offset of each partition of the log, nothing where the brokers do not say."""
    if not places or not bootstrap_servers:
        return {}
    try:
        consumer = KafkaConsumer(bootstrap_servers=bootstrap_servers, client_id="coldstream-status")
    except KafkaError:
        return {}
    try:
        return dict(consumer.end_offsets(places))
    except KafkaError:
        return {}
    finally:
        consumer.close()


def with_process(cell: CellSeen) -> CellSeen:
    """Return the cell with what its metrics say, where it serves them and can be reached."""
    if cell.metrics_port is None or not cell.is_held:
        return cell
    host = "127.0.0.1" if cell.host == socket.gethostname() else cell.host
    try:
        with urllib.request.urlopen(f"http://{host}:{cell.metrics_port}/metrics", timeout=ANSWER_SECONDS) as answer:
            text = answer.read().decode()
    except OSError:
        return cell
    return replace(cell, process=process_of(cell.flow, text))


def process_of(flow: str, text: str) -> ProcessSeen:
    """Return what a process's metrics say of its flow."""
    clocks, memory = [], None
    for family in text_string_to_metric_families(text):
        if family.name == CLOCK:
            clocks += [sample.value for sample in family.samples if sample.labels.get("flow") == flow]
        elif family.name == MEMORY:
            memory = int(family.samples[0].value)
    return ProcessSeen(min(clocks, default=None), memory)
