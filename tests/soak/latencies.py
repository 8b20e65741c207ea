"""Accepted to WebSocket, per minute, from a subscriber's tape: readings by their `received_at`, alerts by what caused them."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from pipelines.domain.instants import parse_instant
from schemas.events import AlertData, Event, EventName, ReadingData
from tests.faults.checker.evidence import Seen, Via

MINUTE_MS: Final = 60_000


class _Batch(msgspec.Struct):
    readings: list[ReadingData]


_SEEN: Final = msgspec.json.Decoder(Seen)
_EVENT: Final = msgspec.json.Decoder(Event)
_READING: Final = msgspec.json.Decoder(ReadingData)
_BATCH: Final = msgspec.json.Decoder(_Batch)
_ALERT: Final = msgspec.json.Decoder(AlertData)


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of what was told; ms."""

    seconds: float
    """Since the first."""
    count: int
    p50: float
    p99: float
    longest: float


def minutes_of(tape: Path) -> dict[str, list[Minute]]:
    """Return the latencies of readings and of alerts by the minute they were told in."""
    told: dict[str, dict[int, list[int]]] = {"readings": defaultdict(list), "alerts": defaultdict(list)}
    with tape.open("rb") as file:
        for line in file:
            seen = _SEEN.decode(line)
            if seen.via != Via.WEBSOCKET:
                continue
            event = _EVENT.decode(seen.event)
            minute = seen.at // MINUTE_MS
            match EventName(event.event):
                case EventName.READING:
                    told["readings"][minute].append(seen.at - parse_instant(_READING.decode(event.data).received_at))
                case EventName.READINGS:
                    told["readings"][minute] += [seen.at - parse_instant(one.received_at) for one in _BATCH.decode(event.data).readings]
                case EventName.ALERT_TRIGGERED | EventName.ALERT_RESOLVED:
                    caused_at = _ALERT.decode(event.data).caused_by_received_at
                    if caused_at is not None:
                        told["alerts"][minute].append(seen.at - parse_instant(caused_at))
                case EventName.UNIT_STATE_CHANGED:
                    pass
    first = min((minute for by_minute in told.values() for minute in by_minute), default=0)
    return {kind: [_minute(minute - first, by_minute[minute]) for minute in sorted(by_minute)] for kind, by_minute in told.items()}


def _minute(place: int, values: list[int]) -> Minute:
    p50, p99, longest = np.percentile(values, [50, 99, 100])
    return Minute(place * 60.0, len(values), float(p50), float(p99), float(longest))
