"""One face for the machines of the windowed kinds, each in its own file: what `sensor` asks of any of them.

An opening at an instant needs nothing after it, an ending of the kinds `cumulative` and `mkt` is one only if the signal goes on from
there: so at the clock `until` openings up to and at it have passed, and such endings before it.
"""

from typing import assert_never

from pipelines.domain import cumulative, mean, mkt
from pipelines.domain.excursion_facts import EndedBy, Facts
from pipelines.domain.excursion_states import Reading
from pipelines.domain.figures import Figures, figures
from pipelines.domain.past import Past
from pipelines.domain.policy import CumulativeBand, MeanBand, MktBand, WindowedBand
from pipelines.domain.settling import closed, settled
from pipelines.domain.windowed_states import (
    CumulativeIdle,
    CumulativeOpen,
    MeanIdle,
    MeanOpen,
    MktIdle,
    MktOpen,
    WindowedOpen,
    WindowedState,
)

Found = list[tuple[int, Facts]]
"""Facts by the instant of each."""


def is_mean(band: WindowedBand) -> bool:
    """Tell whether a band judges windows at their ends."""
    return isinstance(band, MeanBand)


def begun(at: int, band: WindowedBand) -> WindowedState:
    """Return the state of a band that judges its first reading at an instant (ms UTC)."""
    match band:
        case CumulativeBand():
            return cumulative.begun(at, band)
        case MeanBand():
            return mean.begun(at, band)
        case MktBand():
            return mkt.begun(at)
        case _:
            assert_never(band)


def passed(
    state: WindowedState,
    newest: Reading,
    band: WindowedBand,
    past: Past,
    opens_until: int,
    ends_until: int,
    coming: Reading | None = None,
) -> tuple[WindowedState, Found]:
    """Pass what happens after the newest row if no further row comes: openings up to one instant, endings up to another.

    `coming` is the reading that comes next, where it is at hand.

    Of kind `mean` everything that a window's end decides counts as an opening. The sums stay as of the newest row.
    """
    found: Found = []
    while True:
        at = _moves_at(state, newest, band, past, opens_until, ends_until)
        if at is None:
            return state, found
        state, facts = _on_move(state, newest, band, past, at, coming)
        found.append((at, facts))


def advance(state: WindowedState, newest: Reading, band: WindowedBand, past: Past, at: int) -> WindowedState:
    """Return the state after the newest row's value has held until `at`, before which everything has been passed."""
    match state, band:
        case CumulativeIdle() | CumulativeOpen(), CumulativeBand():
            return cumulative.advance(state, newest, band, at, past)
        case MeanIdle() | MeanOpen(), MeanBand():
            rolled, found = mean.rolled(state, newest, band, at)
            assert not found, "windows that open or close are passed first"
            return mean.advance(rolled, newest, band, at)
        case MktIdle() | MktOpen(), MktBand():
            return mkt.advance(state, newest, band, at, past)
        case _:
            raise _mismatch(state, band)


def on_row(state: WindowedState, newest: Reading, band: WindowedBand) -> WindowedState:
    """Return the state, advanced to the newest row, with that row."""
    match state, band:
        case CumulativeIdle() | CumulativeOpen(), CumulativeBand():
            return cumulative.on_row(state, newest, band)
        case MeanIdle() | MeanOpen(), MeanBand():
            return mean.on_row(state, newest)
        case MktIdle() | MktOpen(), MktBand():
            return state
        case _:
            raise _mismatch(state, band)


def due(state: WindowedState, newest: Reading, band: WindowedBand, past: Past, after: int) -> int | None:
    """Return the first clock after `after` at which the band may move if no further row comes, or None.

    It has been passed up to `after`. At a clock that is due nothing need happen: it is looked at again.
    """
    match state, band:
        case CumulativeIdle(), CumulativeBand():
            return cumulative.moves_at(state, newest, band, past)
        case CumulativeOpen(), CumulativeBand():
            return _behind(cumulative.moves_at(state, newest, band, past))
        case MeanIdle() | MeanOpen(), MeanBand():
            return mean.moves_at(state, newest, band)
        case MktIdle(), MktBand():
            return mkt.wakes_at(state, newest, band, max(after, newest.measured_at), past)
        case MktOpen(), MktBand():
            return _behind(mkt.wakes_at(state, newest, band, after, past))
        case _:
            raise _mismatch(state, band)


def on_end(state: WindowedState, newest: Reading, band: WindowedBand, at: int, ended_by: EndedBy) -> Facts:
    """End the excursion of a band that no longer exists, or of an assignment, at an instant after the newest row."""
    match state:
        case CumulativeOpen() | MktOpen():
            return (closed(state, newest, band, at, ended_by),)
        case MeanIdle() | MeanOpen():
            assert isinstance(band, MeanBand)
            return mean.on_end(state, newest, band, at, ended_by)
        case CumulativeIdle() | MktIdle():
            return ()
        case _:
            assert_never(state)


def figures_at(state: WindowedOpen, newest: Reading, band: WindowedBand, at: int) -> Figures:
    """Return the figures of an open excursion as of an instant not before the newest row, a reading at it included."""
    match state:
        case CumulativeOpen() | MktOpen():
            return figures(settled(state.tally, newest, band, at, inclusive=True), state.from_at, at)
        case MeanOpen():
            assert isinstance(band, MeanBand)
            return figures(mean.tally_at(state, newest, band, at), state.started_at, at)
        case _:
            assert_never(state)


def _moves_at(state: WindowedState, newest: Reading, band: WindowedBand, past: Past, opens_until: int, ends_until: int) -> int | None:
    match state, band:
        case CumulativeIdle() | CumulativeOpen(), CumulativeBand():
            at = cumulative.moves_at(state, newest, band, past)
        case MeanIdle() | MeanOpen(), MeanBand():
            at = mean.moves_at(state, newest, band)
        case MktIdle() | MktOpen(), MktBand():
            at = mkt.moves_at(state, newest, band, max(opens_until, ends_until), past)
        case _:
            raise _mismatch(state, band)
    most = ends_until if isinstance(state, CumulativeOpen | MktOpen) else opens_until
    return at if at is not None and at <= most else None


def _on_move(
    state: WindowedState, newest: Reading, band: WindowedBand, past: Past, at: int, coming: Reading | None
) -> tuple[WindowedState, Facts]:
    match state, band:
        case CumulativeIdle() | CumulativeOpen(), CumulativeBand():
            return cumulative.on_move(state, newest, band, at, past)
        case MeanIdle() | MeanOpen(), MeanBand():
            rolled, found = mean.rolled(state, newest, band, at, coming)
            return rolled, found[-1][1]
        case MktIdle() | MktOpen(), MktBand():
            return mkt.on_move(state, newest, band, at, past)
        case _:
            raise _mismatch(state, band)


def _behind(at: int | None) -> int | None:
    return None if at is None else at + 1


def _mismatch(state: WindowedState, band: WindowedBand) -> AssertionError:
    return AssertionError(f"a state of kind {type(state).__name__} is not of band {band.name!r}")
