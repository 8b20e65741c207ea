"""The machine of one band of kind `sustained` (excursions.md section 4), exact to the millisecond.

    in range --out--> breaching --hold of known time out of range--> open --recovered--> recovering --recovery hold--> closed

A run begins at the first reading out of range. While pending (breaching) it collects the known time for which such values
hold; a recovered reading ends it without trace, and so do values inside the margin that have held for the hold. Once open
only a completed recovery, the policy or the assignment ends it. Unknown time counts for nothing and ends nothing.

State is as of the sensor's newest row: `advance` brings it to the next row or end, then the row decides. Between rows a
band has at most one deadline, `deadline`, which `on_deadline` passes. Downtime is nothing special: the same rows and clocks
give the same facts. A late row is not for this machine; its caller judges the stretch again. It knows no clock, keeps no
reading and calls nothing.
"""

from typing import assert_never

from pipelines.domain.excursion_facts import EndedBy, ExcursionClosed, ExcursionOpened, Facts
from pipelines.domain.excursion_states import (
    IN_RANGE,
    Breaching,
    InRange,
    Open,
    Reading,
    Recovering,
    Run,
    SustainedState,
)
from pipelines.domain.figures import Tally, counted, figures, first, held
from pipelines.domain.policy import Standing, SustainedBand, identity


def advance(run: Run, newest: Reading, band: SustainedBand, at: int) -> Run:
    """Return the run after the newest row's value has held until `at`; `band` is of that row's version.

    No deadline may lie before `at`.
    """
    temperature = newest.temperature
    if temperature is None:
        return run
    known_ms = min(at - newest.measured_at, newest.max_gap_ms)
    tally = held(run.tally, temperature, known_ms, band)
    match run:
        case Open():
            return Open(run.started_at, run.opened_at, tally)
        case Breaching():
            if band.standing(temperature) is Standing.OUT:
                return Breaching(run.started_at, run.out_ms + known_ms, 0, run.samples_out, tally)
            return Breaching(run.started_at, run.out_ms, run.inside_ms + known_ms, run.samples_out, tally)
        case Recovering():
            back_ms = run.back_ms + known_ms
            return Recovering(run.started_at, run.opened_at, run.recovered_at, back_ms, run.samples_back, run.ended, tally)
        case _:
            assert_never(run)


def on_reading(
    state: SustainedState, temperature: int, at: int, band: SustainedBand, *, new_version: bool = False
) -> tuple[SustainedState, Facts]:
    """Return the state after a reading (hundredths) at `at`, and what happened there.

    `state` is advanced to `at`; `band` is of the reading's version, and `new_version` says it is that version's first.
    """
    standing = band.standing(temperature)
    match state:
        case InRange():
            return _begun(temperature, at, band) if standing is Standing.OUT else (state, ())
        case Breaching():
            return _pending(state, temperature, at, band, standing, new_version=new_version)
        case Open():
            return _open(state, temperature, at, band, standing)
        case Recovering():
            return _recovering(state, temperature, at, band, standing)
        case _:
            assert_never(state)


def _begun(temperature: int, at: int, band: SustainedBand) -> tuple[SustainedState, Facts]:
    """Begin a run with a reading out of range; without a hold it opens at once."""
    tally = first(temperature, at)
    if band.hold_ms == 0:
        return _opened(at, at, tally, band)
    return Breaching(at, 0, 0, 1, tally), ()


def _opened(started_at: int, at: int, tally: Tally, band: SustainedBand) -> tuple[SustainedState, Facts]:
    opened = ExcursionOpened(band.name, started_at, at, figures(tally, started_at, at), identity(band))
    return Open(started_at, at, tally), (opened,)


def _pending(
    run: Breaching, temperature: int, at: int, band: SustainedBand, standing: Standing, *, new_version: bool
) -> tuple[SustainedState, Facts]:
    """Let a reading decide a pending run: end it, open it, or carry it on."""
    if standing is Standing.RECOVERED:
        return IN_RANGE, ()
    samples_out = run.samples_out + (standing is Standing.OUT)
    opens = band.hold_ms == 0 or (run.out_ms >= band.hold_ms and samples_out >= band.min_samples)
    if run.inside_ms >= band.hold_ms and not (new_version and opens):
        # Values inside the margin have held for the hold: the run ended at this very instant, before the reading.
        return _begun(temperature, at, band) if standing is Standing.OUT else (IN_RANGE, ())
    tally = counted(run.tally, temperature, at, band)
    if opens:
        return _opened(run.started_at, at, tally, band)
    inside_ms = 0 if standing is Standing.OUT else run.inside_ms
    return Breaching(run.started_at, run.out_ms, inside_ms, samples_out, tally), ()


