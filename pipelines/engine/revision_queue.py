"""Requests to judge sensors again, merged by sensor, and when each may be carried out.

A sensor that catches up sends many late readings one after another: it is judged once they pause, or after a while all the same, and
never before store_readings has them. Pure; instants of a monotonic clock are arguments, and decide nothing but the moment.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from schemas.revisions import LATE, RevisionRequest, weightier

PAUSE_SECONDS: Final = 1.0
"""Without a further late reading of a sensor its requests are carried out."""

LONGEST_SECONDS: Final = 10.0
"""...and after this even while more come."""


class Revision(msgspec.Struct, frozen=True):
    """Everything that is asked of one sensor."""

    partition: int
    sensor: int
    device: int
    organization: int
    measured_from: int
    offset: int
    clock: int
    reason: str = LATE


class Waiting(msgspec.Struct):
    """A revision that waits, and since when."""

    revision: Revision
    first_at: float
    newest_at: float


class RevisionQueue:
    """The revisions of one partition that wait."""

    def __init__(self, kept: Mapping[int, Revision], now: float) -> None:
        """Start with what was kept over a restart, by sensor."""
        self._waiting = {sensor: Waiting(revision, now, now) for sensor, revision in kept.items()}

    def __len__(self) -> int:
        """Return how many sensors wait."""
        return len(self._waiting)

    def add(self, request: RevisionRequest, now: float) -> None:
        """Merge a request into what its sensor waits for."""
        revision = Revision(
            partition=request.partition,
            sensor=request.sensor,
            device=request.device,
            organization=request.organization,
            measured_from=request.measured_from,
            offset=request.offset,
            clock=request.clock,
            reason=request.reason,
        )
        waiting = self._waiting.get(request.sensor)
        if waiting is None:
            self._waiting[request.sensor] = Waiting(revision, now, now)
            return
        before = waiting.revision
        waiting.revision = msgspec.structs.replace(
            revision,
            measured_from=min(before.measured_from, revision.measured_from),
            offset=max(before.offset, revision.offset),
            clock=max(before.clock, revision.clock),
            reason=weightier(before.reason, revision.reason),
        )
        waiting.newest_at = now

    def due(self, stored: int, now: float, most: int) -> list[Revision]:
        """Take out at most so many revisions whose rows are stored up to their offset, those that wait longest first."""
        ready = sorted(
            (waiting for waiting in self._waiting.values() if waiting.revision.offset <= stored and _has_paused(waiting, now)),
            key=lambda waiting: waiting.first_at,
        )[:most]
        for waiting in ready:
            del self._waiting[waiting.revision.sensor]
        return [waiting.revision for waiting in ready]

    def kept(self) -> dict[int, Revision]:
        """Return what must be kept over a restart."""
        return {sensor: waiting.revision for sensor, waiting in self._waiting.items()}


def _has_paused(waiting: Waiting, now: float) -> bool:
    return now - waiting.newest_at >= PAUSE_SECONDS or now - waiting.first_at >= LONGEST_SECONDS
