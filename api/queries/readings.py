"""Readings: the latest of each sensor, raw ones in a stretch, and what is known per bucket of time."""

from datetime import datetime
from typing import Final

from api.database import Database, Row
from api.shapes import BucketAnswer, LatestAnswer, ReadingAnswer
from schemas.reasons import reason_of_code

LATEST: Final = """
SELECT l.sensor_id, l.unit_id, l.measured_at, l.received_at, l.temperature, l.humidity, l.battery_millivolts, l.battery_percent, l.door_open,
  l.reason, c.sensor_id IS NOT NULL AS is_corrected
FROM {of} ON c.sensor_id = l.sensor_id AND l.measured_at >= c.starts_at AND l.measured_at < c.ends_at
WHERE l.organization_id = ANY(%(scope)s) AND {where}
"""
EVERY: Final = "latest_readings l LEFT JOIN corrected_stretches c"
MOVED: Final = "corrected_stretches c JOIN latest_readings l"
OF_SENSORS: Final = LATEST.format(of=EVERY, where="l.sensor_id = ANY(%(sensors)s)")
OF_UNITS: Final = (
    LATEST.format(of=EVERY, where="l.unit_id = ANY(%(units)s)")
    + " UNION ALL "
    + LATEST.format(of=MOVED, where="c.unit_id = ANY(%(units)s) AND l.unit_id <> ALL(%(units)s)")
)
"""Of sensors that measured in some units last, and of those whose last reading a correction moves there: by parts, each with its index."""

_BELIEVED: Final = """
(SELECT unit_id, measured_at, measured_at + received_after_ms * interval '1 millisecond' AS received_at, temperature, reason FROM {part}
 WHERE sensor_id = wanted.sensor_id AND (temperature IS NOT NULL OR reason IS NOT NULL) ORDER BY measured_at DESC LIMIT 1)
"""
BELIEVED: Final = f"""
SELECT wanted.sensor_id, newest.*
FROM unnest(%(sensors)s::integer[]) AS wanted (sensor_id)
CROSS JOIN LATERAL (
  SELECT * FROM ({_BELIEVED.format(part="readings_in_place")} UNION ALL {_BELIEVED.format(part="readings_moved")}) AS parts
  ORDER BY measured_at DESC LIMIT 1
) AS newest
"""
"""The newest reading or fault mark of each of some sensors as corrections leave it: looked for where the last one that came is corrected."""

_RAW_PART: Final = """
(SELECT sensor_id, unit_id, measured_at, measured_at + received_after_ms * interval '1 millisecond' AS received_at,
       temperature, humidity, battery_millivolts, battery_percent, door_open, reason, late, raw_temperature, is_corrected
FROM {part}
WHERE organization_id = ANY(%(scope)s) AND {where} AND measured_at >= %(start)s AND measured_at < %(end)s
  AND (%(known_at)s::timestamptz IS NULL OR measured_at + received_after_ms * interval '1 millisecond' <= %(known_at)s)
  AND (%(after_at)s::timestamptz IS NULL OR (measured_at, sensor_id) {beyond} (%(after_at)s, %(after_sensor)s))
ORDER BY measured_at {order}, sensor_id {order}
LIMIT %(limit)s)
"""
RAW: Final = (
    _RAW_PART.replace("{part}", "readings_in_place")
    + " UNION ALL "
    + _RAW_PART.replace("{part}", "readings_moved")
    + " ORDER BY measured_at {order}, sensor_id {order} LIMIT %(limit)s"
)
"""As corrected, by parts: each finds its page by its index."""

