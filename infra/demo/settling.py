"""Waits until the flows have caught up: every acknowledged uplink has its end, and nothing is left to read."""

import asyncio
import re
from collections.abc import Callable
from typing import Any, Final

import httpx
import psycopg

from infra.demo.ends import Ends, count_ends
from pipelines.connectors.clock import monotonic

POLL_SECONDS: Final = 1.0
QUIET_POLLS: Final = 4
"""A flow brings its lag up to date about every 2 s; it has caught up when nothing moved for longer than that."""
TELL_SECONDS: Final = 5.0

Tell = Callable[[str], None]


async def until_ended(connection: psycopg.Connection[Any], organization: int, wanted: int, seconds: float, tell: Tell) -> Ends:
    """Return the ends once there are as many as wanted, or when the time is up."""
    deadline, told = monotonic() + seconds, monotonic()
    while True:
        ends = count_ends(connection, organization)
        if ends.total >= wanted or monotonic() > deadline:
            return ends
        if monotonic() - told > TELL_SECONDS:
            told = monotonic()
            tell(f"waiting for the flows: {ends.total:,} of {wanted:,} uplinks ended")
        await asyncio.sleep(POLL_SECONDS)


async def until_quiet(metrics_url: str, seconds: float) -> bool:
    """Wait until a flow has no lag and reads nothing new; return False when the time is up."""
    deadline, quiet, before = monotonic() + seconds, 0, -1.0
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        while quiet < QUIET_POLLS:
            if monotonic() > deadline:
                return False
            try:
                text = (await client.get(metrics_url)).text
            except httpx.HTTPError:
                text = ""
            lag, records = sum_of(text, "coldstream_flow_lag_records"), sum_of(text, "coldstream_flow_records_total")
            quiet = quiet + 1 if lag == 0 and records == before else 0
            before = -1.0 if records is None else records
            await asyncio.sleep(POLL_SECONDS)
    return True


def sum_of(metrics: str, name: str) -> float | None:
    """Return the sum of a metric over its labels in Prometheus's text; None when it is not there."""
    found = re.findall(rf"^{re.escape(name)}(?:\{{[^}}]*\}})? ([0-9.e+-]+)$", metrics, re.MULTILINE)
    return sum(map(float, found)) if found else None
