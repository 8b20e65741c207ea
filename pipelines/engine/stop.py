"""A clean stop: SIGTERM or SIGINT sets a flag, sources then end their input, and Bytewax drains what is under way."""

import signal
import threading
from types import FrameType


class StopFlag:
    """Says whether this process was asked to stop."""

    def __init__(self) -> None:
        """Start unset."""
        self._event = threading.Event()

    def __call__(self) -> bool:
        """Return whether a stop was asked for."""
        return self._event.is_set()

    def set(self) -> None:
        """Ask for a stop."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Sleep, at most until a stop is asked for; return whether it was."""
        return self._event.wait(seconds)

    def listen(self) -> None:
        """Set the flag on SIGTERM and SIGINT. Bytewax alone would die at once on either."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._event.set()
