"""The signal of one band as stretches, sliding sums over it, and an excursion's numbers. For tests only.

Shared by the slow judges of `cumulative`, `mean` and `mkt`. A sum over a sliding window changes its slope only
where a stretch begins or where such an edge leaves the window; between two of these it is a straight line, and
the first whole millisecond at which a line has reached a bound is found by one division. Like `simple_judge` it
shares no code with the product: it may not import `pipelines` or `schemas`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Generic, TypedDict, TypeVar

from tests.domain.simple_judge import EndedBy, Piece, Row, Side, Span, cut_into_pieces


class WindowedBand(TypedDict):
    """What a band of every kind with a window has; limit in hundredths, window in milliseconds."""

    name: str
    side: Side
    limit: int
    inclusive: bool
    window: int | None


BandT = TypeVar("BandT", bound=WindowedBand)
Key = tuple[str, Side, int | None]
"""What makes a band the same band in another version: name, side and window; the kind never differs here."""


class Excursion(TypedDict):
    """One excursion with its numbers; mean is in hundredths, degree_ms in hundredths times milliseconds."""

    band: str
    started_at: int
    opened_at: int
    ended_at: int | None
    closed_at: int | None
    ended_by: EndedBy | None
    peak: int | None
    mean: Fraction | None
    degree_ms: int
    exposure: int
    known: int
    unknown: int
    samples: int
    largest_gap: int


@dataclass(frozen=True, slots=True)
class Stretch(Generic[BandT]):
    """[start, end) in which one value is known, or none is; `band` is in force there."""

    start: int
    end: int
    value: int | None
    band: BandT


@dataclass(frozen=True, slots=True)
class Era(Generic[BandT]):
    """The life of one band: from its first reading to the row, assignment's end or horizon that stops it.

    Everything happens at instants before `stop`. With `ended_by` None that is the millisecond after the horizon,
    so that the horizon itself counts; the last stretch then reaches beyond the horizon by this one unknown
    millisecond.
    """

    readings: Sequence[tuple[int, int]]
    stretches: Sequence[Stretch[BandT]]
    since: int
    stop: int
    ended_by: EndedBy | None


def keys_of(versions: Sequence[Sequence[BandT]]) -> set[Key]:
    """Return every band that occurs in any version."""
    return {_key(band) for policy in versions for band in policy}


def _key(band: WindowedBand) -> Key:
    return band["name"], band["side"], band["window"]


def eras_of(
    key: Key,
    readings: Sequence[Row],
    versions: Sequence[Sequence[BandT]],
    until: int,
    assignment_end: int | None,
) -> list[Era[BandT]]:
    """Cut the signal into the lives of one band: it lives while readings come whose version has it."""
    bands = [next((band for band in policy if _key(band) == key), None) for policy in versions]
    has_ended = assignment_end is not None and assignment_end <= until
    end = assignment_end if has_ended else None
    horizon = until + 1 if end is None else end
    eras: list[Era[BandT]] = []
    pieces: list[Piece] = []
    for piece in cut_into_pieces(readings, until, end):
        is_fault = piece.value is None
        if is_fault and not pieces:
            continue
        if is_fault or bands[piece.version] is not None:
            pieces.append(piece)
        elif pieces:
            eras.append(_era(pieces, bands, piece.at, "policy"))
            pieces = []
    if pieces:
        eras.append(_era(pieces, bands, horizon, None if end is None else "assignment"))
    return eras


def _era(pieces: Sequence[Piece], bands: Sequence[BandT | None], stop: int, ended_by: EndedBy | None) -> Era[BandT]:
    """Lay the pieces of one life end to end; the first one is a reading, and a fault mark leaves the band as it was."""
    readings: list[tuple[int, int]] = []
    stretches: list[Stretch[BandT]] = []
    band = bands[pieces[0].version]
    for piece in pieces:
        if piece.value is not None:
            band = bands[piece.version]
            readings.append((piece.at, piece.value))
        assert band is not None
        next_at = stop if piece.next_at is None else piece.next_at
        known_to = min(piece.known_to, next_at)
        if piece.at < known_to:
            stretches.append(Stretch(piece.at, known_to, piece.value, band))
        if known_to < next_at:
            stretches.append(Stretch(known_to, next_at, None, band))
    return Era(readings, stretches, pieces[0].at, stop, ended_by)


# Sliding sums


@dataclass(frozen=True, slots=True)
class Line:
    """An integer that changes by `slope` a millisecond from `value` on."""

    value: int
    slope: int

    def __neg__(self) -> "Line":
        return Line(-self.value, -self.slope)

    def times(self, factor: int) -> "Line":
        return Line(self.value * factor, self.slope * factor)

    def less(self, amount: int) -> "Line":
        return Line(self.value - amount, self.slope)


@dataclass(frozen=True, slots=True)
class Segment(Generic[BandT]):
    """[start, end) in which one value is known, or none, one band is in force, and every sum is a line."""

    start: int
    end: int
    value: int | None
    band: BandT
    sums: Sequence[Line]


Weigh = Callable[[int, BandT], Sequence[int]]
"""What a millisecond of a known value, under its own version's band, adds to each sum."""


