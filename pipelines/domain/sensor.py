"""The machine of one sensor: all bands of the policy in force, over rows in event order and clocks.

Live, revision, backtest and `evaluate` run this and nothing else. `on_reading` and `on_assignment_end` first pass the
deadlines before them; `on_clock` passes those up to and at the clock. What is at or before `judged_at` is late and must not
be passed in. State names its policy by number; the policies themselves come in by argument and must be immutable, and so does what is
known beside the readings (`Circumstances`), by which operational bands may be suppressed.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from pipelines.domain import excursion, suppressing, windowed
from pipelines.domain.excursion import advance, deadline, on_end
from pipelines.domain.excursion_facts import EndedBy, Fact, Facts, Suppressed
from pipelines.domain.excursion_states import IN_RANGE, Breaching, InRange, Open, Reading, Recovering, SustainedState
from pipelines.domain.history import NO_HISTORY, History, with_row
from pipelines.domain.past import past_of
from pipelines.domain.policy import Band, Policy, SustainedBand, WindowedBand, identity
from pipelines.domain.suppressing_states import SuppressingState
from pipelines.domain.suppression import NOTHING_BESIDE, Circumstances
from pipelines.domain.windowed_states import BandState, WindowedState

Policies = Mapping[int, Policy]
"""Policy versions by number; holds at least those of the state and of the reading passed in."""


class SensorState(msgspec.Struct, frozen=True, array_like=True):
    """Everything judged of one sensor so far. Encodes with msgspec as it is."""

    judged_at: int | None
    """The newer of the newest row and the last deadline passed (ms UTC); None before the first row."""
    due: int | None
    """The earliest clock at which a band may move; nothing need come of it."""
    newest: Reading | None
    """The newest row of the assignment."""
    policy: int | None
    """Number of the version of the newest reading; a fault mark changes none."""
    bands: tuple[BandState, ...]
    """One for each band of that version, in its order."""
    history: History = NO_HISTORY
    """The rows that its rolling windows still need, the newest last; none where no band has one."""


class Step(msgspec.Struct, frozen=True):
    """A state and the facts that led to it, in order of their instants."""

    state: SensorState
    facts: Facts
    suppressed: tuple[Suppressed, ...] = ()
    """Excursions that ended while they were held back."""


_Happened = list[Fact | Suppressed]


class _Limits(msgspec.Struct, frozen=True, gc=False):
    """Up to which instants, both included, what comes without a row is passed."""

    sustained: int
    opens: int
    """Openings of windowed bands, and all that the end of a window decides for kind `mean`..."""
    means: int
    """...which the row at its very end does not take part in."""
    ends: int


_PLAIN_RUN: Final = (Breaching, Open, Recovering)
_PLAIN: Final = (InRange, *_PLAIN_RUN)
"""As tuples, which `isinstance` looks through faster than unions: every row out of range comes by here."""

FRESH: Final = SensorState(None, None, None, None, ())
"""A sensor of which nothing has been judged."""


def is_late(state: SensorState, at: int) -> bool:
    """Tell whether a row, or an assignment's end, at `at` (ms UTC) is not after everything already judged."""
    return state.judged_at is not None and at <= state.judged_at


def is_quiet(state: SensorState) -> bool:
    """Tell whether no band has a run or a window, so that a reading within its policy's `quiet_range` only replaces the newest row."""
    return all(isinstance(band, InRange) for band in state.bands)


def quiet_state(reading: Reading, policy: Policy) -> SensorState:
    """Return the state of a sensor without runs whose newest row is this reading, judged by that policy; windows begin with it."""
    at = reading.measured_at
    bands = tuple(IN_RANGE if isinstance(band, SustainedBand) else windowed.begun(at, band) for band in policy.bands)
    return SensorState(at, None, reading, reading.policy, bands, _history(NO_HISTORY, reading, policy, reading.policy))


def with_windows_begun(state: SensorState, policies: Policies) -> SensorState:
    """Return a state that was kept before windowed bands were judged, in which they have none: theirs begin with its newest row."""
    if state.policy is None or state.newest is None:
        return state
    policy, runs = policies[state.policy], iter(state.bands)
    at = state.newest.measured_at
    bands = tuple(next(runs) if isinstance(band, SustainedBand) else windowed.begun(at, band) for band in policy.bands)
    history = _history(NO_HISTORY, state.newest, policy, state.policy)
    return SensorState(state.judged_at, state.due, state.newest, state.policy, bands, history)


