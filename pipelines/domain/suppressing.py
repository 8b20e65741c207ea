"""The machine of a sustained band that may be suppressed: an excursion is held back for as long as it is excused (ADR 0013).

The band is judged by its own machine (`excursion`) as if nothing were suppressed, so every time and figure stays what it is. Where
that opens an excursion which is excused there, nobody is told, and it is watched: it opens at the first instant at which it is neither
excused nor recovering, and where it ends before, it was suppressed. Unknown time excuses nothing and ends no excuse. State is as of
the sensor's newest row; between rows a band may move twice, as when what was held back since the one instant opens at the other.
A late row is not for this machine. It knows no clock and calls nothing.
"""

import msgspec

from pipelines.domain import excursion
from pipelines.domain.excursion_facts import EndedBy, ExcursionClosed, ExcursionOpened, Fact, HeldBack, Suppressed
from pipelines.domain.excursion_states import IN_RANGE, InRange, Open, Reading, Recovering, SustainedState
from pipelines.domain.figures import figures
from pipelines.domain.policy import SustainedBand, identity
from pipelines.domain.suppressing_states import Suppressing
from pipelines.domain.suppression import Circumstances, excused_until, excuses_of_run, narrowed, tags

State = SustainedState | Suppressing
Found = tuple[Fact | Suppressed, ...]


def may_suppress(band: SustainedBand, beside: Circumstances) -> bool:
    """Tell whether a run of a band may be excused; one that cannot be is for `excursion` alone."""
    return band.suppress is not None and not beside.is_empty


def advance(state: Suppressing, newest: Reading, band: SustainedBand, at: int) -> Suppressing:
    """Return the state after the newest row's value has held until `at`, as `excursion.advance` does."""
    if isinstance(state.run, InRange):
        return state
    return msgspec.structs.replace(state, run=excursion.advance(state.run, newest, band, at))


def on_reading(
    state: State, temperature: int, at: int, band: SustainedBand, beside: Circumstances, *, new_version: bool = False
) -> tuple[State, Found]:
    """Return the state after a reading (hundredths) at `at`, and what happened there; as `excursion.on_reading`."""
    before = state if isinstance(state, Suppressing) else Suppressing(state, None, None, None, None)
    if before.excuses is not None:
        before = msgspec.structs.replace(before, excuses=narrowed(before.excuses, at, temperature, band))
    run, facts = excursion.on_reading(before.run, temperature, at, band, new_version=new_version)
    found: Found = ()
    last_defrost_at, ended = before.last_defrost_at, isinstance(before.run, InRange)
    if facts and isinstance(facts[0], ExcursionClosed):
        found = (_closed(before, facts[0], beside),)
        last_defrost_at, ended = _last_defrost(before, facts[0].ended_at, beside), True
        facts = facts[1:]
    if isinstance(run, InRange):
        return _plain(Suppressing(IN_RANGE, None, None, None, last_defrost_at), at, beside), found
    if ended or run.started_at == at:
        excuses = None if band.suppress is None else excuses_of_run(at, temperature, band, beside, last_defrost_at)
        before = Suppressing(run, excuses, None, None, last_defrost_at)
    after, told = _judged(msgspec.structs.replace(before, run=run), at, band, beside, opens=bool(facts))
    return _plain(after, at, beside), found + (told or facts if not after.is_holding_back else ())


def deadline(state: State, newest: Reading, band: SustainedBand, beside: Circumstances) -> int | None:
    """Return the first instant (ms UTC) at which the band moves if no further row comes, or None; it may lie in unknown time."""
    if not isinstance(state, Suppressing):
        return excursion.deadline(state, newest, band)
    opens_at = _opens_at(state, newest, beside)
    moves_at = excursion.deadline(state.run, newest, band)
    return moves_at if opens_at is None else opens_at


def on_deadline(state: State, newest: Reading, band: SustainedBand, beside: Circumstances) -> tuple[State, Found]:
    """Pass the band's deadline: what `excursion.on_deadline` does, or open what was held back."""
    if not isinstance(state, Suppressing):
        return excursion.on_deadline(state, newest, band)
    at = deadline(state, newest, band, beside)
    assert at is not None, "only a band with a deadline can pass it"
    if _opens_at(state, newest, beside) is not None:
        advanced = advance(state, newest, band, at)
        after, opened = _told(advanced, at, band, beside)
        assert isinstance(state.run, Open)
        return msgspec.structs.replace(after, run=Open(state.run.started_at, at, state.run.tally)), opened
    run, facts = excursion.on_deadline(state.run, newest, band)
    if not facts:
        return _plain(Suppressing(run, None, None, None, state.last_defrost_at), at, beside), ()
    (fact,) = facts
    if isinstance(fact, ExcursionClosed):
        last_defrost_at = _last_defrost(state, fact.ended_at, beside)
        return _plain(Suppressing(run, None, None, None, last_defrost_at), at, beside), (_closed(state, fact, beside),)
    after, _ = _judged(msgspec.structs.replace(state, run=run), at, band, beside, opens=True)
    return _plain(after, at, beside), () if after.is_holding_back else facts


