"""From when on a change holds: never before every decoder knows it, always behind what is there, and in the past only where nothing was."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.domain.registration.effective import (
    ALLOWANCE_MS,
    JUST_MADE_MS,
    LEAD_MS,
    MAX_AHEAD_MS,
    MAX_BACK_MS,
    first_takes_effect_at,
    from_the_start,
    takes_effect_at,
)
from pipelines.domain.registration.refusals import Refused, TooEarly

NOW = 1_790_000_000_000
EARLIEST = NOW + LEAD_MS + ALLOWANCE_MS


@given(
    asked=st.none() | st.integers(NOW - MAX_BACK_MS, NOW + 2 * MAX_AHEAD_MS),
    newest=st.none() | st.integers(NOW - MAX_BACK_MS, NOW + MAX_AHEAD_MS),
    allowance=st.integers(0, 200_000),
)
def test_a_version_holds_at_the_earliest_five_seconds_behind_its_commit_and_behind_the_newest(
    asked: int | None, newest: int | None, allowance: int
) -> None:
    try:
        at = takes_effect_at(asked, NOW, newest, allowance)
    except (TooEarly, Refused):
        return

    assert at >= NOW + LEAD_MS + allowance
    assert newest is None or at > newest
    assert asked is None or at == asked


@given(newest=st.none() | st.integers(NOW - MAX_BACK_MS, NOW + MAX_AHEAD_MS), asked=st.none() | st.integers(NOW, NOW + MAX_AHEAD_MS))
def test_what_a_refusal_names_as_the_earliest_is_taken(newest: int | None, asked: int | None) -> None:
    earliest = None
    try:
        takes_effect_at(asked, NOW, newest)
    except TooEarly as error:
        earliest = error.earliest

    assume(earliest is not None and earliest <= NOW + MAX_AHEAD_MS)
    assert takes_effect_at(earliest, NOW, newest) == earliest


def test_left_out_it_is_the_earliest() -> None:
    assert takes_effect_at(None, NOW, None) == EARLIEST
    assert takes_effect_at(None, NOW, NOW - 5) == EARLIEST


def test_a_change_just_behind_another_follows_it_by_a_millisecond() -> None:
    assert takes_effect_at(None, NOW, EARLIEST + 20) == EARLIEST + 21


def test_what_is_planned_is_not_gone_behind_unasked() -> None:
    planned = EARLIEST + JUST_MADE_MS + 1

    with pytest.raises(TooEarly, match="is planned for") as refused:
        takes_effect_at(None, NOW, planned)

    assert refused.value.earliest == planned + 1


@pytest.mark.parametrize(("asked", "words"), [(EARLIEST - 1, "the earliest"), (NOW - 1, "the earliest"), (EARLIEST + 5, "later than")])
def test_too_early_says_when_it_could(asked: int, words: str) -> None:
    with pytest.raises(TooEarly, match=words):
        takes_effect_at(asked, NOW, EARLIEST + 10)


def test_more_than_a_year_ahead_is_refused() -> None:
    with pytest.raises(Refused, match="within a year"):
        takes_effect_at(NOW + MAX_AHEAD_MS + 1, NOW, None)
    with pytest.raises(Refused, match="within a year"):
        first_takes_effect_at(NOW + MAX_AHEAD_MS + 1, NOW, "assigned_from")


def test_what_never_held_may_begin_as_far_back_as_uplinks_are_kept_and_no_further() -> None:
    assert first_takes_effect_at(None, NOW, "assigned_from") == EARLIEST
    assert first_takes_effect_at(NOW - MAX_BACK_MS, NOW, "assigned_from") == from_the_start(NOW)
    with pytest.raises(Refused, match="assigned_from: must not be before"):
        first_takes_effect_at(NOW - MAX_BACK_MS - 1, NOW, "assigned_from")
