"""How long a child that died waits before it is started again."""

from infra.local.children import FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, backoff_seconds


def test_delay_doubles_with_each_failed_start() -> None:
    delays = [backoff_seconds(attempt) for attempt in range(4)]

    assert delays == [FIRST_DELAY_SECONDS * factor for factor in (1, 2, 4, 8)]


def test_delay_never_grows_beyond_its_limit() -> None:
    assert backoff_seconds(10) == backoff_seconds(1_000_000) == LONGEST_DELAY_SECONDS
