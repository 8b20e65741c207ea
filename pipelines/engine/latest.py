"""The newest reading of each sensor, by measured_at: kept in a plain table, and published as a hint after the commit."""

from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import psycopg

from pipelines.connectors.clock import monotonic
from pipelines.connectors.live import LivePublisher
from pipelines.domain.instants import format_instant
from pipelines.engine.arrays import Array
from pipelines.engine.reading_columns import newest_of_each
from schemas.events import Event, EventName, ReadingData, live_channel
from schemas.readings import ABSENT_I1, ABSENT_I2, RowFlag, RowKind, Rows
from schemas.reasons import reason_of_code

UPSERT: Final = """
INSERT INTO latest_readings AS known (sensor_id, organization_id, unit_id, measured_at, received_at, temperature, humidity,
  battery_millivolts, battery_percent, door_open, reason)
SELECT sensor, organization, unit, to_timestamp(measured / 1000.0), to_timestamp(received / 1000.0), temperature, humidity, millivolts,
  percent, door, reason
FROM unnest(%s::integer[], %s::integer[], %s::integer[], %s::bigint[], %s::bigint[], %s::smallint[], %s::smallint[], %s::smallint[],
  %s::smallint[], %s::boolean[], %s::smallint[])
  AS new (sensor, organization, unit, measured, received, temperature, humidity, millivolts, percent, door, reason)
ON CONFLICT (sensor_id) DO UPDATE SET
  organization_id = excluded.organization_id, unit_id = excluded.unit_id, measured_at = excluded.measured_at,
  received_at = excluded.received_at, temperature = excluded.temperature, reason = excluded.reason,
  humidity = coalesce(excluded.humidity, known.humidity),
  battery_millivolts = coalesce(excluded.battery_millivolts, known.battery_millivolts),
  battery_percent = coalesce(excluded.battery_percent, known.battery_percent),
  door_open = coalesce(excluded.door_open, known.door_open)
WHERE excluded.measured_at >= known.measured_at
  AND (excluded.temperature IS NOT NULL OR excluded.reason IS NOT NULL OR known.temperature IS NULL)
"""
UPSERT_ANCILLARY: Final = """
UPDATE latest_readings AS known SET
  humidity = coalesce(new.humidity, known.humidity),
  battery_millivolts = coalesce(new.millivolts, known.battery_millivolts),
  battery_percent = coalesce(new.percent, known.battery_percent),
  door_open = coalesce(new.door, known.door_open)
FROM unnest(%s::integer[], %s::smallint[], %s::smallint[], %s::smallint[], %s::boolean[]) AS new (sensor, humidity, millivolts, percent, door)
WHERE known.sensor_id = new.sensor
"""
GROW_SENSORS: Final = 4_096
SITES_SECONDS: Final = 10.0
"""How long a reading may be told to the site that its unit was moved from; alerts and states ask each time."""
NEVER: Final = np.iinfo(np.int64).min

Message = tuple[str, bytes]


