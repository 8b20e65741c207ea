"""Jobs that run beside the requests for as long as the process lives."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from pipelines.connectors.metrics import API_JOB_FAILURES

RESTART_SECONDS: Final = 1.0
"""A job that failed is started again after this: its failure is a bug, but nobody gains by its staying down."""

Job = Callable[[], Awaitable[None]]

log = structlog.get_logger()


@asynccontextmanager
async def running(**jobs: Job) -> AsyncIterator[None]:
    """Run jobs beside the body and stop them with it."""
    tasks = [asyncio.create_task(keep_running(name, job), name=name) for name, job in jobs.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def keep_running(name: str, job: Job) -> None:
    """Run one job, again after every failure."""
    while True:
        try:
            await job()
        except Exception:  # whatever it is, ticks and events must go on
            API_JOB_FAILURES.labels(name).inc()
            log.exception("a background job failed and starts again", job=name)
        await asyncio.sleep(RESTART_SECONDS)
