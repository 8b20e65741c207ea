"""One child process of the local stack: start it, see it ready, start it again when it dies, stop it.

Only POSIX calls and the event loop; it knows nothing of Kafka, PostgreSQL or any other part.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from infra.local.errors import NotReadyError, StackError
from infra.local.ports import require_free
from infra.local.process import ProcessRecord, end, kill_group, last_lines
from infra.local.progress import Progress

POLL_SECONDS: Final = 0.1
FIRST_DELAY_SECONDS: Final = 0.5
LONGEST_DELAY_SECONDS: Final = 15.0
STEADY_SECONDS: Final = 15.0
"""A child that ran this long before it died starts over with the shortest delay."""
LOG_LIMIT_BYTES: Final = 50_000_000
"""A log longer than this is set aside as `<name>.log.1` when its child starts."""
SHOWN_LINES: Final = 12

DEADLY: Final = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})

Probe = Callable[[], Awaitable[None]]


async def no_probe() -> None:
    """Say that a child is ready as soon as it runs."""


def nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What one child is: how it is started, known to be ready and stopped."""

    name: str
    command: tuple[str, ...]
    ports: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    user: str | None = None
    prepare: Callable[[], None] = nothing
    """Runs before each start, in a thread; may raise StackError."""
    probe: Probe = no_probe
    """Raises NotReadyError until the child does its work."""
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10.0
    ready_seconds: float = 60.0


