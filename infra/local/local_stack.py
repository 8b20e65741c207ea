"""A local stack for code that does not run an event loop: tests, benches, fault runs.

with LocalStack(folder) as stack:
    connect(stack.database_url)
    stack.kill("kafka", signal.SIGKILL)
    stack.wait_ready("kafka")
"""

import asyncio
import contextlib
import shutil
import signal
import threading
from collections.abc import Collection, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from infra.local import postgres
from infra.local.cells import Counts
from infra.local.children import Child
from infra.local.errors import StackError
from infra.local.folders import Folders
from infra.local.lock import exclusive
from infra.local.parts import SERVERS, Part
from infra.local.ports import Ports, free_base, span
from infra.local.progress import Progress, RecordedProgress
from infra.local.stack import EXISTING_SECONDS, Stack

LIMIT_SECONDS: Final = 600.0
"""No single call may hang longer than this."""


class LocalStack:
    """Real servers and, on request, the rest of Coldstream, run from a background thread."""

    def __init__(
        self,
        data_dir: Path,
        port_base: int | None = None,
        parts: Collection[str] = SERVERS,
        *,
        given: Mapping[str, str] | None = None,
        extra: Mapping[str, str] | None = None,
        restart: bool = True,
        progress: Progress | None = None,
        patience: float = EXISTING_SECONDS,
        cells: Counts | None = None,
    ) -> None:
        """Describe a stack; nothing is started.

        `port_base` None looks for free ports. `given` are settings from outside, as the environment would name them;
        `extra` are environment variables for our own processes alone.
        `patience` is for existing servers, in seconds.
        `cells` is how many processes a flow has; one of several is named as its cell, such as `store_readings-00-31`.
        With `restart` a part that dies is started again by itself, as `coldstream up` does.
        """
        self.ports = Ports(free_base(span(max((cells or {}).values(), default=1))) if port_base is None else port_base)
        self.progress = progress or RecordedProgress()
        self._folders = Folders.at(data_dir)
        self._stack = Stack(
            self._folders,
            self.ports,
            [Part(part) for part in parts],
            self.progress,
            given=given or {},
            extra=extra,
            restart=restart,
            patience=patience,
            cells=cells,
        )
        self._locked = contextlib.ExitStack()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def settings(self) -> dict[str, str]:
        """Every setting by its environment name."""
        return dict(self._stack.settings)

    @property
    def kafka_bootstrap_servers(self) -> str:
        """Where the broker is."""
        return self._stack.settings["KAFKA_BOOTSTRAP_SERVERS"]

    @property
    def database_url(self) -> str:
        """Where the database is."""
        return self._stack.settings["DATABASE_URL"]

    @property
    def redis_url(self) -> str:
        """Where Redis is."""
        return self._stack.settings["REDIS_URL"]

    @property
    def api_url(self) -> str:
        """Where the API is."""
        return self._stack.settings["API_URL"]

    @property
    def logs(self) -> Path:
        """The folder of the parts' logs."""
        return self._folders.logs

    def start(self) -> Self:
        """Start every part and return once all are ready; raises StackError with nothing left running."""
        self._locked.enter_context(exclusive(self._folders.lock))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="local-stack", daemon=True)
        self._thread.start()
        try:
            self._call(self._stack.start())
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop every part; the data stays."""
        if self._loop is None or self._thread is None:
            return
        try:
            self._call(self._stack.stop())
        finally:
            self._call(self._loop.shutdown_default_executor())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = self._thread = None
            self._locked.close()

    def remove(self) -> None:
        """Stop every part and remove the data, also a database that lives outside the data folder."""
        self.stop()
        for parent in postgres.OUTSIDE_PARENTS:
            shutil.rmtree(self._folders.outside(parent), ignore_errors=True)
        shutil.rmtree(self._folders.data, ignore_errors=True)

    def pid(self, name: str) -> int | None:
        """Return the process id of a part, None while it does not run."""
        return self._child(name).pid

    def restarts(self, name: str) -> int:
        """Return how often a part was started again after it died."""
        return self._child(name).restarts

    def kill(self, name: str, signal_: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a part's process and return the id it had.

        SIGKILL and SIGTERM return once that process is gone; with `restart` the part then comes back by itself.
        """
        pid = self.pid(name)
        if pid is None:
            raise StackError(f"{name} does not run.")
        child = self._child(name)
        self._call(child.signal(signal_))
        return pid

    def stop_child(self, name: str) -> None:
        """Stop one part cleanly; it stays down until `start_child`."""
        self._call(self._child(name).stop())

    def start_child(self, name: str) -> None:
        """Start one part that is down and return once it is ready."""
        self._call(self._child(name).start())

    def wait_ready(self, name: str, seconds: float = 60.0) -> None:
        """Return once a part is ready, also through its restarts; raises TimeoutError."""
        self._call(asyncio.wait_for(self._child(name).wait_ready(), seconds))

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _child(self, name: str) -> Child:
        child = self._stack.children.get(name)
        if child is None:
            raise StackError(f"{name} is not ours to start.")
        return child

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine on the stack's loop and wait for its end."""
        assert self._loop is not None, "the stack is not started"
        asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_SECONDS)
