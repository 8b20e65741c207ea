"""A whole real stack with fleets that post, a subscriber that listens, a log of the faults, and the checker as a program.

Load, fault, heal, quiesce, check: each scenario has a fleet of its own; the checker looks at everything since the stack began.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import msgspec
import psycopg

from infra.local.local_stack import LocalStack
from infra.local.parts import ALL, FLOWS, Part
from infra.simulator.journal import JournalLine
from schemas.partitions import DEVICE_PARTITIONS
from tests.faults.checker.evidence import Fault
from tests.faults.checker.findings import Findings
from tests.faults.fleet import OFFLINE_AFTER_MS, FleetPlan, seed, start_sender

REPOSITORY: Final = Path(__file__).parents[2]
INTERVAL_MS: Final = 1_000
UNITS: Final = 60
STRAGGLERS: Final = 8
"""Units beside them whose uplinks overtake each other."""
STRAGGLERS_HELD: Final = 0.2
STRAGGLERS_FROM: Final = 100_000
"""Seeds of their fleets count from here."""
KNOWN_SECONDS: Final = 8.0
"""Until every process knows a new fleet."""
CATCH_UP_SECONDS: Final = 120.0
"""After the last heal: what waits for another try is taken."""
UP_TO_DATE_MS: Final = 3_000
UP_TO_DATE_PROXIED_MS: Final = 10_000
"""Through a network that holds requests."""
NEWEST_BYTES: Final = 4_096
SETTLE_SECONDS: Final = 14.0
"""After the last reading: a gap of 3 intervals, the longest recovery, the clock's grace, and the telling."""
SLACK_SECONDS: Final = 10.0
OFFLINE_SETTLE_SECONDS: Final = OFFLINE_AFTER_MS / 1000 + SLACK_SECONDS
"""After the last reading of all: every device has fallen silent, and must have been told to be offline."""
QUIESCE_SECONDS: Final = 150.0
"""After the heal: 60 s to be at work again and, after an outage of ingest, up to 60 s in which the clock stands still."""
CLOCK_AGE_SECONDS: Final = 5.0
STILL_SECONDS: Final = 5.0
"""So long no further uplink may end before everything counts as ended."""
TICKS_BEHIND: Final = 3 * DEVICE_PARTITIONS
"""A flow is up to date with so many records before it: ticks go on coming, one a second in each partition."""


class HarnessError(Exception):
    """The rig itself did not come to where it can be checked; that is no finding about the product."""


def now() -> int:
    """Return ms UTC."""
    return time.time_ns() // 1_000_000


@dataclass
class FaultLog:
    """What was broken when, written to a file as it happens."""

    path: Path
    faults: list[Fault] = field(default_factory=list)

    def add(self, kind: str, part: str, began_at: int, healed_at: int) -> None:
        """Write a fault that is healed."""
        self.faults.append(Fault(kind, part, began_at, healed_at))
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(self.faults[-1]) + b"\n")

    @contextlib.contextmanager
    def during(self, kind: str, part: str) -> Iterator[None]:
        """Write a fault that lasts as long as the block."""
        began_at = now()
        try:
            yield
        finally:
            self.add(kind, part, began_at, now())


