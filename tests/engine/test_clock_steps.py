"""A wall clock that steps back ends a flow's process; steps forward, small ones and a stopped process do not."""

import pytest

from pipelines.engine import clock_steps
from pipelines.engine.clock_steps import ClockSteps, end_on_step_back

AT = 1_790_000_000_000


def looked(*looks: tuple[float, int]) -> list[int]:
    """Look at (monotonic seconds, ms that the wall clock is off)."""
    steps = ClockSteps()
    return [steps.look(at, AT + round(at * 1000) + off, at) for at, off in looks]


def test_an_hour_back_is_seen_once() -> None:
    assert looked((1, 0), (2, 0), (3, -3_600_000), (4, -3_600_000)) == [0, 0, 3_600_000, 0]


def test_a_step_forward_is_none_and_its_end_is_one() -> None:
    assert looked((1, 0), (2, 3_600_000), (3, 0)) == [0, 0, 3_600_000]


def test_a_small_step_back_passes() -> None:
    assert looked((1, 0), (2, -999), (3, -1_999)) == [0, 0, 1_000]


def test_clocks_read_before_and_after_a_stop_of_the_process_are_not_compared() -> None:
    steps = ClockSteps()
    steps.look(1.0, AT + 1_000, 1.0)

    assert steps.look(2.0, AT + 2_000, 22.0) == 0
    assert steps.look(23.0, AT + 23_000, 23.0) == 0


@pytest.mark.parametrize(("walls", "ended"), [([AT, AT + 1, AT - 5_000], [1]), ([AT, AT + 1, AT + 2], [])])
def test_the_watch_ends_the_process_with_code_1(monkeypatch: pytest.MonkeyPatch, walls: list[int], ended: list[int]) -> None:
    told: list[int] = []
    left = iter(walls)

    def now_ms() -> int:
        value = next(left, None)
        if value is None:
            raise SystemExit
        return value

    monkeypatch.setattr(clock_steps, "now_ms", now_ms)
    monkeypatch.setattr(clock_steps, "monotonic", lambda: 5.0)
    monkeypatch.setattr(clock_steps, "LOOK_SECONDS", 0.0)

    end_on_step_back("a_flow", told.append).join(timeout=10)

    assert told == ended
