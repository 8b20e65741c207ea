"""What is asked of Stack Auth about a user's permissions, and what is believed of the answer."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pipelines.connectors.errors import Retryable
from pipelines.connectors.stack_auth import StackAuthConfig
from pipelines.connectors.stack_auth_permissions import Permissions

CONFIG = StackAuthConfig("http://auth.example", "project", "server-key", ())


def ask(answer: Callable[[httpx.Request], httpx.Response], question: str) -> Any:
    async def run() -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await getattr(Permissions(CONFIG, client), question)("ada")

    return asyncio.run(run())


def test_permissions_are_asked_with_the_server_key_and_those_of_roles_count() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        items = [
            {"id": "coldstream:manage", "user_id": "ada", "team_id": "team-1"},
            {"id": "coldstream:manage", "user_id": "bob", "team_id": "team-2"},
            {"id": "$read_members", "user_id": "ada", "team_id": "team-3"},
        ]
        return httpx.Response(200, json={"items": items, "is_paginated": False})

    assert ask(answer, "managed_teams") == {"team-1"}
    (request,) = asked
    assert request.url.path == "/api/v1/team-permissions"
    assert dict(request.url.params) == {"user_id": "ada", "permission_id": "coldstream:manage", "recursive": "true"}
    assert request.headers["x-stack-secret-server-key"] == "server-key"


def test_teams_have_names_and_one_without_has_its_id() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"items": [{"id": "a", "display_name": "Alpha"}, {"id": "b", "display_name": ""}]})

    assert ask(answer, "named_teams") == {"a": "Alpha", "b": "b"}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={}),
        httpx.Response(200, json={"items": None}),
        httpx.Response(200, json={"items": ["text"]}),
        httpx.Response(200, headers={"x-stack-actual-status": "401"}, json={"items": []}),
    ],
)
def test_any_other_answer_allows_nothing(answer: httpx.Response) -> None:
    with pytest.raises(Retryable):
        ask(lambda _request: answer, "managed_teams")
