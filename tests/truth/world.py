"""A fleet's life carried out: decode, store, detect and revise take turns on a log and tables in memory, and everything comes to rest at the end.

The code is the product's; only the log, the tables and what decode_uplinks writes are stand-ins.
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, assert_never
from unittest.mock import patch

from pipelines.engine.unpack import fresh_rows
from schemas.topics import READINGS
from tests.truth.connections import MemoryDatabase
from tests.truth.decoder import Decoder
from tests.truth.detecting import FLOW as DETECT
from tests.truth.detecting import Detecting, Epoch
from tests.truth.documents import terms_of
from tests.truth.fleet import Act, Clock, Correction, Fleet, Uplink, What
from tests.truth.fuses import Ends, Fuses, Killed
from tests.truth.log import MemoryLog
from tests.truth.revising import FLOW as REVISE
from tests.truth.revising import Revising
from tests.truth.tables import MemoryTables

EVERYTHING: Final = 1 << 30
MOST_ROUNDS: Final = 200
"""Turns after which what has not come to rest never will."""


BOUNDS: Final = ("pipelines.engine.sensors.MOST_LINES", "pipelines.engine.stretches.STREAM_ROWS", "pipelines.engine.stretches.PAGE_ROWS")


class Restless(Exception):
    """The fleet does not come to rest."""


class World:
    """One fleet and all processes."""

    def __init__(self, fleet: Fleet, tables: MemoryTables | None = None) -> None:
        self.fleet = fleet
        self.log = MemoryLog()
        self.tables = MemoryTables(fleet) if tables is None else tables
        self.decoder = Decoder(fleet, self.log)
        self._fuses = Fuses()
        self._databases = {name: MemoryDatabase(self.tables, self._fuses, name) for name in (DETECT, REVISE)}
        self._detect_epochs: list[Epoch] = [Epoch()]
        self._revise_epochs: list[Epoch] = [Epoch()]
        self._read_by_store = dict.fromkeys(fleet.partitions, 0)
        self._now = 0.0
        self._start_detect()
        self._start_revise()

    def monotonic(self) -> float:
        """Return the seconds that revise has waited."""
        return self._now

    def live(self) -> None:
        """Carry out everything that happens, and come to rest."""
        with self._patched():
            for event in self.fleet.events:
                match event:
                    case Uplink():
                        self.decoder.write(event)
                    case Clock():
                        self.decoder.tick(event.to)
                    case Act():
                        self._act(event)
                    case Correction():
                        self.tables.correct(event)
                        self.decoder.correct(event)
                    case _:
                        assert_never(event)
            self._fuses.put_out()
            self.decoder.tick(self.decoder.newest + self.fleet.settle_ms)
        self.rest()

    def rest(self) -> None:
        """Let all parts do their work to its end."""
        with self._patched():
            for _ in range(MOST_ROUNDS):
                self._store(EVERYTHING)
                self._detecting.judge(EVERYTHING)
                self._detecting.record()
                self._revising.ask(EVERYTHING)
                self._now += 20
                self._revising.revise()
                self._detecting.take_answers(EVERYTHING)
                self._detecting.record()
                if not self._detecting.has_more and not self._revising.has_more:
                    return
            raise Restless(f"requests and answers still come after {MOST_ROUNDS} turns")

    def begin_again(self) -> None:
        """Have both flows start from their oldest snapshot once more."""
        with self._patched():
            self._die_detecting(EVERYTHING)
            self._die_revising(EVERYTHING)

    def _patched(self) -> ExitStack:
        stack = ExitStack()
        stack.enter_context(patch("pipelines.engine.revision_logic.monotonic", self.monotonic))
        if self.fleet.most_rows is not None:
            for bound in BOUNDS:
                stack.enter_context(patch(bound, self.fleet.most_rows))
        return stack

    def _act(self, act: Act) -> None:
        count = act.count
        match act.what:
            case What.DETECT:
                self._survive(lambda: self._detecting.judge(count), self._die_detecting)
            case What.ANSWERS:
                self._survive(lambda: self._detecting.take_answers(count), self._die_detecting)
            case What.RECORD:
                self._survive(self._detecting.record, self._die_detecting)
            case What.DETECT_EPOCH:
                self._survive(lambda: self._detect_epochs.append(self._detecting.epoch()), self._die_detecting)
            case What.DETECT_DIES:
                self._die_detecting(count)
            case What.DETECT_DIES_AT_CALL:
                self._fuses.light(DETECT, Ends.KILLED, count)
            case What.STORE:
                self._store(count)
            case What.ASK:
                self._survive(lambda: self._revising.ask(count), self._die_revising)
            case What.REVISE:
                self._now += count
                self._survive(self._revising.revise, self._die_revising)
            case What.REVISE_EPOCH:
                self._survive(lambda: self._revise_epochs.append(self._revising.epoch()), self._die_revising)
            case What.REVISE_DIES:
                self._die_revising(count)
            case What.REVISE_DIES_AT_CALL:
                self._fuses.light(REVISE, Ends.KILLED, count)
            case What.OVERTAKEN:
                self._databases[REVISE].after_reading = self._overtake
            case What.DATABASE_DROPS:
                self._fuses.light(DETECT if count % 2 else REVISE, Ends.DROPPED, count)
            case What.ROWS_AGAIN:
                self.decoder.write_again(count)
            case What.ENDS_AGAIN:
                self.decoder.start_anew()
            case _:
                assert_never(act.what)

    def _overtake(self) -> None:
        self._survive(lambda: self._detecting.judge(EVERYTHING), self._die_detecting)
        self._survive(self._detecting.record, self._die_detecting)

    def _survive(self, work: Callable[[], object], die: Callable[[int], None]) -> None:
        """Do something within a process, which may die of it and is started again."""
        try:
            work()
        except Killed:
            die(0)

    def _store(self, most: int) -> None:
        """Take records of every partition into the hypertable, in one transaction each."""
        for partition, start in self._read_by_store.items():
            batch = self.log.read(READINGS.name, partition, start, most)
            if batch is not None:
                self._read_by_store[partition] = start + len(batch.records)
                rows, _, _ = fresh_rows([record.value for record in batch.records], -1)
                self.tables.store(rows, partition)

    def _die_detecting(self, back: int) -> None:
        """Start detect from its snapshot, or one some epochs older; the newer ones are gone."""
        del self._detect_epochs[max(1, len(self._detect_epochs) - back) :]
        self._start_detect()

    def _die_revising(self, back: int) -> None:
        del self._revise_epochs[max(1, len(self._revise_epochs) - back) :]
        self._start_revise()

    def _start_detect(self) -> None:
        self._detecting = Detecting(
            self.log, self._databases[DETECT], self._fuses, terms_of(self.fleet), self.fleet.partitions, self._detect_epochs[-1]
        )

    def _start_revise(self) -> None:
        self._revising = Revising(
            self.log, self._databases[REVISE], self._fuses, terms_of(self.fleet), self.fleet.partitions, self._revise_epochs[-1]
        )