BUCKETS: Final = """
WITH gaps AS (
  SELECT id AS configuration_id, sensor_id, max_gap_ms * interval '1 millisecond' AS max_gap
  FROM sensor_configurations
  WHERE organization_id = ANY(%(scope)s)
), reach AS (
  SELECT coalesce(max(max_gap), interval '0') AS longest FROM gaps
  WHERE sensor_id IN (SELECT sensor_id FROM assignments WHERE {where_sensor})
), marks AS (
  SELECT r.sensor_id, r.measured_at, r.temperature, r.configuration_id,
         least(lead(r.measured_at) OVER (PARTITION BY r.sensor_id ORDER BY r.measured_at), %(horizon)s::timestamptz) AS next_at
  FROM corrected_readings r
  WHERE r.organization_id = ANY(%(scope)s) AND r.{where}
    AND r.measured_at >= %(start)s - (SELECT longest FROM reach) AND r.measured_at < %(end)s
    AND (r.temperature IS NOT NULL OR r.reason IS NOT NULL)
    AND (%(known_at)s::timestamptz IS NULL OR r.measured_at + r.received_after_ms * interval '1 millisecond' <= %(known_at)s)
), held AS (
  SELECT m.sensor_id, m.measured_at, m.temperature,
         CASE WHEN m.temperature IS NULL THEN m.measured_at
              ELSE greatest(m.measured_at, least(m.next_at, m.measured_at + g.max_gap)) END AS held_until
  FROM marks m LEFT JOIN gaps g USING (configuration_id)
), pieces AS (
  SELECT h.sensor_id, h.temperature, h.measured_at, bucket,
         greatest(h.measured_at, bucket, %(start)s::timestamptz) AS piece_start,
         least(h.held_until, bucket + %(width)s, %(end)s::timestamptz) AS piece_end
  FROM held h
  CROSS JOIN LATERAL generate_series(
    date_bin(%(width)s, greatest(h.measured_at, %(start)s::timestamptz), timestamptz 'epoch'),
    greatest(h.measured_at, h.held_until - interval '1 microsecond', %(start)s::timestamptz),
    %(width)s
  ) AS bucket
  WHERE h.measured_at >= %(start)s OR h.held_until > %(start)s
), measured AS (
  SELECT sensor_id, bucket, temperature,
         measured_at >= greatest(bucket, %(start)s) AS is_here,
         greatest(0, extract(epoch FROM piece_end - piece_start)::double precision) AS seconds
  FROM pieces
)
SELECT sensor_id,
       greatest(bucket, %(start)s::timestamptz) AS bucket_start,
       least(bucket + %(width)s, %(end)s::timestamptz) AS bucket_end,
       count(*) FILTER (WHERE is_here AND temperature IS NOT NULL) AS readings,
       count(*) FILTER (WHERE is_here AND temperature IS NULL) AS faults,
       sum(seconds) AS known_seconds,
       min(temperature) AS lowest,
       max(temperature) AS highest,
       CASE WHEN sum(seconds) > 0 THEN sum(temperature * seconds) / sum(seconds) ELSE avg(temperature)::double precision END AS mean
FROM measured
GROUP BY sensor_id, bucket
ORDER BY sensor_id, bucket
LIMIT %(limit)s
"""


def reason_name(code: int | None) -> str | None:
    """Return the name of a stored reason; a code of a newer version is shown as its number."""
    if not code:
        return None
    try:
        return reason_of_code(code).value
    except KeyError:
        return f"reason_{code}"


def _scaled(value: int | None, unit: int) -> float | None:
    return None if value is None else value / unit


def latest_from_row(row: Row) -> LatestAnswer:
    """Return the values of a row of latest_readings."""
    return LatestAnswer(
        sensor=row["sensor_id"],
        unit=row["unit_id"],
        measured_at=row["measured_at"],
        received_at=row["received_at"],
        temperature_celsius=_scaled(row["temperature"], 100),
        humidity_percent=_scaled(row["humidity"], 100),
        battery_volts=_scaled(row["battery_millivolts"], 1_000),
        battery_percent=row["battery_percent"],
        door_open=row["door_open"],
        fault=reason_name(row["reason"]),
    )


def _reading_from_row(row: Row) -> ReadingAnswer:
    return ReadingAnswer(
        **latest_from_row(row).model_dump(),
        late=row["late"],
        raw_temperature_celsius=_scaled(row["raw_temperature"], 100),
        corrected=row["is_corrected"],
    )


