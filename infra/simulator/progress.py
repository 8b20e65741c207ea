"""What a person who watches a simulation is told: lines that stay, a line that moves on a terminal, and warnings."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final, TextIO

from infra.simulator.tally import Tally
from pipelines.connectors.clock import monotonic

MOVE_SECONDS: Final = 0.5
"""How often the moving line moves."""
WARN_SECONDS: Final = 10.0
TOLERATED_LAG_SECONDS: Final = 1.0
"""A schedule that is kept to within this is kept."""
AT_LINE_START: Final = "\r\x1b[K"

Tell = Callable[[str], None]
Line = Callable[[Tally, float], str]
"""Makes a line of the tally and the rate of acknowledgements a second."""


class Progress:
    """Tells how a run goes: with a terminal on a line that moves, without one by a line now and then."""

    def __init__(self, tell: Tell, terminal: TextIO | None = None) -> None:
        """Tell lines that stay by `tell`."""
        self._tell = tell
        self._terminal = terminal
        self._is_on_line = False

    def say(self, text: str) -> None:
        """Tell a line that stays."""
        if self._terminal is not None and self._is_on_line:
            self._terminal.write(AT_LINE_START)
            self._is_on_line = False
        self._tell(text)

    @contextlib.asynccontextmanager
    async def watching(self, tally: Tally, seconds: float, line: Line) -> AsyncIterator[None]:
        """Tell how a run goes while the block runs, and once at its end."""
        started, first = monotonic(), tally.acknowledged
        tally.take_lag()
        telling = asyncio.create_task(self._keep_telling(tally, seconds, line))
        try:
            yield
        finally:
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await telling
        self.say(line(tally, (tally.acknowledged - first) / max(0.001, monotonic() - started)))

    async def _keep_telling(self, tally: Tally, seconds: float, line: Line) -> None:
        done, at, lag, warned_at = tally.acknowledged, monotonic(), 0.0, monotonic()
        while True:
            await asyncio.sleep(seconds if self._terminal is None else MOVE_SECONDS)
            now = monotonic()
            text = line(tally, (tally.acknowledged - done) / (now - at))
            done, at = tally.acknowledged, now
            newest = tally.take_lag()
            lag = max(lag, newest)
            if now - warned_at >= WARN_SECONDS:
                if lag > TOLERATED_LAG_SECONDS:
                    self.say(f"the pace is not kept: up to {lag:.1f} s behind schedule in the last {now - warned_at:.0f} s")
                lag, warned_at = 0.0, now
            self._move(f"{text}, {newest * 1000:.0f} ms behind", text)

    def _move(self, moving: str, staying: str) -> None:
        if self._terminal is None:
            self._tell(staying)
            return
        self._terminal.write(AT_LINE_START + moving)
        self._terminal.flush()
        self._is_on_line = True