def next_deadline(state: SensorState) -> int | None:
    """Return the earliest clock (ms UTC) at which a band may move if no further row comes, or None."""
    return state.due


def due_of(state: SensorState, policies: Policies, beside: Circumstances = NOTHING_BESIDE) -> int | None:
    """Return the `due` of a state that has been judged up to its newest row."""
    if state.newest is None:
        return None
    due: int | None = None
    for band, run in zip(_bands_in_force(state, policies), state.bands, strict=True):
        if isinstance(band, SustainedBand):
            due = _earlier(due, suppressing.deadline(_sustained(run), state.newest, band, beside))
        else:
            window = _window(run)
            past = past_of(window, band, state.history, policies)
            due = _earlier(due, windowed.due(window, state.newest, band, past, state.newest.measured_at))
    return due


def on_reading(state: SensorState, reading: Reading, policies: Policies, beside: Circumstances = NOTHING_BESIDE) -> Step:
    """Judge the next row of the sensor, a reading or a fault mark, after the deadlines before it.

    The row must not be late. A deadline at the very instant of a reading is decided together with it; a fault mark comes
    after it.
    """
    at, temperature = reading.measured_at, reading.temperature
    assert not is_late(state, at), "a late row is judged by a revision"
    facts: _Happened = []
    if temperature is None:
        return _marked(state, reading, policies, beside, facts)
    policy = policies[reading.policy]
    if state.due is not None and state.due <= at:
        state = _passed(state, _Limits(at - 1, at - 1, at, at - 1), policies, beside, facts, reading)
    if state.policy != reading.policy:
        return _first_of_version(state, reading, policies, beside, facts)
    if policy.has_windows:
        return _judged(state, reading, policies, beside, facts)
    newest = state.newest
    assert newest is not None
    bands: list[BandState] = []
    due: int | None = None
    for band, before in zip(policy.bands, state.bands, strict=True):
        assert isinstance(band, SustainedBand)
        if isinstance(before, InRange):
            if band.sign * temperature < band.out_from:
                bands.append(before)
                continue
            advanced: suppressing.State = before
        elif isinstance(before, _PLAIN_RUN):
            advanced = advance(before, newest, band, at)
        else:
            assert isinstance(before, SuppressingState), "a state of another kind"
            advanced = suppressing.advance(before, newest, band, at)
        after, due_here = _sustained_judged(advanced, reading, band, beside, facts)
        bands.append(after)
        due = _earlier(due, due_here)
    return _step(SensorState(at, due, reading, reading.policy, tuple(bands)), facts)


def on_clock(state: SensorState, until: int, policies: Policies, beside: Circumstances = NOTHING_BESIDE) -> Step:
    """Pass every deadline up to and at `until` (ms UTC), each at its own instant."""
    if state.due is None or state.due > until:
        return Step(state, ())
    facts: _Happened = []
    state = _passed(state, _Limits(until, until, until, until - 1), policies, beside, facts)
    return _step(state, facts)


def on_assignment_end(state: SensorState, at: int, policies: Policies, beside: Circumstances = NOTHING_BESIDE) -> Step:
    """End every run at the assignment's end, after the deadlines before it. The next assignment starts afresh.

    The end must not be late. A row at `at` belongs to the next assignment and is not late.
    """
    assert not is_late(state, at), "a late end is judged by a revision"
    facts: _Happened = []
    if state.due is not None and state.due <= at:
        state = _passed(state, _Limits(at - 1, at - 1, at - 1, at - 1), policies, beside, facts)
    for band, run in zip(_bands_in_force(state, policies), state.bands, strict=True):
        facts += _ended(state, run, band, at, EndedBy.ASSIGNMENT, policies, beside)
    return _step(SensorState(at - 1, None, None, None, ()), facts)


def _step(state: SensorState, happened: _Happened) -> Step:
    """Return a step, with what was suppressed apart from the facts that are told."""
    if not happened:
        return Step(state, ())
    facts = tuple(one for one in happened if not isinstance(one, Suppressed))
    return Step(state, facts, tuple(one for one in happened if isinstance(one, Suppressed)))


def _bands_in_force(state: SensorState, policies: Policies) -> tuple[Band, ...]:
    return () if state.policy is None else policies[state.policy].bands


