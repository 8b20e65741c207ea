"""Doors open for more than 20 known minutes; what a row says is known for 15 minutes at most. Rows are minute:,what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.conditions.facts import ConditionBegan, ConditionEnded, ConditionFacts, OpenTime
from pipelines.domain.conditions.row import ConditionRow
from pipelines.domain.conditions.sensor import on_row
from pipelines.domain.conditions.terms import NO_TERMS, ConditionTerms, DoorTerms
from tests.domain.conditions.notation import MINUTE, found, judged, on_paper, rows

TERMS = ConditionTerms(battery=None, door=DoorTerms(20 * MINUTE), fault=None)
AT_ONCE = ConditionTerms(battery=None, door=DoorTerms(0), fault=None)


@pytest.mark.parametrize(
    ("series", "until", "told"),
    [
        ("0:,open 10:,open", 19, []),
        ("0:,open 10:,open", 20, ["door_open + 0 20"]),
        ("0:,open 10:,open 20:,closed", 99, []),
        ("0:,open 10:,open 21:,closed", 99, ["door_open + 0 20", "door_open - 21 21 recovery"]),
        ("0:,open 10:,open 20:,open", 20, ["door_open + 0 20"]),
        ("0:,open 10:,open 12:4.5 14:x", 20, ["door_open + 0 20"]),
        ("0:,open", 999, []),
        ("0:,open 100:,open", 104, []),
        ("0:,open 100:,open", 105, ["door_open + 0 105"]),
        ("0:,open 5:,closed 10:,open 20:,open", 29, []),
        ("0:,open 10:,open", 999, ["door_open + 0 20"]),
        ("0:,open 10:,open 500:,closed", 999, ["door_open + 0 20", "door_open - 500 500 recovery"]),
    ],
)
def test_a_door_is_open_too_long_after_known_time_open(series: str, until: float, told: list[str]) -> None:
    assert found(series, TERMS, until) == told


def test_without_a_wait_it_is_open_too_long_at_once() -> None:
    assert found("3:,open 4:,closed", AT_ONCE) == ["door_open + 3 3", "door_open - 4 4 recovery"]


def test_it_tells_for_how_long_the_door_is_known_to_have_stood_open() -> None:
    _, (began, ended) = judged(rows("0:,open 10:,open 100:,closed"), TERMS, 100)

    assert (began.detail, ended.detail) == (OpenTime(20 * MINUTE), OpenTime(25 * MINUTE))


def test_a_deadline_before_a_row_that_switches_it_off_is_passed_first() -> None:
    state, _ = judged(rows("0:,open 10:,open"), TERMS, 10)

    _, facts = on_row(state, rows("30:4.5")[0], NO_TERMS)

    assert on_paper(facts) == ["door_open + 0 20", "door_open - 30 30 terms"]


Flags = list[tuple[int, bool]]

flags = st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=12)


@given(steps=flags, open_ms=st.integers(0, 12), max_gap_ms=st.integers(1, 6), until=st.integers(0, 60))
def test_a_walk_over_every_millisecond_finds_the_same(steps: Flags, open_ms: int, max_gap_ms: int, until: int) -> None:
    given_rows, at = list[ConditionRow](), 0
    for wait, is_open in steps:
        at += wait
        given_rows.append(ConditionRow(at, max_gap_ms, door_open=is_open))

    _, facts = judged(given_rows, ConditionTerms(battery=None, door=DoorTerms(open_ms), fault=None), max(at, until) / MINUTE)

    assert times(facts) == walked(given_rows, open_ms, max(at, until))


def times(facts: ConditionFacts) -> list[tuple[int, int, int | None]]:
    began = [(fact.started_at, fact.opened_at) for fact in facts if isinstance(fact, ConditionBegan)]
    ended = {fact.started_at: fact.ended_at for fact in facts if isinstance(fact, ConditionEnded)}
    return [(started_at, opened_at, ended.get(started_at)) for started_at, opened_at in began]


def walked(given_rows: list[ConditionRow], open_ms: int, until: int) -> list[tuple[int, int, int | None]]:
    """Walk millisecond by millisecond."""
    said = {row.measured_at: row for row in given_rows}
    found_so_far: list[tuple[int, int, int | None]] = []
    started: int | None = None
    opened, known, heard_at, gap = False, 0, 0, 0
    for now in range(until + 1):
        if now in said and not said[now].door_open:
            if opened and started is not None:
                found_so_far[-1] = (*found_so_far[-1][:2], now)
            started, opened = None, False
        elif now in said:
            if started is None:
                started, known = now, 0
            heard_at, gap = now, said[now].max_gap_ms
        if started is not None and not opened and known >= open_ms:
            opened = True
            found_so_far.append((started, now, None))
        known += started is not None and now < heard_at + gap
    return found_so_far
