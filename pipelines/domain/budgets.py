"""What is left of the budgets of a sensor's cumulative bands at an instant, at best and at worst, and when they will be used up.

Reads a live state, or stored rows alone, and changes nothing. Unknown time counts for nothing in a judgement, but people must see
what it may hide.
"""

from collections.abc import Sequence

import msgspec

from pipelines.domain.begun_windows import history_of, idle_budget, past_since
from pipelines.domain.cumulative import exposure_at, moves_at
from pipelines.domain.excursion_states import Reading
from pipelines.domain.past import Past, past_of
from pipelines.domain.policy import CumulativeBand, Policy, is_out
from pipelines.domain.sensor import Policies, SensorState
from pipelines.domain.settling import known_until
from pipelines.domain.windowed_states import CumulativeIdle

ON_AND_ON_MS = 1 << 50
"""How long a forecast lets the newest value last."""


class Budget(msgspec.Struct, frozen=True):
    """The exposure of one band, not open, within the window that ends at an instant; times in ms."""

    band: CumulativeBand
    used_ms: int
    """Known time out of range."""
    unknown_ms: int
    """Time of the window, since the band began to judge, in which nothing was known."""
    used_up_at: int | None
    """When the budget is used up if the temperature stays as it is (ms UTC); None where it is in range, or not known now, or nothing is left."""

    @property
    def left_ms(self) -> int:
        """What is left, as far as is known."""
        return max(0, self.band.budget_ms - self.used_ms)

    @property
    def left_at_worst_ms(self) -> int:
        """What is left if it was out of range whenever nothing was known."""
        return max(0, self.left_ms - self.unknown_ms)


def cumulative_bands(policy: Policy) -> tuple[CumulativeBand, ...]:
    """Return the bands that have a budget, in the policy's order."""
    return tuple(band for band in policy.bands if isinstance(band, CumulativeBand))


def budgets(state: SensorState, until: int, policies: Policies) -> tuple[Budget, ...]:
    """Return the budgets of the cumulative bands without an open excursion as of `until` (ms UTC), in the policy's order.

    Deadlines up to `until` must have been passed.
    """
    newest = state.newest
    if newest is None or state.policy is None:
        return ()
    end = max(until, newest.measured_at)
    found: list[Budget] = []
    for band, run in zip(policies[state.policy].bands, state.bands, strict=True):
        if isinstance(band, CumulativeBand) and isinstance(run, CumulativeIdle):
            found.append(_budget(run, newest, band, past_of(run, band, state.history, policies), end))
    return tuple(found)


def rows_reach(policy: Policy, until: int) -> int | None:
    """Return the instant (ms UTC) at or before which the rows of `budgets_of_rows` must begin, or None where it needs all of them."""
    windows = [band.window_ms for band in cumulative_bands(policy)]
    known = [window for window in windows if window is not None]
    return until - max(known, default=0) if len(known) == len(windows) else None


def budgets_of_rows(rows: Sequence[Reading], until: int, policies: Policies) -> tuple[Budget, ...]:
    """Return the budgets of every cumulative band as of `until` (ms UTC), in the policy's order: what `budgets` says of those not open.

    Rows are in order and of one assignment; they begin with the last reading, no fault mark, at or before `rows_reach`, or with the
    assignment. Of a band with an open excursion the answer means nothing.
    """
    version = next((row.policy for row in reversed(rows) if row.temperature is not None), None)
    if version is None or not (bands := cumulative_bands(policies[version])):
        return ()
    newest, history = rows[-1], history_of(rows)
    end = max(until, newest.measured_at)
    found: list[Budget] = []
    for band in bands:
        past = past_since(band, rows, history, policies)
        found.append(_budget(idle_budget(band, past, newest.measured_at), newest, band, past, end))
    return tuple(found)


def _budget(run: CumulativeIdle, newest: Reading, band: CumulativeBand, past: Past, end: int) -> Budget:
    used_ms = exposure_at(run, newest, band, end, past)
    used_up_at = _used_up_at(run, newest, band, past, end) if used_ms < band.budget_ms else None
    return Budget(band, used_ms, _unknown_ms(run, newest, band, past, end), used_up_at)


def _unknown_ms(run: CumulativeIdle, newest: Reading, band: CumulativeBand, past: Past, end: int) -> int:
    if band.window_ms is None:
        assert run.tally is not None, "without a window sums are kept from the beginning"
        known_ms = run.tally.known_ms + min(end, known_until(newest)) - newest.measured_at
        return end - run.since - known_ms
    start = max(run.since, end - band.window_ms)
    return end - start - sum(one.end - one.start for one in past.stretches(start, end))


def _used_up_at(run: CumulativeIdle, newest: Reading, band: CumulativeBand, past: Past, end: int) -> int | None:
    if newest.temperature is None or not is_out(newest.temperature, band) or end >= known_until(newest):
        return None
    lasting = Reading(newest.measured_at, newest.temperature, ON_AND_ON_MS, newest.policy)
    return moves_at(run, lasting, band, past)
