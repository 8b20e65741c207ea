"""A fleet's life through the real dataflows: `build(...)` of detect and revise run by Bytewax, with recovery stores, on log and tables in memory.

Slower than `world`, and coarser: a flow reads everything there is whenever it runs, and dies at a call or ends as at SIGTERM.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import run_main

from pipelines.engine.lease import unfenced
from pipelines.engine.source import keep_nothing
from pipelines.engine.unpack import fresh_rows
from pipelines.flows import detect_excursions, revise_excursions
from schemas.topics import READINGS
from tests.truth.clients import MemoryKafka, MemoryRedis
from tests.truth.connections import MemoryDatabase
from tests.truth.decoder import Decoder
from tests.truth.documents import terms_of
from tests.truth.fleet import Act, Clock, Correction, Fleet, Uplink
from tests.truth.fuses import Ends, Fuses, Killed
from tests.truth.log import MemoryLog
from tests.truth.tables import MemoryTables

DETECT: Final = detect_excursions.FLOW
REVISE: Final = revise_excursions.FLOW

IDLE_SECONDS: Final = 0.05
"""With nothing to read for so long a flow is asked to stop: what waits in it has been looked at many times."""

MOST_ROUNDS: Final = 40
ACTS_APART: Final = 25
"""Happenings between two turns of the flows."""


class Drained:
    """Asks a flow to stop once it has read everything and was idle for a while."""

    def __init__(self, kafka: MemoryKafka) -> None:
        self._kafka = kafka
        self._since: float | None = None

    def __call__(self) -> bool:
        """Return whether it is time to stop."""
        if not self._kafka.is_drained:
            self._since = None
            return False
        self._since = time.monotonic() if self._since is None else self._since
        return time.monotonic() - self._since > IDLE_SECONDS

    def wait(self, seconds: float) -> bool:  # noqa: ARG002
        """Return at once."""
        return False


class Running:
    """Both flows over one fleet."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.log, self.tables = MemoryLog(), MemoryTables(fleet)
        self.decoder = Decoder(fleet, self.log)
        self._fleet, self._fuses = fleet, Fuses()
        self._stores = {flow: folder / flow for flow in (DETECT, REVISE)}
        self._stored = dict.fromkeys(fleet.partitions, 0)
        self._seconds = iter(range(0, 1 << 40, 20))
        self.deaths = 0
        for store in self._stores.values():
            store.mkdir()
            init_db_dir(store, 1)  # type: ignore[no-untyped-call]

    def live(self) -> None:
        """Carry out what happens, the flows taking turns; each act of the fleet lets one of them die at a later call."""
        for place, event in enumerate(self._fleet.events):
            match event:
                case Uplink():
                    self.decoder.write(event)
                case Clock():
                    self.decoder.tick(event.to)
                case Act():
                    pass
                case Correction():
                    self.tables.correct(event)
                    self.decoder.correct(event)
            if place % ACTS_APART == ACTS_APART - 1:
                for process in (DETECT, REVISE):
                    self._fuses.light(process, Ends.KILLED, 1 + (place * 7) % 60)
                self._turn()
        self._fuses.put_out()
        self.decoder.tick(self.decoder.newest + self._fleet.settle_ms)
        for _ in range(MOST_ROUNDS):
            before = (self.log.end_of_all(), len(self.tables.kept.versions))
            self._turn()
            if before == (self.log.end_of_all(), len(self.tables.kept.versions)):
                return
        raise AssertionError("the flows do not come to rest")

    def _turn(self) -> None:
        for partition, start in self._stored.items():
            batch = self.log.read(READINGS.name, partition, start, 1 << 30)
            if batch is not None:
                self._stored[partition] = start + len(batch.records)
                self.tables.store(fresh_rows([record.value for record in batch.records], -1)[0], partition)
        self._run(DETECT, detect_excursions.build)
        self._run(REVISE, revise_excursions.build)

    def _run(self, flow: str, build: Callable[..., Dataflow]) -> None:
        """Run a flow until it has read everything, or dies."""
        kafka = MemoryKafka(self.log, self._fuses, flow)
        database = MemoryDatabase(self.tables, self._fuses, flow)
        holding = SimpleNamespace(renew=keep_nothing, fence=unfenced)
        with self._patched(), errors_unsaid():
            dataflow = build(kafka, database, MemoryRedis(), self._fleet.partitions, Drained(kafka), holding, cell="cell")
            try:
                store = RecoveryConfig(str(self._stores[flow]))  # type: ignore[no-untyped-call]
                run_main(dataflow, epoch_interval=timedelta(0), recovery_config=store)  # type: ignore[no-untyped-call]
            except BaseException as error:
                if not any(isinstance(one, Killed) for one in causes(error)):
                    raise
                self.deaths += 1

    def _patched(self) -> ExitStack:
        """Let the queue's clock run fast, terms come from the fleet, and a process that dies close nothing."""
        stack = ExitStack()
        stack.enter_context(patch("pipelines.engine.sinks.FlushingPart.close", lambda _part: None))
        stack.enter_context(patch("pipelines.engine.revision_logic.monotonic", lambda: float(next(self._seconds))))
        stack.enter_context(patch("pipelines.engine.revision_logic.LOOK_SECONDS", 0.001))
        for flow in (DETECT, REVISE):
            stack.enter_context(patch(f"pipelines.flows.{flow}.load_terms", lambda _database: terms_of(self._fleet)))
        return stack


@contextmanager
def errors_unsaid() -> Iterator[None]:
    """Keep what Bytewax writes of a death on standard error to itself: deaths are on purpose here."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and everything that led to it."""
    following: Any = error
    while following is not None:
        yield following
        following = following.__cause__ or following.__context__
