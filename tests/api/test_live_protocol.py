"""The WebSocket protocol of docs/api.md: who gets in, who hears what, and how a connection ends."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from api.live import endpoint, hub
from tests.api.live_rig import Rig, rig


def play(scene: Callable[[Rig], Awaitable[None]]) -> None:
    async def run() -> None:
        async with rig() as made:
            await scene(made)

    asyncio.run(run())


def event(name: str, *, unit: int = 10, site: int = 1, organization: int = 1, **data: Any) -> dict[str, Any]:
    return {"event": name, "cursor": "c1", "organization": organization, "site": site, "unit": unit, "data": data}


def reading(unit: int, temperature: float) -> dict[str, Any]:
    return {
        "sensor": unit * 10,
        "unit": unit,
        "measured_at": "2026-11-25T04:22:00.123Z",
        "temperature_celsius": temperature,
    }


BATCH = event("sensor:readings:batch", unit=0, readings=[reading(10, 4.1), reading(11, 5.2), reading(10, 4.3)])
ALERT = event("alert:triggered", id="x", severity="critical")
STATE = event("unit:state:changed", state="breaching")


def test_a_good_token_is_answered_with_its_user_and_its_end() -> None:
    async def scene(made: Rig) -> None:
        socket = made.connect()
        await socket.message()
        socket.say(type="authenticate", token="ada")

        assert await socket.frame() == {
            "type": "authenticated",
            "user": "ada",
            "expires_at": "2096-10-02T07:06:40.000Z",
        }

    play(scene)


def test_a_client_that_says_nothing_is_let_go() -> None:
    async def scene(made: Rig) -> None:
        assert await made.connect().close_code() == 4401

    play(scene)


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"authenticate","token":"nobody"}',
        '{"type":"authenticate","token":"expired"}',
        '{"type":"authenticate"}',
        '{"type":"subscribe:site","site":1}',
        "hello",
        "",
        '{"type":"authenticate","token":"ada","more":1}',
        "[" * 5_000,
    ],
)
def test_any_other_first_message_ends_the_connection(text: str) -> None:
    async def scene(made: Rig) -> None:
        socket = made.connect()
        socket.say_text(text)

        assert await socket.close_code() == 4401
        assert made.hub.clients == set()

    play(scene)


def test_while_tokens_cannot_be_checked_clients_are_told_to_try_later() -> None:
    async def scene(made: Rig) -> None:
        made.people.is_away = True
        socket = made.connect()
        socket.say(type="authenticate", token="ada")

        assert await socket.close_code() == 1013

    play(scene)


@pytest.mark.parametrize(
    ("origin", "is_let_in"),
    [
        (None, True),
        ("http://dash.example:8000", True),
        ("https://DASH.example:8000", True),
        ("https://other.example", True),
        ("https://evil.example", False),
        ("http://dash.example:8000.evil.example", False),
        ("http://dash.example", False),
        ("null", False),
        ("http://[", False),
    ],
)
def test_only_pages_of_our_own_or_of_an_allowed_origin_may_connect(origin: str | None, is_let_in: bool) -> None:
    async def scene(made: Rig) -> None:
        message = await made.connect(origin=origin).message()

        assert (message["type"] == "websocket.accept") is is_let_in

    play(scene)


def test_there_is_no_websocket_at_another_address() -> None:
    async def scene(made: Rig) -> None:
        assert (await made.connect(path="/ws/x").message())["type"] == "websocket.close"

    play(scene)


def test_a_full_process_sends_further_clients_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "MAX_CLIENTS", 1)

    async def scene(made: Rig) -> None:
        await made.signed_in()

        assert await made.connect().close_code() == 1013

    play(scene)


def test_a_site_subscriber_gets_batches_as_they_were_published() -> None:
    async def scene(made: Rig) -> None:
        socket = await made.watching(site=1)

        made.redis.publish(1, BATCH)

        assert await socket.frame() == BATCH
        assert await socket.is_quiet()

    play(scene)


def test_a_unit_subscriber_gets_each_of_its_readings_and_no_others() -> None:
    async def scene(made: Rig) -> None:
        socket = await made.watching(unit=10)

        made.redis.publish(1, BATCH)

        first, second = await socket.frame(), await socket.frame()
        assert [first["data"], second["data"]] == [reading(10, 4.1), reading(10, 4.3)]
        assert (first["event"], first["unit"], first["site"]) == ("sensor:reading", 10, 1)
        assert first["cursor"] != second["cursor"]
        assert await socket.is_quiet()

    play(scene)


def test_a_single_reading_reaches_the_site_as_a_batch_of_one() -> None:
    async def scene(made: Rig) -> None:
        site, unit = await made.watching(site=1), await made.watching(unit=10)
        single = event("sensor:reading") | {"data": reading(10, 4.1)}

        made.redis.publish(1, single)

        assert await unit.frame() == single
        batch = await site.frame()
        assert (batch["event"], batch["data"]) == ("sensor:readings:batch", {"readings": [reading(10, 4.1)]})

    play(scene)


@pytest.mark.parametrize("told", [ALERT, STATE], ids=["alert", "state"])
def test_alerts_and_states_reach_site_and_unit_subscribers_once_each(told: dict[str, Any]) -> None:
    async def scene(made: Rig) -> None:
        both, other = await made.watching(site=1, unit=10), await made.watching(unit=11)

        made.redis.publish(1, told)

        assert await both.frame() == told
        assert await both.is_quiet()
        assert await other.is_quiet()

    play(scene)


def test_after_unsubscribing_nothing_more_comes() -> None:
    async def scene(made: Rig) -> None:
        socket = await made.watching(site=1, unit=10)
        socket.say(type="unsubscribe:site", site=1)
        socket.say(type="unsubscribe:unit", unit=10)
        assert await socket.frame() == {"type": "unsubscribed", "site": 1}
        assert await socket.frame() == {"type": "unsubscribed", "unit": 10}

        assert made.redis.channels == set()
        made.redis.publish(1, ALERT)
        assert await socket.is_quiet()

    play(scene)


@pytest.mark.parametrize("place", [("site", 2), ("unit", 20), ("site", 99), ("unit", 0), ("unit", -1), ("site", 2**40)])
def test_what_is_not_the_callers_is_not_found(place: tuple[str, int]) -> None:
    async def scene(made: Rig) -> None:
        kind, number = place
        socket = await made.signed_in()
        socket.say(type=f"subscribe:{kind}", **{kind: number})

        answer = await socket.frame()

        assert (answer["type"], answer["code"], answer[kind]) == ("error", "not_found", number)
        assert made.redis.channels == set()

    play(scene)


def test_no_event_of_another_organization_ever_comes_through() -> None:
    async def scene(made: Rig) -> None:
        ada, bob = await made.watching("ada", site=1, unit=10), await made.watching("bob", site=2)
        forged = event("alert:triggered", organization=1, site=1, unit=10, id="forged")

        made.redis.queue.put_nowait((b"live:2", json.dumps(forged).encode()))
        made.redis.publish(2, event("alert:triggered", organization=2, site=1, unit=10, id="wrong site"))
        made.redis.publish(2, event("alert:triggered", organization=2, site=2, unit=20, id="right"))

        assert (await bob.frame())["data"] == {"id": "right"}
        assert await ada.is_quiet()

    play(scene)


@pytest.mark.parametrize("text", ["hello", "{}", '{"type":"subscribe:site","site":"1"}', '{"type":"delete:site","site":1}'])
def test_a_message_that_means_nothing_is_answered_and_the_connection_stays(text: str) -> None:
    async def scene(made: Rig) -> None:
        socket = await made.signed_in()
        socket.say_text(text)
        assert (await socket.frame())["code"] == "bad_message"

        socket.say(type="subscribe:site", site=1)
        assert (await socket.frame())["type"] == "subscribed"

    play(scene)


def test_bytes_are_answered_as_a_bad_message() -> None:
    async def scene(made: Rig) -> None:
        socket = await made.signed_in()
        socket.to_server.put_nowait({"type": "websocket.receive", "bytes": b"\x00"})

        assert (await socket.frame())["code"] == "bad_message"

    play(scene)


def test_a_client_may_not_subscribe_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "MAX_PLACES", 1)

    async def scene(made: Rig) -> None:
        socket = await made.watching(site=1)
        socket.say(type="subscribe:unit", unit=10)

        assert (await socket.frame())["code"] == "too_many_subscriptions"

    play(scene)


def test_while_the_database_is_away_a_subscription_is_to_be_tried_again() -> None:
    async def scene(made: Rig) -> None:
        socket = await made.signed_in()
        made.map.is_away = True
        socket.say(type="subscribe:site", site=1)

        assert (await socket.frame())["code"] == "unavailable"

    play(scene)


def test_when_redis_was_lost_every_client_is_told_to_fetch_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "FIRST_BACKOFF_SECONDS", 0.01)

    async def scene(made: Rig) -> None:
        socket = await made.watching(site=1)

        made.redis.break_connection()

        assert await socket.frame() == {"type": "resync", "reason": "redis"}
        made.redis.publish(1, ALERT)
        assert await socket.frame() == ALERT

    play(scene)


def test_what_is_no_event_is_passed_over() -> None:
    async def scene(made: Rig) -> None:
        socket = await made.watching(site=1)
        for garbage in (b"", b"{}", b"\xff", b'{"event":"alert:triggered"}'):
            made.redis.queue.put_nowait((b"live:1", garbage))

        made.redis.publish(1, ALERT)

        assert await socket.frame() == ALERT

    play(scene)


def test_a_slow_client_loses_readings_keeps_alerts_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.live.outbox.MAX_READINGS", 3)

    async def scene(made: Rig) -> None:
        socket = await made.watching(site=1)
        socket.reads.clear()
        made.redis.publish(1, ALERT)
        for number in range(20):
            made.redis.publish(1, event("sensor:readings:batch", unit=0, readings=[reading(10, number)]))
        made.redis.publish(1, STATE)
        await asyncio.sleep(0.05)

        socket.reads.set()
        frames = [await socket.frame() for _ in range(6)]

        assert frames[0] == ALERT
        assert [one["data"]["readings"][0]["temperature_celsius"] for one in frames[1:4]] == [17, 18, 19]
        assert frames[4] == STATE
        assert frames[5] == {"type": "resync", "reason": "dropped"}

    play(scene)


def test_a_client_that_does_not_even_read_alerts_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.live.outbox.MAX_KEPT", 5)

    async def scene(made: Rig) -> None:
        slow, other = await made.watching(site=1), await made.watching(site=1)
        slow.reads.clear()
        for number in range(10):
            made.redis.publish(1, event("alert:triggered", id=str(number)))

        assert await slow.close_code() == 4408
        assert [(await other.frame())["data"]["id"] for _ in range(10)] == [str(number) for number in range(10)]
        assert len(made.hub.clients) == 1

    play(scene)


def test_a_connection_ends_with_its_token() -> None:
    async def scene(made: Rig) -> None:
        made.people.expires_at["ada"] = 1_000
        socket = await made.signed_in()

        await made.sweeper.sweep(now=1_000, tick=0.0)

        assert await socket.close_code() == 4401

    play(scene)


def test_a_newer_token_in_time_keeps_the_connection() -> None:
    async def scene(made: Rig) -> None:
        made.people.expires_at["ada"] = 1_000
        socket = await made.watching(site=1)
        made.people.expires_at["ada"] = 2_000
        socket.say(type="authenticate", token="ada#newer")
        assert (await socket.frame())["expires_at"] == "1970-01-01T00:00:02.000Z"

        await made.sweeper.sweep(now=1_500, tick=0.0)
        made.redis.publish(1, ALERT)

        assert await socket.frame() == ALERT

    play(scene)


@pytest.mark.parametrize("token", ["bob", "nobody", "expired"])
def test_a_refused_token_or_another_users_ends_the_connection(token: str) -> None:
    async def scene(made: Rig) -> None:
        socket = await made.watching(site=1)
        socket.say(type="authenticate", token=token)

        assert await socket.close_code() == 4401

    play(scene)


def test_a_removed_member_hears_nothing_more_and_may_not_come_back() -> None:
    async def scene(made: Rig) -> None:
        socket = await made.watching(site=1, unit=10)
        made.people.member_of["ada"] = set()

        await made.sweeper.sweep(now=0, tick=float("inf"))

        told = [await socket.frame(), await socket.frame()]
        assert {"type": "unsubscribed", "site": 1, "reason": "not_found"} in told
        made.redis.publish(1, ALERT)
        socket.say(type="subscribe:site", site=1)
        assert (await socket.frame())["code"] == "not_found"

    play(scene)


def test_when_memberships_cannot_be_checked_any_longer_connections_end() -> None:
    async def scene(made: Rig) -> None:
        socket = await made.watching(site=1)
        made.people.is_away = True

        await made.sweeper.sweep(now=0, tick=float("inf"))

        assert await socket.close_code() == 1013

    play(scene)


def test_a_client_that_hangs_up_leaves_nothing_behind() -> None:
    async def scene(made: Rig) -> None:
        socket = await made.watching(site=1, unit=10)

        socket.hang_up()
        await asyncio.gather(*made.tasks)

        assert made.hub.clients == set()
        assert made.redis.channels == set()

    play(scene)