def _earlier(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _sustained(state: BandState) -> suppressing.State:
    assert isinstance(state, SustainedState | SuppressingState), "a state of another kind"
    return state


def _run(state: BandState) -> Breaching | Open | Recovering:
    assert isinstance(state, Breaching | Open | Recovering), "a state of another kind"
    return state


def _advanced(run: BandState, state: SensorState, band: Band, at: int, policies: Policies) -> BandState:
    """Return a band's state after the newest row's value has held until `at`."""
    if isinstance(run, InRange):
        return run
    assert state.newest is not None
    if isinstance(band, SustainedBand):
        if isinstance(run, SuppressingState):
            return suppressing.advance(run, state.newest, band, at)
        return advance(_run(run), state.newest, band, at)
    window = _window(run)
    return windowed.advance(window, state.newest, band, past_of(window, band, state.history, policies), at)


def _window(state: BandState) -> WindowedState:
    assert not isinstance(state, SustainedState | SuppressingState), "a state of another kind"
    return state


def _ended(
    state: SensorState, run: BandState, band: Band, at: int, ended_by: EndedBy, policies: Policies, beside: Circumstances
) -> suppressing.Found:
    """Return what an end from outside makes of a run that has been passed up to it."""
    if isinstance(band, SustainedBand):
        advanced = _advanced(run, state, band, at, policies)
        if isinstance(advanced, SuppressingState):
            return suppressing.on_end(advanced, at, band, ended_by, beside)
        assert isinstance(advanced, SustainedState)
        return on_end(advanced, at, band, ended_by)
    assert state.newest is not None
    return windowed.on_end(_window(run), state.newest, band, at, ended_by)


def _passed(
    state: SensorState, limits: _Limits, policies: Policies, beside: Circumstances, facts: _Happened, coming: Reading | None = None
) -> SensorState:
    """Pass what comes without a row up to some limits, and add what happened to `facts`, in order of the instants.

    A window of kind `mean` that ends with the reading that comes next is judged only if its band goes on in that one's version.
    """
    newest, judged_at = state.newest, state.judged_at
    assert newest is not None
    assert judged_at is not None
    bands: list[BandState] = []
    passed: list[tuple[int, suppressing.Found]] = []
    due: int | None = None
    for band, before in zip(_bands_in_force(state, policies), state.bands, strict=True):
        after: BandState
        if isinstance(band, SustainedBand):
            after, moved, due_here = _sustained_passed(_sustained(before), newest, band, limits.sustained, beside)
            passed += moved
        else:
            goes_on = coming is None or identity(band) in policies[coming.policy].by_identity
            opens = limits.means if windowed.is_mean(band) and goes_on else limits.opens
            after, found, due_here = _windowed_passed(_window(before), state, band, opens, limits.ends, policies, coming)
            passed += found
        bands.append(after)
        due = _earlier(due, due_here)
    for moves_at, happened in sorted(passed, key=lambda entry: entry[0]):
        judged_at = max(judged_at, moves_at)
        facts += happened
    return SensorState(judged_at, due, newest, state.policy, tuple(bands), state.history)


def _sustained_passed(
    before: suppressing.State, newest: Reading, band: SustainedBand, until: int, beside: Circumstances
) -> tuple[suppressing.State, list[tuple[int, suppressing.Found]], int | None]:
    """Pass the deadlines of a sustained band up to `until`: at most one between two rows, or two where it may be suppressed."""
    passed: list[tuple[int, suppressing.Found]] = []
    moves_at = suppressing.deadline(before, newest, band, beside)
    while moves_at is not None and moves_at <= until:
        before, found = suppressing.on_deadline(before, newest, band, beside)
        passed.append((moves_at, found))
        moves_at = suppressing.deadline(before, newest, band, beside)
    return before, passed, moves_at


def _sustained_judged(
    advanced: suppressing.State,
    reading: Reading,
    band: SustainedBand,
    beside: Circumstances,
    facts: _Happened,
    *,
    new_version: bool = False,
) -> tuple[suppressing.State, int | None]:
    """Let a reading decide a sustained band; return its state and deadline, and add what happened to `facts`."""
    temperature = reading.temperature
    assert temperature is not None
    if isinstance(advanced, _PLAIN) and (band.suppress is None or beside.is_empty):
        run, told = excursion.on_reading(advanced, temperature, reading.measured_at, band, new_version=new_version)
        facts += told
        return run, deadline(run, reading, band)
    after, found = suppressing.on_reading(advanced, temperature, reading.measured_at, band, beside, new_version=new_version)
    facts += found
    return after, suppressing.deadline(after, reading, band, beside)


def _windowed_passed(
    before: WindowedState,
    state: SensorState,
    band: WindowedBand,
    opens: int,
    ends: int,
    policies: Policies,
    coming: Reading | None = None,
) -> tuple[WindowedState, windowed.Found, int | None]:
    """Pass what a windowed band does after the newest row."""
    assert state.newest is not None
    past = past_of(before, band, state.history, policies)
    after, found = windowed.passed(before, state.newest, band, past, opens, ends, coming)
    return after, found, windowed.due(after, state.newest, band, past, opens)


def _marked(state: SensorState, mark: Reading, policies: Policies, beside: Circumstances, facts: _Happened) -> Step:
    """Judge a fault mark: every run counted up to it, the temperature unknown from it on."""
    at = mark.measured_at
    if state.due is not None and state.due <= at:
        state = _passed(state, _Limits(at, at - 1, at, at - 1), policies, beside, facts)
    bands_in_force = _bands_in_force(state, policies)
    advanced = [_advanced(run, state, band, at, policies) for band, run in zip(bands_in_force, state.bands, strict=True)]
    history = NO_HISTORY if state.policy is None else _history(state.history, mark, policies[state.policy], state.policy)
    marked = SensorState(at, None, mark, state.policy, tuple(advanced), history)
    bands: list[BandState] = []
    due: int | None = None
    for band, run in zip(bands_in_force, advanced, strict=True):
        if isinstance(band, SustainedBand):
            bands.append(run)
            if isinstance(run, SuppressingState):  # what is held back may open in unknown time
                due = _earlier(due, suppressing.deadline(run, mark, band, beside))
        else:
            after, found, due_here = _windowed_passed(windowed.on_row(_window(run), mark, band), marked, band, at, at - 1, policies)
            facts += [fact for _, happened in found for fact in happened]
            bands.append(after)
            due = _earlier(due, due_here)
    return _step(SensorState(at, due, mark, state.policy, tuple(bands), history), facts)


def _judged(state: SensorState, reading: Reading, policies: Policies, beside: Circumstances, facts: _Happened) -> Step:
    """Judge a further reading of a version that has windowed bands."""
    runs = [
        _advanced(run, state, band, reading.measured_at, policies)
        for band, run in zip(_bands_in_force(state, policies), state.bands, strict=True)
    ]
    return _with_reading(state, reading, runs, policies, beside, facts, new_version=False)


def _first_of_version(state: SensorState, reading: Reading, policies: Policies, beside: Circumstances, facts: _Happened) -> Step:
    """Judge the first reading of a version: bands of the same identity carry on, runs of the others end here."""
    at = reading.measured_at
    before = {identity(band): (band, run) for band, run in zip(_bands_in_force(state, policies), state.bands, strict=True)}
    runs: list[BandState] = []
    for band in policies[reading.policy].bands:
        older, run = before.pop(identity(band), (band, None))
        if run is not None:
            runs.append(_advanced(run, state, older, at, policies))
        else:
            runs.append(IN_RANGE if isinstance(band, SustainedBand) else windowed.begun(at, band))
    for band, run in before.values():
        facts += _ended(state, run, band, at, EndedBy.POLICY, policies, beside)
    return _with_reading(state, reading, runs, policies, beside, facts, new_version=True)


def _with_reading(
    state: SensorState,
    reading: Reading,
    runs: list[BandState],
    policies: Policies,
    beside: Circumstances,
    facts: _Happened,
    *,
    new_version: bool,
) -> Step:
    """Let a reading decide every band of its version; `runs` are the bands' states, advanced to it."""
    at, policy = reading.measured_at, policies[reading.policy]
    history = _history(state.history, reading, policy, reading.policy)
    counted = SensorState(at, None, reading, reading.policy, tuple(runs), history)
    bands: list[BandState] = []
    due: int | None = None
    for band, run in zip(policy.bands, runs, strict=True):
        after: BandState
        if isinstance(band, SustainedBand):
            after, due_here = _sustained_judged(_sustained(run), reading, band, beside, facts, new_version=new_version)
        else:
            after, found, due_here = _windowed_passed(windowed.on_row(_window(run), reading, band), counted, band, at, at - 1, policies)
            facts += [fact for _, moved in found for fact in moved]
        bands.append(after)
        due = _earlier(due, due_here)
    return _step(SensorState(at, due, reading, reading.policy, tuple(bands), history), facts)


def _history(history: History, row: Reading, policy: Policy, number: int) -> History:
    """Return the history with one more row, as far back as the policy's windows reach."""
    return with_row(history, row, number, row.measured_at - policy.reach_ms) if policy.reach_ms else NO_HISTORY
