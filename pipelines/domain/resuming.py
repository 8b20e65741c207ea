"""Where a sensor may be judged again from, and its state there, built from stored rows alone: nothing before need be judged anew.

At a clean reading no band has a run that is not on record: it is recovered for every sustained band and in range for every cumulative
one. So where no excursion on record covers it, every band is idle there, and what its windows hold can be added up from the rows
within their reach. It reads nothing; its caller finds the reading and loads the rows.
"""

from collections.abc import Sequence
from typing import assert_never

from pipelines.domain.begun_windows import history_of, idle_window, past_since
from pipelines.domain.excursion_states import IN_RANGE, Reading
from pipelines.domain.history import NO_HISTORY, History
from pipelines.domain.policy import Band, CumulativeBand, MeanBand, MktBand, Policy, Standing, SustainedBand, is_out
from pipelines.domain.sensor import Policies, SensorState, due_of
from pipelines.domain.windowed_states import BandState


def is_clean(row: Reading, policy: Policy) -> bool:
    """Tell whether a row is one from which its sensor may be judged again, if no excursion on record covers it, its end included."""
    temperature = row.temperature
    return temperature is not None and all(_is_settled(temperature, band) for band in policy.bands)


def reach_at(policy: Policy, at: int) -> int | None:
    """Return the instant from which on a state at `at` needs the rows, and the last reading before, or None where it needs all of them."""
    reach = at - policy.reach_ms
    for band in policy.bands:
        match band:
            case CumulativeBand(window_ms=None):
                return None
            case MeanBand():
                reach = min(reach, at // band.window_ms * band.window_ms)
            case SustainedBand() | CumulativeBand() | MktBand():
                continue
            case _:
                assert_never(band)
    return reach


def resumed(rows: Sequence[Reading], policies: Policies) -> SensorState:
    """Return the state after the last of some rows, which must be clean and covered by no excursion.

    Rows are in order and of one assignment; they begin with a reading, no fault mark, at or before `reach_at`, or with the assignment.
    """
    newest = rows[-1]
    policy = policies[newest.policy]
    history = history_of(rows)
    bands = tuple(_idle(band, rows, history, policies) for band in policy.bands)
    kept = _trimmed(rows, policy)
    state = SensorState(newest.measured_at, None, newest, newest.policy, bands, kept)
    return SensorState(newest.measured_at, due_of(state, policies), newest, newest.policy, bands, kept)


def _is_settled(temperature: int, band: Band) -> bool:
    match band:
        case SustainedBand():
            return band.standing(temperature) is Standing.RECOVERED
        case CumulativeBand():
            return band.window_ms is not None and not is_out(temperature, band)
        case MeanBand() | MktBand():
            return True
        case _:
            assert_never(band)


def _idle(band: Band, rows: Sequence[Reading], history: History, policies: Policies) -> BandState:
    """Return the idle state of a band after the last row."""
    if isinstance(band, SustainedBand):
        return IN_RANGE
    return idle_window(band, past_since(band, rows, history, policies), rows[-1].measured_at)


def _trimmed(rows: Sequence[Reading], policy: Policy) -> History:
    """Return the history that the machine would have kept."""
    if not policy.reach_ms:
        return NO_HISTORY
    needed_from = rows[-1].measured_at - policy.reach_ms
    first = next((index for index in range(len(rows) - 1, -1, -1) if rows[index].measured_at <= needed_from), 0)
    return history_of(rows[first:])
