"""The events seen against the tables: told once, told as recorded, told in time, and seen by whoever was connected."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from api.ingest.ticks import FIRST_TICK_SECONDS, INTERVAL_SECONDS
from infra.local.parts import Part
from pipelines.domain.instants import parse_instant
from schemas.events import AlertData, Event, EventName, ReadingData
from tests.faults.checker.evidence import Evidence, Fault, Key, Told, Via, judged_again
from tests.faults.checker.findings import Delay, Finding, Kind

ALERTS: Final = frozenset({EventName.ALERT_TRIGGERED.value, EventName.ALERT_RESOLVED.value})
LATE_MS: Final = 4_000
"""A deadline that passes with no further reading is told within this, while nothing is broken."""
LATE_AFTER_HEAL_MS: Final = 60_000
"""What a fault held up is told within this after it is healed."""
LONGEST_STAND_MS: Final = 60_000
"""And within as much again as the fault lasted: after an outage of ingest the clock waits, at most so long."""
TICKING: Final = frozenset({Part.API.value, Part.KAFKA.value})
FIRST_TICK_MS: Final = round((FIRST_TICK_SECONDS + INTERVAL_SECONDS) * 1_000)
"""Ticks begin so long after what writes or takes them is back: for the clock the outage lasted until then."""
CONNECTED_BEFORE_MS: Final = 2_000
"""Who connected, or was told to fetch everything again, so shortly before an event need not have seen the event."""

_EVENT: Final = msgspec.json.Decoder(Event)
_ALERT: Final = msgspec.json.Decoder(AlertData)
_READING: Final = msgspec.json.Decoder(ReadingData)


class _Batch(msgspec.Struct):
    readings: list[ReadingData]


_BATCH: Final = msgspec.json.Decoder(_Batch)


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as it was seen."""

    via: str
    at: int
    cursor: str
    data: AlertData

    @property
    def told(self) -> Told:
        """What it tells of."""
        return self.data.id, self.data.version

    @property
    def instant(self) -> int:
        """When what it tells of happened."""
        data = self.data
        return parse_instant(data.opened_at if data.closed_at is None else data.closed_at)


def check_events(evidence: Evidence) -> Iterator[Finding]:
    """Compare the tape with the tables."""
    alerts = _alerts(evidence)
    sent = {(line.dev_eui, line.measured_at): line.hundredths for line in evidence.journal}
    devices = {sensor.number: sensor.dev_eui for sensor in evidence.tables.sensors}
    for seen in evidence.tape:
        if seen.via not in alerts:
            continue
        event = _EVENT.decode(seen.event)
        if event.event == EventName.READING:
            yield from _reading(_READING.decode(event.data), sent, devices)
        elif event.event == EventName.READINGS:
            for reading in _BATCH.decode(event.data).readings:
                yield from _reading(reading, sent, devices)
    recorded = _recorded(evidence)
    if evidence.tables.outbox:
        yield Finding(Kind.LOST, f"{evidence.tables.outbox} events are still in the outbox")
    for told in recorded.keys() - alerts[Via.ALERTING].keys():
        if not evidence.tables.outbox:
            yield Finding(Kind.LOST, f"{told[0]} version {told[1]} is recorded and was never told")
    for via, by_told in alerts.items():
        for told, several in by_told.items():
            yield from _as_recorded(via, told, several, recorded.get(told))
    yield from _unseen(evidence, alerts[Via.ALERTING], alerts[Via.WEBSOCKET])
    again = judged_again(evidence)
    for first in _firsts(alerts, again):
        if first.at > allowed_until(evidence.faults, first.instant):
            late = f"{first.told[0]} version {first.told[1]} of {first.instant} was told {first.at - first.instant} ms later"
            yield Finding(Kind.LATE, late)


def delays_of(evidence: Evidence) -> list[Delay]:
    """Return how long after its instant each alert was first seen, and by which bound it was held."""
    return [
        Delay(first.at, first.at - first.instant, allowed_until(evidence.faults, first.instant) == first.instant + LATE_MS)
        for first in _firsts(_alerts(evidence), judged_again(evidence))
    ]


def _alerts(evidence: Evidence) -> dict[str, dict[Told, list[Alert]]]:
    """Return every alert seen, by where and by what it tells of."""
    alerts: dict[str, dict[Told, list[Alert]]] = {Via.ALERTING: defaultdict(list), Via.WEBSOCKET: defaultdict(list)}
    for seen in evidence.tape:
        if seen.via in alerts:
            event = _EVENT.decode(seen.event)
            if event.event in ALERTS:
                alert = Alert(seen.via, seen.at, event.cursor, _ALERT.decode(event.data))
                if alert.data.moved_to is None:  # for the unit that it was at before; where it is now is told with the same version
                    alerts[seen.via][alert.told].append(alert)
    return alerts


