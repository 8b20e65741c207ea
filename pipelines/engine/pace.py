"""How much a source takes at once, and how often it lets sinks flush: by what the last poll took to handle. Pure; time is an argument.

A poll is handled while nothing new is read, so a slow one is a stall: sensors seen for the first time cost a row each in the database,
quiet readings nearly nothing.
"""

from typing import Final

MOST_BYTES: Final = 4 * 1_048_576
"""A poll stops collecting about here: 65,000 rows of `readings`."""

LEAST_BYTES: Final = 64 * 1_024

FIRST_BYTES: Final = 512 * 1_024
"""Of the first poll: what the records cost is not known yet."""

SLOW_SECONDS: Final = 0.4
"""A poll that took longer is followed by a smaller one."""

QUICK_SECONDS: Final = 0.2
"""A poll that took less may be followed by a larger one."""

FLUSH_AT_LEAST_SECONDS: Final = 0.5
"""While the log has no lull, as when a flow catches up, sinks flush this often: nothing waits for an epoch's end to be told."""

BUSY_RECORDS: Final = 8
"""A poll with so many records and yet not full is of a busy log that is kept up with: the next may wait a moment and take more at once."""


class Pace:
    """The pace of one reader."""

    def __init__(self, flush_every_seconds: float = 0.0, gather_seconds: float = 0.0) -> None:
        """Take how far apart flushes are at least (the first of a lull comes at once), and how long a busy log is left to gather."""
        self.poll_bytes = FIRST_BYTES
        self._flush_every = flush_every_seconds
        self._gather = gather_seconds
        self._flushed_at = float("-inf")
        self._handed_on_at: float | None = None

    def asked(self, now: float) -> None:
        """Take note that what was handed on has been dealt with, at an instant in seconds."""
        if self._handed_on_at is None:
            return
        took = now - self._handed_on_at
        self._handed_on_at = None
        if took > SLOW_SECONDS:
            self.poll_bytes = max(LEAST_BYTES, self.poll_bytes // 2)
        elif took < QUICK_SECONDS:
            self.poll_bytes = min(MOST_BYTES, self.poll_bytes + self.poll_bytes // 4)

    def handed_on(self, now: float) -> None:
        """Take note that records were handed on at an instant."""
        self._handed_on_at = now

    def rest_seconds(self, records: int, *, drained: bool) -> float:
        """Return how long to leave the log alone after a poll that took some records; 0 while there is more to take."""
        return self._gather if drained and records >= BUSY_RECORDS else 0.0

    def may_flush(self, now: float, *, drained: bool) -> bool:
        """Return whether sinks should flush at this instant, the log being drained or not; if so, the next time is counted from it."""
        if now - self._flushed_at < (self._flush_every if drained else max(self._flush_every, FLUSH_AT_LEAST_SECONDS)):
            return False
        self._flushed_at = now
        return True
