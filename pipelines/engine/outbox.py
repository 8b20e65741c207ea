"""Events that are written with the facts they tell of, and sent to the log and to Redis after the commit.

A row is deleted once Kafka has acknowledged it; what a crash left behind is sent at the next start. So nothing recorded goes
untold; a record of `alerting` may come twice, with the same cursor.
"""

from dataclasses import dataclass
from typing import Final

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from pipelines.connectors.kafka import AckedProducer
from pipelines.connectors.live import LivePublisher
from pipelines.connectors.metrics import OUTBOX_LEFT_BEHIND, OUTBOX_SENT
from schemas.events import AlertData, Event, EventName, live_channel
from schemas.partitions import organization_partition
from schemas.topics import ALERTING

SEND_AT_ONCE: Final = 1_000
"""Rows taken from the outbox in one turn when catching up after a crash."""

INSERT: Final = """
INSERT INTO outbox (flow, cell, organization_id, site_id, unit_id, event, data) VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Tell:
    """An event to be told."""

    organization: int
    site: int
    unit: int
    event: EventName
    data: AlertData
    received_at: int
    """The broker's stamp of the record that led to it, ms UTC."""


LEFT_BEHIND: Final = """
SELECT id, organization_id, site_id, unit_id, event, data::text FROM outbox
WHERE flow = %(flow)s AND (cell = %(cell)s OR NOT EXISTS (
  SELECT FROM cell_leases WHERE cell_leases.flow = outbox.flow AND cell_leases.cell = outbox.cell AND cell_leases.expires_at > now()))
ORDER BY id LIMIT %(most)s
"""
"""Also of cells that nobody runs now: their partitions may have been grouped anew."""


class Outbox:
    """Writes events in the caller's transaction and sends them afterwards."""

    def __init__(self, flow: str, cell: str, producer: AckedProducer, publisher: LivePublisher) -> None:
        """Take where to send."""
        self._flow = flow
        self._cell = cell
        self._producer = producer
        self._publisher = publisher

    def write(self, connection: psycopg.Connection, tells: list[Tell]) -> dict[int, Event]:
        """Write events in the caller's transaction; return them by outbox id."""
        written = {}
        for tell in tells:
            data = msgspec.json.encode(tell.data)
            row = connection.execute(
                INSERT,
                (self._flow, self._cell, tell.organization, tell.site, tell.unit, tell.event.value, Jsonb(msgspec.json.decode(data))),
            ).fetchone()
            assert row is not None
            written[int(row[0])] = Event(tell.event, cursor_of(row[0]), tell.organization, tell.site, tell.unit, msgspec.Raw(data))
        return written

    def send(self, connection: psycopg.Connection, events: dict[int, Event]) -> None:
        """Send events whose transaction is in, and take them out of the outbox."""
        if not events:
            return
        messages = []
        for event in events.values():
            encoded = msgspec.json.encode(event)
            partition = organization_partition(event.organization)
            self._producer.send(ALERTING.name, partition, encoded, key=str(event.organization).encode())
            messages.append((live_channel(event.organization), encoded))
        self._publisher.publish(messages)
        self._producer.settle()
        connection.execute("DELETE FROM outbox WHERE id = ANY(%s)", (list(events),))
        for event in events.values():
            OUTBOX_SENT.labels(event.event).inc()

    def send_left_behind(self, connection: psycopg.Connection) -> int:
        """Send what a crash left in the outbox, of this cell or of one that does not run; return how many events that were."""
        sent = 0
        while True:
            rows = connection.execute(LEFT_BEHIND, {"flow": self._flow, "cell": self._cell, "most": SEND_AT_ONCE}).fetchall()
            if not rows:
                return sent
            events = {
                identity: Event(event, cursor_of(identity), organization, site, unit, msgspec.Raw(data.encode()))
                for identity, organization, site, unit, event, data in rows
            }
            self.send(connection, events)
            OUTBOX_LEFT_BEHIND.inc(len(events))
            sent += len(events)


def cursor_of(identity: int) -> str:
    """Return the opaque cursor of an event."""
    return f"e{identity}"
