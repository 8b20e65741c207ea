"""The machine of one sensor: all bands of the policy in force, over rows in event order and clocks.

Live, revision, backtest and `evaluate` run this and nothing else. `on_reading` and `on_assignment_end` first pass the
deadlines before them; `on_clock` passes those up to and at the clock. What is at or before `judged_at` is late and must not
be passed in. State names its policy by number; the policies themselves come in by argument and must be immutable.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from pipelines.domain import excursion
from pipelines.domain.excursion import advance, deadline, on_deadline, on_end
from pipelines.domain.excursion_facts import EndedBy, Fact, Facts
from pipelines.domain.excursion_states import IN_RANGE, BandState, InRange, Reading
from pipelines.domain.policy import Policy, SustainedBand

Policies = Mapping[int, Policy]
"""Policy versions by number; holds at least those of the state and of the reading passed in."""


class SensorState(msgspec.Struct, frozen=True, array_like=True):
    """Everything judged of one sensor so far. Encodes with msgspec as it is."""

    judged_at: int | None
    """The newer of the newest row and the last deadline passed (ms UTC); None before the first row."""
    due: int | None
    """The earliest deadline of any band."""
    newest: Reading | None
    """The newest row of the assignment."""
    policy: int | None
    """Number of the version of the newest reading; a fault mark changes none."""
    bands: tuple[BandState, ...]
    """One for each sustained band of that version, in its order."""


class Step(msgspec.Struct, frozen=True):
    """A state and the facts that led to it, in order of their instants."""

    state: SensorState
    facts: Facts


FRESH: Final = SensorState(None, None, None, None, ())
"""A sensor of which nothing has been judged."""


def is_late(state: SensorState, at: int) -> bool:
    """Tell whether a row, or an assignment's end, at `at` (ms UTC) is not after everything already judged."""
    return state.judged_at is not None and at <= state.judged_at


def is_quiet(state: SensorState) -> bool:
    """Tell whether no band has a run, so that a reading within its policy's `quiet_range` only replaces the newest row."""
    return all(isinstance(band, InRange) for band in state.bands)


def quiet_state(reading: Reading, policy: Policy) -> SensorState:
    """Return the state of a sensor without runs whose newest row is this reading, judged by that policy."""
    bands = (IN_RANGE,) * len(policy.sustained)
    return SensorState(reading.measured_at, None, reading, reading.policy, bands)


def next_deadline(state: SensorState) -> int | None:
    """Return the earliest instant (ms UTC) at which a band moves if no further row comes, or None."""
    return state.due


def on_reading(state: SensorState, reading: Reading, policies: Policies) -> Step:
    """Judge the next row of the sensor, a reading or a fault mark, after the deadlines before it.

    The row must not be late. A deadline at the very instant of a reading is decided together with it; a fault mark comes
    after it.
    """
    at, temperature = reading.measured_at, reading.temperature
    assert not is_late(state, at), "a late row is judged by a revision"
    facts: list[Fact] = []
    if state.due is not None and state.due < at + (temperature is None):
        state = _pass_deadlines(state, at - (temperature is not None), policies, facts)
    if temperature is None:
        return Step(_marked(state, reading, policies), tuple(facts))
    policy = policies[reading.policy]
    if state.policy != reading.policy:
        return _first_of_version(state, reading, policies, facts)
    newest = state.newest
    assert newest is not None
    bands: list[BandState] = []
    due: int | None = None
    for band, before in zip(policy.sustained, state.bands, strict=True):
        if isinstance(before, InRange):
            if band.sign * temperature < band.out_from:
                bands.append(before)
                continue
            advanced: BandState = before
        else:
            advanced = advance(before, newest, band, at)
        after, found = excursion.on_reading(advanced, temperature, at, band)
        facts += found
        bands.append(after)
        moves_at = deadline(after, reading, band)
        if moves_at is not None and (due is None or moves_at < due):
            due = moves_at
    return Step(SensorState(at, due, reading, reading.policy, tuple(bands)), tuple(facts))


