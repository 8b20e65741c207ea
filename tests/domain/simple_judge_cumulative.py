"""A second, slow reading of the contract's section 5, kind `cumulative`, to judge the product by. For tests only.

Exposure is a sliding sum with a slope of -1, 0 or 1 a millisecond. It shares no code with the product: it may not
import `pipelines` or `schemas`.
"""

from collections.abc import Iterator, Sequence
from typing import final

from tests.domain.simple_judge import Row, Span
from tests.domain.simple_judge_signal import (
    Era,
    Excursion,
    Segment,
    WindowedBand,
    eras_of,
    excursion,
    first_instant,
    in_order,
    is_out,
    keys_of,
    left_open,
    segments_of,
)


@final
class Band(WindowedBand):
    """One band of one policy version; budget and rearm in milliseconds, a window of None forgets nothing."""

    budget: int
    rearm: int


def judge_cumulative(
    readings: Sequence[Row],
    versions: Sequence[Sequence[Band]],
    until: int,
    assignment_end: int | None = None,
) -> list[Excursion]:
    """Return every excursion of one sensor, sorted by band, then `started_at`."""
    found = []
    for key in keys_of(versions):
        window = key[2]
        for era in eras_of(key, readings, versions, until, assignment_end):
            for span in spans(era, window):
                since = era.since if window is None else max(span.opened_at - window, era.since)
                found.append(excursion(key, span, since, era, until))
    return in_order(found)


def spans(era: Era[Band], window: int | None) -> Iterator[Span]:
    """Walk the segments: closed looks for an opening, open for an ending, which may be at the opening's own instant."""
    opened_at: int | None = None
    for segment in segments_of(era, window, 1, lambda value, band: [int(is_out(value, band))]):
        from_here = segment.start
        while True:
            if opened_at is None:
                opened_at = opening(segment, from_here)
                if opened_at is None:
                    break
                from_here = opened_at
            closed_at = ending(segment, from_here)
            if closed_at is None:
                break
            yield Span(opened_at, opened_at, closed_at, closed_at, "recovery")
            opened_at, from_here = None, closed_at + 1
    if opened_at is not None:
        yield left_open(era, opened_at, opened_at)


def opening(segment: Segment[Band], from_here: int) -> int | None:
    """Return the first instant at which exposure has reached the budget."""
    return first_instant(segment, from_here, [segment.sums[0].less(segment.band["budget"])])


def ending(segment: Segment[Band], from_here: int) -> int | None:
    """Return the first instant that is known and not out of range and from which exposure is below budget - rearm.

    Falling from there counts as below. At the horizon nothing is known, so that an ending always comes before it.
    """
    if segment.value is None or is_out(segment.value, segment.band):
        return None
    exposure = segment.sums[0]
    bound = segment.band["budget"] - segment.band["rearm"]
    highest = bound if exposure.slope < 0 else bound - 1
    return first_instant(segment, from_here, [(-exposure).less(-highest)])
