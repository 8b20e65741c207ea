"""What a windowed band without an open excursion holds after some stored rows: built from the rows alone, nothing is judged.

It cannot tell whether an excursion is open: its caller knows that from the record. It reads nothing.
"""

from collections.abc import Sequence
from typing import assert_never

from pipelines.domain.excursion_states import Reading
from pipelines.domain.history import NO_HISTORY, History, with_row
from pipelines.domain.mkt import sums_of
from pipelines.domain.past import Past
from pipelines.domain.policy import Band, CumulativeBand, MeanBand, MktBand, WindowedBand, identity, is_out
from pipelines.domain.sensor import Policies
from pipelines.domain.windowed_states import CumulativeIdle, MeanIdle, MktIdle, WindowedState, as_bytes


def history_of(rows: Sequence[Reading]) -> History:
    """Return all rows, which are in order, as a history; a fault mark has the version of the reading before it."""
    history, version = NO_HISTORY, rows[-1].policy
    for row in rows:
        version = version if row.temperature is None else row.policy
        history = with_row(history, row, version, rows[0].measured_at)
    return history


def past_since(band: WindowedBand, rows: Sequence[Reading], history: History, policies: Policies) -> Past:
    """Return what a band of the version in force sees of rows in order and their history."""
    return Past(history, policies, identity(band), _since(band, rows, policies))


def idle_window(band: WindowedBand, past: Past, at: int) -> WindowedState:
    """Return the state of an idle band as of the newest row, which is at `at` (ms UTC) and whose reading is not out of range or not known."""
    match band:
        case CumulativeBand():
            return idle_budget(band, past, at)
        case MeanBand():
            window_at = at // band.window_ms * band.window_ms
            known = list(past.stretches(window_at, at))
            tally = past.tally(window_at, at)
            held_ms = sum(one.end - one.start for one in known)
            return MeanIdle(past.since, window_at, held_ms, sum(one.temperature * (one.end - one.start) for one in known), tally)
        case MktBand():
            sums = sums_of(past.stretches(at - band.window_ms, at))
            return MktIdle(past.since, past.since, sums.known_ms, as_bytes(sums.excess), as_bytes(sums.excess_back))
        case _:
            assert_never(band)


def idle_budget(band: CumulativeBand, past: Past, at: int) -> CumulativeIdle:
    """Return the state of an idle cumulative band as of the newest row, which is at `at` (ms UTC); its standing is left out."""
    begins_at = past.since if band.window_ms is None else at - band.window_ms
    out = (one for one in past.stretches(begins_at, at) if is_out(one.temperature, one.band))
    exposure_ms = sum(one.end - one.start for one in out)
    tally = past.tally(past.since, at) if band.window_ms is None else None
    return CumulativeIdle(past.since, exposure_ms, is_out=False, has_ended=False, tally=tally)


def _since(band: Band, rows: Sequence[Reading], policies: Policies) -> int:
    """Return the first of the rows from which on every version has the band."""
    since, wanted = rows[-1].measured_at, identity(band)
    for row in reversed(rows):
        if row.temperature is not None:
            if wanted not in policies[row.policy].by_identity:
                break
            since = row.measured_at
    return since
