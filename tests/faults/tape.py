"""A subscriber that writes down every event it sees: one WebSocket of every site, and the topics `alerting` and `revisions`.

`python -m tests.faults.tape FILE --site 1 --site 2`; the servers are those that the environment names. It judges nothing.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import Final

import httpx
import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from infra.demo.listener import is_subscribed, mint
from schemas.revisions import decode_revision
from schemas.topics import ALERTING, REVISIONS
from tests.faults.checker.evidence import Seen, Via

AGAIN_SECONDS: Final = 0.5
USER: Final = "demo"


class Tape:
    """Appends lines to a file, each at once."""

    def __init__(self, path: Path) -> None:
        """Begin the file anew."""
        self._file = path.open("wb", buffering=0)
        self._lock = threading.Lock()

    def write(self, seen: Seen) -> None:
        """Write a line."""
        with self._lock:
            self._file.write(msgspec.json.encode(seen) + b"\n")


def now() -> int:
    """Return ms UTC."""
    return time.time_ns() // 1_000_000


async def watch(tape: Tape, api_url: str, sandbox_url: str, sites: list[int]) -> None:
    """Keep a WebSocket open and write down its events, and when it was connected, gone or told to fetch again."""
    while True:
        connected = False
        with contextlib.suppress(OSError, WebSocketException, TimeoutError, httpx.HTTPError):
            token = await mint(sandbox_url, USER)
            address = f"ws{api_url.removeprefix('http')}/ws"
            async with connect(address, proxy=None, compression=None, max_size=None, max_queue=None) as socket:
                await socket.send(msgspec.json.encode({"type": "authenticate", "token": token}).decode())
                for site in sites:
                    await socket.send(msgspec.json.encode({"type": "subscribe:site", "site": site}).decode())
                waiting = len(sites)
                async for frame in socket:
                    text = frame.encode() if isinstance(frame, str) else frame
                    if b'"event"' in text[:40]:
                        tape.write(Seen(Via.WEBSOCKET, now(), event=msgspec.Raw(text)))
                    elif b'"resync"' in text:
                        tape.write(Seen(Via.LINE, now(), note="resync"))
                    elif is_subscribed(frame):
                        waiting -= 1
                        if not waiting:
                            connected = True
                            tape.write(Seen(Via.LINE, now(), note="connected"))
        if connected:
            tape.write(Seen(Via.LINE, now(), note="gone"))
        await asyncio.sleep(AGAIN_SECONDS)


def follow(tape: Tape, bootstrap_servers: str, stopping: threading.Event) -> None:
    """Write down every record of the two topics, from their beginning."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "tape", "enable.auto.commit": False, "log_level": 0})
    topics = (ALERTING, REVISIONS)
    consumer.assign([TopicPartition(topic.name, number, OFFSET_BEGINNING) for topic in topics for number in range(topic.partitions)])
    while not stopping.is_set():
        for message in consumer.consume(500, 0.2):
            value = message.value()
            if message.error() is not None or value is None:
                continue
            at = message.timestamp()[1]
            if message.topic() == ALERTING.name:
                tape.write(Seen(Via.ALERTING, at, event=msgspec.Raw(value)))
            else:
                tape.write(Seen(Via.REVISIONS, at, sensor=decode_revision(value).sensor))
    consumer.close()


async def record(tape: Tape, sites: list[int]) -> None:
    """Record until told to stop."""
    stopping, over = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, over.set)
    following = asyncio.create_task(asyncio.to_thread(follow, tape, os.environ["KAFKA_BOOTSTRAP_SERVERS"], stopping))
    watching = asyncio.create_task(watch(tape, os.environ["API_URL"], os.environ["SANDBOX_URL"], sites))
    await over.wait()
    watching.cancel()
    stopping.set()
    await following


def main() -> None:
    """Record."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.tape", description="Write down every event seen.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--site", type=int, action="append", required=True)
    wanted = parser.parse_args()
    asyncio.run(record(Tape(wanted.file), wanted.site))


if __name__ == "__main__":
    main()
