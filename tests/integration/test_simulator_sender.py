"""The sender keeps each device in order and gives up on nothing, against a small webhook of its own."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from infra.simulator.fleet import build_fleet
from infra.simulator.journal import Journal, read_journal
from infra.simulator.mischief import CLEAN
from infra.simulator.physics import HOUR, MINUTE
from infra.simulator.sender import RefusedError, Sender, target_of
from infra.simulator.stages import Stage
from infra.simulator.traffic import traffic_of
from infra.simulator.uplink import Uplink
from pipelines.connectors.clock import now_ms

BEGIN = 1_760_000_000_000
HANG_UP = 0


class Webhook:
    """Answers with the statuses it is given, then with 202; HANG_UP ends the connection instead."""

    def __init__(self, *statuses: int) -> None:
        self.bodies: list[bytes] = []
        self.heads: list[str] = []
        self._statuses = list(statuses)

    def refuse_with(self, statuses: list[int]) -> None:
        """Answer with these first, as long as there are any in the list."""
        self._statuses = statuses

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
                body = await reader.readexactly(length)
                status = self._statuses.pop(0) if self._statuses else 202
                self.heads.append(head)
                if status == HANG_UP:
                    return
                if status < 300:
                    self.bodies.append(body)
                writer.write(f"HTTP/1.1 {status} Whatever\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()


def meeting(webhook: Webhook, work: Callable[[str], Awaitable[None]]) -> None:
    """Run some work with the URL of a served webhook."""

    async def meet() -> None:
        server = await asyncio.start_server(webhook.serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            await work(f"http://127.0.0.1:{port}")

    asyncio.run(meet())


def some_streams(hours: int = 3) -> list[Iterator[Uplink]]:
    stage = Stage.history(BEGIN, BEGIN + hours * HOUR, 5 * MINUTE)
    return [one.uplinks(stage) for one in traffic_of(build_fleet(12, 1), "app", CLEAN)]


def send(webhook: Webhook, journal: Journal | None = None) -> Sender:
    senders = []

    async def work(url: str) -> None:
        senders.append(Sender(target_of(url, "secret"), journal))
        await senders[0].run(some_streams(), paced=False)

    meeting(webhook, work)
    return senders[0]


def test_every_uplink_is_taken_once_and_each_device_in_order() -> None:
    webhook = Webhook()

    sender = send(webhook)

    expected = sorted(uplink.body for stream in some_streams() for uplink in stream)
    assert sorted(webhook.bodies) == expected
    assert sender.tally.acknowledged == sender.tally.total == len(expected)
    assert in_order(webhook.bodies)


def test_an_uplink_refused_for_now_or_cut_off_is_sent_again_before_the_next_of_its_device() -> None:
    webhook = Webhook(202, 503, HANG_UP, 202, 503, 503, HANG_UP, 500)

    sender = send(webhook)

    expected = sorted(uplink.body for stream in some_streams() for uplink in stream)
    assert sorted(webhook.bodies) == expected
    assert sender.tally.retries == 6
    assert in_order(webhook.bodies)


def test_a_body_that_will_never_be_taken_is_counted_and_passed_over() -> None:
    sender = send(Webhook(413))

    assert sender.tally.refused == 1
    assert sender.tally.acknowledged == sender.tally.total - 1


def test_a_wrong_secret_ends_the_whole_run() -> None:
    with pytest.raises(RefusedError, match="answers 401"):
        send(Webhook(202, 401))


def test_requests_carry_the_things_stack_s_headers() -> None:
    webhook = Webhook()

    send(webhook)

    head = webhook.heads[0]
    assert head.startswith("POST /api/webhooks/ttn HTTP/1.1\r\n")
    for line in (
        "X-Coldstream-Secret: secret",
        "Content-Type: application/json",
        "X-Tts-Domain: eu1",
        "X-Downlink-Apikey: ",
    ):
        assert line in head


def test_the_journal_holds_what_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path) as journal:
        sender = send(Webhook(503), journal)

    lines = read_journal(path)

    assert len(lines) == sender.tally.acknowledged
    assert sorted({line.tries for line in lines}) == [1, 2]
    assert {line.hundredths is None for line in lines if line.kind == "reading"} == {False}


def test_paced_uplinks_wait_until_they_are_due_and_a_stop_is_heard_at_once() -> None:
    webhook = Webhook()

    async def work(url: str) -> None:
        sender = Sender(target_of(url, "secret"))
        begin = now_ms()
        stage = Stage.live(begin, None, 200, begin)
        streams = [one.uplinks(stage) for one in traffic_of(build_fleet(2, 1), "app", CLEAN)]
        running = asyncio.create_task(sender.run(streams, paced=True))
        await asyncio.sleep(1.0)
        sender.stop()
        await asyncio.wait_for(running, 1.0)
        assert sender.tally.given_up == 0

    meeting(webhook, work)

    assert 9 <= len(webhook.bodies) <= 18


@pytest.mark.parametrize(("patience", "gives_up"), [(0.0, True), (10.0, False)])
def test_what_is_not_taken_when_the_sender_stops_is_tried_again_for_as_long_as_it_is_told(patience: float, gives_up: bool) -> None:
    refusals = [503] * 10_000
    webhook = Webhook()
    webhook.refuse_with(refusals)

    async def work(url: str) -> None:
        sender = Sender(target_of(url, "secret"))
        running = asyncio.create_task(sender.run(some_streams(), paced=False))
        await asyncio.sleep(0.3)
        sender.stop(patience)
        await asyncio.sleep(0.3)
        refusals.clear()
        await asyncio.wait_for(running, 10.0)
        assert bool(sender.tally.given_up) is gives_up
        assert bool(sender.tally.acknowledged) is not gives_up

    meeting(webhook, work)


def in_order(bodies: list[bytes]) -> bool:
    times = defaultdict(list)
    for body in bodies:
        message = json.loads(body)
        inner = message.get("uplink_message") or message["join_accept"]
        times[message["end_device_ids"]["dev_eui"]].append(inner["received_at"])
    return all(earlier < later for of_device in times.values() for earlier, later in pairwise(of_device))