def segments_of(era: Era[BandT], window: int | None, count: int, weigh: Weigh[BandT]) -> Iterator[Segment[BandT]]:
    """Slide a window over an era with `count` sums in it; the sums at t are over (t - window, t], nothing before `since`."""
    nothing = (0,) * count
    edges = [(one.start, nothing if one.value is None else tuple(weigh(one.value, one.band))) for one in era.stretches]
    leaving = [] if window is None else [(start + window, weight) for start, weight in edges]
    cuts = sorted({start for start, _ in [*edges, *leaving] if start < era.stop})
    enters, leaves = dict(edges), dict(leaving)
    stretch_at = {one.start: one for one in era.stretches}
    totals, coming, going = nothing, nothing, nothing
    stretch = era.stretches[0]
    for start, end in pairwise([*cuts, era.stop]):
        coming, going = enters.get(start, coming), leaves.get(start, going)
        stretch = stretch_at.get(start, stretch)
        slopes = [into - out_of for into, out_of in zip(coming, going, strict=True)]
        sums = [Line(total, slope) for total, slope in zip(totals, slopes, strict=True)]
        yield Segment(start, end, stretch.value, stretch.band, sums)
        totals = tuple(line.value + line.slope * (end - start) for line in sums)


def first_instant(segment: Segment[BandT], not_before: int, conditions: Sequence[Line]) -> int | None:
    """Return the first whole millisecond of a segment, from `not_before` on, at which no line is below zero."""
    first, end = max(segment.start, not_before), segment.end
    for line in conditions:
        if line.slope > 0:
            first = max(first, segment.start + -(line.value // line.slope))
        elif line.slope < 0:
            end = min(end, segment.start + line.value // -line.slope + 1)
        elif line.value < 0:
            return None
    return first if first < end else None


# Numbers


def is_out(value: int, band: WindowedBand) -> bool:
    """Whether a value is out of range by this band."""
    beyond = distance_beyond(value, band)
    return beyond >= 0 if band["inclusive"] else beyond > 0


def distance_beyond(value: int, band: WindowedBand) -> int:
    """Return how far a value lies beyond the limit; below zero on the good side of it."""
    return value - band["limit"] if band["side"] == "high" else band["limit"] - value


def excursion(key: Key, span: Span, since: int, era: Era[BandT], until: int) -> Excursion:
    """Work out the numbers of one excursion over [since, end), each value against its own version's limit."""
    end = until if span.ended_at is None else span.ended_at
    inside = [(at, value) for at, value in era.readings if since <= at and (at < end or (span.ended_at is None and at == end))]
    values = [value for _, value in inside]
    known = weighted = degree_ms = exposure = 0
    for stretch in era.stretches:
        if stretch.value is None:
            continue
        if stretch.start < since < stretch.end:
            values.append(stretch.value)
        held = max(0, min(stretch.end, end) - max(stretch.start, since))
        known += held
        weighted += held * stretch.value
        degree_ms += held * max(0, distance_beyond(stretch.value, stretch.band))
        exposure += held if is_out(stretch.value, stretch.band) else 0
    marks = [since, *(at for at, _ in inside), end]
    mean = Fraction(weighted, known) if known else (Fraction(sum(values), len(values)) if values else None)
    return {
        "band": key[0],
        "started_at": span.started_at,
        "opened_at": span.opened_at,
        "ended_at": span.ended_at,
        "closed_at": span.closed_at,
        "ended_by": span.ended_by,
        "peak": (max(values) if key[1] == "high" else min(values)) if values else None,
        "mean": mean,
        "degree_ms": degree_ms,
        "exposure": exposure,
        "known": known,
        "unknown": end - since - known,
        "samples": len(values),
        "largest_gap": max(right - left for left, right in pairwise(marks)),
    }


def left_open(era: Era[BandT], started_at: int, opened_at: int) -> Span:
    """Return what becomes of an excursion that is open when its era stops."""
    ended_at = None if era.ended_by is None else era.stop
    return Span(started_at, opened_at, ended_at, ended_at, era.ended_by)


def in_order(found: Sequence[Excursion]) -> list[Excursion]:
    """Sort by band, then `started_at`; of one band with two windows the one opened first comes first."""
    return sorted(found, key=lambda one: (one["band"], one["started_at"], one["opened_at"]))
