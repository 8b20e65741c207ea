"""Condition `clock_wrong` of one shard's devices: uplinks whose times were rejected, in the order of the log and by when they were received.

decode_uplinks ends an uplink as rejected with that reason, or marks the rows of one of which only some history was rejected.
Replays of dead letters are not counted: they were when they first came. A device that watches nothing any more has no clock to watch.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from pipelines.domain.conditions import clock_wrong
from pipelines.domain.conditions.clock_wrong import ClockState, Right
from pipelines.domain.conditions.facts import ConditionEnd, ConditionFacts, ConditionKind
from pipelines.domain.conditions.standing import standing_of_clock
from pipelines.engine.conditions import alert_of, change_of
from pipelines.engine.judgements import ConditionChange, Fact
from pipelines.engine.shard_table import FAR, LONG_AGO
from pipelines.engine.terms import Terms
from pipelines.engine.ticks import Ticks
from schemas.readings import RowFlag, RowKind, Rows
from schemas.reasons import RejectReason, code_of_reason

REJECTED: Final = int(RowKind.REJECTED)
CLOCK_WRONG: Final = code_of_reason(RejectReason.CLOCK_WRONG)
MARKED: Final = int(RowFlag.CLOCK_WRONG)
REPLAYED: Final = int(RowFlag.REPLAYED)
BEFORE_BATCH: Final = -1


class Clock(msgspec.Struct, array_like=True):
    """A device whose clock is not simply right: its state, and the place and policy of its newest rejection."""

    state: ClockState
    unit: int = 0
    organization: int = 0
    policy: int = 0
    offset: int = -1
    """Of the newest rejection: the rows of one uplink are one."""


class Clocks:
    """The clocks of the devices of one shard."""

    def __init__(self, clocks: dict[int, Clock], terms: Terms) -> None:
        """Start with the clocks of a snapshot, by device."""
        self.clocks = dict(clocks)
        self._terms = terms
        self._due_from = LONG_AGO
        """No deadline is before this; found anew once the clock reaches it."""

    def on_rows(self, rows: Rows, ticks: Ticks, left: Mapping[int, Sequence[int]], facts: list[Fact]) -> None:
        """Count the rejections of a batch, and pass the deadlines that its ticks have reached.

        `left` are the positions of the rows with which a device came to watch nothing any more.
        """
        flags = rows["flags"]
        counted = ((rows["kind"] == REJECTED) & (rows["reason"] == CLOCK_WRONG)) | ((flags & MARKED) != 0)
        counted &= (rows["device"] > 0) & ((flags & REPLAYED) == 0)
        ended = {position for positions in left.values() for position in positions}
        behind: dict[int, int] = {}
        for position in sorted({*np.flatnonzero(counted).tolist(), *ended}):
            device = int(rows["device"][position])
            clock = self.clocks.setdefault(device, Clock(clock_wrong.RIGHT))
            self._pass_deadline(device, clock, behind.get(device, BEFORE_BATCH), position, ticks, facts)
            if position in ended:
                self._leave(device, clock, rows[position], facts)
            else:
                self._count(device, clock, rows[position], facts)
            behind[device] = position
            self._keep(device, clock)
        if len(ticks.positions) and ticks.after.now >= self._due_from:
            self._due_from = FAR
            for device, clock in list(self.clocks.items()):
                self._pass_deadline(device, clock, behind.get(device, BEFORE_BATCH), None, ticks, facts)
                self._keep(device, clock)

    def _keep(self, device: int, clock: Clock) -> None:
        """Let go of a clock that is right, and look after the deadline of one that is not."""
        if isinstance(clock.state, Right):
            self.clocks.pop(device, None)
            return
        self.clocks[device] = clock
        due = clock_wrong.deadline(clock.state)
        self._due_from = min(self._due_from, FAR if due is None else due)

    def _leave(self, device: int, clock: Clock, end: np.void, facts: list[Fact]) -> None:
        """End what stands of a device whose last assignment ended."""
        at = int(end["measured_at"])
        clock.state, passed = clock_wrong.on_clock(clock.state, at - 1)
        found = passed + clock_wrong.on_end(clock.state, at, ConditionEnd.ASSIGNMENT)
        clock.state = clock_wrong.RIGHT
        self._found(device, clock, found, int(end["offset"]), int(end["received_at"]), facts)

    def standing(self, as_of: int, received_at: int) -> list[ConditionChange]:
        """Return what clocks stand in."""
        facts: list[Fact] = []
        for device, clock in self.clocks.items():
            self._found(device, clock, standing_of_clock(clock.state), as_of, received_at, facts)
        return [fact for fact in facts if isinstance(fact, ConditionChange)]

    def _count(self, device: int, clock: Clock, row: np.void, facts: list[Fact]) -> None:
        """Count one rejection, under the terms it is stamped with."""
        offset, received_at = int(row["offset"]), int(row["received_at"])
        if offset == clock.offset:
            return
        clock.offset = offset
        if row["unit"] > 0:
            clock.unit, clock.policy = int(row["unit"]), int(row["policy"])
        clock.organization = int(row["organization"])
        terms = self._terms.policies[clock.policy].conditions.clock
        clock.state, found = clock_wrong.on_rejection(clock.state, received_at, terms)
        self._found(device, clock, found, offset, received_at, facts)

    def _pass_deadline(self, device: int, clock: Clock, behind: int, before: int | None, ticks: Ticks, facts: list[Fact]) -> None:
        """Let a clock be right again at the first tick between two positions that reached its deadline."""
        due = clock_wrong.deadline(clock.state)
        if due is None or due > ticks.after.now:
            return
        index = ticks.first_reaching(due, behind)
        if index is None or (before is not None and ticks.positions[index] >= before):
            return
        clock.state, found = clock_wrong.on_clock(clock.state, int(ticks.clocks[index]))
        self._found(device, clock, found, int(ticks.offsets[index]), int(ticks.stamps[index]), facts)

    def _found(self, device: int, clock: Clock, found: ConditionFacts, as_of: int, received_at: int, facts: list[Fact]) -> None:
        alert = alert_of(self._terms.policies[clock.policy].conditions, ConditionKind.CLOCK_WRONG)
        place = (device, clock.unit, clock.organization)
        facts += [change_of(fact, as_of=as_of, received_at=received_at, sensor=0, place=place, alert=alert) for fact in found]
