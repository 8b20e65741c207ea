"""Whoever watches a simulation sees how it goes, and is told when it cannot keep its own pace."""

import asyncio
from collections.abc import Callable
from io import StringIO

import pytest

from infra.simulator import progress
from infra.simulator.progress import AT_LINE_START, Progress
from infra.simulator.tally import Tally


@pytest.fixture(autouse=True)
def faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MOVE_SECONDS", 0.01)
    monkeypatch.setattr(progress, "WARN_SECONDS", 0.05)


def line(tally: Tally, rate: float) -> str:
    return f"{tally.acknowledged} taken, {rate:.0f}/s"


def watched(one: Progress, tally: Tally, is_over: Callable[[], bool]) -> None:
    """Watch a run until something is so; a minute is never needed."""

    async def run() -> None:
        async with one.watching(tally, 0.01, line):
            async with asyncio.timeout(60):
                while not is_over():
                    await asyncio.sleep(0.005)
            tally.acknowledged = 7

    asyncio.run(run())


def test_without_a_terminal_a_line_now_and_then_and_one_at_the_end_stay() -> None:
    told: list[str] = []

    watched(Progress(told.append), Tally(), lambda: len(told) >= 3)

    assert set(told[:3]) == {"0 taken, 0/s"}
    assert told[-1].startswith("7 taken, ")


def test_on_a_terminal_one_line_moves_and_the_last_stays() -> None:
    told: list[str] = []
    terminal = StringIO()

    watched(Progress(told.append, terminal), Tally(), lambda: terminal.getvalue().count(AT_LINE_START) >= 3)

    assert f"{AT_LINE_START}0 taken, 0/s, 0 ms behind" in terminal.getvalue()
    assert [text.split(",")[0] for text in told] == ["7 taken"]
    assert terminal.getvalue().endswith(AT_LINE_START)


def test_a_pace_that_is_not_kept_is_told() -> None:
    told: list[str] = []
    tally = Tally()

    def fall_behind() -> bool:
        tally.fall_behind(2.5)
        return any("the pace is not kept: up to 2.5 s behind schedule" in text for text in told)

    watched(Progress(told.append), tally, fall_behind)


def test_a_pace_that_is_kept_is_no_news() -> None:
    told: list[str] = []
    tally = Tally()

    def keep_up() -> bool:
        tally.fall_behind(0.5)
        return len(told) >= 12

    watched(Progress(told.append), tally, keep_up)

    assert not [text for text in told if "not kept" in text]