async def latest_of_units(database: Database, scope: list[int], units: list[int]) -> list[LatestAnswer]:
    """Return the latest values of every sensor of some units."""
    rows = await database.rows(OF_UNITS, {"scope": scope, "units": units})
    found = await _as_corrected(database, rows)
    return [latest_from_row(row) for row in found if row["unit_id"] in set(units)]


async def latest_of_sensors(database: Database, scope: list[int], sensors: list[int]) -> dict[int, LatestAnswer]:
    """Return the latest values of some sensors, by sensor."""
    rows = await database.rows(OF_SENSORS, {"scope": scope, "sensors": sensors})
    return {row["sensor_id"]: latest_from_row(row) for row in await _as_corrected(database, rows)}


async def _as_corrected(database: Database, rows: list[Row]) -> list[Row]:
    """Return rows of latest_readings as corrections leave them; a sensor of which none is left has none."""
    corrected = [row["sensor_id"] for row in rows if row["is_corrected"]]
    if not corrected:
        return rows
    believed = {row["sensor_id"]: row for row in await database.rows(BELIEVED, {"sensors": corrected})}
    return [row | believed.get(row["sensor_id"], {}) for row in rows if not row["is_corrected"] or row["sensor_id"] in believed]


async def raw_readings(  # noqa: PLR0913 - the filters of one query
    database: Database,
    scope: list[int],
    *,
    unit: int | None,
    sensor: int | None,
    start: datetime,
    end: datetime,
    known_at: datetime | None,
    descending: bool,
    after: tuple[datetime, int] | None,
    limit: int,
) -> list[ReadingAnswer]:
    """Return readings of a unit or a sensor measured in [start, end), by measured_at and sensor; only those received by `known_at`, if given."""
    query = RAW.format(
        where="unit_id = %(unit)s" if sensor is None else "sensor_id = %(sensor)s",
        order="DESC" if descending else "ASC",
        beyond="<" if descending else ">",
    )
    after_at, after_sensor = after or (None, None)
    parameters = {
        "scope": scope,
        "unit": unit,
        "sensor": sensor,
        "start": start,
        "end": end,
        "known_at": known_at,
        "after_at": after_at,
        "after_sensor": after_sensor,
        "limit": limit,
    }
    return [_reading_from_row(row) for row in await database.rows(query, parameters)]


async def bucketed_readings(  # noqa: PLR0913 - the filters of one query
    database: Database,
    scope: list[int],
    *,
    unit: int | None,
    sensor: int | None,
    start: datetime,
    end: datetime,
    seconds: int,
    horizon: datetime,
    known_at: datetime | None,
    limit: int,
) -> list[BucketAnswer]:
    """Return what is known per bucket of [start, end), by sensor and start; nothing is known beyond `horizon`.

    With `known_at` of the readings received by then alone.
    """
    query = BUCKETS.format(
        where="unit_id = %(unit)s" if sensor is None else "sensor_id = %(sensor)s",
        where_sensor="unit_id = %(unit)s" if sensor is None else "sensor_id = %(sensor)s",
    )
    parameters = {
        "scope": scope,
        "unit": unit,
        "sensor": sensor,
        "start": start,
        "end": end,
        "width": f"{seconds} seconds",
        "horizon": min(end, horizon, known_at or horizon),
        "known_at": known_at,
        "limit": limit,
    }
    return [
        BucketAnswer(
            sensor=row["sensor_id"],
            start=row["bucket_start"],
            end=row["bucket_end"],
            count=row["readings"],
            faults=row["faults"],
            known_seconds=row["known_seconds"],
            min_celsius=_scaled(row["lowest"], 100),
            max_celsius=_scaled(row["highest"], 100),
            mean_celsius=None if row["mean"] is None else round(row["mean"] / 100, 4),
        )
        for row in await database.rows(query, parameters)
    ]
