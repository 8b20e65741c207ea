"""The rows of one sensor that a rolling window still needs: six bytes each, in pages, in order, oldest first.

A page holds rows of one policy version and one max gap. A history is a tuple of pages; adding to it makes a new one and shares all
but the last, so that a state that was kept stays as it was. It judges nothing.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from pipelines.domain.excursion_states import Reading

PAGE_ROWS: Final = 128
"""Rows of a page at most: adding a row copies its page."""

MOST_APART_MS: Final = 2**32 - 1
"""Between a page's first row and any other of it."""

NO_TEMPERATURE: Final = -(2**15)
"""A fault mark among temperatures."""

_TIME: Final = struct.Struct("=I")
_TEMPERATURE: Final = struct.Struct("=h")


class Page(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Some rows that came one after another under the same terms."""

    first_at: int
    """`measured_at` of the first row (ms UTC)."""
    max_gap_ms: int
    policy: int
    """Number of the version the readings are stamped with."""
    times: bytes
    """ms since `first_at`, four bytes each."""
    temperatures: bytes
    """Hundredths, two bytes each; NO_TEMPERATURE for a fault mark."""


History = tuple[Page, ...]

NO_HISTORY: Final[History] = ()


class Piece(NamedTuple):
    """A stretch [start, end) over which a value was known, and the policy version it is judged by."""

    start: int
    end: int
    temperature: int
    policy: int


def with_row(history: History, row: Reading, policy: int, needed_from: int) -> History:
    """Return the history with one more row, newer than all others, and without the pages that no instant from `needed_from` on needs.

    `policy` is the version in force: a fault mark has none of its own.
    """
    temperature = _TEMPERATURE.pack(NO_TEMPERATURE if row.temperature is None else row.temperature)
    dropped = 0
    while dropped + 1 < len(history) and history[dropped + 1].first_at <= needed_from:
        dropped += 1
    if history:
        last = history[-1]
        apart = row.measured_at - last.first_at
        fits = len(last.temperatures) < PAGE_ROWS * _TEMPERATURE.size and apart <= MOST_APART_MS
        if fits and last.policy == policy and last.max_gap_ms == row.max_gap_ms:
            grown = Page(last.first_at, last.max_gap_ms, policy, last.times + _TIME.pack(apart), last.temperatures + temperature)
            return (*history[dropped:-1], grown)
    page = Page(row.measured_at, row.max_gap_ms, policy, _TIME.pack(0), temperature)
    return (*history[dropped:], page)


def pieces(history: History, start: int, end: int) -> Iterator[Piece]:
    """Yield what was known within [start, end), oldest first, cut at both ends; the newest row's value lasts as long as its max gap."""
    if start >= end:
        return
    first = max(0, bisect_right(history, start, key=_first_at) - 1)
    for number in range(first, len(history)):
        page = history[number]
        if page.first_at >= end:
            return
        following = history[number + 1].first_at if number + 1 < len(history) else None
        times = memoryview(page.times).cast("I")
        temperatures = memoryview(page.temperatures).cast("h")
        begin = max(0, bisect_right(times, start - page.first_at) - 1) if number == first else 0
        for index in range(begin, len(times)):
            at = page.first_at + times[index]
            if at >= end:
                return
            known_until = at + page.max_gap_ms
            following_at = page.first_at + times[index + 1] if index + 1 < len(times) else following
            if following_at is not None and following_at < known_until:
                known_until = following_at
            temperature = temperatures[index]
            if temperature != NO_TEMPERATURE and known_until > start:
                yield Piece(max(at, start), min(known_until, end), temperature, page.policy)


def _first_at(page: Page) -> int:
    return page.first_at
