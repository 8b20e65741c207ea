"""Possible excursions of one shard's sensors: follows the runs of `sensors` step by step, and judges nothing again.

A run that is pending is followed from the row that began it; its deadline, at which it becomes possible, is passed at the first tick that
reaches it. A revision that puts another state in place replaces all of it (`settled`).
"""

import msgspec

from pipelines.domain.conditions import possible_excursion
from pipelines.domain.conditions.facts import ConditionEnd, ConditionFact, ConditionFacts, ConditionKind
from pipelines.domain.conditions.possible_excursion import NOT_POSSIBLE, BandView, Possible, possible_at
from pipelines.domain.conditions.standing import standing_of_run
from pipelines.domain.excursion_states import Breaching, SustainedState
from pipelines.domain.policy import SustainedBand
from pipelines.domain.sensor import SensorState
from pipelines.engine.conditions import alert_of, change_of
from pipelines.engine.judgements import ConditionChange, Fact
from pipelines.engine.sensor_batch import Line
from pipelines.engine.shard_table import FAR, Kept
from pipelines.engine.terms import Terms
from pipelines.engine.ticks import Ticks

Key = tuple[str, str]
"""Name and side of a band: what carries on in another version of the policy."""


class Of(msgspec.Struct, frozen=True):
    """Whose condition it is, and from which record it is known."""

    slot: int
    sensor: int
    device: int
    unit: int
    organization: int
    as_of: int
    received_at: int


