"""When a device's uplinks are delivered: as they come, held back, delivered again, or after an outage newest first. Pure."""

import heapq
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from infra.simulator.chance import drawn, is_below
from infra.simulator.happenings import Window
from infra.simulator.mischief import Mischief
from infra.simulator.uplink import Uplink, UplinkKind

CATCH_UP: Final = 20
"""What an outage held back is delivered in a twentieth of its time, and so in the opposite order."""
LONGEST_RETRY_MS: Final = 60_000
SALT: Final = 90


def delivered(uplinks: Iterator[Uplink], key: int, mischief: Mischief, outages: Sequence[Window], end: int | None) -> Iterator[Uplink]:
    """Yield a device's uplinks in the order in which they are delivered, none of them later than `end`."""
    waiting: list[tuple[int, int, Uplink]] = []
    order = 0
    for uplink in uplinks:
        while waiting and waiting[0][0] <= uplink.due_at:
            yield heapq.heappop(waiting)[2]
        for one in _deliveries(uplink, key, mischief, outages, end):
            order += 1
            heapq.heappush(waiting, (one.due_at, order, one))
    while waiting:
        yield heapq.heappop(waiting)[2]


def _deliveries(uplink: Uplink, key: int, mischief: Mischief, outages: Sequence[Window], end: int | None) -> Iterator[Uplink]:
    """Yield an uplink as it is delivered, and again where the network server tries once more though it was taken."""
    odds = drawn(key, uplink.measured_at, uplink.count, SALT)
    due_at = uplink.due_at
    if is_below(odds[0], mischief.held):
        due_at += 1 + odds[1] % max(1, mischief.held_ms)
    for outage in outages:
        if outage.holds(due_at):
            due_at = outage.end + (outage.end - due_at) // CATCH_UP
    due_at = due_at if end is None else max(uplink.due_at, min(due_at, end))
    is_retried = uplink.kind is not UplinkKind.GARBAGE and is_below(odds[2], mischief.retries)
    if due_at == uplink.due_at and not is_retried:
        yield uplink
        return
    first = replace(uplink, due_at=due_at, held_ms=due_at - uplink.due_at, is_twice=uplink.is_twice or is_retried)
    yield first
    if is_retried:
        again_at = due_at + 1000 + odds[3] % LONGEST_RETRY_MS
        again_at = again_at if end is None else max(due_at, min(again_at, end))
        yield replace(first, kind=UplinkKind.DUPLICATE, due_at=again_at, held_ms=again_at - uplink.due_at)
