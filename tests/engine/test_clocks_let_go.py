"""Clocks that nothing more can come of are let go: rejections that count no longer, and devices that watch nothing any more."""

from pipelines.engine.judgements import ConditionChange, Fact
from pipelines.engine.shard import KeptConditions, Shard, read_snapshot
from schemas.readings import RowKind, Rows
from schemas.reasons import RejectReason, code_of_reason
from tests.engine.lone_rows import AT, DEVICE, SECOND, judged, row, ticks

AT_ONCE, TWICE_IN_20 = 6, 8
"""Policies by which a clock is wrong after one rejection, or after two within 20 s; both until 9 s without."""


def rejected(second: int, policy: int, sensor: int = 1) -> Rows:
    """Return an uplink rejected for its time."""
    return row(second, RowKind.REJECTED, sensor=sensor, policy=policy, assignment=0, reason=code_of_reason(RejectReason.CLOCK_WRONG))


def kept(shard: Shard) -> list[int]:
    """Return the devices whose clock is kept."""
    conditions = read_snapshot(shard.snapshot()).conditions
    assert isinstance(conditions, KeptConditions)
    return sorted(conditions.clocks)


def wrong(facts: list[Fact]) -> list[tuple[int, int | None, str | None]]:
    """Return start and end in seconds, and what ended it, of wrong clocks."""
    found = [fact for fact in facts if isinstance(fact, ConditionChange)]
    return [
        ((one.started_at - AT) // SECOND, None if one.ended_at is None else (one.ended_at - AT) // SECOND, one.ended_by) for one in found
    ]


def test_a_rejection_alone_is_kept_as_long_as_it_can_count() -> None:
    assert kept(judged([rejected(1, TWICE_IN_20), *ticks(1, 20)])[0]) == [DEVICE]
    assert kept(judged([rejected(1, TWICE_IN_20), *ticks(1, 21)])[0]) == []


def test_rejections_that_were_forgotten_begin_nothing_and_those_that_were_not_do() -> None:
    in_time, too_late = rejected(20, TWICE_IN_20), rejected(21, TWICE_IN_20)

    assert wrong(judged([rejected(1, TWICE_IN_20), *ticks(1, 18), in_time])[1]) == [(1, None, None)]
    assert wrong(judged([rejected(1, TWICE_IN_20), *ticks(1, 21), too_late])[1]) == []


def test_a_clock_is_no_longer_wrong_where_the_device_watches_nothing_any_more() -> None:
    rows = [row(0), rejected(1, AT_ONCE), *ticks(1, 3), row(4, RowKind.ASSIGNMENT_END), *ticks(4, 30)]

    for longest in (1, 4, 100):
        assert wrong(judged(rows, longest=longest)[1]) == [(1, None, None), (1, 4, "assignment")]


def test_a_clock_is_wrong_on_as_long_as_another_probe_watches_something() -> None:
    rows = [row(0), row(0, sensor=2), rejected(1, AT_ONCE), row(4, RowKind.ASSIGNMENT_END), *ticks(4, 30)]

    for longest in (1, 100):
        assert wrong(judged(rows, longest=longest)[1]) == [(1, None, None), (1, 10, "recovery")]


def test_one_that_was_quiet_for_long_enough_before_the_end_was_right_by_then() -> None:
    rows = [row(0), rejected(1, AT_ONCE), row(14, RowKind.ASSIGNMENT_END), *ticks(14, 30)]

    assert wrong(judged(rows)[1]) == [(1, None, None), (1, 10, "recovery")]


def test_an_older_end_ends_no_clock_before_its_newest_rejection() -> None:
    rows = [row(0), rejected(5, AT_ONCE), row(2, RowKind.ASSIGNMENT_END), *ticks(5, 8)]

    assert wrong(judged(rows)[1]) == [(5, None, None), (5, 5, "assignment")]
