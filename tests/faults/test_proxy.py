"""The bad network repeats, delays and cuts, and never acknowledges what does not reach the API in the end."""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from tests.faults.proxy import Proxy


class Counting(BaseHTTPRequestHandler):
    """An API that takes everything and keeps count."""

    protocol_version = "HTTP/1.1"
    taken: ClassVar[Counter[bytes]] = Counter()

    def do_POST(self) -> None:
        self.taken[self.rfile.read(int(self.headers["Content-Length"]))] += 1
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[str]:
    """The counting API."""
    Counting.taken = Counter()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def body(number: int) -> bytes:
    return b'{"end_device_ids":{"dev_eui":"70B3D5000000%04X"},"number":%d}' % (number % 16 * 4, number)


async def post(url: str, numbers: range) -> int:
    """Post bodies one after another, each until it is acknowledged; return how many tries that took."""
    tries = 0
    for number in numbers:
        while True:
            tries += 1
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body(number)), body(number)))
            answer = await reader.read(100)
            writer.close()
            if answer.startswith(b"HTTP/1.1 202"):
                break
    return tries


async def post_all(url: str, count: int, lanes: int) -> int:
    share = count // lanes
    return sum(await asyncio.gather(*(post(url, range(lane * share, (lane + 1) * share)) for lane in range(lanes))))


def test_everything_acknowledged_reaches_the_api_and_every_request_is_counted(api: str) -> None:
    with Proxy(api, random.Random(5)) as proxy:
        tries = asyncio.run(post_all(proxy.url, 400, 40))
        proxy.settled(30)

    assert set(Counting.taken) == {body(number) for number in range(400)}
    assert Counting.taken.total() == proxy.forwards
    assert max(Counting.taken.values()) >= 3
    assert tries > 400
