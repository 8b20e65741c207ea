"""The machine of one band of kind `mkt`, mean kinetic temperature over a rolling window (excursions.md section 6), exact to the ms.

    idle --judged and above the limit--> open --known, judged and recovered--> idle

Out of range is A - e(limit)·W > 0, with A the sum of effects times known time within (t - window, t] and W that time; each value is
measured against its own version's limit. Effects are integers (`kinetic`), so nothing is rounded here. Between two corners (the end
of the newest value's known time, or a row reaching the other edge of the window) all sums are linear in t, so the first whole
millisecond of a crossing has a closed form.

State is as of the sensor's newest row. What may come is looked for only as far as it can matter: `wakes_at` is an instant before
which an idle band cannot open, however its window empties.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, assert_never

from pipelines.domain.excursion_facts import EndedBy, ExcursionOpened, Facts
from pipelines.domain.excursion_states import Reading
from pipelines.domain.figures import figures
from pipelines.domain.kinetic import effect
from pipelines.domain.past import Past, Stretch
from pipelines.domain.policy import MktBand, identity
from pipelines.domain.settling import closed, known_until, settled
from pipelines.domain.windowed_states import MktIdle, MktOpen, as_bytes, as_number

MktState = MktIdle | MktOpen

NOTHING: Final = as_bytes(0)
FOREVER: Final = 1 << 62


class Sums(NamedTuple):
    """Of the window that ends at an instant: known time, and its effects in excess of the limit and of the limit less the margin."""

    known_ms: int
    excess: int
    excess_back: int

    def plus(self, ms: int, rate: "Sums") -> "Sums":
        """Return the sums after some time in which they changed by a rate a millisecond."""
        return Sums(self.known_ms + ms * rate.known_ms, self.excess + ms * rate.excess, self.excess_back + ms * rate.excess_back)

    def less(self, other: "Sums") -> "Sums":
        """Return the difference."""
        return Sums(self.known_ms - other.known_ms, self.excess - other.excess, self.excess_back - other.excess_back)


ZERO: Final = Sums(0, 0, 0)


class Line(NamedTuple):
    """A stretch [start, end] of time over which the sums change at one rate."""

    start: int
    end: int
    sums: Sums
    """At `start`."""
    rate: Sums


def begun(at: int) -> MktState:
    """Return the state of a band that judges its first reading at an instant."""
    return MktIdle(at, at, 0, NOTHING, NOTHING)


def advance(state: MktState, newest: Reading, band: MktBand, at: int, past: Past) -> MktState:
    """Return the state after the newest row's value has held until `at`; the row at `at` is not in it."""
    sums = sums_at(state, newest, band, at, past)
    excess, back = as_bytes(sums.excess), as_bytes(sums.excess_back)
    match state:
        case MktIdle():
            return MktIdle(state.since, state.ended_at, sums.known_ms, excess, back)
        case MktOpen():
            return MktOpen(state.since, state.opened_at, state.from_at, sums.known_ms, excess, back, settled(state.tally, newest, band, at))
        case _:
            assert_never(state)


def sums_at(state: MktState, newest: Reading, band: MktBand, at: int, past: Past) -> Sums:
    """Return the sums of the window that ends at an instant, if no further row comes before it."""
    held_ms = max(0, min(at, known_until(newest)) - newest.measured_at)
    sums = _sums(state).plus(held_ms, _newest_rate(newest, band))
    return sums.less(sums_of(past.stretches(newest.measured_at - band.window_ms, at - band.window_ms)))


def sums_of(stretches: Iterable[Stretch]) -> Sums:
    """Return what some known stretches come to."""
    sums = ZERO
    for one in stretches:
        sums = sums.plus(one.end - one.start, _rate_of(one))
    return sums


def moves_at(state: MktState, newest: Reading, band: MktBand, until: int, past: Past) -> int | None:
    """Return the first instant up to `until` at which the band opens or ends if no further row comes, or None."""
    match state:
        case MktIdle():
            return _opens_at(state, newest, band, until, past)
        case MktOpen():
            return _ends_at(state, newest, band, min(until, known_until(newest) - 1), past)
        case _:
            assert_never(state)


