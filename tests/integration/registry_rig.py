"""A running API whose callers may change things, and short ways to ask for changes. For tests only."""

import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from infra.local.local_stack import LocalStack
from pipelines.domain.instants import format_instant, parse_instant
from tests.integration.api_rig import Api, running_api

DAY = 86_400
NUMBERS = itertools.count(1)

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


@dataclass(frozen=True)
class World:
    """Ada manages the first organization, rob only reads it, bob manages the second, and dan a team that is no organization."""

    api: Api
    ada: Person
    rob: Person
    bob: Person
    dan: Person
    ours: int
    theirs: int


@contextmanager
def running_world(stack: LocalStack, folder: Path, name: str) -> Iterator[World]:
    """Run an API with two organizations in it."""
    with running_api(stack, folder, name) as api:
        put_team(api, "team-1", ["ada", "rob"], ["ada"])
        put_team(api, "team-2", ["bob"], ["bob"])
        put_team(api, "team-3", ["dan", "ada"], ["dan"])
        ada, rob, bob, dan = (Person(api, name) for name in ("ada", "rob", "bob", "dan"))
        ours = ada.post("organizations", team="team-1", name="Northern Clinics").item["id"]
        theirs = bob.post("organizations", team="team-2", name="Southern Foods").item["id"]
        yield World(api, ada, rob, bob, dan, ours, theirs)


def new_name() -> str:
    return f"Thing {next(NUMBERS)}"


def new_eui() -> str:
    return f"A8404100C0DE{next(NUMBERS):04X}"


def site(world: World, **fields: Any) -> int:
    made = world.ada.post("sites", **({"organization": world.ours, "name": new_name()} | fields))
    return int(made.item["id"])


def unit(world: World, **fields: Any) -> int:
    made = world.ada.post("units", **({"site": fields.pop("site", None) or site(world), "name": new_name()} | fields))
    return int(made.item["id"])


def sensor(world: World, **fields: Any) -> int:
    made = world.ada.post("sensors", **({"organization": world.ours, "dev_eui": new_eui()} | fields))
    return int(made.item["id"])


def policy(world: World, document: Any = DOCUMENT) -> tuple[int, int]:
    """A new policy and its first version's id."""
    item = world.ada.post("policies", organization=world.ours, name=new_name(), document=document).item
    return item["id"], item["versions"][0]["id"]


def rows(world: World, query: str) -> list[Any]:
    with world.api.connect() as connection:
        return connection.execute(query.encode()).fetchall()


def ms(text: str) -> int:
    return parse_instant(text)


def refused(answer: Answered, status: int, code: str, *words: str) -> None:
    assert (answer.status, answer.code) == (status, code), answer.body
    for word in words:
        assert word in answer.message, answer.message