def on_clock(state: SensorState, until: int, policies: Policies) -> Step:
    """Pass every deadline up to and at `until` (ms UTC), each at its own instant."""
    if state.due is None or state.due > until:
        return Step(state, ())
    facts: list[Fact] = []
    state = _pass_deadlines(state, until, policies, facts)
    return Step(state, tuple(facts))


def on_assignment_end(state: SensorState, at: int, policies: Policies) -> Step:
    """End every run at the assignment's end, after the deadlines before it. The next assignment starts afresh.

    The end must not be late. A row at `at` belongs to the next assignment and is not late.
    """
    assert not is_late(state, at), "a late end is judged by a revision"
    facts: list[Fact] = []
    if state.due is not None and state.due < at:
        state = _pass_deadlines(state, at - 1, policies, facts)
    for band, run in zip(_bands_in_force(state, policies), state.bands, strict=True):
        facts += on_end(_advanced(run, state.newest, band, at), at, band, EndedBy.ASSIGNMENT)
    return Step(SensorState(at - 1, None, None, None, ()), tuple(facts))


def _bands_in_force(state: SensorState, policies: Policies) -> tuple[SustainedBand, ...]:
    return () if state.policy is None else policies[state.policy].sustained


def _advanced(state: BandState, newest: Reading | None, band: SustainedBand, at: int) -> BandState:
    if isinstance(state, InRange):
        return state
    assert newest is not None
    return advance(state, newest, band, at)


def _pass_deadlines(state: SensorState, until: int, policies: Policies, facts: list[Fact]) -> SensorState:
    """Pass all deadlines up to and at `until` and add what happened to `facts`; a band has at most one between two rows."""
    newest, judged_at = state.newest, state.judged_at
    assert newest is not None
    assert judged_at is not None
    bands: list[BandState] = []
    passed: list[tuple[int, Facts]] = []
    due: int | None = None
    for band, before in zip(_bands_in_force(state, policies), state.bands, strict=True):
        moves_at = deadline(before, newest, band)
        if moves_at is None:
            bands.append(before)
        elif moves_at > until:
            bands.append(before)
            due = moves_at if due is None else min(due, moves_at)
        else:
            after, found = on_deadline(before, newest, band)
            bands.append(after)
            passed.append((moves_at, found))
    for moves_at, found in sorted(passed, key=lambda entry: entry[0]):
        judged_at = max(judged_at, moves_at)
        facts += found
    return SensorState(judged_at, due, newest, state.policy, tuple(bands))


def _marked(state: SensorState, mark: Reading, policies: Policies) -> SensorState:
    """Return the state after a fault mark: every run counted up to it, the temperature unknown from it on."""
    bands = tuple(
        _advanced(run, state.newest, band, mark.measured_at)
        for band, run in zip(_bands_in_force(state, policies), state.bands, strict=True)
    )
    return SensorState(mark.measured_at, None, mark, state.policy, bands)


def _first_of_version(state: SensorState, reading: Reading, policies: Policies, facts: list[Fact]) -> Step:
    """Judge the first reading of a version: bands of the same name and side carry on, runs of the others end here."""
    at, temperature = reading.measured_at, reading.temperature
    assert temperature is not None
    carried = {
        (band.name, band.side): (band, _advanced(run, state.newest, band, at))
        for band, run in zip(_bands_in_force(state, policies), state.bands, strict=True)
    }
    bands: list[BandState] = []
    dues: list[int] = []
    found_here: list[Fact] = []
    for band in policies[reading.policy].sustained:
        _, before = carried.pop((band.name, band.side), (band, IN_RANGE))
        after, found = excursion.on_reading(before, temperature, at, band, new_version=True)
        found_here += found
        bands.append(after)
        moves_at = deadline(after, reading, band)
        if moves_at is not None:
            dues.append(moves_at)
    for band, run in carried.values():
        facts += on_end(run, at, band, EndedBy.POLICY)
    facts += found_here
    return Step(SensorState(at, min(dues, default=None), reading, reading.policy, tuple(bands)), tuple(facts))
