"""One supervisor for each data folder: a lock that ends with the process that holds it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.errors import StackError


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file for as long as the block runs.

    Raises StackError, naming the holder's process id, when another process holds it.
    """
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            problem = f"{path.parent} is in use by another `coldstream up`, process {path.read_text().strip()}."
            raise StackError(
                problem,
                "Stop that one first, or name another folder with --data and other ports with --port-base.",
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
        file.truncate(0)


def holder(path: Path) -> int | None:
    """Return the process id of who holds the lock file, None when nobody does."""
    if not path.exists():
        return None
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(file.read().strip() or 0)
    return None
