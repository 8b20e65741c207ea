"""From a recorded version of an excursion to the events that tell of it."""

from collections.abc import Iterable
from dataclasses import replace

import msgspec
import psycopg

from pipelines.domain.instants import format_instant
from pipelines.domain.recording import Reason, Recorded, Standing
from pipelines.engine.outbox import Tell
from schemas.events import AlertData, EventName


def tells_of(connection: psycopg.Connection, recorded: Recorded, standing: Iterable[Standing], received_at: int) -> list[Tell]:
    """Return the events of a version; `standing` is what stood of the sensor and band before it.

    Where it is found at another unit than before, those who watch that one are told first that nothing of it is so there.
    `received_at` is the broker's stamp (ms UTC) of what led to it.
    """
    told = tell_of(connection, recorded, received_at)
    before = next((one for one in standing if one.id == recorded.standing.id), None)
    if before is None or before.found.unit == told.unit:
        return [told]
    left = tell_of(connection, Recorded(replace(before, version=recorded.standing.version), Reason.VOID), received_at)
    data = msgspec.structs.replace(left.data, reason=recorded.reason.value, moved_to=told.unit)
    return [replace(left, data=data), told]


def tell_of(connection: psycopg.Connection, recorded: Recorded, received_at: int) -> Tell:
    """Return the event of a version at the unit where it was found."""
    found = recorded.standing.found
    over = found.closed_at is not None or recorded.reason is Reason.VOID
    data = AlertData(
        id=str(recorded.standing.id),
        version=recorded.standing.version,
        category="temperature",
        severity=found.severity,
        sensor=found.sensor,
        device=found.device,
        started_at=format_instant(found.started_at),
        opened_at=format_instant(found.opened_at),
        caused_by_received_at=format_instant(received_at),
        band=found.band,
        kind=found.kind,
        side=found.side,
        limit_celsius=found.limit / 100,
        ended_at=None if found.ended_at is None else format_instant(found.ended_at),
        closed_at=None if found.closed_at is None else format_instant(found.closed_at),
        ended_by="void" if recorded.reason is Reason.VOID else found.ended_by,
        peak_celsius=None if found.figures.peak is None else found.figures.peak / 100,
        reason=recorded.reason.value,
    )
    event = EventName.ALERT_RESOLVED if over else EventName.ALERT_TRIGGERED
    return Tell(found.organization, site_of(connection, found.unit), found.unit, event, data, received_at)


def site_of(connection: psycopg.Connection, unit: int) -> int:
    """Return the site a unit is at now; it may have moved, and alerts are few."""
    row = connection.execute("SELECT site_id FROM units WHERE id = %s", (unit,)).fetchone()
    return int(row[0]) if row is not None else 0
