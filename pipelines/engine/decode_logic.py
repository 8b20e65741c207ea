"""Bytewax's kept state around the decoder: how far each partition has said what its clock has passed, and nothing more."""

from collections.abc import Callable, Iterable

from bytewax.operators import StatefulBatchLogic

from pipelines.engine.decoding import DecodedBatch, UplinkDecoder
from pipelines.engine.source import Batch, Flush


class DecodeLogic(StatefulBatchLogic[Batch | Flush, DecodedBatch | Flush, bytes]):
    """One partition of a decoder. The key of Flush items keeps nothing and hands one of them on."""

    def __init__(self, decoder: UplinkDecoder, snapshot: bytes | None) -> None:
        """Take the decoder of all partitions, and the snapshot of this key, None for none."""
        self._decoder = decoder
        self._snapshot = snapshot
        self._partition: int | None = None

    def on_batch(self, values: list[Batch | Flush]) -> tuple[Iterable[DecodedBatch | Flush], bool]:
        """Decode the batches in order."""
        batches = [value for value in values if isinstance(value, Batch)]
        if not batches:
            return [value for value in values if isinstance(value, Flush)][:1], True
        if self._partition is None:
            self._partition = batches[0].partition
            self._decoder.unsaid.resume(self._partition, self._snapshot or None)
        return [self._decoder.decode(batch) for batch in batches], False

    def snapshot(self) -> bytes:
        """Return what must be kept over a restart; before the first batch after a start, what it started from."""
        if self._partition is None:
            assert self._snapshot is not None, "a new key is made by its first batch"
            return self._snapshot
        return self._decoder.unsaid.snapshot(self._partition) or b""


def decode_logic(decoder: UplinkDecoder) -> Callable[[bytes | None], DecodeLogic]:
    """Return what builds the logic of a key from its snapshot."""
    return lambda snapshot: DecodeLogic(decoder, snapshot)
