"""The machine of a sustained band that may be suppressed: an excursion is held back for as long as it is excused (ADR 0013).

    pending --opens, excused--> withheld --neither excused nor recovering--> opened late --recovers--> closed
                                withheld --recovers--> suppressed

The band is judged by its own machine (`excursion`) as if nothing were suppressed, so every time and figure stays what it is. Where
that opens an excursion which is excused there, nobody is told; it opens at the first instant at which it is neither excused nor
recovering, and where it ends before, it was suppressed. Unknown time excuses nothing and ends no excuse. State is as of the sensor's
newest row; between rows a band may move twice, as when what is held back at the one instant opens at the other. A late row is not
for this machine. It knows no clock and calls nothing.
"""

from typing import assert_never

import msgspec

from pipelines.domain import excursion
from pipelines.domain.excursion_facts import EndedBy, ExcursionClosed, ExcursionOpened, Fact, Facts, HeldBack, Suppressed
from pipelines.domain.excursion_states import Breaching, InRange, Open, Reading, Recovering, SustainedState
from pipelines.domain.figures import figures
from pipelines.domain.policy import SustainedBand, identity
from pipelines.domain.suppressing_states import Excusable, OpenedLate, Remembering, SuppressingState, Withheld
from pipelines.domain.suppression import Circumstances, excused_until, excuses_of_run, narrowed, tags

State = SustainedState | SuppressingState
Found = tuple[Fact | Suppressed, ...]


def may_suppress(band: SustainedBand, beside: Circumstances) -> bool:
    """Tell whether a run of a band may be excused; one that cannot be is for `excursion` alone."""
    return band.suppress is not None and not beside.is_empty


def advance(state: SuppressingState, newest: Reading, band: SustainedBand, at: int) -> SuppressingState:
    """Return the state after the newest row's value has held until `at`, as `excursion.advance` does."""
    if isinstance(state.run, InRange):
        return state
    run = excursion.advance(state.run, newest, band, at)
    return msgspec.structs.replace(state, run=run)


def on_reading(
    state: State, temperature: int, at: int, band: SustainedBand, beside: Circumstances, *, new_version: bool = False
) -> tuple[State, Found]:
    """Return the state after a reading (hundredths) at `at`, and what happened there; as `excursion.on_reading`."""
    if isinstance(state, Excusable | Withheld | OpenedLate):
        state = msgspec.structs.replace(state, excuses=narrowed(state.excuses, at, temperature, band))
    before = _run(state)
    run, facts = excursion.on_reading(before, temperature, at, band, new_version=new_version)
    found: Found = ()
    last, is_new = _remembered(state), isinstance(before, InRange)
    if facts and isinstance(facts[0], ExcursionClosed):
        found = (_closed(state, facts[0], beside),)
        last, is_new, facts = _last_defrost(state, facts[0].ended_at, beside), True, facts[1:]
    if isinstance(run, InRange):
        return _at_rest(run, last, at, beside), found
    if is_new or run.started_at == at:
        after, told = _begun(run, facts, temperature, at, band, beside, last)
    else:
        after, told = _carried_on(state, run, facts, at, band, beside)
    return after, found + told


def deadline(state: State, newest: Reading, band: SustainedBand, beside: Circumstances) -> int | None:
    """Return the first instant (ms UTC) at which the band moves if no further row comes, or None; it may lie in unknown time."""
    if isinstance(state, Withheld) and isinstance(state.run, Open):
        return excused_until(state.excuses, max(state.held_from, newest.measured_at), beside)
    return excursion.deadline(_run(state), newest, band)


def on_deadline(state: State, newest: Reading, band: SustainedBand, beside: Circumstances) -> tuple[State, Found]:
    """Pass the band's deadline: what `excursion.on_deadline` does, or open what was held back. Sums stay as of the newest row."""
    at = deadline(state, newest, band, beside)
    assert at is not None, "only a band with a deadline can pass it"
    if isinstance(state, Withheld) and isinstance(state.run, Open):
        advanced = excursion.advance(state.run, newest, band, at)
        assert isinstance(advanced, Open)
        _, told = _told(state, advanced, at, band, beside)
        run = Open(state.run.started_at, at, state.run.tally)
        return OpenedLate(run, state.excuses, state.held_from, state.last_defrost_at), told
    after, facts = excursion.on_deadline(_run(state), newest, band)
    if isinstance(after, Open):
        return _opened(state, after, facts, at, beside)
    last, found = _remembered(state), Found()
    if facts and isinstance(facts[0], ExcursionClosed):
        last, found = _last_defrost(state, facts[0].ended_at, beside), (_closed(state, facts[0], beside),)
    return _at_rest(after, last, at, beside), found


def on_end(state: SuppressingState, at: int, band: SustainedBand, ended_by: EndedBy, beside: Circumstances) -> Found:
    """End the run from outside, as `excursion.on_end` does; `state` is advanced to `at`."""
    closed = excursion.on_end(state.run, at, band, ended_by)
    return tuple(_closed(state, fact, beside) for fact in closed if isinstance(fact, ExcursionClosed))


