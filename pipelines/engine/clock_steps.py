"""Ends a flow's process when the wall clock steps back: its supervisor starts it anew.

Bytewax waits by that clock for its next poll and its next epoch, and would stand still for as long as the step was. A new process
does not know the old time, and reads again what is not committed. Steps forward do no harm. Nothing is decided about readings.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from pipelines.connectors.clock import monotonic, now_ms

LOOK_SECONDS: Final = 1.0
STEP_MS: Final = 1_000
"""A smaller step holds a flow up for less than this, and is let pass."""
LONGEST_LOOK_MS: Final = 200
"""Two clocks read further apart than this (the process was stopped in between) are not compared."""


@dataclass(slots=True)
class ClockSteps:
    """Compares the wall clock with the one that only goes forward."""

    _ahead: int | None = None
    """Wall time less monotonic time at the last look, in ms."""

    def look(self, before: float, wall: int, after: float) -> int:
        """Return by how many ms the wall clock went back since the last look, 0 for not at all.

        `wall` (ms UTC) was read between `before` and `after` (monotonic seconds).
        """
        if (after - before) * 1000 > LONGEST_LOOK_MS:
            return 0
        ahead = wall - round(after * 1000)
        stepped = 0 if self._ahead is None else max(0, self._ahead - ahead)
        self._ahead = ahead
        return stepped if stepped >= STEP_MS else 0


def end_on_step_back(flow: str, end: Callable[[int], None] = os._exit) -> threading.Thread:
    """Watch in the background, and end the process with code 1 on a step back: its supervisor starts it again."""

    def watch() -> None:
        steps, waiting = ClockSteps(), threading.Event()
        while True:
            before, wall, after = monotonic(), now_ms(), monotonic()
            stepped = steps.look(before, wall, after)
            if stepped:
                structlog.get_logger().error("clock_stepped_back", flow=flow, by_ms=stepped)
                return end(1)
            waiting.wait(LOOK_SECONDS)

    thread = threading.Thread(target=watch, name="clock steps", daemon=True)
    thread.start()
    return thread
