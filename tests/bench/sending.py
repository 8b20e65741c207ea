"""Posts a fleet's uplinks at a steady rate from one cheap process, each device in order, 2 % of them out of range.

Run by `SenderProcess`. Its rate comes from outside and never from how fast it is answered: what is not taken yet waits here and
is counted. It takes one JSON command a line on its input, and tells how it stands once a second, a JSON line each.
"""

import asyncio
import contextlib
import json
import random
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self, cast

import httptools
import uvloop

from schemas.partitions import DEVICE_PARTITIONS, device_partition
from tests.bench.bodies import Template, instant_of, template_of

SLOT_SECONDS: Final = 0.01
"""Uplinks are due in slots of this length."""
OUT_SHARE: Final = 0.02
"""Of the readings: a single one out of range, which opens nothing."""
HOLD_SECONDS: Final = 2
"""With two samples at least: an excursion opens with its second reading out of range, and a single one opens none."""
OUT_SECONDS: Final = 20
"""An excursion is out of range for so long."""
POLICY: Final = {
    "bands": [
        {
            "name": "warm",
            "side": "high",
            "limit_celsius": 8,
            "hold_seconds": HOLD_SECONDS,
            "min_samples": 2,
            "recovery_margin_celsius": 0.5,
        },
        {
            "name": "cold",
            "side": "low",
            "limit_celsius": 2,
            "hold_seconds": HOLD_SECONDS,
            "min_samples": 2,
            "recovery_margin_celsius": 0.5,
        },
    ],
}
DRAIN_SECONDS: Final = 10.0
ACCEPTED: Final = 202


@dataclass(frozen=True, slots=True)
class Load:
    """What to send; given to the process as one JSON argument."""

    host: str
    port: int
    secret: str
    eui_base: int
    first: int
    """Place in the fleet of the first device."""
    devices: int
    per_second: float
    excursions_per_second: float = 2.0
    lanes: int = 128
    """Connections; a device stays on one, so that its uplinks keep their order."""
    below_partition: int = DEVICE_PARTITIONS
    """Only devices of partitions below this send."""

    def of_partitions_below(self, partition: int) -> Self:
        """Return the same for the devices of some partitions only."""
        return replace(self, below_partition=partition)

    @property
    def places(self) -> list[int]:
        """Return the places of the devices that send."""
        every = range(self.first, self.first + self.devices)
        return [place for place in every if device_partition(f"{self.eui_base + place:016X}") < self.below_partition]


class Devices:
    """What each device sends next."""

    def __init__(self, eui_base: int, places: Sequence[int], seed: int) -> None:
        """Make the templates of the devices at some places of a fleet."""
        self._templates: list[Template] = [template_of(f"{eui_base + place:016X}", place) for place in places]
        self._counts = [0] * len(places)
        self._out = [0] * len(places)
        """Readings out of range that are still to come."""
        self._chance = random.Random(seed)
        self._at = 0
        self._wanted = 0.0
        """Excursions that should have begun by now."""

    def next(self, instant: bytes, excursions: float, out_readings: int) -> tuple[int, bytes]:
        """Return the next device's place among them and its body; `excursions` more are to begin."""
        place, self._at = self._at, (self._at + 1) % len(self._templates)
        self._wanted += excursions
        chance = self._chance.random()
        if self._wanted >= 1 and not self._out[place]:
            self._wanted -= 1
            self._out[place] = out_readings
        elif not self._out[place] and chance < OUT_SHARE:
            self._out[place] = 1
        is_out = self._out[place] > 0
        if is_out:
            self._out[place] -= 1
        self._counts[place] += 1
        hundredths = int(chance * 1e6) % 300 + (900 if is_out else 350)
        return place, self._templates[place].body(instant, self._counts[place], hundredths)


def out_readings_of(interval_seconds: float) -> int:
    """Return how many readings of an excursion are out of range."""
    return int(OUT_SECONDS / interval_seconds) + 2


