"""What declaring maintenance, or taking it back, changes of what is told."""

from pipelines.domain.excursion_states import Reading
from pipelines.domain.excusing import Retold, Telling, retold
from pipelines.domain.policy_document import parse_policy
from pipelines.domain.suppression import NOTHING_BESIDE, Circumstances

MINUTE = 60_000
WARM = {"name": "warm", "side": "high", "limit_celsius": 8, "hold_seconds": 600}
EARLY = {**WARM, "name": "early", "role": "operational", "suppress": {"maintenance": True}}
POLICIES = {1: parse_policy({"bands": [WARM, EARLY]})}


def rows(*warm: tuple[int, int]) -> list[Reading]:
    """A reading every five minutes for five hours, warm within the given minutes."""
    return [Reading(at * MINUTE, 900 if any(begin <= at < end for begin, end in warm) else 400, 30 * MINUTE, 1) for at in range(0, 300, 5)]


def windows(*minutes: tuple[int, int]) -> Circumstances:
    return Circumstances(tuple((begin * MINUTE, end * MINUTE) for begin, end in minutes))


def changes(series: list[Reading], before: Circumstances, after: Circumstances) -> list[tuple[Telling, str, int, int | None, int | None]]:
    found: list[Retold] = retold(series, POLICIES, 300 * MINUTE, None, before, after)
    return [(one.telling, one.band, one.started_at // MINUTE, _minutes(one.told_before), _minutes(one.told_after)) for one in found]


def _minutes(at: int | None) -> int | None:
    return None if at is None else at // MINUTE


def test_what_ends_within_a_declared_window_is_told_no_more_and_only_of_the_band_that_may_be_suppressed() -> None:
    series = rows((60, 90), (200, 230))

    assert changes(series, NOTHING_BESIDE, windows((50, 120))) == [(Telling.SUPPRESSED, "early", 60, 70, None)]


def test_what_outlasts_the_window_is_told_when_that_ends() -> None:
    series = rows((60, 150))

    assert changes(series, NOTHING_BESIDE, windows((50, 120))) == [(Telling.MOVED, "early", 60, 70, 120)]


def test_a_window_that_is_taken_back_or_ends_sooner_lets_what_it_held_back_be_told() -> None:
    series = rows((60, 90))

    assert changes(series, windows((50, 120)), NOTHING_BESIDE) == [(Telling.TOLD, "early", 60, None, 70)]
    assert changes(series, windows((50, 120)), windows((50, 80))) == [(Telling.TOLD, "early", 60, None, 80)]


def test_a_window_that_holds_nothing_back_changes_nothing() -> None:
    series = rows((60, 90))

    assert changes(series, NOTHING_BESIDE, windows((100, 120))) == []
    assert changes(series, windows((50, 120)), windows((50, 120), (200, 210))) == []
