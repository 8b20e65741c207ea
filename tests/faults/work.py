"""Whether a part does its work again: not that it listens, but that something only it can do has been done."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psycopg

from infra.local.parts import FLOWS, Part
from tests.faults.rig import Rig, now

PARTS: Final = (Part.API, *FLOWS, Part.KAFKA, Part.POSTGRES, Part.REDIS)
"""Every process that is killed and paused."""
LIMIT_SECONDS: Final = 120.0
"""A part that does not work by then is stuck."""
POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long after a fault a part did its work again; None when it did not within the limit."""

    fault: str
    part: str
    seconds: float | None


class Work:
    """Says how much work each part has done, as a number that only grows while its process lives."""

    def __init__(self, rig: Rig) -> None:
        """Look at a rig."""
        self._rig = rig

    def done(self, part: Part) -> float:
        """Return how much is done; 0 while that cannot be told."""
        if part in FLOWS:
            return self._counter(part, "coldstream_flow_records_total")
        match part:
            case Part.API | Part.KAFKA:
                # Acknowledgements of the broker, seen by the API: both had to work for one.
                return self._counter(Part.API, "coldstream_ingest_ack_seconds_count")
            case Part.POSTGRES:
                return self._newest_commit()
            case Part.REDIS:
                return self._told()
            case _:
                raise AssertionError(part)

    def _counter(self, part: Part, name: str) -> float:
        found = re.findall(rf"^{name}(?:\{{[^}}]*\}})? ([0-9.e+]+)$", self._rig.metrics(part), re.MULTILINE)
        return sum(map(float, found))

    def _newest_commit(self) -> float:
        try:
            with psycopg.connect(self._rig.stack.database_url, connect_timeout=2) as connection:
                row = connection.execute("SELECT (extract(epoch FROM max(updated_at)) * 1000)::bigint FROM flow_progress").fetchone()
        except psycopg.Error:
            return 0
        return float(row[0]) if row and row[0] else 0

    def _told(self) -> float:
        """Count frames that reached the subscriber's WebSocket."""
        try:
            return float(self._rig.events.read_bytes().count(b'{"via":"websocket"'))
        except OSError:
            return 0


class Watch:
    """Measures recoveries in the background and writes each healed fault into the log."""

    def __init__(self, rig: Rig) -> None:
        """Measure on a rig."""
        self._rig = rig
        self._work = Work(rig)
        self._threads: dict[Part, threading.Thread] = {}
        self.recoveries: list[Recovery] = []

    def done_now(self, part: Part) -> float:
        """Return the work a part has done; of PostgreSQL the present instant, for its work is a commit after that."""
        return float(now()) if part is Part.POSTGRES else self._work.done(part)

    def until_at_work(self, fault: str, part: Part, began_at: int, healed_at: int | None = None) -> None:
        """Measure from the heal (by default the fault itself: the part comes back by itself) until the part works again."""
        before = self.done_now(part)
        since = began_at if healed_at is None else healed_at

        def measure() -> None:
            deadline = time.monotonic() + LIMIT_SECONDS
            while time.monotonic() < deadline:
                done = self._work.done(part)
                # A new process counts from 0 again.
                if done > before or (0 < done < before and part is not Part.POSTGRES):
                    break
                time.sleep(POLL_SECONDS)
            else:
                self.recoveries.append(Recovery(fault, part, None))
                self._rig.faults.add(fault, part, began_at, now())
                return
            self.recoveries.append(Recovery(fault, part, (now() - since) / 1000))
            self._rig.faults.add(fault, part, began_at, now())

        self._threads[part] = threading.Thread(target=measure, name=f"until {part} works")
        self._threads[part].start()

    def wait(self, part: Part) -> None:
        """Wait until a part is at work again after its last fault."""
        thread = self._threads.pop(part, None)
        if thread is not None:
            thread.join()

    def wait_all(self) -> None:
        """Wait until everything is at work again."""
        for part in list(self._threads):
            self.wait(part)

    def wait_while(self, content: Callable[[], bool], seconds: float) -> None:
        """Wait while something holds, at most so long."""
        deadline = time.monotonic() + seconds
        while content() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
