"""Bodies are read whole, once, and no further than their limit of size and time."""

import asyncio
from typing import Any

import pytest

from api import body_limit
from api.body_limit import IMPORT_PATH, MAX_BODY_BYTES, MAX_IMPORT_BYTES, MAX_IMPORTS, BodyLimit
from tests.api.asgi_calls import Answered, Message, call, whole


class Echo:
    """An app that answers with the size of the body that it was given."""

    def __init__(self) -> None:
        self.given: list[bytes] = []

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        assert not message.get("more_body")
        self.given.append(message["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


TOKEN = ("x-stack-access-token", "a token")


def sent(*messages: Message, path: str = "/api/v1/sites", headers: list[tuple[str, str]] | None = None) -> tuple[Answered, list[bytes]]:
    echo = Echo()
    answered = asyncio.run(call(BodyLimit(echo), messages, path=path, headers=[TOKEN, *(headers or [])]))
    return answered, echo.given


def test_a_body_in_pieces_is_handed_on_whole() -> None:
    pieces = [{"type": "http.request", "body": b"ab", "more_body": True}, {"type": "http.request", "body": b"c", "more_body": False}]

    answered, given = sent(*pieces)

    assert (answered.status, given) == (200, [b"abc"])


@pytest.mark.parametrize(("path", "limit"), [("/api/v1/sites", MAX_BODY_BYTES), (IMPORT_PATH, MAX_IMPORT_BYTES)])
def test_the_limit_itself_is_taken_and_a_byte_more_is_not(path: str, limit: int) -> None:
    taken, given = sent(*whole(b"x" * limit), path=path)
    refused, untold = sent(*whole(b"x" * (limit + 1)), path=path)

    assert (taken.status, len(given[0])) == (200, limit)
    assert (refused.status, refused.code, untold) == (413, "body_too_large", [])


def test_an_announced_length_above_the_limit_is_refused_unread() -> None:
    answered, given = sent(headers=[("content-length", str(MAX_BODY_BYTES + 1))])

    assert (answered.status, given) == (413, [])


def test_a_sender_that_stops_in_the_middle_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "BODY_SECONDS", 0.05)

    answered, given = sent({"type": "http.request", "body": b"a", "more_body": True})

    assert (answered.status, answered.code, given) == (408, "body_too_slow", [])


@pytest.mark.parametrize("headers", [[], [("x-stack-access-token", "")]])
def test_nothing_is_read_of_somebody_who_does_not_say_who_they_are(headers: list[tuple[str, str]]) -> None:
    """With no body to come, an answer shows that none was waited for."""
    echo = Echo()

    answered = asyncio.run(asyncio.wait_for(call(BodyLimit(echo), [], path=IMPORT_PATH, headers=headers), 5))

    assert (answered.status, answered.code, echo.given) == (401, "token_missing", [])


def test_a_third_import_at_once_is_told_to_come_back_and_taken_once_another_has_ended() -> None:
    async def run() -> tuple[list[int], Answered, Answered]:
        ending = asyncio.Event()

        async def slow(_scope: Any, _receive: Any, send: Any) -> None:
            await ending.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})

        limit = BodyLimit(slow)

        def one() -> Any:
            return call(limit, whole(b"x"), path=IMPORT_PATH, headers=[TOKEN])

        running = [asyncio.create_task(one()) for _ in range(MAX_IMPORTS)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        third = await one()
        ending.set()
        return [answered.status for answered in await asyncio.gather(*running)], third, await one()

    firsts, third, later = asyncio.run(run())

    assert firsts == [200] * MAX_IMPORTS
    assert (third.status, third.code, third.headers["retry-after"]) == (503, "busy", "2")
    assert later.status == 200
