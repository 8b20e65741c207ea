"""Learns what the defrosts of a unit look like to a sensor, from its readings: a proposal with its evidence, or why there is none. Pure.

A defrost is a rise like the one before, as long after it as that one was after its own. So rises above a band's limit that last long
enough to be told are compared by their starts: each true distance between neighbours recurs, while doors and deliveries come at any time.
A rise is explained by a period if another one began a period before or after it; a period is proposed if it explains most rises, in
both halves of the stretch, and if pairs at that distance stand out among pairs at distances beside it, which chance alone would not
do. It is an estimate in floating point: a person, or a setting, accepts it; nothing is judged by it before.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import log
from statistics import median
from typing import Final

from pipelines.domain.policy import Side, SustainedBand, is_out
from pipelines.domain.suppression import DefrostProfile

MOST_READINGS: Final = 100_000
"""Readings looked at, the newest: a month at 30 s."""

LEAST_RISES: Final = 8
"""Rises that a period must explain: two days of four defrosts."""

LEAST_PERIOD_MS: Final = 3_600_000
"""Of defrosts; what recurs sooner is a compressor at work."""

MOST_PERIOD_MS: Final = 172_800_000
"""Two days; what recurs less often would take weeks to tell from chance."""

TOLERANCE: Final = 0.2
"""Of the period: how far two starts may be from it. Timers are exact; defrosts on demand, and readings that come late, are not."""

LEAST_SHARE: Final = 0.7
"""Of the rises, that must be explained; the others are doors and deliveries."""

LEAST_CONTRAST: Final = 4.0
"""How many times denser pairs must be at the period than beside it. Rises at random make it 1."""

MOST_JITTER: Final = 0.05
"""Median deviation of a distance, as a share of the period. Distances that are within tolerance by chance have 0.1."""

BIN_RATIO: Final = 1.15
"""Width of the bins in which candidates are sought."""

NEIGHBOURS: Final = 4
"""How many rises on a candidate is sought: with three doors between two defrosts it is still found."""

ALIKE: Final = 3.0
"""Deviations (1.4826 times the median absolute one) beyond the median at which a rise is none of a kind."""

PEAK_LEEWAY: Final = 100
"""Hundredths above the warmest of them that a defrost may still reach: a warmer kitchen, a fuller freezer."""

DURATION_LEEWAY: Final = 0.25
"""Of a defrost's length by which the longest may be longer: one reading is, at a common interval of ten minutes."""

PERIOD_LEEWAY: Final = 0.1
"""Share of the period by which the next may come sooner, where they are no less regular than that."""

MOST_TIME: Final = 1 / 3
"""Share of the time that defrosts may fill; what is out of range for longer is no defrost."""


class NoProfile(StrEnum):
    """Why no profile is proposed."""

    TOO_FEW = "too_few"
    """Too few rises that would be told."""
    TOO_IRREGULAR = "too_irregular"
    """No period explains them, or it has just changed."""
    TOO_LONG = "too_long"
    """They recur, but fill too much of the time to be defrosts."""


@dataclass(frozen=True, slots=True)
class Rise:
    """One whole rise above the limit: from its first reading above to the first below, nothing unknown between."""

    started_at: int
    peak_at: int
    ended_at: int
    peak_hundredths: int


@dataclass(frozen=True, slots=True)
class ProposedProfile:
    """A profile and the evidence for it; times in ms."""

    profile: DefrostProfile
    rises: int
    """Whole rises that would have been told, in the stretch it was learned from..."""
    explained: int
    """...and how many of them began a period before or after another one."""
    period_ms: int
    """From start to start, as a rule; the profile's is the least."""
    jitter_ms: int
    """Median deviation from that."""
    peak_hundredths: int
    """Of the median one, and so are the next two."""
    duration_ms: int
    decay_ms: int
    """From the warmest reading to the first that is back below the limit."""
    from_at: int
    """First and last start of the stretch (ms UTC)."""
    to_at: int


@dataclass(frozen=True, slots=True)
class _Fit:
    """A period, the distances it rests on, and the rises it explains."""

    period: float
    distances: list[int]
    explained: list[Rise]


