"""When a sink makes its writer's output safe: at every snapshot, and in lulls where that is wanted."""

from pipelines.engine.sinks import FlushingSink
from pipelines.engine.source import Flush


class Recorded:
    """A writer that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def write(self, items: list[str]) -> None:
        self.told += items

    def flush(self) -> None:
        self.told.append("flushed")

    def close(self) -> None:
        self.told.append("closed")


def test_a_lull_makes_everything_safe_after_the_items_before_it() -> None:
    writer = Recorded()
    part = FlushingSink(lambda: writer).build_part("step", "all", None)

    part.write_batch(["a", "b", Flush()])

    assert writer.told == ["a", "b", "flushed"]


def test_a_sink_that_waits_for_snapshots_alone_passes_over_lulls() -> None:
    writer = Recorded()
    part = FlushingSink(lambda: writer, in_lulls=False).build_part("step", "all", None)

    part.write_batch(["a", Flush()])
    assert writer.told == ["a"]

    part.snapshot()
    assert writer.told == ["a", "flushed"]


def test_closing_makes_everything_safe_first() -> None:
    writer = Recorded()
    part = FlushingSink(lambda: writer, in_lulls=False).build_part("step", "all", None)

    part.write_batch(["a"])
    part.close()

    assert writer.told == ["a", "flushed", "closed"]
