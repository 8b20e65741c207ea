"""One connected dashboard: who it is, what it subscribed to, what waits for it."""

import asyncio
from enum import IntEnum

from api.callers import Caller
from api.live.outbox import ClientTooSlow, Outbox

Place = tuple[str, int]
"""(`site` or `unit`, its id)."""


class CloseCode(IntEnum):
    """Why we end a connection."""

    UNAUTHENTICATED = 4401
    TOO_SLOW = 4408
    TRY_LATER = 1013
    REFUSED = 1008
    """Another path or a page of another origin; told instead of accepting the connection."""


class Client:
    """One connection."""

    __slots__ = ("caller", "checked_at", "closing", "outbox", "places")

    def __init__(self, caller: Caller, checked_at: float) -> None:
        """Take a connection whose token was good; `checked_at` (monotonic seconds) is when its organizations were looked up."""
        self.caller = caller
        self.checked_at = checked_at
        self.outbox = Outbox()
        self.places: dict[Place, int] = {}
        """What it subscribed to, and the organization of each."""
        self.closing: asyncio.Future[CloseCode] = asyncio.get_running_loop().create_future()
        """Ends when the connection is to be closed."""

    def close(self, code: CloseCode) -> None:
        """Ask for the connection to be closed; the first code counts."""
        if not self.closing.done():
            self.closing.set_result(code)

    def send(self, frame: str) -> None:
        """Queue a frame that must not be lost, or close the client that does not even read those."""
        try:
            self.outbox.put(frame)
        except ClientTooSlow:
            self.close(CloseCode.TOO_SLOW)

    def send_reading(self, frame: str) -> None:
        """Queue a frame of readings."""
        self.outbox.put_reading(frame)
