"""Facts of one organization, written as the flows write them. For tests only."""

import uuid
from dataclasses import dataclass
from typing import Any

import psycopg

from infra.seed import Seeded, instant
from schemas.ids import condition_id, dead_letter_id, excursion_id

MINUTE = 60_000


@dataclass(frozen=True)
class Facts:
    """The ids of what was written, beside those of the registry."""

    seeded: Seeded
    unit: int
    sensor: int
    site: int
    device: int
    open_excursion: uuid.UUID
    closed_excursion: uuid.UUID
    dead_letter: uuid.UUID
    condition: uuid.UUID


EXCURSION = """
INSERT INTO current_excursions (excursion_id, version, organization_id, unit_id, sensor_id, device_id, band, side, severity, limit_hundredths,
  policy_version_id, first_started_at, started_at, opened_at, ended_at, closed_at, ended_by, late, known_at)
VALUES (%(id)s, %(version)s, %(organization)s, %(unit)s, %(sensor)s, %(device)s, %(band)s, 'high', 'critical', 800, 1,
  %(started)s, %(started)s, %(opened)s, %(ended)s, %(closed)s, %(ended_by)s, false, %(known)s)
"""

VERSION = """
INSERT INTO excursion_versions (excursion_id, version, first_started_at, known_at, reason, organization_id, unit_id, sensor_id, device_id, band,
  side, severity, limit_hundredths, policy_version_id, started_at, opened_at, ended_at, closed_at, ended_by, late, peak, mean, degree_minutes,
  exposure_ms, known_ms, unknown_ms, samples, largest_gap_ms, uplink_partition, uplink_offset)
VALUES (%(id)s, %(version)s, %(started)s, %(known)s, %(reason)s, %(organization)s, %(unit)s, %(sensor)s, %(device)s, %(band)s,
  'high', 'critical', 800, 1, %(started)s, %(opened)s, %(ended)s, %(closed)s, %(ended_by)s, false, %(peak)s, 912.5, 12.5,
  900000, 1000000, 100000, 15, 120000, 3, 77)
"""


def put_readings(
    connection: "psycopg.Connection[Any]",
    seeded: Seeded,
    sensor: int,
    unit: int,
    readings: list[tuple[int, int | None, int | None]],
    *,
    assignment: int = 1,
    policy: int = 1,
) -> None:
    """Write (measured_at, temperature, reason) rows, 450 ms after they were measured."""
    row = connection.execute("SELECT id FROM sensor_configurations WHERE sensor_id = %s", (sensor,)).fetchone()
    assert row is not None
    with connection.cursor().copy(
        "COPY readings (sensor_id, measured_at, organization_id, unit_id, assignment_id, policy_version_id, configuration_id, "
        "received_after_ms, uplink_partition, uplink_offset, temperature, reason, late) FROM STDIN",
    ) as copy:
        for offset, (measured_at, temperature, reason) in enumerate(readings):
            at = instant(measured_at)
            copy.write_row((sensor, at, seeded.organization, unit, assignment, policy, row[0], 450, 1, offset, temperature, reason, False))


def put_facts(connection: "psycopg.Connection[Any]", seeded: Seeded, now: int) -> Facts:
    """Write an open and a closed excursion, an offline condition, readings, a dead letter and ends of uplinks."""
    unit, sensor, device = (min(ids.values()) for ids in (seeded.units, seeded.sensors, seeded.devices))
    site = min(seeded.sites.values())
    organization = seeded.organization
    begin = now - 60 * MINUTE
    put_readings(connection, seeded, sensor, unit, [(begin + i * MINUTE, 400 + i, None) for i in range(50)])
    connection.execute(
        "INSERT INTO latest_readings (sensor_id, organization_id, unit_id, measured_at, received_at, temperature, battery_millivolts) "
        "VALUES (%s, %s, %s, %s, %s, 449, 3051)",
        (sensor, organization, unit, instant(begin + 49 * MINUTE), instant(begin + 49 * MINUTE + 450)),
    )
    connection.execute("INSERT INTO sensor_states VALUES (%s, %s, %s, 'excursion', %s)", (sensor, organization, unit, instant(begin)))
    ids = {"organization": organization, "unit": unit, "sensor": sensor, "device": device, "band": "warm"}
    closed = ids | {
        "id": excursion_id(sensor, "warm", begin),
        "started": instant(begin),
        "opened": instant(begin + 15 * MINUTE),
        "ended": instant(begin + 20 * MINUTE),
        "closed": instant(begin + 25 * MINUTE),
        "ended_by": "recovery",
        "known": instant(begin + 26 * MINUTE),
        "peak": 950,
    }
    opened = ids | {
        "id": excursion_id(sensor, "warm", begin + 30 * MINUTE),
        "started": instant(begin + 30 * MINUTE),
        "opened": instant(begin + 45 * MINUTE),
        "ended": None,
        "closed": None,
        "ended_by": None,
        "known": instant(begin + 46 * MINUTE),
        "peak": 900,
        "version": 1,
        "reason": "opened",
    }
    at_opening = closed | {"ended": None, "closed": None, "ended_by": None, "version": 1, "reason": "opened"}
    connection.execute(VERSION, at_opening)
    connection.execute(VERSION, closed | {"version": 2, "reason": "closed"})
    connection.execute(EXCURSION, closed | {"version": 2})
    connection.execute(VERSION, opened)
    connection.execute(EXCURSION, opened)
    connection.execute(
        "INSERT INTO open_excursions VALUES (%s, %s, %s, %s, 960, 930.0, 33.5, 1200000, 1300000, 60000, 19, 180000)",
        (opened["id"], organization, sensor, instant(begin + 49 * MINUTE)),
    )
    condition = condition_id(device, "offline", begin)
    connection.execute(
        "INSERT INTO open_conditions VALUES (%s, %s, %s, 'offline', %s)",
        (condition, organization, device, instant(begin)),
    )
    letter = dead_letter_id("uplinks", 5, 1_000 + organization, 0)
    connection.execute(
        "INSERT INTO dead_letters VALUES (%s, %s, %s, %s, 'rejected', 'not_json', 'byte 3', 'A84041000181C061', 'uplinks', 5, %s, 0, %s)",
        (letter, instant(now), organization, f"application-{organization}", 1_000 + organization, b"\x00raw\xff"),
    )
    for partition in (1, 2):
        connection.execute(
            "INSERT INTO uplink_ends VALUES (%s, %s, 'stored', 0, 10), (%s, %s, 'rejected', 2, 1)",
            (partition, organization, partition, organization),
        )
    first, second = (excursion_id(sensor, "warm", begin + minutes * MINUTE) for minutes in (30, 0))
    return Facts(seeded, unit, sensor, site, device, first, second, letter, condition)
