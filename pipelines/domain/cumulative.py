"""The machine of one band of kind `cumulative` (excursions.md section 5), exact to the millisecond.

    idle --exposure reaches the budget--> open --known, not out, and exposure below budget less rearm--> idle

Exposure at t is the known time out of range within (t - window, t], or since the band's first reading without a window. It rises
while a value out of range is known, and falls while one leaves the window: between rows both edges of the window move, so its
course is a line with corners, and where it meets the budget is found by walking along what leaves.

State is as of the sensor's newest row. Between rows an idle band can only open while the newest value is out of range, an open one
only end while it is not; unknown time ends nothing. Like every windowed machine it knows no clock and calls nothing.
"""

from typing import assert_never

from pipelines.domain.excursion_facts import EndedBy, ExcursionOpened, Facts
from pipelines.domain.excursion_states import Reading
from pipelines.domain.figures import empty, figures
from pipelines.domain.past import Past
from pipelines.domain.policy import CumulativeBand, identity, is_out
from pipelines.domain.settling import closed, known_until, settled
from pipelines.domain.windowed_states import CumulativeIdle, CumulativeOpen

CumulativeState = CumulativeIdle | CumulativeOpen


def begun(at: int, band: CumulativeBand) -> CumulativeState:
    """Return the state of a band that judges its first reading at an instant."""
    return CumulativeIdle(at, 0, is_out=False, has_ended=False, tally=empty(at) if band.window_ms is None else None)


def advance(state: CumulativeState, newest: Reading, band: CumulativeBand, at: int, past: Past) -> CumulativeState:
    """Return the state after the newest row's value has held until `at`; the row at `at` is not in it."""
    exposure = exposure_at(state, newest, band, at, past)
    match state:
        case CumulativeIdle():
            tally = None if state.tally is None else settled(state.tally, newest, band, at)
            return CumulativeIdle(state.since, exposure, is_out=False, has_ended=False, tally=tally)
        case CumulativeOpen():
            return CumulativeOpen(state.since, state.opened_at, state.from_at, exposure, settled(state.tally, newest, band, at))
        case _:
            assert_never(state)


def exposure_at(state: CumulativeState, newest: Reading, band: CumulativeBand, at: int, past: Past) -> int:
    """Return the known time out of range (ms) within the window that ends at an instant, if no further row comes before it."""
    exposure = state.exposure_ms
    if newest.temperature is not None and is_out(newest.temperature, band):
        exposure += max(0, min(at, known_until(newest)) - newest.measured_at)
    if band.window_ms is None:
        return exposure
    leaving = past.stretches(newest.measured_at - band.window_ms, at - band.window_ms)
    return exposure - sum(one.end - one.start for one in leaving if is_out(one.temperature, one.band))


def on_row(state: CumulativeState, newest: Reading, band: CumulativeBand) -> CumulativeState:
    """Return the state, advanced to the newest row, with that row's standing."""
    if isinstance(state, CumulativeOpen):
        return state
    out = newest.temperature is not None and is_out(newest.temperature, band)
    return CumulativeIdle(state.since, state.exposure_ms, is_out=out, has_ended=False, tally=state.tally)


def moves_at(state: CumulativeState, newest: Reading, band: CumulativeBand, past: Past) -> int | None:
    """Return the first instant from the newest row on at which the band opens or ends if no further row comes, or None."""
    match state:
        case CumulativeIdle():
            return _opens_at(state, newest, band, past)
        case CumulativeOpen():
            return _ends_at(state, newest, band, past)
        case _:
            assert_never(state)


def on_move(state: CumulativeState, newest: Reading, band: CumulativeBand, at: int, past: Past) -> tuple[CumulativeState, Facts]:
    """Open or end at the instant that `moves_at` says. The sums stay as of the newest row."""
    match state:
        case CumulativeIdle():
            begins_at = state.since if band.window_ms is None else max(state.since, at - band.window_ms)
            tally = past.tally(begins_at, newest.measured_at) if state.tally is None else state.tally
            opened = ExcursionOpened(
                band.name, at, at, figures(settled(tally, newest, band, at, inclusive=True), begins_at, at), identity(band)
            )
            return CumulativeOpen(state.since, at, begins_at, state.exposure_ms, tally), (opened,)
        case CumulativeOpen():
            fact = closed(state, newest, band, at, EndedBy.RECOVERY)
            kept = state.tally if band.window_ms is None else None
            return CumulativeIdle(state.since, state.exposure_ms, is_out=False, has_ended=True, tally=kept), (fact,)
        case _:
            assert_never(state)


def _opens_at(state: CumulativeIdle, newest: Reading, band: CumulativeBand, past: Past) -> int | None:
    """Return when exposure reaches the budget: while a value out of range is known it never falls."""
    if state.has_ended:
        return None
    missing = band.budget_ms - state.exposure_ms
    at, most = newest.measured_at, known_until(newest)
    if missing <= 0:
        return at
    if newest.temperature is None or not is_out(newest.temperature, band) or missing > most - at:
        return None
    if band.window_ms is None:
        return at + missing
    edge = at - band.window_ms
    for one in past.stretches(edge, most - band.window_ms):
        if not is_out(one.temperature, one.band):
            continue
        if missing <= one.start - edge:
            break
        # While a value out of range leaves, as much comes as goes.
        missing -= one.start - edge
        edge = one.end
    opens_at = edge + missing + band.window_ms
    return opens_at if opens_at <= most else None


def _ends_at(state: CumulativeOpen, newest: Reading, band: CumulativeBand, past: Past) -> int | None:
    """Return the first instant, at which a value that is not out of range is known, from which exposure is low enough."""
    if newest.temperature is None or is_out(newest.temperature, band):
        return None
    surplus = state.exposure_ms - (band.budget_ms - band.rearm_ms)
    at, most = newest.measured_at, known_until(newest)
    if surplus < 0:
        return at
    if band.window_ms is None:
        return None
    for one in past.stretches(at - band.window_ms, most - band.window_ms):
        if is_out(one.temperature, one.band):
            if surplus < one.end - one.start:
                return one.start + surplus + band.window_ms
            surplus -= one.end - one.start
    return None