class LatestReadings:
    """Knows when each sensor was last measured; writes and publishes what is newer."""

    def __init__(self, publisher: LivePublisher | None) -> None:
        """Take where to publish; None publishes nothing."""
        self._publisher = publisher
        self._newest: npt.NDArray[np.int64] = np.full(GROW_SENSORS, NEVER, dtype=np.int64)
        self._site_of_unit: dict[int, int] = {}
        self._sites_at = float("-inf")

    def load(self, connection: psycopg.Connection) -> None:
        """Read the table."""
        known = connection.execute(
            "SELECT sensor_id, (extract(epoch FROM measured_at) * 1000)::bigint FROM latest_readings "
            "WHERE temperature IS NOT NULL OR reason IS NOT NULL"
        ).fetchall()
        self._newest[:] = NEVER
        if known:
            sensors, measured_at = (np.array(column, dtype=np.int64) for column in zip(*known, strict=True))
            self._room_for(sensors)
            self._newest[sensors] = measured_at

    def late(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Return which rows are older than something already stored of their sensor."""
        self._room_for(rows["sensor"])
        return np.asarray(rows["measured_at"] < self._newest[rows["sensor"]], dtype=np.bool_)

    def upsert(self, connection: psycopg.Connection, rows: Rows) -> list[Message]:
        """Write the newest of some inserted rows in the caller's transaction; return the messages to publish after the commit."""
        if not len(rows):
            return []
        rows = rows[rows["measured_at"] >= self._newest[rows["sensor"]]]
        if not len(rows):
            return []
        is_beside = rows["kind"] == RowKind.ANCILLARY
        believed, beside = (part[newest_of_each(part)] for part in (rows[~is_beside], rows[is_beside]))
        for part in (believed, beside):
            if len(part):
                connection.execute(UPSERT, columns_of(part))
        if len(beside):
            connection.execute(UPSERT_ANCILLARY, [columns_of(beside)[index] for index in (0, 6, 7, 8, 9)])
        if self._publisher is None:
            return []
        told = np.concatenate([believed, beside])
        # What a person corrected is not what was measured; REST says what it is.
        return self._messages(connection, told[(told["flags"] & RowFlag.CORRECTED) == 0])

    def committed(self, rows: Rows, messages: list[Message]) -> None:
        """Remember what is in, and publish. What stands beside no temperature makes no reading late."""
        believed = rows[rows["kind"] != RowKind.ANCILLARY]
        if len(believed):
            np.maximum.at(self._newest, believed["sensor"], believed["measured_at"])
        if self._publisher is not None:
            self._publisher.publish(messages)

    def _room_for(self, sensors: npt.NDArray[Any]) -> None:
        highest = int(sensors.max(initial=0))
        if highest >= len(self._newest):
            grown = np.full(max(highest + 1, 2 * len(self._newest)), NEVER, dtype=np.int64)
            grown[: len(self._newest)] = self._newest
            self._newest = grown

    def _messages(self, connection: psycopg.Connection, rows: Rows) -> list[Message]:
        by_site: dict[tuple[int, int], list[ReadingData]] = {}
        cursors: dict[tuple[int, int], str] = {}
        units, organizations = rows["unit"].tolist(), rows["organization"].tolist()
        sites = self._sites(connection, set(units))
        for data, unit, organization, offset in zip(reading_data(rows), units, organizations, rows["offset"].tolist(), strict=True):
            place = (organization, sites.get(unit, 0))
            by_site.setdefault(place, []).append(data)
            cursors[place] = f"r{offset}"
        messages = []
        for (organization, site), readings in by_site.items():
            content = msgspec.Raw(msgspec.json.encode({"readings": readings}))
            event = Event(EventName.READINGS, cursors[organization, site], organization, site, 0, content)
            messages.append((live_channel(organization), msgspec.json.encode(event)))
        return messages

    def _sites(self, connection: psycopg.Connection, units: set[int]) -> dict[int, int]:
        """Return the sites of some units; all are asked for anew when one is not known, and every few seconds: units are moved."""
        now = monotonic()
        if now - self._sites_at > SITES_SECONDS or not units <= self._site_of_unit.keys():
            self._site_of_unit = dict.fromkeys(units, 0) | dict(connection.execute("SELECT id, site_id FROM units").fetchall())
            self._sites_at = now
        return self._site_of_unit


def columns_of(rows: Rows) -> list[Array]:
    """Return the rows' columns, null where absent, in the order of UPSERT."""
    return [
        Array(rows["sensor"]),
        Array(rows["organization"]),
        Array(rows["unit"]),
        Array(rows["measured_at"]),
        Array(rows["received_at"]),
        optional(rows["temperature"], ABSENT_I2),
        optional(rows["humidity"], ABSENT_I2),
        optional(rows["battery_millivolts"], ABSENT_I2),
        optional(rows["battery_percent"], ABSENT_I1),
        Array(rows["door"] == 1, rows["door"] == ABSENT_I1),
        Array(rows["reason"].astype(np.int16), rows["kind"] != RowKind.FAULT),
    ]


def optional(values: npt.NDArray[Any], absent: int) -> Array:
    """Return a smallint column, null where absent."""
    return Array(values.astype(np.int16), values == absent)


def reading_data(rows: Rows) -> list[ReadingData]:
    """Return what a subscriber is told of some rows; column by column, as nearly every live reading is told."""
    columns = zip(
        rows["sensor"].tolist(),
        rows["unit"].tolist(),
        rows["measured_at"].tolist(),
        rows["received_at"].tolist(),
        rows["temperature"].tolist(),
        rows["humidity"].tolist(),
        rows["battery_millivolts"].tolist(),
        rows["battery_percent"].tolist(),
        rows["door"].tolist(),
        rows["kind"].tolist(),
        rows["reason"].tolist(),
        strict=True,
    )
    return [
        ReadingData(
            sensor=sensor,
            unit=unit,
            measured_at=format_instant(measured_at),
            received_at=format_instant(received_at),
            temperature_celsius=None if temperature == ABSENT_I2 else temperature / 100,
            humidity_percent=None if humidity == ABSENT_I2 else humidity / 100,
            battery_volts=None if millivolts == ABSENT_I2 else millivolts / 1000,
            battery_percent=None if percent == ABSENT_I1 else percent,
            door_open=None if door == ABSENT_I1 else bool(door),
            fault=reason_of_code(reason).value if kind == RowKind.FAULT else None,
        )
        for sensor, unit, measured_at, received_at, temperature, humidity, millivolts, percent, door, kind, reason in columns
    ]
