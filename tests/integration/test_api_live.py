"""The WebSocket of a real process over a real Redis: events arrive, losses are told, and nobody hears another's."""

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
import redis
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from infra.local.local_stack import LocalStack
from infra.seed import Seeded
from schemas.events import Event, live_channel
from tests.integration.api_rig import DAY, Api, organization, running_api

NOW = int(time.time()) * 1_000


@dataclass(frozen=True)
class World:
    """Two organizations and a publisher."""

    api: Api
    ours: Seeded
    theirs: Seeded
    redis: "redis.Redis"

    @property
    def site(self) -> int:
        return min(self.ours.sites.values())

    @property
    def unit(self) -> int:
        return min(self.ours.units.values())

    def publish(self, organization: int, name: str, site: int, unit: int, **data: Any) -> None:
        event = Event(name, f"c-{time.monotonic_ns()}", organization, site, unit, msgspec.Raw(msgspec.json.encode(data)))
        self.redis.publish(live_channel(organization), msgspec.json.encode(event))

    def publish_ours(self, name: str, **data: Any) -> None:
        self.publish(self.ours.organization, name, self.site, self.unit, **data)


@pytest.fixture(scope="module")
def world(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_api(stack, tmp_path_factory.mktemp("api"), "api_live_test") as api:
        with api.connect() as connection:
            ours, theirs = organization(connection, 1, NOW - DAY), organization(connection, 2, NOW - DAY)
        api.team("team-1", "ada")
        api.team("team-2", "bob")
        publisher = redis.Redis.from_url(api.redis_url)
        yield World(api, ours, theirs, publisher)
        publisher.close()


def address(world: World) -> str:
    return world.api.url.replace("http", "ws") + "/ws"


def signed_in(world: World, user: str = "ada", expires_in: int = 3_600) -> ClientConnection:
    socket = connect(address(world))
    say(socket, type="authenticate", token=world.api.token(user, expires_in))
    assert heard(socket)["type"] == "authenticated"
    return socket


def watching(world: World, **places: int) -> ClientConnection:
    socket = signed_in(world)
    for kind, place in places.items():
        say(socket, type=f"subscribe:{kind}", **{kind: place})
        assert heard(socket) == {"type": "subscribed", kind: place}
    return socket


def say(socket: ClientConnection, **frame: Any) -> None:
    socket.send(json.dumps(frame))


def heard(socket: ClientConnection, seconds: float = 5.0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(socket.recv(seconds))
    return found


def test_an_event_published_after_the_answer_to_a_subscription_always_arrives(world: World) -> None:
    for number in range(20):
        with watching(world, unit=world.unit) as socket:
            world.publish_ours("alert:triggered", id=str(number))

            assert heard(socket)["data"] == {"id": str(number)}


def test_site_and_unit_subscribers_get_readings_each_in_their_form(world: World) -> None:
    with watching(world, site=world.site) as site, watching(world, unit=world.unit) as unit:
        readings = [{"sensor": 1, "unit": world.unit, "temperature_celsius": 4.1}, {"sensor": 2, "unit": 999_999}]

        world.publish(world.ours.organization, "sensor:readings:batch", world.site, 0, readings=readings)

        assert heard(site)["data"] == {"readings": readings}
        single = heard(unit)
        assert (single["event"], single["unit"], single["data"]) == ("sensor:reading", world.unit, readings[0])


def test_nobody_hears_or_may_subscribe_to_another_organizations(world: World) -> None:
    with watching(world, site=world.site) as socket:
        their_site, their_unit = min(world.theirs.sites.values()), min(world.theirs.units.values())
        say(socket, type="subscribe:site", site=their_site)
        say(socket, type="subscribe:unit", unit=their_unit)
        assert [heard(socket)["code"], heard(socket)["code"]] == ["not_found", "not_found"]

        world.publish(world.theirs.organization, "alert:triggered", their_site, their_unit, id="theirs")
        world.publish_ours("alert:triggered", id="ours")

        assert heard(socket)["data"] == {"id": "ours"}


def test_a_page_of_another_origin_is_turned_away(world: World) -> None:
    with pytest.raises(InvalidStatus) as caught, connect(address(world), origin=Origin("https://evil.example")):
        pass
    assert caught.value.response.status_code == 403

    with connect(address(world), origin=Origin(world.api.url)) as socket:
        say(socket, type="authenticate", token=world.api.token("ada"))
        assert heard(socket)["type"] == "authenticated"


@pytest.mark.parametrize("token", ["forged", None], ids=["forged", "expired"])
def test_a_refused_token_ends_the_connection(world: World, token: str | None) -> None:
    with connect(address(world)) as socket:
        say(socket, type="authenticate", token=token or world.api.token("ada", expires_in=-60))

        with pytest.raises(ConnectionClosed) as caught:
            heard(socket)

    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4401


def test_a_client_that_says_nothing_is_let_go_after_five_seconds(world: World) -> None:
    with connect(address(world)) as socket:
        started_at = time.monotonic()
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(10)

    assert 4 < time.monotonic() - started_at < 7
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4401


def test_a_connection_ends_with_its_token_unless_a_newer_one_came(world: World) -> None:
    with signed_in(world, expires_in=2) as ending, signed_in(world, expires_in=2) as renewed:
        say(renewed, type="authenticate", token=world.api.token("ada"))
        assert heard(renewed)["type"] == "authenticated"

        with pytest.raises(ConnectionClosed) as caught:
            ending.recv(6)
        say(renewed, type="subscribe:unit", unit=world.unit)

        assert heard(renewed) == {"type": "subscribed", "unit": world.unit}
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4401


def test_when_redis_was_killed_clients_are_told_to_fetch_again_and_events_go_on(stack: LocalStack, world: World) -> None:
    with watching(world, unit=world.unit) as socket:
        stack.kill("redis", signal.SIGKILL)
        stack.wait_ready("redis")

        assert heard(socket, 15) == {"type": "resync", "reason": "redis"}
        world.publish_ours("alert:resolved", id="after")
        assert heard(socket)["data"] == {"id": "after"}


def test_a_client_that_does_not_read_disturbs_nobody(world: World) -> None:
    with watching(world, site=world.site) as stalled, watching(world, site=world.site) as reading:
        padding = "x" * 2_000
        for number in range(3_000):
            world.publish_ours("sensor:readings:batch", readings=[{"unit": world.unit, "n": number, "p": padding}])
        world.publish_ours("alert:triggered", id="end")

        started_at = time.monotonic()
        told = False
        while not told and time.monotonic() - started_at < 20:
            frame = heard(reading)
            told = frame.get("data", {}).get("id") == "end"
        assert told

        seen: list[dict[str, Any]] = []
        while not seen or seen[-1].get("data", {}).get("id") != "end":
            seen.append(heard(stalled))
    assert seen[-1]["event"] == "alert:triggered"


def test_a_stopping_process_says_so(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_api(stack, tmp_path_factory.mktemp("api"), "api_live_stop_test") as api:
        api.team("team-1", "ada")
        with connect(api.url.replace("http", "ws") + "/ws") as socket:
            say(socket, type="authenticate", token=api.token("ada"))
            heard(socket)
            started_at = time.monotonic()
            api.process.terminate()
            with pytest.raises(ConnectionClosed) as caught:
                socket.recv(8)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1012
        api.process.wait(10)
        assert time.monotonic() - started_at < 8