class Possibles:
    """The possible excursions of the sensors of one shard, by slot."""

    def __init__(self, terms: Terms) -> None:
        """Start with none."""
        self._terms = terms
        self.standing: dict[int, tuple[Possible, ...]] = {}
        self.due: dict[int, int] = {}
        """When a pending run becomes possible if no further row comes."""

    def resume(self, standing: dict[int, tuple[Possible, ...]], machines: dict[int, SensorState]) -> None:
        """Go on with those of a snapshot, and find what may become possible of the states kept beside them."""
        self.standing = dict(standing)
        for slot, state in machines.items():
            self._await(slot, state)

    def on_row(self, slot: int, kept: Kept, before: SensorState, after: SensorState, line: Line, facts: list[Fact]) -> None:
        """Follow a sensor's next row: the state `before` it and the deadlines that it passes, and after it."""
        at = line.measured_at
        if slot not in self.standing and self.due.get(slot, FAR) >= at:
            due = self._due_of(slot, after)
            if due > at:  # nothing became possible, and nothing has with this row: so it is with nearly every row of a short run
                self._put_due(slot, due)
                return
        of = whose(slot, kept, line.offset, line.received_at)
        views, later = self._views(before), self._views(after)
        for key in views | later:
            state, found = possible_excursion.on_reading(self._state(of.slot, key), views.get(key), later.get(key), at)
            self._put(of, key, state, found, after, facts)
        self._await(slot, after)

    def on_tick(self, slot: int, kept: Kept, before: SensorState, after: SensorState, index: int, ticks: Ticks, facts: list[Fact]) -> None:
        """Follow a tick that passes deadlines of a sensor."""
        if is_pending(before):
            of = whose(slot, kept, int(ticks.offsets[index]), int(ticks.stamps[index]))
            self._on_clock(of, before, int(ticks.clocks[index]), facts)
            self._await(slot, after)

    def _on_clock(self, of: Of, before: SensorState, until: int, facts: list[Fact]) -> None:
        for key, view in self._views(before).items():
            state, found = possible_excursion.on_clock(self._state(of.slot, key), view, until)
            self._put(of, key, state, found, before, facts)

    def on_end(self, slot: int, kept: Kept, before: SensorState, line: Line, facts: list[Fact]) -> None:
        """End what stands of a sensor whose assignment ends with a row."""
        of, at = whose(slot, kept, line.offset, line.received_at), line.measured_at
        self._on_clock(of, before, at - 1, facts)
        for one in self.standing.pop(slot, ()):
            found = possible_excursion.on_end(one, at, ConditionEnd.ASSIGNMENT)
            facts += [self._change(of, one.run.band, fact, before) for fact in found]
        self.due.pop(slot, None)

    def become(self, slot: int, kept: Kept, state: SensorState, index: int, ticks: Ticks, facts: list[Fact]) -> None:
        """Let runs become possible at a tick that passes no deadline of their sensor."""
        self._on_clock(whose(slot, kept, int(ticks.offsets[index]), int(ticks.stamps[index])), state, int(ticks.clocks[index]), facts)
        self._await(slot, state)

    def standing_of(self, slot: int, kept: Kept, state: SensorState, as_of: int, received_at: int) -> list[ConditionChange]:
        """Return what runs of a sensor stand in."""
        of = whose(slot, kept, as_of, received_at)
        return [self._change(of, one.run.band, standing_of_run(one), state) for one in self.standing.get(slot, ())]

    def settled(self, slot: int, kept: Kept, state: SensorState, done: int, clock: int) -> tuple[ConditionChange, ...]:
        """Take over the state that a revision brought; return what is possible as of the partition's clock (ms UTC)."""
        self.standing.pop(slot, None)
        facts: list[Fact] = []
        self._on_clock(whose(slot, kept, done, clock), state, clock, facts)
        self._await(slot, state)
        standing = {one.run.band for one in self.standing.get(slot, ())}
        return tuple(one for one in facts if isinstance(one, ConditionChange) and one.closed_at is None and one.band in standing)

    def _views(self, state: SensorState) -> dict[Key, BandView]:
        if state.newest is None or state.policy is None or self._terms.policies[state.policy].conditions.possible is None:
            return {}
        views: dict[Key, BandView] = {}
        for band, run in zip(self._terms.policies[state.policy].bands, state.bands, strict=True):
            if isinstance(band, SustainedBand):
                assert isinstance(run, SustainedState)
                views[band.name, band.side.value] = BandView(run, state.newest, band)
        return views

    def _state(self, slot: int, key: Key) -> possible_excursion.PossibleState:
        return next((one for one in self.standing.get(slot, ()) if one.run.band == key[0]), NOT_POSSIBLE)

    def _put(
        self,
        of: Of,
        key: Key,
        state: possible_excursion.PossibleState,
        found: ConditionFacts,
        judged: SensorState,
        facts: list[Fact],
    ) -> None:
        if not found:
            return
        others = tuple(one for one in self.standing.get(of.slot, ()) if one.run.band != key[0])
        standing = (*others, state) if isinstance(state, Possible) else others
        if standing:
            self.standing[of.slot] = standing
        else:
            self.standing.pop(of.slot, None)
        facts += [self._change(of, key[0], fact, judged) for fact in found]

    def _change(self, of: Of, band: str, fact: ConditionFact, judged: SensorState) -> ConditionChange:
        policy = self._terms.policies[judged.policy or 0]
        place, alert = (of.device, of.unit, of.organization), alert_of(policy.conditions, ConditionKind.POSSIBLE_EXCURSION)
        return change_of(fact, as_of=of.as_of, received_at=of.received_at, sensor=of.sensor, place=place, alert=alert, band=band)

    def _await(self, slot: int, state: SensorState) -> None:
        """Find when the next run of a sensor becomes possible if no further row comes."""
        self._put_due(slot, self._due_of(slot, state))

    def _put_due(self, slot: int, due: int) -> None:
        if due == FAR:
            self.due.pop(slot, None)
        else:
            self.due[slot] = due

    def _due_of(self, slot: int, state: SensorState) -> int:
        """Return when the next run of a sensor becomes possible if no further row comes, FAR for never."""
        due = FAR
        if state.newest is None or state.policy is None:
            return due
        policy = self._terms.policies[state.policy]
        if policy.conditions.possible is None:
            return due
        for band, run in zip(policy.bands, state.bands, strict=True):
            if isinstance(run, Breaching) and isinstance(band, SustainedBand):
                at = possible_at(BandView(run, state.newest, band))
                if at is not None and at < due and self._state(slot, (band.name, band.side.value)) is NOT_POSSIBLE:
                    due = at
        return due


def whose(slot: int, kept: Kept, as_of: int, received_at: int) -> Of:
    """Return whose condition it is, and from which record it is known."""
    return Of(slot, kept.id, kept.device, kept.unit, kept.organization, as_of, received_at)


def is_pending(state: SensorState) -> bool:
    """Tell whether any band has a run that has not opened."""
    return any(isinstance(run, Breaching) for run in state.bands)