class Rig:
    """One stack and everything around it, in one folder."""

    def __init__(self, folder: Path, extra: Mapping[str, str] | None = None) -> None:
        """Describe it; nothing is started."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.stack = LocalStack(folder / "stack", None, ALL, extra=extra)
        self._is_control = (extra or {}).get("SKIP_DONE") == "false"
        self.faults = FaultLog(folder / "faults.jsonl")
        self.faults.path.touch()
        self.journals: list[Path] = []
        self.newest_journals: list[Path] = []
        """Of the newest fleet."""
        self.repeats = 0
        """Requests that reached the API beyond the senders' own tries."""
        self.afterwards = contextlib.ExitStack()
        """What is to be undone once the stack is down."""
        self._tape: subprocess.Popen[bytes] | None = None
        self.senders: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Start the stack."""
        self.stack.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop everything; the folder stays."""
        with self.afterwards:
            for process in [*self.senders, *([self._tape] if self._tape else [])]:
                process.kill()
                process.wait()
            self.stack.stop()

    @property
    def events(self) -> Path:
        """The subscriber's tape."""
        return self.folder / "events.jsonl"

    def metrics(self, part: Part) -> str:
        """Return a process's metrics as text, empty while it does not answer."""
        port = self.stack.ports.api_metrics if part is Part.API else self.stack.ports.metrics(FLOWS.index(part))
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1) as answer:
                return str(answer.read().decode())
        except (OSError, ValueError):
            return ""

    @contextlib.contextmanager
    def fleet(
        self,
        name: str,
        number: int,
        seconds: float | None = None,
        *,
        url: str | None = None,
        units: int = UNITS,
        interval_ms: int = INTERVAL_MS,
    ) -> Iterator[None]:
        """Let a new fleet post while the block runs (or for so long), and wait until all it began is acknowledged.

        Some units beside it have late readings.
        """
        plans = [FleetPlan(units, number, interval_ms)]
        plans.append(FleetPlan(STRAGGLERS, STRAGGLERS_FROM + number, interval_ms, held=STRAGGLERS_HELD))
        sites = {site for plan in plans for site in seed(self.stack.database_url, plan).sites.values()}
        if self._tape is None:
            words = [word for site in sorted(sites) for word in ("--site", str(site))]
            command = [sys.executable, "-m", "tests.faults.tape", str(self.events), *words]
            self._tape = subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, **self.stack.settings})
        time.sleep(KNOWN_SECONDS)
        self.newest_journals = [self.folder / f"journal-{name}.jsonl", self.folder / f"journal-{name}-stragglers.jsonl"]
        senders = [
            start_sender(plan, url or self.stack.api_url, journal, seconds)
            for plan, journal in zip(plans, self.newest_journals, strict=True)
        ]
        self.senders += senders
        self.journals += self.newest_journals
        yield
        if seconds is None:
            limit = UP_TO_DATE_MS if url is None else UP_TO_DATE_PROXIED_MS
            limits = {journal: limit + plan.held_ms for plan, journal in zip(plans, self.newest_journals, strict=True)}
            if not wait_for(lambda: all(map(is_up_to_date, limits, limits.values())), time.monotonic() + CATCH_UP_SECONDS):
                raise HarnessError(f"the senders of {name} were not up to date {CATCH_UP_SECONDS:.0f} s after the last heal")
            for sender in senders:
                sender.send_signal(signal.SIGTERM)
        codes = [sender.wait(timeout=120 + (seconds or 0)) for sender in senders]
        if any(codes):
            raise HarnessError(f"the senders of {name} ended with {codes}: not all that they began was acknowledged")

    def quiesce(self, settle_seconds: float = SETTLE_SECONDS) -> None:
        """Wait until no flow has anything left to do, the clock is at now, and every deadline has passed; raises HarnessError.

        Whether everything acknowledged has ended is not waited for: what was lost never will, and ends may be counted twice.
        """
        deadline = time.monotonic() + QUIESCE_SECONDS
        if not wait_for(self._still(), deadline):
            wanted = sum(journal.read_bytes().count(b"\n") for journal in self.journals)
            lags = ", ".join(f"{part} is behind by {self.lag(part):,.0f}" for part in FLOWS)
            raise HarnessError(f"did not settle: {self.ended():,} of {wanted:,} ended; {lags} records")
        if not wait_for(lambda: self._clock_age() < CLOCK_AGE_SECONDS, deadline):
            raise HarnessError(f"did not settle: the clock of the judgements is {self._clock_age():.0f} s behind")
        time.sleep(settle_seconds)

    def lag(self, part: Part) -> float:
        """Return how many records a flow has not read; infinite while it does not say."""
        lags = re.findall(r"^coldstream_flow_lag_records\{[^}]*\} ([0-9.e+]+)$", self.metrics(part), re.MULTILINE)
        return sum(map(float, lags)) if lags else float("inf")

    def waiting(self) -> float:
        """Return how many sensors wait to be judged again; infinite while that is not said."""
        if self._is_control:
            return 0  # without progress on record no revision knows that its rows are stored
        text = self.metrics(Part.REVISE_EXCURSIONS)
        return (
            sum(map(float, re.findall(r"^coldstream_revisions_waiting\{[^}]*\} ([0-9.e+]+)$", text, re.MULTILINE)))
            if text
            else float("inf")
        )

    def _still(self) -> Callable[[], bool]:
        """Return what says whether every flow has read what there is and no further uplink has ended for a while."""
        newest, since = -1, time.monotonic()

        def is_still() -> bool:
            nonlocal newest, since
            ended = self.ended()
            if ended < 0 or ended != newest or self.waiting() or any(self.lag(part) > TICKS_BEHIND for part in FLOWS):
                newest, since = ended, time.monotonic()
            return time.monotonic() - since >= STILL_SECONDS

        return is_still

    def check(self) -> Findings:
        """Run the checker as a program of its own and return what it says."""
        command = [sys.executable, "-m", "tests.faults.checker", "--events", str(self.events), "--faults", str(self.faults.path)]
        command += ["--database-url", self.stack.database_url]
        for journal in self.journals:
            command += ["--journal", str(journal)]
        command += ["--repeats", str(self.repeats)]
        result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        if not result.stdout:
            raise AssertionError(f"the checker failed: {result.stderr[-2000:]}")
        return msgspec.json.decode(result.stdout, type=Findings)

    def ended(self) -> int:
        """Return how many uplinks have ended, -1 while the database does not answer."""
        try:
            with psycopg.connect(self.stack.database_url, connect_timeout=3) as connection:
                row = connection.execute(
                    "SELECT (SELECT coalesce(sum(uplinks), 0) FROM uplink_ends) + (SELECT count(*) FROM dead_letters WHERE topic = 'dead_letters')",
                ).fetchone()
        except psycopg.Error:
            return -1
        return -1 if row is None else int(row[0])

    def _clock_age(self) -> float:
        ages = re.findall(r"^coldstream_flow_clock_age_seconds\{[^}]*\} ([0-9.e+-]+)$", self.metrics(Part.DETECT_EXCURSIONS), re.MULTILINE)
        return max(map(float, ages), default=1e9)


def written_since(log: Path, begin: int) -> bytes:
    """Return what was added to a log after so many bytes; all of it where it was begun anew meanwhile."""
    with log.open("rb") as file:
        file.seek(begin if log.stat().st_size >= begin else 0)
        return file.read()


def is_up_to_date(journal: Path, limit_ms: int = UP_TO_DATE_MS) -> bool:
    """Say whether what was acknowledged last had been measured just before, and just now: nothing waits for another try."""
    with journal.open("rb") as file:
        file.seek(max(0, journal.stat().st_size - NEWEST_BYTES))
        lines = [msgspec.json.decode(line, type=JournalLine) for line in file.read().split(b"\n")[1:-1]]
    behind = [line.acked_at - line.measured_at for line in lines if line.measured_at]
    return bool(behind) and max(behind) < limit_ms and now() - lines[-1].acked_at < UP_TO_DATE_MS


def wait_for(content: Callable[[], bool], deadline: float, pause: float = 0.5) -> bool:
    """Wait until something holds; return False when the monotonic deadline passed before."""
    while not content():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
