"""The only place that reads the clock. No flow calls this to decide anything: their time is in the log."""

import time


def now_ms() -> int:
    """Return wall time in milliseconds UTC, for stamps that people read and for metrics."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Return seconds that only go forward, for waits and rates."""
    return time.monotonic()
