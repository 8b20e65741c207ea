"""A short notation for hand-made series: `"0:9 5:8.4 10:x 12:7@1"` is minute:degrees, x a fault mark, @ the version.

For tests only. Minutes and degrees on paper, integer milliseconds and hundredths in the result.
"""

from collections.abc import Sequence
from fractions import Fraction

from tests.domain.simple_judge import Band, EndedBy, Excursion, Row, Side, judge

MINUTE = 60_000
MAX_GAP = 15

Times = tuple[str, float, float, float | None, float | None, EndedBy | None]
"""(band, started, opened, ended, closed, ended_by) in minutes."""


def minutes(number: float) -> int:
    """Minutes as milliseconds; the numbers used are exact in binary or rounded to the next one."""
    return round(number * MINUTE)


def series(text: str, max_gap: float = MAX_GAP) -> list[Row]:
    """Read the notation."""
    return [_row(word, max_gap) for word in text.split()]


def _row(word: str, max_gap: float) -> Row:
    rest, _, version = word.partition("@")
    at, _, value = rest.partition(":")
    temperature = None if value == "x" else int(Fraction(value) * 100)
    return minutes(float(at)), temperature, int(version or 0), minutes(max_gap)


def band(
    limit: float = 8,
    *,
    name: str = "warm",
    side: Side = "high",
    inclusive: bool = False,
    hold: float = 0,
    min_samples: int = 1,
    margin: float = 0,
    recovery_hold: float = 0,
) -> Band:
    """A band in degrees and minutes; by default above 8 degrees, at once, closing at once."""
    return {
        "name": name,
        "side": side,
        "limit": round(limit * 100),
        "inclusive": inclusive,
        "hold": minutes(hold),
        "min_samples": min_samples,
        "margin": round(margin * 100),
        "recovery_hold": minutes(recovery_hold),
    }


def excursions(
    text: str,
    *versions: Sequence[Band],
    until: float,
    assignment_end: float | None = None,
) -> list[Excursion]:
    """Judge a series in the notation; `until` and `assignment_end` in minutes."""
    end = None if assignment_end is None else minutes(assignment_end)
    return judge(series(text), versions, minutes(until), end)


def times(
    text: str,
    *versions: Sequence[Band],
    until: float,
    assignment_end: float | None = None,
) -> list[Times]:
    """Judge a series in the notation and keep only the band and the four times, in minutes."""
    return [
        (
            one["band"],
            one["started_at"] / MINUTE,
            one["opened_at"] / MINUTE,
            None if one["ended_at"] is None else one["ended_at"] / MINUTE,
            None if one["closed_at"] is None else one["closed_at"] / MINUTE,
            one["ended_by"],
        )
        for one in excursions(text, *versions, until=until, assignment_end=assignment_end)
    ]
