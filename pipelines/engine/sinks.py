"""Our sinks. They hold back the recovery commit: Kafka records are acknowledged, database rows committed, by `snapshot()`.

Every sink has one part per process (cells share nothing). Each `Writer` does the writing; this file only knows when.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from pipelines.engine.source import Flush

X = TypeVar("X")


class Writer(Protocol[X]):
    """Writes items somewhere, and can make sure of them."""

    def write(self, items: list[X]) -> None:
        """Take items, in order; may write them at once or keep them until a bound is reached."""

    def flush(self) -> None:
        """Return only when everything taken so far is safe; raises when it cannot be."""

    def close(self) -> None:
        """Let go of connections."""


class FlushingSink(FixedPartitionedSink[X | Flush, None]):
    """Hands items to a writer, and flushes it on a Flush item and at every epoch's end."""

    def __init__(self, build: Callable[[], Writer[X]], *, in_lulls: bool = True) -> None:
        """Name how the writer is made (in the worker), and whether it flushes on Flush items too.

        A writer to Kafka need not: its client sends at once by itself, and to wait for the broker in every lull would only hold
        up the next poll.
        """
        self._build = build
        self._in_lulls = in_lulls

    def list_parts(self) -> list[str]:
        """Return the single part."""
        return ["all"]

    def part_fn(self, item_key: str) -> int:  # noqa: ARG002 - bytewax's signature
        """Send every key to the single part."""
        return 0

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> "FlushingPart[X]":  # noqa: ARG002
        """Return the part around a new writer."""
        return FlushingPart(self._build(), in_lulls=self._in_lulls)


class FlushingPart(StatefulSinkPartition[X | Flush, None]):
    """The part of a FlushingSink."""

    def __init__(self, writer: Writer[X], *, in_lulls: bool = True) -> None:
        """Take over a writer."""
        self._writer = writer
        self._in_lulls = in_lulls

    def write_batch(self, values: list[X | Flush]) -> None:
        """Write the items; a Flush among them makes everything safe at once, where lulls do."""
        items: list[X] = [value for value in values if not isinstance(value, Flush)]
        if items:
            self._writer.write(items)
        if self._in_lulls and len(items) < len(values):
            self._writer.flush()

    def snapshot(self) -> None:
        """Make everything safe: the epoch must not be committed before its output is."""
        self._writer.flush()

    def close(self) -> None:
        """Make everything safe and let go."""
        self._writer.flush()
        self._writer.close()