def count_told(evidence: Evidence) -> int:
    """Return how many alerts are in the log of events."""
    return sum(1 for seen in evidence.tape if seen.via == Via.ALERTING)


def _reading(reading: ReadingData, sent: dict[Key, int | None], devices: dict[int, str]) -> Iterator[Finding]:
    key = devices.get(reading.sensor, ""), parse_instant(reading.measured_at)
    shown = None if reading.temperature_celsius is None else round(reading.temperature_celsius * 100)
    if key not in sent:
        yield Finding(Kind.PHANTOM, f"reading {key[0]}@{key[1]} was told and never sent")
    elif shown != sent[key]:
        yield Finding(Kind.WRONG, f"reading {key[0]}@{key[1]} was told as {shown}, sent was {sent[key]}")


def _recorded(evidence: Evidence) -> dict[Told, tuple[int, int | None, int | None]]:
    """Return when each version of an excursion or condition started and ended, and its peak."""
    recorded: dict[Told, tuple[int, int | None, int | None]] = {
        (str(one.excursion), one.version): (one.started_at, one.closed_at, one.peak) for one in evidence.tables.versions
    }
    recorded |= {
        (str(one.condition), one.version): (one.started_at, one.closed_at, None) for one in evidence.tables.conditions if one.is_told
    }
    return recorded


def _as_recorded(via: str, told: Told, several: list[Alert], recorded: tuple[int, int | None, int | None] | None) -> Iterator[Finding]:
    """Compare what was told of one version with its record; the same cursor twice is allowed, and says so of itself."""
    where = f"{told[0]} version {told[1]} ({via})"
    if recorded is None:
        yield Finding(Kind.PHANTOM, f"{where} was told and is not recorded")
        return
    cursors = {alert.cursor for alert in several}
    if len(cursors) > 1:
        yield Finding(Kind.DOUBLED, f"{where} was told as {sorted(cursors)}")
    data = several[0].data
    closed_at = None if data.closed_at is None else parse_instant(data.closed_at)
    peak = None if data.peak_celsius is None else round(data.peak_celsius * 100)
    if (parse_instant(data.started_at), closed_at, peak) != recorded:
        yield Finding(Kind.WRONG, f"{where} was told as {(data.started_at, data.closed_at, peak)}, recorded is {recorded}")


def _unseen(evidence: Evidence, logged: dict[Told, list[Alert]], seen: dict[Told, list[Alert]]) -> Iterator[Finding]:
    """Yield alerts that a WebSocket client missed although it was connected and never told to fetch again."""
    lines = [line for line in evidence.tape if line.via == Via.LINE]
    for told, several in logged.items():
        if told in seen:
            continue
        at = several[0].at
        before = [line.note for line in lines if line.at < at - CONNECTED_BEFORE_MS and line.note in {"connected", "gone"}]
        due = allowed_until(evidence.faults, at)
        disturbed = any(at - CONNECTED_BEFORE_MS <= line.at <= due for line in lines)
        if before and before[-1] == "connected" and not disturbed:
            yield Finding(Kind.LOST, f"{told[0]} version {told[1]} was told at {at}, and a connected client did not see it")


def _firsts(alerts: dict[str, dict[Told, list[Alert]]], again: set[int]) -> Iterator[Alert]:
    """Yield the first sight of each alert, wherever that was, of sensors that were not judged again: late readings are told of late."""
    for told in sorted(alerts[Via.ALERTING].keys() | alerts[Via.WEBSOCKET].keys()):
        first = min((alert for by_told in alerts.values() for alert in by_told.get(told, [])), key=lambda alert: alert.at)
        if first.data.sensor not in again:
            yield first


def allowed_until(faults: Sequence[Fault], instant: int) -> int:
    """Return until when something must have been told that happened at an instant.

    Only what was broken within the 4 s after it excuses more, and only until one bound after the heal: faults do not add up. A fault
    lasts, for this, as long as it was broken and as long again (at most a minute): so long does the clock stand afterwards.
    """
    due = instant + LATE_MS
    stood = [stood_until(fault) for fault in faults if fault.began_at <= due]
    return max([due, *(until + LATE_AFTER_HEAL_MS for until in stood if until >= instant)])


def stood_until(fault: Fault) -> int:
    """Return until when the clock of the partitions stood because of a fault."""
    back_at = fault.healed_at + (FIRST_TICK_MS if fault.part in TICKING else 0)
    return back_at + min(back_at - fault.began_at, LONGEST_STAND_MS)
