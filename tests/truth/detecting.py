"""detect_excursions as a process on the log in memory: the flow's own steps, driven by hand, with snapshots it may be started from again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pipelines.engine.outbox import Outbox
from pipelines.engine.progress import recorded_positions
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.recorder import Recorder
from pipelines.engine.shard_logic import Answers, ShardLogic, answers_of, shard_logic
from pipelines.engine.sinks import FlushingPart
from pipelines.engine.source import Batch, Flush
from pipelines.engine.terms import Terms
from pipelines.engine.writers import RevisionWriter
from schemas.topics import READINGS, REVISED
from tests.truth.connections import MemoryDatabase, NoStop
from tests.truth.fuses import Fuses
from tests.truth.log import MemoryLog, MemoryProducer, SilentPublisher

FLOW = "detect_excursions"

Read = Callable[[Batch], Batch | Answers | Flush]


@dataclass(frozen=True, slots=True)
class Epoch:
    """What is kept over a restart: the state of every partition, and the next offset in every topic of it."""

    states: dict[int, bytes] = field(default_factory=dict)
    offsets: dict[tuple[str, int], int] = field(default_factory=dict)


class Detecting:
    """One run of the process."""

    def __init__(
        self, log: MemoryLog, database: MemoryDatabase, fuses: Fuses, terms: Terms, partitions: tuple[int, ...], epoch: Epoch
    ) -> None:
        self._log = log
        self._partitions = partitions
        self._offsets = dict(epoch.offsets)
        self._states = dict(epoch.states)
        lookups = Reconnecting(database, f"{FLOW}-terms", NoStop())  # type: ignore[arg-type]
        self._build = shard_logic(terms, recorded_positions(lookups, FLOW))
        self._logics: dict[int, ShardLogic] = {}
        producer, publisher = MemoryProducer(log, fuses, FLOW), SilentPublisher()
        outbox = Outbox(FLOW, "cell", producer, publisher)  # type: ignore[arg-type]
        revisions = RevisionWriter(producer)  # type: ignore[arg-type]
        records = Reconnecting(database, FLOW, NoStop())  # type: ignore[arg-type]
        self._sink = FlushingPart(Recorder(records, outbox, publisher, revisions))  # type: ignore[arg-type]

    def judge(self, most: int) -> None:
        """Judge records of every partition."""
        self._take(READINGS.name, most, lambda batch: batch)

    def take_answers(self, most: int) -> None:
        """Take answers of every partition."""
        self._take(REVISED.name, most, lambda batch: answers_of(("", batch))[1])

    def record(self) -> None:
        """Commit what was found."""
        self._sink.write_batch([Flush()])

    def epoch(self) -> Epoch:
        """Keep a snapshot, once everything found before it is safe."""
        states = self._states | {partition: logic.snapshot() for partition, logic in self._logics.items()}
        offsets = dict(self._offsets)
        self._sink.snapshot()
        return Epoch(states, offsets)

    @property
    def has_more(self) -> bool:
        """Whether anything is in its topics that it has not read."""
        return any(
            self._offsets.get((topic, partition), 0) < self._log.end(topic, partition)
            for topic in (READINGS.name, REVISED.name)
            for partition in self._partitions
        )

    def _take(self, topic: str, most: int, read: Read) -> None:
        for partition in self._partitions:
            start = self._offsets.get((topic, partition), 0)
            batch = self._log.read(topic, partition, start, most)
            if batch is None:
                continue
            self._offsets[topic, partition] = start + len(batch.records)
            logic = self._logics.get(partition)
            if logic is None:
                logic = self._logics[partition] = self._build(self._states.get(partition))
            outputs, _ = logic.on_batch([read(batch)])
            self._hand_on(outputs)

    def _hand_on(self, outputs: Iterable[object]) -> None:
        self._sink.write_batch(list(outputs))  # type: ignore[arg-type]
