"""What a partition's clock has passed and no tick has said yet: ends of assignments and corrections, of which a tick says so many at most.

Rows of one offset must stand in one record, as readers skip what is at or below the offset they have done; and a record has a bound. So what
is too much for one tick waits for the next ones. How far it is said is kept with the position in `uplinks`: whoever goes on after a
crash says under each offset just what was said under it before (ADR 0012).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from pipelines.connectors.errors import Misconfigured
from pipelines.engine.registry import AssignmentEnd, Registry, Rejudgement
from schemas.revisions import weightier

MOST: Final = 4_000
"""Ends, and as many corrections, that one tick says: with the tick itself they fit in one record (schemas.readings.MAX_ROWS)."""

LOOK_BACK_MS: Final = 24 * 60 * 60 * 1000
"""What a partition of which nothing is kept says with its first tick: of how long before it."""

SAID_VERSION: Final = 1
LAST: Final = 1 << 62


class Said(msgspec.Struct, frozen=True, array_like=True):
    """How far ticks of a partition have said what its clock has passed."""

    version: int
    clock: int
    """ms UTC: the clock of the newest tick."""
    end_at: int
    """ms UTC, with the number of its assignment: the last end that was said."""
    end: int
    rejudgement: int
    """Number of the last one that was said; of lower ones none is left."""


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Said)


class Unsaid:
    """What of some partitions waits to be said."""

    def __init__(self, registry: Registry, most: int = MOST) -> None:
        """Take the registry that knows of all ends and corrections, and how many of each a tick says."""
        self._registry = registry
        self._most = most
        self._said: dict[int, Said] = {}

    def resume(self, partition: int, snapshot: bytes | None) -> None:
        """Go on from what a partition has said; raises Misconfigured on a snapshot that this code cannot read."""
        if snapshot is not None:
            self._said[partition] = read_said(snapshot)

    def snapshot(self, partition: int) -> bytes | None:
        """Return what must be kept of a partition, None before its first tick."""
        said = self._said.get(partition)
        return None if said is None else _ENCODER.encode(said)

    def said_with(self, partition: int, clock: int) -> tuple[list[AssignmentEnd], list[Rejudgement]]:
        """Return what a tick says that brings the clock to an instant (ms UTC): ends, and what is judged again, one of each sensor."""
        said = self._said.get(partition)
        if said is None:
            said = self._long_ago(partition, clock - LOOK_BACK_MS)
        clock = max(clock, said.clock)
        ends = ends_due(self._registry.ends(partition), (said.end_at, said.end), clock, self._most)
        unsaid = self._registry.rejudgements(partition, said.rejudgement)
        rejudgements, last = rejudgements_due(unsaid, said.rejudgement, clock, self._most)
        end_at, end = (ends[-1].at, ends[-1].assignment) if ends else (said.end_at, said.end)
        self._said[partition] = Said(SAID_VERSION, clock, end_at, end, last)
        return ends, rejudgements

    def clock(self, partition: int) -> int:
        """Return the clock of a partition's newest tick (ms UTC)."""
        return self._said[partition].clock

    def _long_ago(self, partition: int, at: int) -> Said:
        """Return what is taken as said where nothing is kept: all that was passed by an instant."""
        passed = [one.id for one in self._registry.rejudgements(partition, 0) if one.at <= at]
        return Said(SAID_VERSION, at, at, LAST, max(passed, default=0))


def ends_due(ends: Sequence[AssignmentEnd], said: tuple[int, int], clock: int, most: int) -> list[AssignmentEnd]:
    """Return the first ends behind the last one said (instant and assignment) that a clock (ms UTC) has passed; they come in that order."""
    start = bisect_right(ends, said, key=lambda one: (one.at, one.assignment))
    stop = bisect_right(ends, clock, key=lambda one: one.at)
    return list(ends[start : min(stop, start + most)])


def rejudgements_due(several: Sequence[Rejudgement], said: int, clock: int, most: int) -> tuple[list[Rejudgement], int]:
    """Return the first sensors to be judged again at a clock (ms UTC), and the number up to which all is said then.

    One of each sensor: from where the earliest begins, for the weightiest reason. They come by number, and none is passed over: one whose time
    has not come holds up those behind it, which were made later.
    """
    found: dict[int, Rejudgement] = {}
    for one in several:
        known = found.get(one.sensor)
        if one.at > clock or (known is None and len(found) == most):
            break
        if known is not None:
            earliest, reason = min(known.measured_from, one.measured_from), weightier(known.reason, one.reason)
            one = replace(one, at=max(known.at, one.at), measured_from=earliest, reason=reason)
        found[one.sensor] = one
        said = one.id
    return sorted(found.values(), key=lambda one: (one.at, one.sensor)), said


def read_said(snapshot: bytes) -> Said:
    """Return what a snapshot says; raises Misconfigured on an unknown version."""
    try:
        said = _DECODER.decode(snapshot)
    except (msgspec.DecodeError, ValueError) as error:
        message = f"a snapshot of decode_uplinks cannot be read: {error}; run the code that wrote it"
        raise Misconfigured(message) from error
    if said.version != SAID_VERSION:
        message = f"a snapshot of decode_uplinks has version {said.version}; this code reads {SAID_VERSION}: run the code that wrote it"
        raise Misconfigured(message)
    return said