def _open(run: Open, temperature: int, at: int, band: SustainedBand, standing: Standing) -> tuple[SustainedState, Facts]:
    """Let a reading begin the recovery of an open excursion, or keep it open."""
    tally = counted(run.tally, temperature, at, band)
    if standing is not Standing.RECOVERED:
        return Open(run.started_at, run.opened_at, tally), ()
    recovering = Recovering(run.started_at, run.opened_at, at, 0, 1, run.tally, tally)
    if band.recovery_hold_ms == 0:
        return IN_RANGE, (_recovered(recovering, at, band),)
    return recovering, ()


def _recovering(run: Recovering, temperature: int, at: int, band: SustainedBand, standing: Standing) -> tuple[SustainedState, Facts]:
    """Let a reading void, complete or carry on a recovery. One out of range at its very completion comes too late."""
    out = standing is Standing.OUT
    samples_back = run.samples_back + (not out)
    if band.recovery_hold_ms == 0 or (run.back_ms >= band.recovery_hold_ms and samples_back >= band.min_samples):
        closed = _recovered(run, at, band)
        if not out:
            return IN_RANGE, (closed,)
        state, facts = _begun(temperature, at, band)
        return state, (closed, *facts)
    tally = counted(run.tally, temperature, at, band)
    if out:
        return Open(run.started_at, run.opened_at, tally), ()
    return (
        Recovering(run.started_at, run.opened_at, run.recovered_at, run.back_ms, samples_back, run.ended, tally),
        (),
    )


def _recovered(run: Recovering, at: int, band: SustainedBand) -> ExcursionClosed:
    """Return the fact of a recovery that completed at an instant."""
    return ExcursionClosed(
        band.name,
        run.started_at,
        run.opened_at,
        run.recovered_at,
        at,
        EndedBy.RECOVERY,
        figures(run.ended, run.started_at, run.recovered_at),
        identity(band),
    )


def deadline(state: SustainedState, newest: Reading, band: SustainedBand) -> int | None:
    """Return the instant at which the band moves if no further row comes, or None.

    `band` is of the newest reading's version. The instant is after the newest row and no later than the end of its known
    time.
    """
    temperature = newest.temperature
    if temperature is None:
        return None
    match state:
        case InRange() | Open():
            return None
        case Breaching():
            if band.standing(temperature) is Standing.INSIDE:
                wait_ms = band.hold_ms - state.inside_ms
            elif state.samples_out >= band.min_samples:
                wait_ms = band.hold_ms - state.out_ms
            else:
                return None
        case Recovering():
            if state.samples_back < band.min_samples:
                return None
            wait_ms = band.recovery_hold_ms - state.back_ms
        case _:
            assert_never(state)
    return newest.measured_at + wait_ms if wait_ms <= newest.max_gap_ms else None


def on_deadline(state: SustainedState, newest: Reading, band: SustainedBand) -> tuple[SustainedState, Facts]:
    """Pass the band's deadline: open the run, drop it, or complete the recovery.

    The sums stay as of the newest row, from which `advance` counts on.
    """
    at = deadline(state, newest, band)
    assert at is not None, "only a band with a deadline can pass it"
    match state:
        case Breaching():
            temperature = newest.temperature
            assert temperature is not None
            if band.standing(temperature) is Standing.INSIDE:
                return IN_RANGE, ()
            tally = held(state.tally, temperature, at - newest.measured_at, band)
            opened = ExcursionOpened(band.name, state.started_at, at, figures(tally, state.started_at, at), identity(band))
            return Open(state.started_at, at, state.tally), (opened,)
        case Recovering():
            return IN_RANGE, (_recovered(state, at, band),)
        case InRange() | Open():
            message = "a band in range or open has no deadline"
            raise AssertionError(message)
        case _:
            assert_never(state)


def on_end(state: SustainedState, at: int, band: SustainedBand, ended_by: EndedBy) -> Facts:
    """End the run of a band that no longer exists, or of an assignment: open ones close, a pending one leaves no trace.

    `state` is advanced to `at`.
    """
    if isinstance(state, InRange | Breaching):
        return ()
    numbers = figures(state.tally, state.started_at, at)
    return (ExcursionClosed(band.name, state.started_at, state.opened_at, at, at, ended_by, numbers, identity(band)),)
