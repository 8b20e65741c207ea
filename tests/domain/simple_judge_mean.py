"""A second, slow reading of the contract's section 6, kind `mean`, to judge the product by. For tests only.

Every stretch is laid into the tumbling windows it touches, then the windows are judged in order. It shares no code
with the product: it may not import `pipelines` or `schemas`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from tests.domain.simple_judge import Row, Span
from tests.domain.simple_judge_signal import (
    Era,
    Excursion,
    WindowedBand,
    eras_of,
    excursion,
    in_order,
    keys_of,
    left_open,
)

THOUSANDTHS = 1000


@final
class Band(WindowedBand):
    """One band of one policy version; `min_known` in thousandths of the window."""

    min_known: int


@dataclass(slots=True)
class Window:
    """What is known of one window; `band` is that of the last reading before its end."""

    start: int
    end: int
    band: Band
    known: int = 0
    weighted: int = 0


def judge_mean(
    readings: Sequence[Row],
    versions: Sequence[Sequence[Band]],
    until: int,
    assignment_end: int | None = None,
) -> list[Excursion]:
    """Return every excursion of one sensor, sorted by band, then `started_at`."""
    found = []
    for key in keys_of(versions):
        width = key[2]
        assert width is not None
        for era in eras_of(key, readings, versions, until, assignment_end):
            for span in spans(era, width):
                found.append(excursion(key, span, span.started_at, era, until))
    return in_order(found)


def spans(era: Era[Band], width: int) -> Iterator[Span]:
    """Walk the windows that are judged; one that ends where the era stops is not."""
    run: tuple[int, int, int] | None = None
    for window in windows_of(era, width):
        if window.end >= era.stop or not is_judged(window):
            continue
        if mean_is_out(window):
            started_at, opened_at = (window.start, window.end) if run is None else run[:2]
            run = started_at, opened_at, window.end
        elif run is not None:
            started_at, opened_at, ended_at = run
            yield Span(started_at, opened_at, ended_at, window.end, "recovery")
            run = None
    if run is not None:
        yield left_open(era, run[0], run[1])


def windows_of(era: Era[Band], width: int) -> list[Window]:
    """Return, in order, the windows in which anything is known, [k*w, (k+1)*w) from the epoch on."""
    windows: dict[int, Window] = {}
    for stretch in era.stretches:
        if stretch.value is None:
            continue
        for number in range(stretch.start // width, (stretch.end - 1) // width + 1):
            start, end = number * width, (number + 1) * width
            window = windows.setdefault(number, Window(start, end, stretch.band))
            window.band = stretch.band
            held = min(stretch.end, end) - max(stretch.start, start)
            window.known += held
            window.weighted += held * stretch.value
    return [windows[number] for number in sorted(windows)]


def is_judged(window: Window) -> bool:
    """Whether enough of a window is known, and any of it at all."""
    width = window.end - window.start
    return window.known > 0 and window.known * THOUSANDTHS >= window.band["min_known"] * width


def mean_is_out(window: Window) -> bool:
    """Whether the time-weighted mean over known time is out of range, without dividing."""
    beyond = window.weighted - window.band["limit"] * window.known
    if window.band["side"] == "low":
        beyond = -beyond
    return beyond >= 0 if window.band["inclusive"] else beyond > 0
