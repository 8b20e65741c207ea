"""Learns how often a sensor reports from when it measured: a proposal with its evidence, or why there is none. Pure.

The model is that of Casey and Sadler (IEEE Transactions on Signal Processing 44(9), 1996, doi:10.1109/78.536682): instants k·T + noise, many of
them missing, some alien. Gaps between neighbours are then multiples of T. Their Euclidean search for a common divisor is not
needed here, for most gaps of a working device are T itself: each value that many gaps share is a candidate, and the one that
explains the stretch, and can be neither a multiple nor a fraction of the true interval, is proposed (`_explains`).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import log
from statistics import median
from typing import Final

MOST_GAPS: Final = 20_000
"""Gaps looked at, the newest: a week at 30 s, done in a tenth of a second."""

LEAST_GAPS: Final = 20
"""Gaps that must support a proposal."""

MOST_MULTIPLE: Final = 6
"""Gaps of up to this many intervals are explained by uplinks lost; with 40 % lost a longer one is rare (0.4^6, 4 in 1,000)."""

TOLERANCE: Final = 0.15
"""Of the interval: how far a gap may be from a multiple. Instants that are off by up to 5 % each put a gap off by up to 10 %."""

LEAST_SHARE: Final = 0.7
"""Share of the time that must be explained. Every second multiple alone explains less than half, whatever share is lost."""

MOST_SECONDS: Final = 0.7
"""Double gaps for each single one, at most. With 40 % lost there are 0.4; a fraction of the interval has more doubles than singles."""

BIN_RATIO: Final = 1.1
"""Width of the bins in which candidates are sought: about what jitter smears a gap over."""

MOST_CANDIDATES: Final = 8
"""Bins tried, those that fill most of the time first."""

LEAST_IN_BIN: Final = 5
"""Gaps, without which a bin is chance."""

ROUNDS: Final = 6
"""Of refining a candidate; it settles within two or three."""

MOST_ERROR: Final = 0.005
"""Standard error of the interval, as a share of it: four times as much is 2 %."""

SUFFIXES: Final = (1.0, 0.75, 0.5)
"""Shares of the stretch, up to its end, that are tried in turn: an interval that was changed holds for the newest part alone. A shorter
part may as well be an alarm that still lasts."""

CONFIRMING: Final = ((0.0, 0.5), (0.5, 1.0), (0.75, 1.0))
"""Parts of what a candidate explains, from and to as shares of its time, that must each bear it out alone: one that is true of the
older part only is that of before a change, one of the newer part only may be an alarm's."""

SAME_WITHIN: Final = 0.05
"""A proposal that is this close to the interval in force is none: three intervals of max gap leave far more room."""


class NoProposal(StrEnum):
    """Why no interval is proposed."""

    TOO_FEW = "too_few"
    """Too few gaps, or too few for the jitter they show."""
    TOO_IRREGULAR = "too_irregular"
    """No interval explains when the sensor measured, or it has just changed."""
    UNCHANGED = "unchanged"
    """The interval in force is borne out."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An interval and the evidence for it."""

    interval_ms: int
    gaps: int
    """How many gaps between neighbouring instants are a multiple of it, within tolerance."""
    singles: int
    """How many of these are the interval itself; the others are multiples, where uplinks were lost."""
    share_thousandths: int
    """Share of the time that these gaps fill (gaps longer than six intervals count as six)."""
    jitter_ms: int
    """Root of the mean square of what these gaps are off their multiples."""
    from_at: int
    """The first and last instant of the stretch it was learned from (ms UTC): behind a change, the part after it alone."""
    to_at: int


@dataclass(frozen=True, slots=True)
class _Fit:
    """What a candidate comes to on some gaps; times in ms."""

    interval: float
    gaps: int
    singles: int
    share: float
    jitter: float


def propose(instants: Iterable[tuple[int, bool]], current_ms: int | None = None) -> Proposal | NoProposal:
    """Return the interval at which a sensor reports, or why none can be told.

    `instants` are (measured_at in ms UTC, whether it is from a history frame) in any order, best of a week or more; those of
    history are left out, for they tell when a device measured while it could not report. `current_ms` is the interval in force.
    It is an estimate in floating point: it is proposed and never judged by.
    """
    live = sorted({at for at, is_history in instants if not is_history})[-MOST_GAPS - 1 :]
    if len(live) <= LEAST_GAPS:
        return NoProposal.TOO_FEW
    why = NoProposal.TOO_IRREGULAR
    for suffix in SUFFIXES:
        part = _newest(live, suffix)
        if len(part) <= LEAST_GAPS:
            break
        found = _explaining(part)
        if found is None:
            continue
        if found.gaps < LEAST_GAPS or found.jitter > MOST_ERROR * found.interval * found.gaps**0.5:
            why = NoProposal.TOO_FEW
            continue
        if current_ms is not None and abs(found.interval - current_ms) <= SAME_WITHIN * current_ms:
            return NoProposal.UNCHANGED
        jitter_ms, thousandths = round(found.jitter), int(1000 * found.share)
        return Proposal(round(found.interval), found.gaps, found.singles, thousandths, jitter_ms, part[0], part[-1])
    return why


