"""One child process: seen ready, started again when it dies, ended with all it started."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from infra.local.children import Child, ChildSpec, Surroundings
from infra.local.errors import NotReadyError, StackError
from infra.local.process import ProcessRecord
from infra.local.progress import RecordedProgress

SLEEPS = (sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(60)")
DEAF = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
)


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path, tmp_path, RecordedProgress())


def child(around: Surroundings, command: tuple[str, ...], *, log_says: str = "", grace_seconds: float = 5.0) -> Child:
    """Describe a child that is ready once its log holds a text."""

    async def probe() -> None:
        if log_says not in (around.logs / "one.log").read_text():
            raise NotReadyError(f"the log does not say {log_says}")

    spec = ChildSpec("one", command, probe=probe, grace_seconds=grace_seconds, ready_seconds=5.0)
    return Child(spec, around)


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Run a test's coroutine within a limit."""

    async def limited() -> None:
        async with asyncio.timeout(20):
            await work()

    asyncio.run(limited())


def test_killed_child_is_started_again_and_told_about(around: Surroundings) -> None:
    async def work() -> None:
        one = child(around, SLEEPS, log_says="awake")
        await one.start()
        first = one.pid

        await one.signal(signal.SIGKILL)
        await one.wait_ready()

        assert one.pid not in {None, first}
        assert one.restarts == 1
        await one.stop()

    run(work)

    told = [text for _, text in around.progress.lines]  # type: ignore[attr-defined]
    assert any("was ended by SIGKILL; starting again in 0.5 s" in text for text in told)


def test_child_that_ignores_the_request_is_killed_after_its_grace(around: Surroundings) -> None:
    async def work() -> None:
        one = child(around, DEAF, log_says="deaf", grace_seconds=0.3)
        await one.start()
        record = ProcessRecord.of(one.pid or 0)

        await one.stop()

        assert record is not None
        assert not record.is_alive()

    run(work)


def test_child_that_ends_before_it_is_ready_shows_the_end_of_its_log(around: Surroundings) -> None:
    async def work() -> None:
        one = child(around, (sys.executable, "-c", "print('no such file'); raise SystemExit(3)"), log_says="never")

        with pytest.raises(StackError) as caught:
            await one.start()

        assert "exit code 3" in caught.value.problem
        assert "no such file" in caught.value.advice

    run(work)


def test_what_a_child_started_ends_with_it(around: Surroundings) -> None:
    starts_another = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, 'x', flush=True); time.sleep(60)"

    async def work() -> None:
        one = child(around, (sys.executable, "-c", starts_another), log_says="x")
        await one.start()
        record = ProcessRecord.of(int(one.log.read_text().split()[0]))

        await one.stop()

        assert record is not None
        while record.is_alive():
            await asyncio.sleep(0.02)

    run(work)


def test_what_a_killed_supervisor_left_behind_is_ended_first(around: Surroundings) -> None:
    left = subprocess.Popen(["sleep", "60"], start_new_session=True)
    record = ProcessRecord.of(left.pid)
    assert record is not None
    record.write(around.run / "one.pid")

    async def work() -> None:
        one = child(around, SLEEPS, log_says="awake")
        # The dead stay zombies of their parent, this test, until it asks for them; the system's first process does so at once.
        asker = asyncio.create_task(asyncio.to_thread(left.wait))
        await one.start()
        await asker
        await one.stop()

    run(work)

    assert left.returncode == -signal.SIGTERM


def test_a_process_id_used_again_is_not_taken_for_the_child(around: Surroundings) -> None:
    ProcessRecord(os.getpid(), "another boot/1").write(around.run / "one.pid")

    async def work() -> None:
        one = child(around, SLEEPS, log_says="awake")
        await one.start()
        await one.stop()

    run(work)


def test_without_restart_a_dead_child_stays_down(tmp_path: Path) -> None:
    async def work() -> None:
        one = child(Surroundings(tmp_path, tmp_path, RecordedProgress(), restart=False), SLEEPS, log_says="awake")
        await one.start()

        await one.signal(signal.SIGKILL)
        await asyncio.sleep(0.8)

        assert one.pid is None
        await one.stop()

    run(work)
