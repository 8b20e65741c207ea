"""Where a process dies or its database connection breaks: after so many of its calls to the outside."""

from enum import Enum

import psycopg


class Killed(BaseException):
    """The process is gone at this very call. Not an Exception: nothing of the product may catch it."""


class Ends(Enum):
    """What happens when a fuse is burnt down."""

    KILLED = "killed"
    DROPPED = "dropped"


class Fuses:
    """Counts calls of processes down."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, Ends], int] = {}

    def light(self, process: str, ends: Ends, calls: int) -> None:
        """Have a process meet its end at a later call."""
        self._left[process, ends] = calls

    def put_out(self) -> None:
        """Let nothing go wrong from here on."""
        self._left.clear()

    def burn(self, process: str, *, to_database: bool = False) -> None:
        """Count a call; raises Killed, or psycopg.OperationalError at a call to the database, where it is the last."""
        if self._burnt(process, Ends.KILLED):
            raise Killed
        if to_database and self._burnt(process, Ends.DROPPED):
            raise psycopg.OperationalError("the connection is dropped")

    def _burnt(self, process: str, ends: Ends) -> bool:
        left = self._left.get((process, ends))
        if left is None:
            return False
        self._left[process, ends] = left - 1
        if left > 1:
            return False
        del self._left[process, ends]
        return True
