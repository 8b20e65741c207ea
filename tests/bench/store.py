"""Measures store_readings from Kafka beside raw binary COPY of the same rows into the same table, in turn."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from infra.local.ports import free_base
from pipelines.connectors.kafka import AckedProducer, KafkaConfig
from schemas.topics import READINGS
from tests.bench.figures import WARM_UP, Figure
from tests.bench.fleet_log import FleetLog
from tests.bench.flow_process import FlowProcess, counted_part, stored_of
from tests.bench.process_trees import cpu_seconds_of_trees
from tests.bench.rig import Say, Servers, servers

FLOW: Final = "store_readings"
WRITTEN: Final = "readings, latest_readings, uplink_ends, flow_progress"
INTERVAL_MS: Final = 10_000
DISK_BUDGET_BYTES: Final = 10.0
MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """How large the log is."""

    sensors: int
    reports: int
    repeats: int


FULL: Final = Size(10_000, reports=120, repeats=5)
QUICK: Final = Size(1_000, reports=400, repeats=1)


@dataclass
class Runs:
    """What the repeats came to; CPU seconds of the database are for a million rows."""

    per_second: list[float] = field(default_factory=list)
    per_cpu_second: list[float] = field(default_factory=list)
    database_cpu: list[float] = field(default_factory=list)
    ratio: list[float] = field(default_factory=list)
    bare_per_second: list[float] = field(default_factory=list)
    bare_database_cpu: list[float] = field(default_factory=list)
    bytes_of_a_row: list[float] = field(default_factory=list)
    bytes_in_columnstore: list[float] = field(default_factory=list)


def measure(*, quick: bool, say: Say, repeats: int | None = None, database: str | None = None) -> list[Figure]:
    """Measure and return the figures."""
    size = QUICK if quick else FULL
    runs = Runs()
    with servers(say, sensors=size.sensors, interval_ms=INTERVAL_MS, database=database) as on:
        tier = tier_of(on)
        say(f"on {tier}")
        log = fill(on, size)
        for repeat in range(repeats or size.repeats):
            bare(on, log, runs)
            run(on, log, runs)
            runs.ratio.append(runs.per_second[-1] / runs.bare_per_second[-1])
            say(
                f"run {repeat + 1}: {runs.per_second[-1]:,.0f} rows/s, {runs.per_cpu_second[-1]:,.0f} per CPU-second of the flow; "
                f"bare COPY {runs.bare_per_second[-1]:,.0f} rows/s: {runs.ratio[-1]:.2f}"
            )
        measure_disk(on, log, runs)
    return figures_of(size, tier, runs)


def tier_of(on: Servers) -> str:
    """Return what the rows are stored in."""
    with psycopg.connect(on.stack.database_url) as connection:
        version = connection.info.parameter_status("server_version") or ""
        row = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    server = f"PostgreSQL {version.split()[0]}"
    return f"plain {server}" if row is None else f"TimescaleDB {row[0]} on {server}"


def fill(on: Servers, size: Size) -> FleetLog:
    """Fill the topic `readings`."""
    start_at = (int(time.time() * 1000) - size.reports * INTERVAL_MS) // 1000 * 1000
    log = FleetLog(on.fleet, INTERVAL_MS, 0, size.reports, start_at)
    producer = AckedProducer(KafkaConfig(on.stack.kafka_bootstrap_servers).flow_producer("bench"))
    for partition, value, _ in log.records():
        producer.send(READINGS.name, partition, value)
    producer.settle()
    return log


def reset(on: Servers) -> float:
    """Empty what is written, and return the CPU seconds that the database has used so far, 0 for one that is not ours."""
    with psycopg.connect(on.stack.database_url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {WRITTEN}")
        connection.execute("CHECKPOINT")
        return database_cpu(connection)


def database_cpu(connection: psycopg.Connection[Any]) -> float:
    """Return the CPU seconds of all processes of the server behind a connection, 0 where it runs elsewhere."""
    row = connection.execute("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::integer").fetchone()
    assert row is not None
    return cpu_seconds_of_trees({"database": row[0]})["database"]


def run(on: Servers, log: FleetLog, runs: Runs) -> None:
    """Let the flow store the whole topic once, from nothing."""
    before = reset(on)
    recovery = on.folder / "store-recovery"
    shutil.rmtree(recovery, ignore_errors=True)
    with FlowProcess(FLOW, on.settings, recovery, free_base(), on.folder / "store.log") as flow:
        looks = flow.watch(log.readings, of=stored_of)
        flow.stop()
    first, last = counted_part(looks, WARM_UP * log.readings, stored_of)
    runs.per_second.append((last.stored - first.stored) / (last.at - first.at))
    runs.per_cpu_second.append((last.stored - first.stored) / (last.cpu_seconds - first.cpu_seconds))
    with psycopg.connect(on.stack.database_url) as connection:
        runs.database_cpu.append((database_cpu(connection) - before) / log.readings * MILLION)
        require_rows(connection, log.readings)


def bare(on: Servers, log: FleetLog, runs: Runs) -> None:
    """Copy the same rows once."""
    before = reset(on)
    command = [sys.executable, "-m", "tests.bench.bare_copy"]
    result = subprocess.run(command, env={**os.environ, **on.settings}, check=True, stdout=subprocess.PIPE)
    answer = json.loads(result.stdout)
    runs.bare_per_second.append(answer["rows_per_second"])
    with psycopg.connect(on.stack.database_url) as connection:
        runs.bare_database_cpu.append((database_cpu(connection) - before) / log.readings * MILLION)
        require_rows(connection, log.readings)


def require_rows(connection: psycopg.Connection[Any], wanted: int) -> None:
    """Raise RuntimeError unless so many readings are in the table: both sides must have done the same work."""
    row = connection.execute("SELECT count(*) FROM readings").fetchone()
    if row is None or row[0] != wanted:
        raise RuntimeError(f"{wanted:,} readings were to be stored, and {row and row[0]:,} are there")


def measure_disk(on: Servers, log: FleetLog, runs: Runs) -> None:
    """Measure how many bytes a reading takes with its indexes, and in the columnstore where there is one."""
    with psycopg.connect(on.stack.database_url, autocommit=True) as connection:
        if "TimescaleDB" not in tier_of(on):
            query = "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('readings') WHERE isleaf"
            runs.bytes_of_a_row.append(one(connection, query) / log.readings)
            return
        size = "SELECT hypertable_size('readings')"
        runs.bytes_of_a_row.append(one(connection, size) / log.readings)
        connection.execute("SELECT compress_chunk(chunk) FROM show_chunks('readings') AS chunk")
        runs.bytes_in_columnstore.append(one(connection, size) / log.readings)


def one(connection: psycopg.Connection[Any], query: str) -> float:
    """Return the one number a query gives."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return float(row[0])


def figures_of(size: Size, tier: str, runs: Runs) -> list[Figure]:
    """Return what is shown."""

    def figure(what: str, unit: str, values: list[float], baseline: list[float] | None = None, budget: float | None = None) -> Figure:
        return Figure("store", f"{tier}: {what}", unit, tuple(values), budget, at_most=True, baseline=tuple(baseline or ()))

    figures = [
        figure(f"readings of {size.sensors:,} sensors", "1/s", runs.per_second, runs.bare_per_second),
        figure("share of raw COPY's rate", "", runs.ratio),
        figure("readings", "1/CPU-second of the flow", runs.per_cpu_second),
        figure("the database's CPU for a million readings", "s", runs.database_cpu, runs.bare_database_cpu),
        figure("disk, table and indexes, per reading", "bytes", runs.bytes_of_a_row),
    ]
    if runs.bytes_in_columnstore:
        figures.append(figure("disk in the columnstore per reading", "bytes", runs.bytes_in_columnstore, budget=DISK_BUDGET_BYTES))
    return figures