def _newest(instants: Sequence[int], share: float) -> Sequence[int]:
    """Return those within the newest share of the time that the instants span."""
    return _between(instants, 1 - share, 1)


def _between(instants: Sequence[int], begin: float, end: float) -> Sequence[int]:
    """Return those within a part of the time that the instants span."""
    first, span = instants[0], instants[-1] - instants[0]
    return instants[bisect_left(instants, first + begin * span) : bisect_right(instants, first + end * span)]


def _explaining(part: Sequence[int]) -> _Fit | None:
    """Return the one candidate that explains a part of the stretch, and each of its own parts; None where none or several do."""
    gaps = _gaps(part)
    found: _Fit | None = None
    for candidate in _candidates(gaps):
        fit = _refined(candidate, gaps)
        if fit is None or not _explains(fit.interval, gaps):
            continue
        if not all(_explains(fit.interval, _gaps(_between(part, begin, end))) for begin, end in CONFIRMING):
            continue
        if found is not None and abs(fit.interval - found.interval) > TOLERANCE * found.interval:
            return None
        found = fit if found is None or fit.share > found.share else found
    return found


def _gaps(instants: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise(instants)]


def _candidates(gaps: Sequence[int]) -> list[float]:
    """Return values that many gaps share, those that fill most of the time first.

    By time and not by number: a device that reports ten times as often while it is out of range has more short gaps than others.
    """
    bins: dict[int, list[int]] = {}
    for gap in gaps:
        bins.setdefault(int(log(gap) / log(BIN_RATIO)), []).append(gap)
    shared = [members for members in bins.values() if len(members) >= LEAST_IN_BIN]
    shared.sort(key=sum, reverse=True)
    return [median(members) for members in shared[:MOST_CANDIDATES]]


def _refined(candidate: float, gaps: Sequence[int]) -> _Fit | None:
    """Return the fit a candidate settles on: the mean interval over the gaps that are its multiples, found again and again."""
    interval, fitting = candidate, list[tuple[int, int]]()
    for _ in range(ROUNDS):
        before = interval
        fitting = [(gap, multiple) for gap in gaps if (multiple := _multiple(gap, interval))]
        if not fitting:
            return None
        interval = sum(gap for gap, _ in fitting) / sum(multiple for _, multiple in fitting)
        if interval == before:
            break
    jitter = (sum((gap - multiple * interval) ** 2 for gap, multiple in fitting) / len(fitting)) ** 0.5
    singles = sum(multiple == 1 for _, multiple in fitting)
    return _Fit(interval, len(fitting), singles, sum(_time_by_multiple(interval, gaps)[1:]), jitter)


def _explains(interval: float, gaps: Sequence[int]) -> bool:
    """Tell whether an interval explains some gaps, and is neither a multiple nor a fraction of the one that does.

    A multiple explains too little: the odd gaps fit nothing. A fraction (a third, say, the pace of bursts) explains them all,
    but the gaps of the true interval, which are then its double, its triple and so on, fill more time than its own. Doubles,
    which many losses bring near, are held to their number.
    """
    if not gaps:
        return False
    shares = _time_by_multiple(interval, gaps)
    if sum(shares[1:]) < LEAST_SHARE or max(shares[3:]) > shares[1]:
        return False
    return shares[2] / 2 <= MOST_SECONDS * shares[1]


def _time_by_multiple(interval: float, gaps: Sequence[int]) -> list[float]:
    """Return the shares of time that gaps of 0 (which fit none), 1, 2 ... intervals fill; longer ones count as the longest that fits."""
    filled = [0.0] * (MOST_MULTIPLE + 1)
    longest = MOST_MULTIPLE * interval
    for gap in gaps:
        filled[_multiple(gap, interval)] += min(gap, longest)
    whole = sum(filled)
    return [share / whole for share in filled]


def _multiple(gap: int, interval: float) -> int:
    """Return how many intervals a gap is, within tolerance; 0 where it is no multiple or too long."""
    multiple = round(gap / interval)
    return multiple if multiple <= MOST_MULTIPLE and abs(gap - multiple * interval) <= TOLERANCE * interval else 0
