"""A notation for series judged by the machine: `"0:9 5:8.4 10:x 12:7@2"` is minute:degrees, x a fault mark, @ a version.

Minutes and degrees on paper, milliseconds and hundredths in the values. For tests only.
"""

from decimal import Decimal

from pipelines.domain.evaluate import Excursion, judge
from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy import Policy, Side, SustainedBand
from pipelines.domain.temperatures import hundredths

MINUTE = 60_000

Times = tuple[str, str, str | None, str | None]
"""started_at, opened_at, ended_at, closed_at of an excursion, as minutes in decimal text."""


def ms(minutes: str | float) -> int:
    """Return milliseconds; minutes may have as many decimals as it takes."""
    exact = Decimal(str(minutes)) * MINUTE
    assert exact == int(exact), f"{minutes} minutes are no whole milliseconds"
    return int(exact)


def rows(text: str, *, max_gap: str | float = 15, version: int = 1) -> list[Reading]:
    """Read the notation, in the order it is written."""
    found = []
    for word in text.split():
        rest, _, stamped = word.partition("@")
        at, _, value = rest.partition(":")
        temperature = None if value == "x" else hundredths(value)
        found.append(Reading(ms(at), temperature, ms(max_gap), int(stamped or version)))
    return found


def band(
    limit: str = "8",
    *,
    name: str = "warm",
    side: Side = Side.HIGH,
    inclusive: bool = False,
    hold: str | float = 0,
    min_samples: int = 1,
    margin: str = "0",
    recovery_hold: str | float = 0,
) -> SustainedBand:
    """Return a band in degrees and minutes: above 8 °C, at once and closing at once, unless told otherwise."""
    return SustainedBand(
        name=name,
        side=side,
        limit_hundredths=hundredths(limit),
        inclusive=inclusive,
        hold_ms=ms(hold),
        min_samples=min_samples,
        margin_hundredths=hundredths(margin),
        recovery_hold_ms=ms(recovery_hold),
    )


def versions(*policies: SustainedBand | tuple[SustainedBand, ...]) -> dict[int, Policy]:
    """Return policies numbered from 1: each a band, or several."""
    return {number: Policy(bands if isinstance(bands, tuple) else (bands,)) for number, bands in enumerate(policies, start=1)}


def judged(
    text: str,
    *policies: SustainedBand | tuple[SustainedBand, ...],
    until: str | float,
    ends_at: str | float | None = None,
    max_gap: str | float = 15,
) -> list[Excursion]:
    """Judge a series by versions numbered from 1."""
    end = None if ends_at is None else ms(ends_at)
    return judge(rows(text, max_gap=max_gap), versions(*policies), ms(until), end)


def times(excursion: Excursion) -> Times:
    """Return an excursion's four times in minutes."""
    started, opened, ended, closed = (
        None if at is None else f"{Decimal(at) / MINUTE:g}"
        for at in (excursion.started_at, excursion.opened_at, excursion.ended_at, excursion.closed_at)
    )
    assert started is not None
    assert opened is not None
    return started, opened, ended, closed


def on_paper(excursions: list[Excursion]) -> list[str]:
    """Return each excursion's times as `started opened ended closed`, with - where it is open."""
    return [" ".join(at or "-" for at in times(excursion)) for excursion in excursions]
