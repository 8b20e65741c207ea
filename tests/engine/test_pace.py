"""A reader takes less after a slow poll and more after quick ones, and flushes no more often than it may."""

from pipelines.engine.pace import FIRST_BYTES, LEAST_BYTES, MOST_BYTES, Pace


def after(pace: Pace, *seconds: float) -> Pace:
    """Return the pace after polls that took so long to handle."""
    now = 0.0
    for took in seconds:
        pace.handed_on(now)
        now += took
        pace.asked(now)
    return pace


def test_a_slow_poll_is_followed_by_one_of_half_the_size() -> None:
    assert after(Pace(), 0.5).poll_bytes == FIRST_BYTES // 2


def test_slow_polls_never_shrink_below_the_least() -> None:
    assert after(Pace(), *[2.0] * 30).poll_bytes == LEAST_BYTES


def test_quick_polls_grow_back_to_the_most_and_no_further() -> None:
    pace = after(Pace(), 2.0, 2.0, *[0.01] * 30)

    assert pace.poll_bytes == MOST_BYTES


def test_a_poll_neither_slow_nor_quick_changes_nothing() -> None:
    assert after(Pace(), 0.5, 0.3).poll_bytes == FIRST_BYTES // 2


def test_asking_without_records_changes_nothing() -> None:
    pace = after(Pace(), 0.5)

    pace.asked(100.0)

    assert pace.poll_bytes == FIRST_BYTES // 2


def test_the_first_lull_flushes_at_once_and_the_next_only_after_its_time() -> None:
    pace = Pace(flush_every_seconds=0.05)

    assert [pace.may_flush(now, drained=True) for now in (10.0, 10.01, 10.049, 10.06, 10.07)] == [True, False, False, True, False]


def test_without_a_pace_every_lull_flushes() -> None:
    pace = Pace()

    assert all(pace.may_flush(now, drained=True) for now in (1.0, 1.0, 1.001))


def test_while_there_is_no_lull_sinks_flush_every_half_second() -> None:
    pace = Pace(flush_every_seconds=0.05)

    assert [pace.may_flush(now, drained=False) for now in (10.0, 10.1, 10.49, 10.5, 10.9, 11.1)] == [True, False, False, True, False, True]


def test_a_busy_log_that_is_kept_up_with_is_left_to_gather() -> None:
    pace = Pace(gather_seconds=0.1)

    assert pace.rest_seconds(20, drained=True) == 0.1
    assert pace.rest_seconds(7, drained=True) == 0.0
    assert pace.rest_seconds(2_000, drained=False) == 0.0
