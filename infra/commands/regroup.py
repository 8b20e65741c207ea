"""`coldstream regroup`: bring the recovery folders of stopped flows to another number of cells, nothing lost and nothing read again."""

import sys
from pathlib import Path

import click

from infra.commands.flow import PARTITIONS, Servers, build_flow, partition_range
from infra.local.cells import parse_counts
from infra.local.environment import DEFAULT_DATA
from infra.local.errors import StackError
from infra.local.folders import Folders
from infra.local.lock import exclusive
from infra.local.regrouping import regroup_flow
from pipelines.connectors.errors import Misconfigured
from pipelines.connectors.kafka import KafkaConfig
from pipelines.connectors.redis import RedisConfig
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.engine.cell import MARK, Cell
from pipelines.engine.lease import Unleased
from pipelines.engine.regroup import Shape, regroup, shape_of
from pipelines.engine.stop import StopFlag


@click.command()
@click.option("--cells", default="", metavar="N|FLOW=N,...", help="For the local stack's folders, as for `coldstream up`.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_DATA, show_default=True)
@click.option("--flow", type=click.Choice(sorted(PARTITIONS)), help="For folders named one by one with --from and --to.")
@click.option("--from", "sources", multiple=True, metavar="[RANGE=]DIR", help="A recovery folder to read; it stays as it is.")
@click.option("--to", "targets", multiple=True, metavar="RANGE=DIR", help="A new recovery folder, such as 0-31=DIR.")
def command(cells: str, data: Path, flow: str | None, sources: tuple[str, ...], targets: tuple[str, ...]) -> None:
    """Group the partitions of stopped flows into other cells, with their state.

    Either --cells for the folders below --data, or --flow with the folders --from which and --to which. The cells must
    not run. The old folders are kept: below --data as FLOW/replaced.
    """
    by_hand = bool(flow or sources or targets)
    if by_hand == bool(cells) or (by_hand and not (flow and sources and targets)):
        message = "name either --cells, or all of --flow, --from and --to"
        raise click.UsageError(message)
    try:
        if flow:
            regroup(_shape(flow), [_source(flow, text) for text in sources], [_target(flow, text) for text in targets])
            click.echo(f"{flow}: written to {len(targets)} new folders; the cells on the old ones must not start again")
            return
        counts = parse_counts(cells)
        folders = Folders.at(data)
        with exclusive(folders.lock):
            for part in counts:
                click.echo(f"{part}: {regroup_flow(folders, part, counts, _shape(part))}")
    except (Misconfigured, StackError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)


def _shape(flow: str) -> Shape:
    """Return where a flow keeps something, seen on the flow itself; nothing connects before it runs."""
    nowhere = Servers(KafkaConfig("nowhere:1"), DatabaseConfig("postgresql://nowhere/none"), lambda: RedisConfig("redis://nowhere"))
    return shape_of(build_flow(Cell(flow, (0,), Path()), nowhere, StopFlag(), Unleased()))


def _source(flow: str, text: str) -> Cell:
    """Return the cell of `[RANGE=]DIR`; without a range the folder itself says it."""
    named, separator, folder = text.rpartition("=")
    mark = Path(folder) / MARK
    if not separator:
        if not mark.exists():
            message = f"{folder} does not say which partitions it is of: write --from FIRST-LAST={folder}"
            raise Misconfigured(message)
        named = mark.read_text(encoding="utf-8").strip().removeprefix(f"{flow}-")
    return Cell(flow, partition_range(named, PARTITIONS[flow]), Path(folder))


def _target(flow: str, text: str) -> Cell:
    named, separator, folder = text.partition("=")
    if not (separator and folder):
        message = f"--to must be FIRST-LAST=DIR, not {text!r}"
        raise Misconfigured(message)
    return Cell(flow, partition_range(named, PARTITIONS[flow]), Path(folder))
