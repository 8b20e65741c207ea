"""A running API whose callers may change things, and short ways to ask for changes. For tests only."""

import json
import time
from dataclasses import dataclass
from typing import Any

import httpx

from pipelines.domain.instants import format_instant
from tests.integration.api_rig import Api

WARM = {"name": "warm", "side": "high", "limit_celsius": 8}
DOCUMENT = {"bands": [WARM]}
LATER = {"bands": [{**WARM, "limit_celsius": 6}]}
MKT = {"bands": [{"name": "kinetic", "kind": "mkt", "side": "high", "limit_celsius": 8, "window_seconds": 86_400}]}


@dataclass(frozen=True)
class Answered:
    """What an answer said."""

    status: int
    body: Any

    @property
    def item(self) -> Any:
        """The thing of a change that was made."""
        assert self.status in {200, 201}, self.body
        return self.body["item"]

    @property
    def outcome(self) -> str:
        return str(self.body.get("outcome", ""))

    @property
    def code(self) -> str:
        return str(self.body.get("error", {}).get("code", ""))

    @property
    def message(self) -> str:
        return str(self.body.get("error", {}).get("message", ""))


class Person:
    """Someone who asks; `name` is a user of the sandbox."""

    def __init__(self, api: Api, name: str) -> None:
        self._url = f"{api.url}/api/v1/"
        self._headers = {"x-stack-access-token": api.token(name)}
        self._json = self._headers | {"content-type": "application/json"}

    def get(self, path: str) -> Any:
        answer = httpx.get(self._url + path, headers=self._headers, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def see(self, path: str) -> Answered:
        answer = httpx.get(self._url + path, headers=self._headers, timeout=20)
        return Answered(answer.status_code, answer.json())

    def post(self, path: str, **body: Any) -> Answered:
        answer = httpx.post(self._url + path, headers=self._json, content=json.dumps(body).encode(), timeout=60)
        return Answered(answer.status_code, answer.json())

    def patch(self, path: str, **body: Any) -> Answered:
        answer = httpx.patch(self._url + path, headers=self._headers, json=body, timeout=20)
        return Answered(answer.status_code, answer.json())

    def send(self, path: str, content: bytes) -> Answered:
        headers = self._headers | {"content-type": "text/csv"}
        answer = httpx.post(self._url + path, headers=headers, content=content, timeout=120)
        return Answered(answer.status_code, answer.json())


def in_seconds(seconds: float) -> str:
    """An instant so far from now, as text."""
    return format_instant(round((time.time() + seconds) * 1_000))


def put_team(api: Api, team: str, members: list[str], admins: list[str]) -> None:
    """Make a team in the sandbox."""
    order = {"id": team, "display_name": team.title(), "members": members, "admins": admins}
    httpx.post(f"{api.sandbox}/sandbox/stack-auth/teams", json=order).raise_for_status()