def on_end(state: Suppressing, at: int, band: SustainedBand, ended_by: EndedBy, beside: Circumstances) -> Found:
    """End the run from outside, as `excursion.on_end` does; `state` is advanced to `at`."""
    closed = excursion.on_end(state.run, at, band, ended_by)
    return tuple(_closed(state, fact, beside) for fact in closed if isinstance(fact, ExcursionClosed))


def suppressed_so_far(state: Suppressing, newest: Reading, band: SustainedBand, at: int, beside: Circumstances) -> Suppressed | None:
    """Return the excursion that is held back as of `at` (ms UTC), or None; deadlines up to it must have been passed."""
    if not state.is_holding_back:
        return None
    run = advance(state, newest, band, at).run
    assert isinstance(run, Open | Recovering)
    assert state.held_from is not None
    numbers = figures(run.tally, run.started_at, at)
    tagged = () if state.excuses is None else tags(state.excuses, at, beside)
    return Suppressed(band.name, run.started_at, state.held_from, None, None, None, numbers, identity(band), tagged)


def was_held_back(state: object, beside: Circumstances) -> HeldBack | None:
    """Return that the band's excursion opened later than it would have; None where it did not, or there is none."""
    return _held_back(state, beside) if isinstance(state, Suppressing) else None


def _judged(state: Suppressing, at: int, band: SustainedBand, beside: Circumstances, *, opens: bool) -> tuple[Suppressing, Found]:
    """Hold back an excursion that opens at `at`, or open one that was held back and is excused no more."""
    excused = state.excuses is not None and excused_until(state.excuses, at, beside) > at
    if opens and excused:
        return msgspec.structs.replace(state, held_from=at), ()
    if opens:
        return msgspec.structs.replace(state, excuses=None), ()
    if state.is_holding_back and not excused and isinstance(state.run, Open):
        return _told(state, at, band, beside)
    return state, ()


def _told(state: Suppressing, at: int, band: SustainedBand, beside: Circumstances) -> tuple[Suppressing, Found]:
    """Open at `at` what was held back until then; `state` is advanced to it."""
    run = state.run
    assert isinstance(run, Open)
    after = msgspec.structs.replace(state, run=Open(run.started_at, at, run.tally), opened_at=at)
    numbers = figures(run.tally, run.started_at, at)
    return after, (ExcursionOpened(band.name, run.started_at, at, numbers, identity(band), _held_back(after, beside)),)


def _closed(state: Suppressing, fact: ExcursionClosed, beside: Circumstances) -> Fact | Suppressed:
    """Return what the end of an excursion comes to: that of one which was told, or of one that was suppressed."""
    if state.is_holding_back:
        assert state.held_from is not None
        assert state.excuses is not None
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
    return msgspec.structs.replace(fact, held_back=_held_back(state, beside))


def _held_back(state: Suppressing, beside: Circumstances) -> HeldBack | None:
    if state.held_from is None or state.excuses is None or state.opened_at is None:
        return None
    return HeldBack(state.held_from, tags(state.excuses, state.opened_at, beside))


def _last_defrost(state: Suppressing, ended_at: int, beside: Circumstances) -> int | None:
    """Return the start of the last run taken for a defrost, after an excursion that ended at `ended_at`.

    It is one where, for an instant at least, nothing but the defrost held it back.
    """
    if state.held_from is None or state.excuses is None:
        return state.last_defrost_at
    alone_from = excused_until(state.excuses, state.held_from, beside, by_defrost=False)
    held_until = ended_at if state.opened_at is None else state.opened_at
    is_one = alone_from < min(state.excuses.defrost_until, held_until)
    return state.excuses.started_at if is_one else state.last_defrost_at


def _opens_at(state: Suppressing, newest: Reading, beside: Circumstances) -> int | None:
    """Return when what is held back opens if no further row comes; None where nothing is, or it is recovering."""
    if not state.is_holding_back or not isinstance(state.run, Open):
        return None
    assert state.held_from is not None
    assert state.excuses is not None, "nothing is held back without an excuse"
    return excused_until(state.excuses, max(state.held_from, newest.measured_at), beside)


def _plain(state: Suppressing, at: int, beside: Circumstances) -> State:
    """Return a state as `excursion` alone has it, where there is nothing more to it as of `at`."""
    last, profile = state.last_defrost_at, beside.defrost
    remembers = last is not None and profile is not None and at - last < profile.period_ms
    if state.excuses is not None or state.held_from is not None or remembers:
        return state
    return state.run
