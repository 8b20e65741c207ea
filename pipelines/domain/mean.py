"""The machine of one band of kind `mean` (excursions.md section 6), exact to the millisecond.

    idle --a window's mean out of range--> open --a window's mean in range--> idle

Windows are tumbling, aligned to the Unix epoch, and judged at their end if enough of them is known; one that is not judged changes
nothing. An excursion starts where its first window starts, opens at that window's end, ends with its last window out of range, and
closes at the end of the first one in range.

State is as of the later of the sensor's newest row and the start of the window under way. After the newest row only its value comes,
until its max gap: so at most the window under way and the next can decide anything, and windows that nothing is known of are
skipped.
"""

from typing import assert_never

from pipelines.domain.excursion_facts import EndedBy, ExcursionClosed, ExcursionOpened, Facts
from pipelines.domain.excursion_states import Reading
from pipelines.domain.figures import Tally, counted, empty, figures, held
from pipelines.domain.policy import MeanBand, identity
from pipelines.domain.settling import known_until, settled
from pipelines.domain.windowed_states import MeanIdle, MeanOpen

MeanState = MeanIdle | MeanOpen


def begun(at: int, band: MeanBand) -> MeanState:
    """Return the state of a band that judges its first reading at an instant."""
    window_at = at // band.window_ms * band.window_ms
    return MeanIdle(at, window_at, 0, 0, empty(window_at))


def advance(state: MeanState, newest: Reading, band: MeanBand, at: int) -> MeanState:
    """Return the state after the newest row's value has held until `at`, within the window under way; the row at `at` is not in it."""
    known_ms = _held_ms(state, newest, at)
    known, weighted = state.known_ms + known_ms, state.weighted + known_ms * (newest.temperature or 0)
    tally = _settled(state, newest, band, at)
    match state:
        case MeanIdle():
            return MeanIdle(state.since, state.window_at, known, weighted, tally)
        case MeanOpen():
            return MeanOpen(
                state.since, state.started_at, state.opened_at, state.window_at, known, weighted, state.ended_at, state.ended, tally
            )
        case _:
            assert_never(state)


def on_row(state: MeanState, newest: Reading) -> MeanState:
    """Return the state, advanced to the newest row, with it: where a window that may open starts there, no older value counts."""
    if isinstance(state, MeanIdle) and state.window_at == newest.measured_at:
        return MeanIdle(state.since, state.window_at, 0, 0, empty(state.window_at))
    return state


def rolled(
    state: MeanState, newest: Reading, band: MeanBand, until: int, coming: Reading | None = None
) -> tuple[MeanState, list[tuple[int, Facts]]]:
    """Judge every window that ends up to and at an instant, if no further row comes before; return the facts by their instant.

    `coming` is the reading that comes next: one at the very instant of an opening is among its readings.
    """
    found: list[tuple[int, Facts]] = []
    known_to = known_until(newest)
    while (end := state.window_at + band.window_ms) <= until:
        if state.window_at >= known_to and not state.known_ms:
            # Nothing is known of it, nor of any up to the one that `until` is in.
            return _at_window(state, newest, band, until // band.window_ms * band.window_ms), found
        state, facts = _judged(advance(state, newest, band, end), newest, band, end, coming)
        if facts:
            found.append((end, facts))
    return state, found


def moves_at(state: MeanState, newest: Reading, band: MeanBand) -> int | None:
    """Return the end of the first window that opens or closes if no further row comes, or None."""
    for _ in range(2):
        end = state.window_at + band.window_ms
        state, facts = _judged(advance(state, newest, band, end), newest, band, end)
        if facts:
            return end
    return None


def on_end(state: MeanState, newest: Reading, band: MeanBand, at: int, ended_by: EndedBy) -> Facts:
    """End the excursion of a band that no longer exists, or of an assignment, at an instant after the newest row."""
    if isinstance(state, MeanIdle):
        return ()
    numbers = figures(_settled(state, newest, band, at), state.started_at, at)
    return (ExcursionClosed(band.name, state.started_at, state.opened_at, at, at, ended_by, numbers, identity(band)),)


def tally_at(state: MeanOpen, newest: Reading, band: MeanBand, at: int) -> Tally:
    """Return the sums of an open excursion as of an instant, a reading at it included."""
    return _settled(state, newest, band, at, inclusive=True)


def _judged(state: MeanState, newest: Reading, band: MeanBand, end: int, coming: Reading | None = None) -> tuple[MeanState, Facts]:
    """Judge the window that ends at `end`, to which the state is advanced, and begin the next."""
    judged = state.known_ms > 0 and state.known_ms * 1000 >= band.min_known_thousandths * band.window_ms
    out = judged and band.sign * state.weighted >= band.edge * state.known_ms + (not band.inclusive)
    match state:
        case MeanIdle():
            if not out:
                return _at_window(state, newest, band, end), ()
            shown = state.tally
            if coming is not None and coming.measured_at == end and coming.temperature is not None:
                shown = counted(shown, coming.temperature, end, band)
            opened = ExcursionOpened(band.name, state.window_at, end, figures(shown, state.window_at, end), identity(band))
            return MeanOpen(state.since, state.window_at, end, end, 0, 0, end, state.tally, state.tally), (opened,)
        case MeanOpen():
            if judged and not out:
                numbers = figures(state.ended, state.started_at, state.ended_at)
                closed = ExcursionClosed(
                    band.name, state.started_at, state.opened_at, state.ended_at, end, EndedBy.RECOVERY, numbers, identity(band)
                )
                idle = MeanIdle(state.since, end, 0, 0, _first_tally(newest, band, end))
                return idle, (closed,)
            ended_at, ended = (end, state.tally) if out else (state.ended_at, state.ended)
            return MeanOpen(state.since, state.started_at, state.opened_at, end, 0, 0, ended_at, ended, state.tally), ()
        case _:
            assert_never(state)


def _at_window(state: MeanState, newest: Reading, band: MeanBand, start: int) -> MeanState:
    """Return the state at the start of a window; of one that is open nothing but the window changes."""
    match state:
        case MeanIdle():
            return MeanIdle(state.since, start, 0, 0, _first_tally(newest, band, start))
        case MeanOpen():
            return MeanOpen(
                state.since,
                state.started_at,
                state.opened_at,
                start,
                0,
                0,
                state.ended_at,
                state.ended,
                _settled(state, newest, band, start),
            )
        case _:
            assert_never(state)


def _first_tally(newest: Reading, band: MeanBand, start: int) -> Tally:
    """Return the sums at a window's start: the value known there counts as a reading."""
    if newest.temperature is None or not newest.measured_at < start < known_until(newest):
        return empty(start)
    return counted(empty(start), newest.temperature, start, band)


def _held_ms(state: MeanState, newest: Reading, at: int) -> int:
    """Return how long the newest value was known between the instant that the state is as of and another."""
    return max(0, min(at, known_until(newest)) - max(newest.measured_at, state.window_at))


def _settled(state: MeanState, newest: Reading, band: MeanBand, at: int, *, inclusive: bool = False) -> Tally:
    """Return the sums with the newest row's part up to an instant: its reading too, if the window under way had begun by then."""
    if newest.measured_at >= state.window_at:
        return settled(state.tally, newest, band, at, inclusive=inclusive)
    return held(state.tally, newest.temperature, _held_ms(state, newest, at), band)
