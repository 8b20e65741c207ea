"""A bad network between sender and API: requests are repeated, held, overtaken, and their answers lost. Seeded.

What is answered 202 here without the API having answered yet is delivered for certain: kept, and tried until the API takes it.
So an acknowledged uplink is always one that the API took or will take before `settled` returns.
"""

import asyncio
import contextlib
import random
import re
import threading
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

HOST: Final = "127.0.0.1"
TREATMENTS: Final = {
    # Handed on as it is.
    "pass": 0.70,
    # Sent two to five times at once; the first answer is handed on.
    "repeat": 0.10,
    # Sent again some seconds later.
    "echo": 0.05,
    # The API answered, and the connection is cut before the answer comes through: unknown to the sender.
    "cut after": 0.03,
    # Cut before the API saw it.
    "cut before": 0.02,
    # Held for a while: requests of other devices overtake it.
    "hold": 0.10,
}
"""What becomes of a request, and how often."""
KEPT: Final = 0.10
"""Of the requests of some devices: answered at once and delivered later, so that the device's own next ones overtake it."""
HOLD_SECONDS: Final = (0.1, 1.5)
LATER_SECONDS: Final = (0.5, 5.0)
AGAIN_SECONDS: Final = 0.3
TIMEOUT_SECONDS: Final = 6.0
TAKEN: Final = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"
DEV_EUI: Final = re.compile(rb'"dev_eui":"[0-9A-F]{14}([0-9A-F]{2})"')
REORDERED: Final = 4
"""Of so many devices one has its requests reordered."""


class Proxy:
    """Listens in a thread of its own, in front of one API."""

    def __init__(self, api_url: str, chance: random.Random) -> None:
        """Describe it."""
        self._port_of_api = urlsplit(api_url).port
        self._chance = chance
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._pending: set[asyncio.Task[None]] = set()
        self.forwards = 0
        """Requests written to the API, whatever came of them."""
        self.url = ""

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, HOST, 0), self._loop).result(10)
        self.url = f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop listening."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def settled(self, seconds: float) -> None:
        """Return once everything kept was taken by the API; raises TimeoutError."""
        asyncio.run_coroutine_threadsafe(self._until_empty(), self._loop).result(seconds)

    async def _until_empty(self) -> None:
        while self._pending:
            await asyncio.sleep(0.1)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: *([0-9]+)", head)
                request = head + await reader.readexactly(int(length[1]) if length else 0)
                answer = await self._treat(request)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        writer.close()

    async def _treat(self, request: bytes) -> bytes | None:
        """Return the answer to hand back; None cuts the connection."""
        device = DEV_EUI.search(request)
        if device is not None and int(device[1], 16) // 4 % REORDERED == 0 and self._chance.random() < KEPT:
            self._later(request, until_taken=True)
            return TAKEN
        (treatment,) = self._chance.choices(list(TREATMENTS), list(TREATMENTS.values()))
        match treatment:
            case "repeat":
                copies = [asyncio.create_task(self._forward(request)) for _ in range(self._chance.randint(2, 5))]
                answers = await asyncio.gather(*copies)
                return answers[0]
            case "echo":
                self._later(request, until_taken=False)
            case "cut after":
                await self._forward(request)
                return None
            case "cut before":
                return None
            case "hold":
                await asyncio.sleep(self._chance.uniform(*HOLD_SECONDS))
        return await self._forward(request)

    def _later(self, request: bytes, *, until_taken: bool) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(request, self._chance.uniform(*LATER_SECONDS), until_taken=until_taken))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _deliver(self, request: bytes, seconds: float, *, until_taken: bool) -> None:
        await asyncio.sleep(seconds)
        while True:
            answer = await self._forward(request)
            if not until_taken or (answer is not None and answer.startswith(b"HTTP/1.1 2")):
                return
            await asyncio.sleep(AGAIN_SECONDS)

    async def _forward(self, request: bytes) -> bytes | None:
        """Send a request to the API on a connection of its own and return the whole answer; None when there is none."""
        writer = None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                reader, writer = await asyncio.open_connection(HOST, self._port_of_api)
                writer.write(request)
                self.forwards += 1
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: *([0-9]+)", head)
                return head + await reader.readexactly(int(length[1]) if length else 0)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return None
        finally:
            if writer is not None:
                writer.close()
