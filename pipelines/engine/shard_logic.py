"""Bytewax's kept state around a shard: the adapter, and nothing more."""

from collections.abc import Callable, Iterable
from typing import Final

from bytewax.operators import StatefulBatchLogic

from pipelines.connectors.clock import now_ms
from pipelines.connectors.metrics import FLOW_CLOCK, FLOW_CLOCK_AGE
from pipelines.domain.partition_clock import NEVER
from pipelines.engine.judgements import Output
from pipelines.engine.shard import Shard
from pipelines.engine.source import Flush, Record
from pipelines.engine.terms import Terms

FLOW: Final = "detect_excursions"


class ShardLogic(StatefulBatchLogic[list[Record] | Flush, Output | Flush, bytes]):
    """The shard of one partition; its snapshot is versioned bytes."""

    def __init__(self, shard: Shard) -> None:
        """Take the shard."""
        self._shard = shard

    def on_batch(self, values: list[list[Record] | Flush]) -> tuple[Iterable[Output | Flush], bool]:
        """Judge the records."""
        records = [record.value for value in values if not isinstance(value, Flush) for record in value]
        outputs = self._shard.on_records(records)
        if self._shard.clock.now != NEVER:
            clock = self._shard.clock.now
            FLOW_CLOCK.labels(FLOW, self._shard.partition).set(clock / 1000)
            FLOW_CLOCK_AGE.labels(FLOW, self._shard.partition).set((now_ms() - clock) / 1000)
        return outputs, False

    def snapshot(self) -> bytes:
        """Return the shard as bytes."""
        return self._shard.snapshot()


class FlushLogic(StatefulBatchLogic[list[Record] | Flush, Output | Flush, bytes]):
    """Hands on that there is nothing more in the log for now."""

    def on_batch(self, values: list[list[Record] | Flush]) -> tuple[Iterable[Output | Flush], bool]:
        """Hand on one of them, and keep nothing."""
        return [value for value in values if isinstance(value, Flush)][:1], True

    def snapshot(self) -> bytes:
        """Keep nothing."""
        return b""


def shard_logic(terms: Terms) -> Callable[[str, bytes | None], ShardLogic | FlushLogic]:
    """Return what builds the logic of a key."""

    def build(key: str, snapshot: bytes | None) -> ShardLogic | FlushLogic:
        return ShardLogic(Shard(int(key), terms, snapshot)) if key.isdigit() else FlushLogic()

    return build
