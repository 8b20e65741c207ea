"""An answer is asked for once however many want it, believed for a while, and what is not there is asked again."""

import asyncio

import pytest

from api.remembered import Remembered
from pipelines.connectors.errors import Retryable


class Source:
    """Answers slowly, counts, and fails as told."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: int | None = 7
        self.is_away = False

    async def __call__(self, _key: str) -> int | None:
        self.asked += 1
        await asyncio.sleep(0.01)
        if self.is_away:
            message = "away"
            raise Retryable(message)
        return self.answer


def test_a_herd_asks_once() -> None:
    source = Source()

    async def run() -> set[int | None]:
        remembered = Remembered(source)
        return set(await asyncio.gather(*(remembered.get("a") for _ in range(1_000))))

    assert asyncio.run(run()) == {7}
    assert source.asked == 1


def test_an_old_answer_is_asked_again() -> None:
    source = Source()

    async def run() -> int | None:
        remembered = Remembered(source, seconds=0.0)
        await remembered.get("a")
        source.answer = 8
        return await remembered.get("a")

    assert asyncio.run(run()) == 8


def test_what_is_not_there_shows_as_soon_as_it_is() -> None:
    source = Source()
    source.answer = None

    async def run() -> list[int | None]:
        remembered = Remembered(source)
        first = await remembered.get("a")
        source.answer = 8
        return [first, await remembered.get("a")]

    assert asyncio.run(run()) == [None, 8]


def test_a_failure_is_not_remembered() -> None:
    source = Source()
    source.is_away = True

    async def run() -> int | None:
        remembered = Remembered(source)
        with pytest.raises(Retryable):
            await remembered.get("a")
        source.is_away = False
        return await remembered.get("a")

    assert asyncio.run(run()) == 7


def test_one_who_hangs_up_takes_the_answer_from_nobody() -> None:
    async def run() -> int | None:
        remembered = Remembered(Source())
        leaving = asyncio.create_task(remembered.get("a"))
        staying = asyncio.create_task(remembered.get("a"))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert asyncio.run(run()) == 7