def suppressed_so_far(state: Withheld, newest: Reading, band: SustainedBand, at: int, beside: Circumstances) -> Suppressed:
    """Return the excursion that is held back as of `at` (ms UTC); deadlines up to it must have been passed."""
    run = excursion.advance(state.run, newest, band, at)
    numbers = figures(run.tally, run.started_at, at)
    tagged = tags(state.excuses, at, beside)
    return Suppressed(band.name, run.started_at, state.held_from, None, None, None, numbers, identity(band), tagged)


def held_back(state: OpenedLate, beside: Circumstances) -> HeldBack:
    """Return from when an excursion was held back until it opened, and what excused it."""
    return HeldBack(state.held_from, tags(state.excuses, state.run.opened_at, beside))


def _run(state: State) -> SustainedState:
    return state.run if isinstance(state, SuppressingState) else state


def _remembered(state: State) -> int | None:
    return state.last_defrost_at if isinstance(state, SuppressingState) else None


def _begun(
    run: Breaching | Open | Recovering,
    facts: Facts,
    temperature: int,
    at: int,
    band: SustainedBand,
    beside: Circumstances,
    last: int | None,
) -> tuple[State, Found]:
    """Settle what may excuse a run that begins with a reading; without a hold it opens there, or is held back."""
    if not may_suppress(band, beside):
        return _at_rest(run, last, at, beside), facts
    excuses = excuses_of_run(at, temperature, band, beside, last)
    if isinstance(run, Breaching):
        return Excusable(run, excuses, last), ()
    if excused_until(excuses, at, beside) > at:
        return Withheld(run, excuses, at, last), ()
    return _at_rest(run, last, at, beside), facts


def _carried_on(
    state: State, run: Breaching | Open | Recovering, facts: Facts, at: int, band: SustainedBand, beside: Circumstances
) -> tuple[State, Found]:
    """Carry a run on with a further reading: what was held back opens if it is neither excused nor recovering."""
    match state:
        case Withheld():
            assert not isinstance(run, Breaching)
            if isinstance(run, Open) and excused_until(state.excuses, at, beside) == at:
                return _told(state, run, at, band, beside)
            return Withheld(run, state.excuses, state.held_from, state.last_defrost_at), ()
        case OpenedLate():
            assert not isinstance(run, Breaching)
            return OpenedLate(run, state.excuses, state.held_from, state.last_defrost_at), ()
        case Excusable():
            if isinstance(run, Breaching):
                return Excusable(run, state.excuses, state.last_defrost_at), ()
            return _opened(state, run, facts, at, beside)
        case Remembering() | InRange() | Breaching() | Open() | Recovering():
            return _at_rest(run, _remembered(state), at, beside), facts
        case _:
            assert_never(state)


def _opened(state: State, run: Open | Recovering, facts: Facts, at: int, beside: Circumstances) -> tuple[State, Found]:
    """Let an excursion open at `at`, or hold it back where it is excused."""
    if isinstance(state, Excusable) and excused_until(state.excuses, at, beside) > at:
        return Withheld(run, state.excuses, at, state.last_defrost_at), ()
    return _at_rest(run, _remembered(state), at, beside), facts


def _told(state: Withheld, run: Open, at: int, band: SustainedBand, beside: Circumstances) -> tuple[OpenedLate, Found]:
    """Open at `at` what was held back until then; `run` is advanced to it."""
    after = OpenedLate(Open(run.started_at, at, run.tally), state.excuses, state.held_from, state.last_defrost_at)
    numbers = figures(run.tally, run.started_at, at)
    return after, (ExcursionOpened(band.name, run.started_at, at, numbers, identity(band), held_back(after, beside)),)


def _closed(state: State, fact: ExcursionClosed, beside: Circumstances) -> Fact | Suppressed:
    """Return what the end of an excursion comes to: that of one which was told, or of one that was suppressed."""
    if isinstance(state, OpenedLate):
        return msgspec.structs.replace(fact, held_back=held_back(state, beside))
    if not isinstance(state, Withheld):
        return fact
    return Suppressed(
        fact.band,
        fact.started_at,
        state.held_from,
        fact.ended_at,
        fact.closed_at,
        fact.ended_by,
        fact.figures,
        fact.identity,
        tags(state.excuses, fact.ended_at, beside),
    )


def _last_defrost(state: State, ended_at: int, beside: Circumstances) -> int | None:
    """Return the start of the last run taken for a defrost, after an excursion that ended at `ended_at`.

    It is one where, for an instant at least, nothing but the defrost held it back.
    """
    if not isinstance(state, Withheld | OpenedLate):
        return _remembered(state)
    alone_from = excused_until(state.excuses, state.held_from, beside, by_defrost=False)
    is_one = alone_from < min(state.excuses.defrost_until, ended_at)  # one that opened late did so when no defrost held it back
    return state.excuses.started_at if is_one else state.last_defrost_at


def _at_rest(run: SustainedState, last_defrost_at: int | None, at: int, beside: Circumstances) -> State:
    """Return the state of a band with nothing to excuse: plain, unless a defrost before `at` may still put one off."""
    profile = beside.defrost
    if last_defrost_at is None or profile is None or at - last_defrost_at >= profile.period_ms:
        return run
    return Remembering(run, last_defrost_at)
