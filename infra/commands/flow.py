"""`coldstream flow NAME`: run one dataflow as one cell, until it is told to stop."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from pipelines.connectors.errors import Misconfigured
from pipelines.connectors.kafka import KafkaConfig
from pipelines.connectors.logs import configure_logging
from pipelines.connectors.metrics import serve_metrics
from pipelines.connectors.redis import RedisConfig
from pipelines.connectors.settings import flag, setting
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.engine.cell import Cell, Flow, exit_with, run_cell
from pipelines.engine.lease import Holding
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.stop import StopFlag
from pipelines.flows import decode_uplinks, detect_excursions, revise_excursions, store_dead_letters, store_readings
from schemas.topics import DEAD_LETTERS, READINGS, REVISIONS, UPLINKS

PARTITIONS = {
    decode_uplinks.FLOW: UPLINKS.partitions,
    store_readings.FLOW: READINGS.partitions,
    detect_excursions.FLOW: READINGS.partitions,
    revise_excursions.FLOW: REVISIONS.partitions,
    store_dead_letters.FLOW: DEAD_LETTERS.partitions,
}
"""Every flow, and how many partitions its topic has."""

METRICS_PORT = 9_400


@click.command()
@click.argument("name", type=click.Choice(sorted(PARTITIONS)))
@click.option("--partitions", "wanted", default="", help="This cell's partitions, such as 0-31. Default: all.")
@click.option(
    "--recovery", default=lambda: setting("RECOVERY_DIR", ""), help="Recovery folder. Default: RECOVERY_DIR, else .local/NAME/recovery."
)
def command(name: str, wanted: str, recovery: str) -> None:
    """Run one dataflow as one cell, until SIGTERM or Ctrl-C; what is under way is finished first."""
    configure_logging()
    try:
        cell = Cell(name, partition_range(wanted, PARTITIONS[name]), Path(recovery or f".local/{name}/recovery"))
        code = start(cell, serve_metrics(METRICS_PORT))
    except Misconfigured as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    exit_with(code)


def start(cell: Cell, metrics_port: int | None) -> int:
    """Build and run the cell's flow; return the exit code."""
    stop = StopFlag()
    stop.listen()
    kafka, database = KafkaConfig.from_environment(), DatabaseConfig.from_environment()
    skip_done = flag("SKIP_DONE", default=True)

    servers = Servers(kafka, database, RedisConfig.from_environment)

    def build(holding: Holding) -> Flow:
        return build_flow(cell, servers, stop, holding, skip_done=skip_done)

    return run_cell(cell, build, Reconnecting(database, f"{cell.flow}-lease", stop), metrics_port=metrics_port)


@dataclass(frozen=True, slots=True)
class Servers:
    """Where everything is that a flow needs; Redis is asked for only by flows that publish."""

    kafka: KafkaConfig
    database: DatabaseConfig
    redis: Callable[[], RedisConfig]


def build_flow(cell: Cell, servers: Servers, stop: StopFlag, holding: Holding, *, skip_done: bool = True) -> Flow:
    """Build a cell's flow; nothing connects before it runs."""
    kafka, database, own = servers.kafka, servers.database, cell.partitions
    match cell.flow:
        case decode_uplinks.FLOW:
            return decode_uplinks.build(kafka, database, own, stop, holding)
        case store_readings.FLOW:
            return store_readings.build(kafka, database, servers.redis(), own, stop, holding, skip_done=skip_done)
        case detect_excursions.FLOW:
            redis = servers.redis()
            return detect_excursions.build(kafka, database, redis, own, stop, holding, cell=cell.name, skip_done=skip_done)
        case revise_excursions.FLOW:
            return revise_excursions.build(kafka, database, servers.redis(), own, stop, holding, cell=cell.name)
        case store_dead_letters.FLOW:
            return store_dead_letters.build(kafka, database, own, stop, holding)
        case _:
            message = f"there is no flow {cell.flow}"
            raise Misconfigured(message)


def partition_range(text: str, count: int) -> tuple[int, ...]:
    """Return the partitions of `first-last`, all for an empty text; raises Misconfigured."""
    if not text:
        return tuple(range(count))
    first, _, last = text.partition("-")
    if not (first.isdigit() and (last or first).isdigit() and int(first) <= int(last or first) < count):
        message = f"partitions must be first-last within 0-{count - 1}, not {text!r}"
        raise Misconfigured(message)
    return tuple(range(int(first), int(last or first) + 1))
