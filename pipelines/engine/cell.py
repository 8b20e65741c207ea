"""Runs one flow as one cell: a single-worker Bytewax process that owns some partitions and a recovery folder.

A second start of the same cell is refused: on this machine by the folder's lock, everywhere by the lease of its partitions.
"""

import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TextIO

import structlog
from bytewax._bytewax import cli_main
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir

from pipelines.connectors.errors import ConnectorError, Misconfigured
from pipelines.connectors.garbage import spare_collections
from pipelines.connectors.host import file_identity, this_process
from pipelines.engine.clock_steps import end_on_step_back
from pipelines.engine.lease import CellLease, Claimant, Holding
from pipelines.engine.reconnecting import Reconnecting

RECOVERY_PARTITIONS: Final = 64
"""Bytewax's resume is quadratic in the rows of one recovery partition (bytewax.md 2.4): always many."""

MARK: Final = "cell"
"""File of a recovery folder that names the cell it is of; folders made before it was written have none."""

Flow = Dataflow
"""A built dataflow, for callers that must not know the engine's library."""

EPOCH: Final = timedelta(seconds=5)
"""How often state and offsets are made safe together; what is replayed after a kill is at most this much."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Which flow this process is, which partitions it owns, and where its recovery folder is."""

    flow: str
    partitions: tuple[int, ...]
    folder: Path

    @property
    def name(self) -> str:
        """Return the cell's name, such as detect_excursions-00-63."""
        return f"{self.flow}-{self.partitions[0]:02d}-{self.partitions[-1]:02d}"


def run_cell(
    cell: Cell,
    build: Callable[[Holding], Dataflow],
    leases: Reconnecting,
    *,
    metrics_port: int | None = None,
    epoch: timedelta = EPOCH,
) -> int:
    """Run the flow until it is told to stop; return the process's exit code (2: set up wrongly, 1: try again).

    `leases` is the connection on which the cell's lease is taken and renewed; `metrics_port` is told with it.
    """
    log = structlog.get_logger().bind(flow=cell.flow, cell=cell.name)
    try:
        with claimed(cell, leases, metrics_port) as lease:
            prepare(cell)
            log.info("cell_started", partitions=len(cell.partitions), folder=str(cell.folder))
            end_on_step_back(cell.flow)
            spare_collections()
            recovery = RecoveryConfig(str(cell.folder))  # type: ignore[no-untyped-call]
            cli_main(build(lease), epoch_interval=epoch, recovery_config=recovery)  # type: ignore[no-untyped-call]
    except BaseException as error:
        cause = root_cause(error)
        log.error(  # noqa: TRY400 - errors of a connector are named, not traced
            "cell_stopped",
            error=type(cause).__name__,
            reason=str(cause),
            exc_info=not isinstance(cause, ConnectorError),
        )
        return 2 if isinstance(cause, Misconfigured) else 1
    log.info("cell_drained")
    return 0


@contextmanager
def claimed(cell: Cell, leases: Reconnecting, metrics_port: int | None) -> Iterator[CellLease]:
    """Hold the folder's lock and the lease of the partitions while the block runs; raises Misconfigured when either is taken."""
    with claim(cell.folder) as lock:
        claimant = Claimant(this_process(), file_identity(Path(lock.name)), metrics_port)
        lease = CellLease(leases, cell.flow, cell.name, cell.partitions, claimant)
        lease.acquire()
        try:
            yield lease
        finally:
            lease.release()


def prepare(cell: Cell) -> None:
    """Make the recovery store where there is none; raises Misconfigured when the folder belongs to another cell."""
    if has_store(cell.folder):
        require_own(cell)
    else:
        # A start that was killed in the middle of this leaves some of the files: they hold nothing yet.
        for half_made in cell.folder.glob("part-*.sqlite3*"):
            half_made.unlink()
        (cell.folder / MARK).write_text(f"{cell.name}\n", encoding="utf-8")
        init_db_dir(cell.folder, RECOVERY_PARTITIONS)  # type: ignore[no-untyped-call]


def require_own(cell: Cell) -> None:
    """Raise Misconfigured where a recovery folder belongs to another cell."""
    mark = cell.folder / MARK
    if mark.exists() and (owner := mark.read_text(encoding="utf-8").strip()) != cell.name:
        message = (
            f"the recovery folder {cell.folder} is of {owner}, not of {cell.name}: start that one, or group its partitions anew with "
            "`coldstream regroup`"
        )
        raise Misconfigured(message)


def has_store(folder: Path) -> bool:
    """Return whether a recovery store was made in a folder."""
    return all((folder / f"part-{part}.sqlite3").exists() for part in range(RECOVERY_PARTITIONS))


def claim(folder: Path) -> TextIO:
    """Take the folder's lock for this process's life; raises Misconfigured, naming the holder, when it is taken."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "cell.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        message = f"process {holder} already runs on the recovery folder {folder}: stop it first, or give this cell its own folder"
        raise Misconfigured(message) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def root_cause(error: BaseException) -> BaseException:
    """Return the first error of a chain: Bytewax wraps ours in its own."""
    seen = {id(error)}
    while (cause := error.__cause__ or error.__context__) is not None and id(cause) not in seen:
        seen.add(id(cause))
        error = cause
    return error


def exit_with(code: int) -> None:
    """End the process at once, without waiting for client threads."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
