"""A history gives back what was known, however its rows fall on pages, and keeps no more than its windows need."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.excursion_states import Reading
from pipelines.domain.history import MOST_APART_MS, NO_HISTORY, PAGE_ROWS, History, Piece, pieces, with_row

START = 1_750_000_000_000


def history_of(rows: list[Reading], reach: int = 1 << 60) -> History:
    """Return the history of some rows."""
    history = NO_HISTORY
    for row in rows:
        history = with_row(history, row, row.policy, row.measured_at - reach)
    return history


def known(rows: list[Reading], start: int, end: int) -> list[Piece]:
    """Return what is known by the contract, without pages."""
    found = []
    for row, following in pairwise([*rows, None]):
        assert row is not None
        until = row.measured_at + row.max_gap_ms
        if following is not None:
            until = min(until, following.measured_at)
        first, last = max(start, row.measured_at), min(end, until)
        if row.temperature is not None and first < last:
            found.append(Piece(first, last, row.temperature, row.policy))
    return found


@st.composite
def rows(draw: st.DrawFn) -> list[Reading]:
    """Draw rows in order, now and then under other terms, with silences longer than a page can span."""
    at, found = START, []
    for _ in range(draw(st.integers(1, 40))):
        at += draw(st.sampled_from([1, 7, 60_000, MOST_APART_MS, MOST_APART_MS + 1]))
        temperature = draw(st.sampled_from([None, -4_000, 0, 401, 15_000]))
        found.append(Reading(at, temperature, draw(st.sampled_from([10, 50_000])), draw(st.sampled_from([1, 1, 1, 2]))))
    return found


@given(rows(), st.data())
def test_pieces_are_what_was_known_between_two_instants(drawn: list[Reading], data: st.DataObject) -> None:
    edges = sorted({row.measured_at + offset for row in drawn for offset in (-1, 0, 1, 10, 50_001)})
    start = data.draw(st.sampled_from(edges))
    end = data.draw(st.sampled_from([edge for edge in edges if edge >= start]))

    found = list(pieces(history_of(drawn), start, end))

    assert found == known(drawn, start, end)


def test_a_long_series_falls_on_pages_and_gives_back_every_row() -> None:
    series = [Reading(START + index * 300_000, 400 + index % 50, 900_000, 1) for index in range(3 * PAGE_ROWS + 5)]

    history = history_of(series)

    assert [len(page.temperatures) // 2 for page in history] == [PAGE_ROWS] * 3 + [5]
    assert [piece.temperature for piece in pieces(history, START, series[-1].measured_at + 1)] == [row.temperature for row in series]


def test_what_no_window_needs_any_more_is_dropped_a_page_at_a_time() -> None:
    day = 24 * 3_600_000
    series = [Reading(START + index * 300_000, 400, 900_000, 1) for index in range(5_000)]

    history = history_of(series, reach=day)

    kept = sum(len(page.temperatures) // 2 for page in history)
    assert day // 300_000 <= kept <= day // 300_000 + 2 * PAGE_ROWS
    assert next(pieces(history, series[-1].measured_at - day, series[-1].measured_at)).start == series[-1].measured_at - day


def test_adding_a_row_leaves_the_history_before_it_as_it_was() -> None:
    before = history_of([Reading(START, 400, 10, 1)])
    kept = tuple(before)

    with_row(before, Reading(START + 1, 500, 10, 1), 1, START)

    assert before == kept


def test_a_row_takes_six_bytes() -> None:
    series = [Reading(START + index, 400, 10, 1) for index in range(PAGE_ROWS)]

    (page,) = history_of(series)

    assert len(page.times) + len(page.temperatures) == 6 * PAGE_ROWS
