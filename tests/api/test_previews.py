"""Previews of corrections run one at a time, and say of themselves what was too much."""

import asyncio
from typing import Any

import psycopg
import pytest

from api.commands.previewing import Turns, preview
from api.errors import ApiError


def test_a_preview_beside_another_is_asked_to_come_again_and_has_its_turn_after_it_though_that_failed() -> None:
    turns, refused = Turns(), []

    async def take(inner: Exception | None = None) -> None:
        try:
            async with turns.turn():
                if inner is not None:
                    await take()
                    raise inner
        except ApiError as error:
            refused.append((error.status, error.code))

    async def run() -> None:
        with pytest.raises(KeyError):
            await take(inner=KeyError())
        await take()

    asyncio.run(run())

    assert refused == [(503, "busy")]


class Slow:
    """A transaction whose database takes too long."""

    async def execute(self, *_: object) -> None:
        raise psycopg.errors.QueryCanceled


def test_a_preview_that_takes_too_long_asks_for_a_shorter_one() -> None:
    transaction: Any = Slow()
    order: Any = None

    with pytest.raises(ApiError, match="later `from`") as found:
        asyncio.run(preview(transaction, order))

    assert (found.value.status, found.value.code) == (503, "query_too_long")