def propose_profile(readings: Iterable[tuple[int, int | None]], band: SustainedBand, max_gap_ms: int) -> ProposedProfile | NoProfile:
    """Return what defrosts look like above a band's limit, or why that cannot be told.

    `readings` are (measured_at in ms UTC, hundredths or None for a fault mark) in any order, best of a week or more; `band` is
    the one to be suppressed, side high.
    """
    assert band.side is Side.HIGH, "a defrost is a rise"
    found = rises(readings, band, max_gap_ms)
    why = NoProfile.TOO_FEW
    for part in (found, found[len(found) // 2 :]):
        if len(part) < LEAST_RISES:
            break
        why = NoProfile.TOO_IRREGULAR
        fit = _smallest(part)
        if fit is not None:
            return _proposed(part, fit)
    return why


def rises(readings: Iterable[tuple[int, int | None]], band: SustainedBand, max_gap_ms: int) -> list[Rise]:
    """Return the whole rises out of a band's range that last for its hold at least, in order."""
    rows = sorted(dict(sorted(readings, key=lambda row: row[1] is not None)).items())[-MOST_READINGS:]
    found: list[Rise] = []
    run: list[tuple[int, int]] | None = None
    for (before_at, before), (at, temperature) in pairwise(rows):
        if before is None or temperature is None or at - before_at > max_gap_ms:
            run = None
        elif is_out(temperature, band):
            if not is_out(before, band):
                run = []
            if run is not None:
                run.append((at, temperature))
        elif run and at - run[0][0] >= band.hold_ms:
            peak_at, peak = max(run, key=lambda one: one[1])
            found.append(Rise(run[0][0], peak_at, at, peak))
            run = None
        else:
            run = None
    return found


def _smallest(part: Sequence[Rise]) -> _Fit | None:
    """Return the smallest period that explains the rises; its multiples do as well, and no fraction of it does."""
    starts = [rise.started_at for rise in part]
    halves = part[: len(part) // 2], part[len(part) // 2 :]
    for candidate in _candidates(starts):
        fit = _refined(candidate, part)
        if fit is None or len(fit.explained) < max(LEAST_RISES, LEAST_SHARE * len(part)) or not _stands_out(fit.period, starts):
            continue
        if all(len(_explained(fit.period, half)) >= LEAST_SHARE * len(half) for half in halves):
            return fit
    return None


def _candidates(starts: Sequence[int]) -> list[float]:
    """Return distances that recur, the smallest first."""
    bins: dict[int, list[int]] = {}
    for index, start in enumerate(starts):
        for later in starts[index + 1 : index + 1 + NEIGHBOURS]:
            if LEAST_PERIOD_MS <= later - start <= MOST_PERIOD_MS:
                bins.setdefault(int(log(later - start) / log(BIN_RATIO)), []).append(later - start)
    return sorted(median(members) for members in bins.values() if len(members) >= LEAST_RISES // 2)


def _refined(candidate: float, part: Sequence[Rise]) -> _Fit | None:
    """Return the fit that a candidate settles on: the median of the distances near it."""
    starts = [rise.started_at for rise in part]
    distances = _distances(candidate, starts)
    if not distances:
        return None
    period = median(distances)
    distances = _distances(period, starts)
    if not distances or _jitter(period, distances) > MOST_JITTER * period:
        return None
    return _Fit(period, distances, _explained(period, part))


def _jitter(period: float, distances: Sequence[int]) -> float:
    return median(abs(distance - period) for distance in distances)


def _distances(period: float, starts: Sequence[int]) -> list[int]:
    """Return the distance from each start to the later one that is nearest a period away, where one is within tolerance."""
    found: list[int] = []
    for start in starts:
        near = _between(starts, start + (1 - TOLERANCE) * period, start + (1 + TOLERANCE) * period)
        if near:
            found.append(min((later - start for later in near), key=lambda distance: abs(distance - period)))
    return found


def _explained(period: float, part: Sequence[Rise]) -> list[Rise]:
    """Return the rises that began a period, within tolerance, before or after another one."""
    starts = [rise.started_at for rise in part]
    low, high = (1 - TOLERANCE) * period, (1 + TOLERANCE) * period
    return [
        rise
        for rise in part
        if _between(starts, rise.started_at + low, rise.started_at + high)
        or _between(starts, rise.started_at - high, rise.started_at - low)
    ]


def _stands_out(period: float, starts: Sequence[int]) -> bool:
    """Tell whether pairs are denser at the period than at distances just below and above, as they are not where rises are random."""
    width = TOLERANCE * period
    at_it = sum(len(_between(starts, start + period - width, start + period + width)) for start in starts)
    below = sum(len(_between(starts, start + period - 2 * width, start + period - width - 1)) for start in starts)
    above = sum(len(_between(starts, start + period + width + 1, start + period + 2 * width)) for start in starts)
    return at_it >= LEAST_CONTRAST * (below + above)


def _between(starts: Sequence[int], begin: float, end: float) -> Sequence[int]:
    return starts[bisect_left(starts, begin) : bisect_right(starts, end)]


def _proposed(part: Sequence[Rise], fit: _Fit) -> ProposedProfile | NoProfile:
    """Return a profile that holds every explained rise but those that are none of the kind."""
    jitter = _jitter(fit.period, fit.distances)
    leeway = min(TOLERANCE, max(PERIOD_LEEWAY, ALIKE * 1.4826 * jitter / fit.period))
    peaks = _alike([rise.peak_hundredths for rise in fit.explained], PEAK_LEEWAY)
    all_lengths = [rise.ended_at - rise.started_at for rise in fit.explained]
    lengths = _alike(all_lengths, DURATION_LEEWAY * median(all_lengths))
    duration_ms = round(max(lengths) + DURATION_LEEWAY * median(lengths))
    if duration_ms > MOST_TIME * fit.period:
        return NoProfile.TOO_LONG
    return ProposedProfile(
        profile=DefrostProfile(round((1 - leeway) * fit.period), max(peaks) + PEAK_LEEWAY, duration_ms),
        rises=len(part),
        explained=len(fit.explained),
        period_ms=round(fit.period),
        jitter_ms=round(jitter),
        peak_hundredths=round(median(peaks)),
        duration_ms=round(median(lengths)),
        decay_ms=round(median(rise.ended_at - rise.peak_at for rise in fit.explained)),
        from_at=part[0].started_at,
        to_at=part[-1].started_at,
    )


def _alike(values: Sequence[int], least: float) -> list[int]:
    """Return the values that are not far above the median: by less than ALIKE deviations, or `least`."""
    middle = median(values)
    deviation = 1.4826 * median(abs(value - middle) for value in values)
    return [value for value in values if value - middle <= max(least, ALIKE * deviation)]
