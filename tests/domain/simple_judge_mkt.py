"""A second, slow reading of the contract's sections 6 and 10, kind `mkt`, to judge the product by. For tests only.

No temperature is ever worked out: three sliding sums of integers decide, the known time and what the values are
worth beyond the limit and beyond the limit less the margin. It shares no code with the product: it may not import
`pipelines` or `schemas`.
"""

from collections.abc import Iterator, Sequence
from decimal import Context, Decimal
from functools import cache
from typing import final

from tests.domain.simple_judge import Row, Span
from tests.domain.simple_judge_signal import (
    Era,
    Excursion,
    Line,
    Segment,
    WindowedBand,
    eras_of,
    excursion,
    first_instant,
    in_order,
    keys_of,
    left_open,
    segments_of,
)

PRECISE = Context(prec=80)
THOUSANDTHS = 1000


@final
class Band(WindowedBand):
    """One band of one policy version; `min_known` in thousandths of the window, margin in hundredths."""

    min_known: int
    margin: int


def judge_mkt(
    readings: Sequence[Row],
    versions: Sequence[Sequence[Band]],
    until: int,
    assignment_end: int | None = None,
) -> list[Excursion]:
    """Return every excursion of one sensor, sorted by band, then `started_at`."""
    found = []
    for key in keys_of(versions):
        window = key[2]
        assert window is not None
        for era in eras_of(key, readings, versions, until, assignment_end):
            for span in spans(era, window):
                found.append(excursion(key, span, max(span.opened_at - window, era.since), era, until))
    return in_order(found)


@cache
def e(hundredths: int) -> int:
    """Return exp(-10000/K) * 10^40 of a temperature, rounded to an integer in decimal arithmetic (section 10)."""
    exponent = PRECISE.divide(Decimal(-10_000 * 100), Decimal(27_315 + hundredths))
    return int(PRECISE.to_integral_value(PRECISE.scaleb(PRECISE.exp(exponent), 40)))


def worth(value: int, band: Band) -> Sequence[int]:
    """Return what one millisecond of a value adds to known time, to A - e(limit)*W and to A - e(limit - margin)*W."""
    return 1, e(value) - e(band["limit"]), e(value) - e(band["limit"] - band["margin"])


def spans(era: Era[Band], window: int) -> Iterator[Span]:
    """Walk the segments: closed looks for an opening, open for an ending at a later millisecond."""
    opened_at: int | None = None
    for segment in segments_of(era, window, 3, worth):
        from_here = segment.start
        while True:
            if opened_at is None:
                opened_at = opening(segment, from_here, window)
                if opened_at is None:
                    break
            from_here = max(segment.start, opened_at + 1)
            closed_at = ending(segment, from_here, window)
            if closed_at is None:
                break
            yield Span(opened_at, opened_at, closed_at, closed_at, "recovery")
            opened_at, from_here = None, closed_at + 1
    if opened_at is not None:
        yield left_open(era, opened_at, opened_at)


def judged(segment: Segment[Band], window: int) -> list[Line]:
    """Return the lines that are not below zero where the window is judged: some of it known, and enough of it."""
    known = segment.sums[0]
    return [known.less(1), known.times(THOUSANDTHS).less(segment.band["min_known"] * window)]


def opening(segment: Segment[Band], from_here: int, window: int) -> int | None:
    """Return the first instant that is judged and out of range, known itself or not."""
    least = 0 if segment.band["inclusive"] else 1
    return first_instant(segment, from_here, [*judged(segment, window), segment.sums[1].less(least)])


def ending(segment: Segment[Band], from_here: int, window: int) -> int | None:
    """Return the first instant that is known itself, judged, not out of range and back by the margin.

    At the horizon nothing is known, so that an ending always comes before it.
    """
    if segment.value is None:
        return None
    least = 1 if segment.band["inclusive"] else 0
    _, beyond_limit, beyond_margin = segment.sums
    return first_instant(segment, from_here, [*judged(segment, window), (-beyond_limit).less(least), -beyond_margin])
