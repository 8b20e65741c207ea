"""revise_excursions as a process on the log in memory: the flow's own steps, driven by hand, with snapshots it may be started from again."""

from pipelines.engine.outbox import Outbox
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.reviser import Reviser
from pipelines.engine.revision_logic import RevisionLogic, StoredOffsets, revision_logic
from pipelines.engine.sinks import FlushingPart
from pipelines.engine.terms import Terms
from schemas.topics import REVISIONS
from tests.truth.connections import MemoryDatabase, NoStop
from tests.truth.detecting import Epoch
from tests.truth.fuses import Fuses
from tests.truth.log import MemoryLog, MemoryProducer, SilentPublisher

FLOW = "revise_excursions"


class Revising:
    """One run of the process."""

    def __init__(
        self, log: MemoryLog, database: MemoryDatabase, fuses: Fuses, terms: Terms, partitions: tuple[int, ...], epoch: Epoch
    ) -> None:
        self._log = log
        self._partitions = partitions
        self._offsets = dict(epoch.offsets)
        producer = MemoryProducer(log, fuses, FLOW)
        outbox = Outbox(FLOW, "cell", producer, SilentPublisher())  # type: ignore[arg-type]
        reviser = Reviser(Reconnecting(database, FLOW, NoStop()), terms, outbox, producer)  # type: ignore[arg-type]
        self._sink = FlushingPart(reviser)
        build = revision_logic(StoredOffsets(Reconnecting(database, f"{FLOW}-offsets", NoStop())))  # type: ignore[arg-type]
        self._logics: dict[int, RevisionLogic] = {partition: build(epoch.states.get(partition)) for partition in partitions}

    def ask(self, most: int) -> None:
        """Read requests of every partition."""
        for partition, logic in self._logics.items():
            start = self._offsets.get((REVISIONS.name, partition), 0)
            batch = self._log.read(REVISIONS.name, partition, start, most)
            if batch is not None:
                self._offsets[REVISIONS.name, partition] = start + len(batch.records)
                logic.on_batch([batch])

    def revise(self) -> None:
        """Carry out what is due."""
        for logic in self._logics.values():
            if logic.notify_at() is not None:
                due, _ = logic.on_notify()
                self._sink.write_batch(list(due))

    def epoch(self) -> Epoch:
        """Keep a snapshot, once everything carried out before it is safe."""
        states, offsets = {partition: logic.snapshot() for partition, logic in self._logics.items()}, dict(self._offsets)
        self._sink.snapshot()
        return Epoch(states, offsets)

    @property
    def has_more(self) -> bool:
        """Whether anything waits, or is in its topic and was not read."""
        unread = any(self._offsets.get((REVISIONS.name, one), 0) < self._log.end(REVISIONS.name, one) for one in self._partitions)
        return unread or any(logic.notify_at() is not None for logic in self._logics.values())
