"""The first poll of a reader is small: nothing is known yet of how large records are, and what they cost."""

from typing import TYPE_CHECKING, cast

from pipelines.engine.pace import FIRST_BYTES, Pace
from pipelines.engine.source import FIRST_RECORD_BYTES, LogPart

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message, TopicPartition


class FullMessage:
    """A record as large as a flow's batches are."""

    def error(self) -> None:
        """Have no error."""

    def partition(self) -> int:
        """Be of the only partition."""
        return 0

    def offset(self) -> int:
        """Be the first."""
        return 0

    def value(self) -> bytes:
        """Hold 700 rows."""
        return bytes(FIRST_RECORD_BYTES - 64)

    def headers(self) -> None:
        """Have none."""

    def timestamp(self) -> tuple[int, int]:
        """Have a stamp."""
        return (1, 0)


class FullLog:
    """A log that gives whatever it is asked for."""

    def __init__(self) -> None:
        """Have been asked nothing."""
        self.asked: list[int] = []

    def get_watermark_offsets(self, _place: "TopicPartition", timeout: float = 0, *, cached: bool = False) -> tuple[int, int]:  # noqa: ARG002
        """Hold a million records."""
        return 0, 1_000_000

    def assign(self, places: "list[TopicPartition]") -> None:
        """Take any places."""

    def consume(self, most: int, _timeout: float) -> "list[Message]":
        """Give as many large records as are wanted."""
        self.asked.append(most)
        return cast("list[Message]", [FullMessage()] * most)


def test_the_first_poll_of_a_log_of_large_records_takes_no_more_than_its_bytes() -> None:
    log = FullLog()
    part = LogPart(cast("Consumer", log), "readings", (0,), {}, flow="test", stop=lambda: False, pace=Pace())

    part.next_batch()

    assert log.asked == [FIRST_BYTES // FIRST_RECORD_BYTES]