def wakes_at(state: MktState, newest: Reading, band: MktBand, after: int, past: Past) -> int | None:
    """Return an instant after `after` before which the band does not move, or None if it cannot move before the next row.

    It must not have moved up to and at `after`, which is not before the newest row.
    """
    if isinstance(state, MktOpen):
        return _ends_at(state, newest, band, known_until(newest) - 1, past)
    sums = sums_at(state, newest, band, after, past)
    missing_known = _needed_ms(band) - sums.known_ms
    most = known_until(newest)
    if missing_known > max(0, most - after):
        return None
    # Excess grows by the newest value's while it is known, and at most by a limit's effect where what leaves is very cold.
    growth = max(0, _newest_rate(newest, band).excess if after < most else 0) + _highest_limit(band, past)
    missing = (0 if band.inclusive else 1) - sums.excess
    return after + max(1, missing_known, -(-missing // growth))


def on_move(state: MktState, newest: Reading, band: MktBand, at: int, past: Past) -> tuple[MktState, Facts]:
    """Open or end at the instant that `moves_at` says. The sums stay as of the newest row."""
    match state:
        case MktIdle():
            from_at = max(state.since, at - band.window_ms)
            tally = past.tally(from_at, newest.measured_at)
            numbers = figures(settled(tally, newest, band, at, inclusive=True), from_at, at)
            opened = MktOpen(state.since, at, from_at, state.known_ms, state.excess, state.excess_back, tally)
            return opened, (ExcursionOpened(band.name, at, at, numbers, identity(band)),)
        case MktOpen():
            fact = closed(state, newest, band, at, EndedBy.RECOVERY)
            return MktIdle(state.since, at, state.known_ms, state.excess, state.excess_back), (fact,)
        case _:
            assert_never(state)


def _opens_at(state: MktIdle, newest: Reading, band: MktBand, until: int, past: Past) -> int | None:
    least_excess = 0 if band.inclusive else 1
    for line in _lines(state, newest, band, until, past):
        if line.end < state.ended_at:
            continue
        first, last = _at_least(line, line.sums.known_ms, line.rate.known_ms, _needed_ms(band))
        first_out, last_out = _at_least(line, line.sums.excess, line.rate.excess, least_excess)
        at = max(first, first_out, state.ended_at)
        if at <= min(last, last_out):
            return at
    return None


def _ends_at(state: MktOpen, newest: Reading, band: MktBand, until: int, past: Past) -> int | None:
    most_excess = -1 if band.inclusive else 0
    for line in _lines(state, newest, band, until, past):
        first, last = _at_least(line, line.sums.known_ms, line.rate.known_ms, _needed_ms(band))
        first_in, last_in = _at_least(line, -line.sums.excess, -line.rate.excess, -most_excess)
        first_back, last_back = _at_least(line, -line.sums.excess_back, -line.rate.excess_back, 0)
        at = max(first, first_in, first_back, state.opened_at + 1)
        if at <= min(last, last_in, last_back):
            return at
    return None


def _at_least(line: Line, start: int, rate: int, least: int) -> tuple[int, int]:
    """Return the first and last whole millisecond of a line at which a sum is at least so much; the last is before the first for none."""
    missing = least - start
    if rate > 0:
        return line.start + max(0, -(-missing // rate)), line.end
    if missing > 0:
        return line.end + 1, line.end
    return line.start, line.end if rate == 0 else min(line.end, line.start + missing // rate)


def _lines(state: MktState, newest: Reading, band: MktBand, until: int, past: Past) -> Iterator[Line]:
    """Yield the course of the sums from the newest row to `until`, as if no further row came."""
    at, sums = newest.measured_at, _sums(state)
    known_to, coming = known_until(newest), _newest_rate(newest, band)
    leaving = past.stretches(at - band.window_ms, until - band.window_ms + 1)
    one: Stretch | None = next(leaving, None)
    while at <= until:
        edge = at - band.window_ms
        if one is not None and one.end <= edge:
            one = next(leaving, None)
            continue
        rate = coming if at < known_to else ZERO
        corner = min(until, known_to if at < known_to else FOREVER)
        if one is not None:
            if one.start <= edge:
                rate = rate.less(_rate_of(one))
                corner = min(corner, one.end + band.window_ms)
            else:
                corner = min(corner, one.start + band.window_ms)
        yield Line(at, corner, sums, rate)
        if corner == until:
            return
        sums = sums.plus(corner - at, rate)
        at = corner


def _sums(state: MktState) -> Sums:
    return Sums(state.known_ms, as_number(state.excess), as_number(state.excess_back))


def _rate(temperature: int, band: MktBand) -> Sums:
    """Return what a value adds to the sums in each millisecond that it is known."""
    of_value = effect(temperature)
    return Sums(1, of_value - effect(band.limit_hundredths), of_value - effect(band.limit_hundredths - band.margin_hundredths))


def _rate_of(one: Stretch) -> Sums:
    assert isinstance(one.band, MktBand)
    return _rate(one.temperature, one.band)


def _newest_rate(newest: Reading, band: MktBand) -> Sums:
    return ZERO if newest.temperature is None else _rate(newest.temperature, band)


def _needed_ms(band: MktBand) -> int:
    """Return how much of the window must be known: its fraction, and more than nothing."""
    return max(1, -(-band.min_known_thousandths * band.window_ms // 1000))


def _highest_limit(band: MktBand, past: Past) -> int:
    """Return the largest effect of a limit among the versions whose values are in the window."""
    return max([effect(band.limit_hundredths), *(effect(one.limit_hundredths) for one in past.bands())])