def backoff_seconds(attempt: int) -> float:
    """Return the wait before a start, by how many starts went wrong in a row: doubled each time, up to a limit."""
    return min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(attempt, 16))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all children of one stack share."""

    logs: Path
    run: Path
    progress: Progress
    restart: bool = True


class Child:
    """One child process through all its starts."""

    def __init__(self, spec: ChildSpec, around: Surroundings) -> None:
        """Describe the child; nothing is started."""
        self.spec = spec
        self.restarts = 0
        self._around = around
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process id, None while no process runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def log(self) -> Path:
        """The file that holds what the child writes."""
        return self._around.logs / f"{self.spec.name}.log"

    async def start(self) -> None:
        """Start the child and return once it is ready.

        Raises StackError, with the end of its log, when it ends or is not ready in time.
        """
        began = time.monotonic()
        await self._launch()
        self._around.progress.say(
            self.spec.name,
            f"ready after {time.monotonic() - began:.1f} s (pid {self.pid})",
        )
        self._keeper = asyncio.create_task(self._keep())

    async def run(self, limit_seconds: float) -> int | None:
        """Run a command that ends by itself and return its exit code; None when the time was up."""
        await asyncio.to_thread(self._clear_the_way)
        process = self._process = self._spawn()
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wait_ended(), limit_seconds)
            return process.poll()
        finally:
            await self._end_process()

    async def stop(self) -> None:
        """Ask the child to end, wait for its grace, kill its whole group, and forget it."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        if self._process is None:
            return
        began = time.monotonic()
        asked = self.pid is not None
        await self._end_process()
        if asked:
            self._around.progress.say(self.spec.name, f"stopped after {time.monotonic() - began:.1f} s")

    async def signal(self, sent: signal.Signals) -> None:
        """Send a signal to the present process; a deadly one also waits until it is gone."""
        process = self._process
        if process is None:
            return
        if sent in DEADLY:
            self._ready.clear()
        process.send_signal(sent)
        while sent in DEADLY and process.poll() is None:
            await asyncio.sleep(POLL_SECONDS)

    def kill(self) -> None:
        """Kill the present process and its group without waiting."""
        if self._process is not None:
            kill_group(self._process.pid)

    async def wait_ready(self) -> None:
        """Wait until the child is ready, through its restarts."""
        await self._ready.wait()

    async def wait_ended(self) -> None:
        """Wait until the present process has ended."""
        while self.pid is not None:
            await asyncio.sleep(POLL_SECONDS)

    async def _keep(self) -> None:
        """Start the child again each time it ends, with a growing delay while it does not hold."""
        attempt = 0
        began = time.monotonic()
        while True:
            await self.wait_ended()
            self._ready.clear()
            self._sweep()
            ending = _ending(self._process)
            if not self._around.restart:
                self._around.progress.warn(self.spec.name, f"{ending}; not started again")
                return
            attempt = 0 if time.monotonic() - began > STEADY_SECONDS else attempt
            delay = backoff_seconds(attempt)
            self._around.progress.warn(
                self.spec.name,
                f"{ending}; starting again in {delay:.1f} s (log: {self.log})",
            )
            await asyncio.sleep(delay)
            attempt += 1
            began = time.monotonic()
            self.restarts += 1
            try:
                await self._launch()
            except StackError as error:
                self._around.progress.warn(self.spec.name, f"did not start: {error.problem}")
            except OSError as error:
                self._around.progress.warn(self.spec.name, f"did not start: {error}")
            else:
                took = time.monotonic() - began
                self._around.progress.say(self.spec.name, f"ready again after {took:.1f} s (pid {self.pid})")

    async def _launch(self) -> None:
        """Start a process and see it ready, or leave none behind."""
        await asyncio.to_thread(self._clear_the_way)
        self._process = self._spawn()
        try:
            record = ProcessRecord.of(self._process.pid)
            if record is not None:
                record.write(self._record)
            await self._until_ready(self._process)
        except BaseException:
            await self._end_process()
            raise
        self._ready.set()

    def _clear_the_way(self) -> None:
        """End what a killed supervisor left behind, see that the ports are free, and prepare the child's folders."""
        left = ProcessRecord.read(self._record)
        if left is not None and left.is_alive():
            self._around.progress.warn(self.spec.name, f"ending pid {left.pid}, left behind by an earlier run")
            end(left, self.spec.stop_signal, self.spec.grace_seconds)
        for port in self.spec.ports:
            require_free(port, self.spec.name)
        self.spec.prepare()

    def _spawn(self) -> subprocess.Popen[bytes]:
        """Start the process in a group of its own, its output in its log."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        # The kernel tells the child when its supervisor dies, whatever kills it; without setpriv the record has to do.
        setpriv = shutil.which("setpriv")
        guard = (setpriv, "--pdeathsig", self.spec.stop_signal.name[3:]) if setpriv else ()
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*guard, *self.spec.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.spec.folder,
                env={**os.environ, **self.spec.environment},
                start_new_session=True,
                user=self.spec.user,
                group=self.spec.user,
                extra_groups=None if self.spec.user is None else [],
            )

    async def _until_ready(self, process: subprocess.Popen[bytes]) -> None:
        """Ask the probe until it agrees, the process ends or the time is up."""
        deadline = time.monotonic() + self.spec.ready_seconds
        while True:
            if process.poll() is not None:
                raise StackError(
                    f"{self.spec.name} {_ending(process)} before it was ready.",
                    self._log_advice(),
                )
            try:
                return await self.spec.probe()
            except NotReadyError as reason:
                if time.monotonic() > deadline:
                    problem = f"{self.spec.name} was not ready within {self.spec.ready_seconds:.0f} s: {reason}."
                    raise StackError(problem, self._log_advice()) from reason
            await asyncio.sleep(POLL_SECONDS)

    def _log_advice(self) -> str:
        return f"The end of {self.log}:\n{last_lines(self.log, SHOWN_LINES)}"

    async def _end_process(self) -> None:
        """End the present process and its group; it may be gone already."""
        process = self._process
        if process is None:
            return
        self._ready.clear()
        if process.poll() is None:
            process.send_signal(self.spec.stop_signal)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wait_ended(), self.spec.grace_seconds)
        self._sweep()
        await self.wait_ended()
        process.wait()
        self._process = None

    def _sweep(self) -> None:
        """Kill what is left of the child's group and drop its record."""
        if self._process is not None:
            kill_group(self._process.pid)
        self._record.unlink(missing_ok=True)

    @property
    def _record(self) -> Path:
        return self._around.run / f"{self.spec.name}.pid"


def _ending(process: subprocess.Popen[bytes] | None) -> str:
    """Say how a process ended."""
    code = process.poll() if process is not None else None
    if code is None:
        return "did not start"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