class Lane(asyncio.Protocol):
    """One kept connection: at most one request is under way, the others wait."""

    def __init__(self, head: bytes, state: "State") -> None:
        """Send requests that begin with this head."""
        self._head = head
        self._state = state
        self._waiting: deque[bytes] = deque()
        self._sent_at = 0.0
        self._busy = False
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that this load cannot be kept up."""
        self._transport = None
        if not self._state.ending:
            self._state.broken = f"a connection ended: {exc}"

    def post(self, body: bytes) -> None:
        """Send a body, at once or when those before it were answered."""
        if self._busy:
            self._waiting.append(body)
        else:
            self._write(body)

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Count the answer and send what waits."""
        status = self._parser.get_status_code()
        self._parser = httptools.HttpResponseParser(self)
        self._state.answered(status, time.perf_counter() - self._sent_at)
        self._busy = False
        if self._waiting:
            self._write(self._waiting.popleft())

    def _write(self, body: bytes) -> None:
        if self._transport is None:
            self._state.broken = self._state.broken or "a connection is closed"
            return
        self._busy = True
        self._sent_at = time.perf_counter()
        self._transport.write(b"%s%d\r\n\r\n%s" % (self._head, len(body), body))


class State:
    """What was sent and answered so far."""

    def __init__(self, per_second: float) -> None:
        """Begin at a rate."""
        self.per_second = per_second
        self.due = 0
        self.acknowledged = 0
        self.refused = 0
        self.ending = False
        self.broken = ""
        self._took: list[float] = []

    def answered(self, status: int, seconds: float) -> None:
        """Count one answer."""
        if status == ACCEPTED:
            self.acknowledged += 1
        else:
            self.refused += 1
        self._took.append(seconds)

    @property
    def waiting(self) -> int:
        """Uplinks that are due and not answered."""
        return self.due - self.acknowledged - self.refused

    def line(self) -> dict[str, Any]:
        """Return how it stands, with the answers' times since the last line."""
        took, self._took = sorted(self._took), []
        return {
            "sent": self.due,
            "acknowledged": self.acknowledged,
            "refused": self.refused,
            "waiting": self.waiting,
            "ack_p50_ms": round(took[len(took) // 2] * 1000, 2) if took else None,
            "ack_p99_ms": round(took[int(len(took) * 0.99)] * 1000, 2) if took else None,
            "broken": self.broken,
        }


async def send(load: Load) -> None:
    """Send until told to stop."""
    loop = asyncio.get_running_loop()
    state = State(load.per_second)
    devices = Devices(load.eui_base, load.places, seed=load.first)
    head = (
        f"POST /api/webhooks/ttn HTTP/1.1\r\nHost: {load.host}:{load.port}\r\nX-Coldstream-Secret: {load.secret}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    lanes = [(await loop.create_connection(lambda: Lane(head, state), load.host, load.port))[1] for _ in range(load.lanes)]
    commands = asyncio.create_task(take_commands(state))
    told_at = slot_at = time.perf_counter()
    credit = 0.0
    while not commands.done() and not state.broken:
        now = time.perf_counter()
        credit += (now - slot_at) * state.per_second
        slot_at = now
        if credit >= 1:
            out_readings = out_readings_of(load.devices / state.per_second)
            instant = instant_of(int(time.time() * 1000))
            while credit >= 1:
                credit -= 1
                place, body = devices.next(instant, load.excursions_per_second / state.per_second, out_readings)
                state.due += 1
                lanes[place % len(lanes)].post(body)
        if now - told_at >= 1:
            told_at += 1
            print(json.dumps(state.line()), flush=True)
        await asyncio.sleep(SLOT_SECONDS)
    drained_by = time.perf_counter() + DRAIN_SECONDS
    while state.waiting and not state.broken and time.perf_counter() < drained_by:
        await asyncio.sleep(SLOT_SECONDS)
    state.ending = True
    print(json.dumps(state.line()), flush=True)


async def take_commands(state: State) -> None:
    """Take new rates, and return at a stop or at the input's end."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        if "per_second" not in command:
            return
        state.per_second = command["per_second"]


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(send(Load(**json.loads(sys.argv[1]))))
