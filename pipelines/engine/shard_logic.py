"""Bytewax's kept state around a shard: the adapter, and nothing more."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from bytewax.operators import StatefulBatchLogic

from pipelines.connectors.metrics import DETECT_RUNNING, DETECT_SECONDS, DETECT_SENSORS, DETECT_SNAPSHOT_SECONDS
from pipelines.domain.partition_clock import NEVER
from pipelines.engine.awaiting import Answer, decode_answer
from pipelines.engine.clock_metrics import show_clock
from pipelines.engine.judgements import Output
from pipelines.engine.shard import Shard
from pipelines.engine.source import Batch, Flush
from pipelines.engine.terms import Terms
from schemas.revisions import decode_revised

FLOW: Final = "detect_excursions"


Recorded = Callable[[int], int]
"""Says up to which offset facts of a partition are on record; -1 for none."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of revisions for one partition, in order."""

    partition: int
    answers: list[Answer]


def answers_of(item: tuple[str, Batch | Flush]) -> tuple[str, Answers | Flush]:
    """Return records of the topic `revised` as answers."""
    key, batch = item
    if isinstance(batch, Flush):
        return key, batch
    return key, Answers(batch.partition, [decode_answer(decode_revised(record.value)) for record in batch.records])


class ShardLogic(StatefulBatchLogic[Batch | Answers | Flush, Output | Flush, bytes]):
    """The shard of one partition, made when its first batch says which; its snapshot is versioned bytes.

    The key of Flush items keeps nothing and hands one of them on.
    """

    def __init__(self, terms: Terms, recorded: Recorded, snapshot: bytes | None) -> None:
        """Take the terms, what says how far facts are on record, and the snapshot of this key, None for none."""
        self._terms = terms
        self._recorded = recorded
        self._snapshot = snapshot
        self._shard: Shard | None = None

    def on_batch(self, values: list[Batch | Answers | Flush]) -> tuple[Iterable[Output | Flush], bool]:
        """Judge the records."""
        batches = [value for value in values if isinstance(value, Batch)]
        answers = [value for value in values if isinstance(value, Answers)]
        if not batches and not answers:
            return [value for value in values if isinstance(value, Flush)][:1], True
        if self._shard is None:
            partition = (batches[0] if batches else answers[0]).partition
            self._shard = Shard(partition, self._terms, self._snapshot, self._recorded(partition))
        shard = self._shard
        with DETECT_SECONDS.time():
            outputs = shard.on_records([record.value for batch in batches for record in batch.records])
            for answer in (one for several in answers for one in several.answers):
                outputs += shard.on_answer(answer)
        if shard.clock.now != NEVER:
            show_clock(FLOW, shard.partition, shard.clock.now)
        return outputs, False

    def snapshot(self) -> bytes:
        """Return the shard as bytes; before the first batch after a start, which a drain may not wait for, what it started from."""
        if self._shard is None:
            assert self._snapshot is not None, "a new key is made by its first batch"
            return self._snapshot
        DETECT_SENSORS.labels(self._shard.partition).set(self._shard.sensors)
        DETECT_RUNNING.labels(self._shard.partition).set(self._shard.running)
        with DETECT_SNAPSHOT_SECONDS.time():
            return self._shard.snapshot()


def shard_logic(terms: Terms, recorded: Recorded) -> Callable[[bytes | None], ShardLogic]:
    """Return what builds the logic of a key from its snapshot."""
    return lambda snapshot: ShardLogic(terms, recorded, snapshot)
