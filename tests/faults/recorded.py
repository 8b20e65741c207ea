"""A tiny recorded world that agrees with itself: a sender's journal, the tables and a tape; faults are planted into it."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg

from infra.simulator.journal import JournalLine
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.domain.evaluate import Excursion, judge
from pipelines.domain.excursion_states import Reading
from pipelines.domain.instants import format_instant
from pipelines.domain.policy_document import parse_policy
from schemas.events import AlertData, Event, EventName
from schemas.ids import condition_id, excursion_id
from tests.faults.checker.check import check, gather
from tests.faults.checker.evidence import Seen, Via
from tests.faults.checker.findings import Findings

BEGIN: Final = 1_790_000_000_000
MINUTE: Final = 60_000
MAX_GAP: Final = 3 * MINUTE
PATIENCE: Final = 10 * MINUTE
UNTIL: Final = BEGIN + 60 * MINUTE
WARM, SILENT = "70B3D50000000001", "70B3D50000000002"
SERIES: Final = {
    WARM: [400] * 10 + [900, 950, 910, 880, 860, 500] + [400] * 40,
    SILENT: [300] * 20,
}
"""Hundredths, one a minute: one device is warm for a while, the other falls silent after 20 minutes."""
POLICY: Final = '{"bands": [{"name": "warm", "side": "high", "limit_celsius": 8, "hold_seconds": 120}]}'

REGISTRY: Final = f"""
INSERT INTO organizations (team_id, name) VALUES ('team', 'Team');
INSERT INTO sites (organization_id, name) VALUES (1, 'Site');
INSERT INTO units (organization_id, site_id, name) VALUES (1, 1, 'First'), (1, 1, 'Second');
INSERT INTO devices (organization_id, dev_eui) VALUES (1, '{WARM}'), (1, '{SILENT}');
INSERT INTO sensors (organization_id, device_id) VALUES (1, 1), (1, 2);
INSERT INTO policies (organization_id, name) VALUES (1, 'Policy');
INSERT INTO policy_versions (organization_id, policy_id, version, document) VALUES (1, 1, 1, '{POLICY}');
INSERT INTO sensor_configurations (organization_id, sensor_id, effective_at, expected_interval_ms, max_gap_ms, offline_after_ms)
SELECT 1, number, '2020-01-01', {MINUTE}, {MAX_GAP}, {PATIENCE} FROM generate_series(1, 2) AS number;
INSERT INTO assignments (organization_id, sensor_id, unit_id, valid_from) VALUES (1, 1, 1, '2020-01-01'), (1, 2, 2, '2020-01-01');
INSERT INTO unit_policies (organization_id, unit_id, policy_version_id, effective_at) VALUES (1, 1, 1, '2020-01-01'), (1, 2, 1, '2020-01-01')
"""
INSERT_READING: Final = """
INSERT INTO readings (sensor_id, measured_at, organization_id, unit_id, assignment_id, policy_version_id, configuration_id, received_after_ms,
  uplink_partition, uplink_offset, temperature, late)
VALUES (%(sensor)s, to_timestamp(%(at)s / 1000.0), 1, %(sensor)s, %(sensor)s, 1, %(sensor)s, 100, 0, %(offset)s, %(temperature)s, false)
"""
INSERT_VERSION: Final = """
INSERT INTO excursion_versions (excursion_id, version, first_started_at, known_at, reason, organization_id, unit_id, sensor_id, device_id,
  band, side, severity, limit_hundredths, policy_version_id, started_at, opened_at, ended_at, closed_at, ended_by, late, peak, mean,
  degree_minutes, exposure_ms, known_ms, unknown_ms, samples, largest_gap_ms, uplink_partition, uplink_offset)
VALUES (%(id)s, %(version)s, to_timestamp(%(started)s / 1000.0), now(), %(reason)s, 1, %(sensor)s, %(sensor)s, %(sensor)s, 'warm', 'high', 'critical',
  800, 1, to_timestamp(%(started)s / 1000.0), to_timestamp(%(opened)s / 1000.0), to_timestamp(%(ended)s / 1000.0),
  to_timestamp(%(closed)s / 1000.0), %(ended_by)s, false, %(peak)s, 0, 0, %(exposure)s, %(known)s, %(unknown)s, %(samples)s, %(gap)s, 0, 0)
"""
INSERT_CURRENT: Final = """
INSERT INTO current_excursions SELECT excursion_id, version, organization_id, unit_id, sensor_id, device_id, band, side, severity,
  limit_hundredths, policy_version_id, first_started_at, started_at, opened_at, ended_at, closed_at, ended_by, late, known_at
FROM excursion_versions WHERE excursion_id = %(id)s ORDER BY version DESC LIMIT 1
"""
INSERT_CONDITION: Final = """
INSERT INTO condition_events (condition_id, version, started_at, known_at, organization_id, device_id, kind, ended_at, uplink_partition, uplink_offset)
VALUES (%(id)s, %(version)s, to_timestamp(%(started)s / 1000.0), now(), 1, %(device)s, 'offline', to_timestamp(%(ended)s / 1000.0), 0, 0)
"""

FACTS: Final = ("readings", "uplink_ends", "excursion_versions", "current_excursions", "condition_events", "outbox")
ENSURE_PARTITIONS: Final = """
SELECT ensure_partitions(name, to_timestamp(%(begin)s / 1000.0), to_timestamp(%(end)s / 1000.0))
FROM unnest(ARRAY['readings', 'excursion_versions', 'condition_events']) AS name
"""


@dataclass
class World:
    """A database, a journal and a tape; `cursors` numbers the events."""

    database: DatabaseConfig
    folder: Path
    cursors: "itertools.count[int]"

    @property
    def journal(self) -> Path:
        """The sender's."""
        return self.folder / "journal.jsonl"

    @property
    def tape(self) -> Path:
        """The subscriber's."""
        return self.folder / "events.jsonl"

    def execute(self, statement: str, values: dict[str, Any] | None = None) -> None:
        """Change the database; it must change something."""
        with psycopg.connect(self.database.url) as connection:
            assert connection.execute(statement, values).rowcount != 0

    def see(self, seen: Seen) -> None:
        """Add a line to the tape."""
        with self.tape.open("ab") as file:
            file.write(msgspec.json.encode(seen) + b"\n")

    def tell(self, data: AlertData, at: int) -> None:
        """Let an alert be told in the log of events and on the WebSocket."""
        name = EventName.ALERT_TRIGGERED if data.closed_at is None else EventName.ALERT_RESOLVED
        event = Event(name.value, f"e{next(self.cursors)}", 1, 1, data.device, msgspec.Raw(msgspec.json.encode(data)))
        for via in (Via.ALERTING, Via.WEBSOCKET):
            self.see(Seen(via, at, event=msgspec.Raw(msgspec.json.encode(event))))

    def excursion(self, sensor: int, one: Excursion, *, closed: bool) -> None:
        """Record a version of an excursion."""
        figures = one.figures
        values = {
            "id": excursion_id(sensor, one.band, one.started_at),
            "version": 2 if closed else 1,
            "reason": "closed" if closed else "opened",
            "sensor": sensor,
            "started": one.started_at,
            "opened": one.opened_at,
            "ended": one.ended_at if closed else None,
            "closed": one.closed_at if closed else None,
            "ended_by": one.ended_by if closed else None,
            "peak": figures.peak_hundredths,
            "exposure": figures.exposure_ms,
            "known": figures.known_ms,
            "unknown": figures.unknown_ms,
            "samples": figures.samples,
            "gap": figures.largest_gap_ms,
        }
        self.execute(INSERT_VERSION, values)
        if closed:
            self.execute("DELETE FROM current_excursions WHERE excursion_id = %(id)s", values)
        self.execute(INSERT_CURRENT, values)

    def offline(self, device: int, version: int, started_at: int, ended_at: int | None = None) -> None:
        """Record a version of an offline condition."""
        key = condition_id(device, "offline", started_at)
        self.execute(INSERT_CONDITION, {"id": key, "version": version, "started": started_at, "ended": ended_at, "device": device})

    def findings(self, faults: Path | None = None) -> Findings:
        """Check."""
        return check(gather(self.database.url, [self.journal], UNTIL, events=self.tape, faults=faults))


def alert_of_excursion(sensor: int, one: Excursion, *, closed: bool) -> AlertData:
    """Return what is told of an excursion."""
    return AlertData(
        id=str(excursion_id(sensor, one.band, one.started_at)),
        version=2 if closed else 1,
        category="temperature",
        severity="critical",
        sensor=sensor,
        device=sensor,
        started_at=format_instant(one.started_at),
        opened_at=format_instant(one.opened_at),
        caused_by_received_at=None,
        band=one.band,
        closed_at=format_instant(one.closed_at) if closed and one.closed_at is not None else None,
        peak_celsius=one.figures.peak_celsius,
    )


def alert_of_offline(device: int, started_at: int) -> AlertData:
    """Return what is told of a device that fell silent."""
    began = format_instant(started_at)
    return AlertData(
        id=str(condition_id(device, "offline", started_at)),
        version=1,
        category="offline",
        severity="warning",
        sensor=device,
        device=device,
        started_at=began,
        opened_at=began,
        caused_by_received_at=None,
    )


def the_excursion() -> Excursion:
    """Return the one excursion of the recorded series."""
    rows = [Reading(BEGIN + place * MINUTE, value, MAX_GAP, 1) for place, value in enumerate(SERIES[WARM])]
    (one,) = judge(rows, {1: parse_policy(msgspec.json.decode(POLICY))}, UNTIL)
    return one


SILENT_FROM: Final = BEGIN + 19 * MINUTE + PATIENCE


def register(database: DatabaseConfig) -> None:
    """Fill the registry of a migrated database, once."""
    with psycopg.connect(database.url) as connection:
        connection.execute(REGISTRY)
        connection.execute(ENSURE_PARTITIONS, {"begin": BEGIN, "end": UNTIL})


def record(database: DatabaseConfig, folder: Path) -> World:
    """Write the world down, instead of what was there."""
    world = World(database, folder, itertools.count(1))
    sent = [(eui, place, value) for eui, series in SERIES.items() for place, value in enumerate(series)]
    lines = [
        JournalLine("reading", eui, place, BEGIN + place * MINUTE, value, BEGIN + place * MINUTE + 50, 1) for eui, place, value in sent
    ]
    world.journal.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    one = the_excursion()
    with psycopg.connect(database.url) as connection:
        for table in FACTS:
            connection.execute(f"DELETE FROM {table}")
        for offset, (eui, place, value) in enumerate(sent):
            sensor = list(SERIES).index(eui) + 1
            connection.execute(INSERT_READING, {"sensor": sensor, "at": BEGIN + place * MINUTE, "offset": offset, "temperature": value})
        connection.execute("INSERT INTO uplink_ends VALUES (0, 1, 'stored', 0, %s)", (len(sent),))
    world.see(Seen(Via.LINE, BEGIN, note="connected"))
    world.excursion(1, one, closed=False)
    world.tell(alert_of_excursion(1, one, closed=False), one.opened_at + 300)
    world.excursion(1, one, closed=True)
    assert one.closed_at is not None
    world.tell(alert_of_excursion(1, one, closed=True), one.closed_at + 300)
    world.offline(2, 1, SILENT_FROM)
    world.tell(alert_of_offline(2, SILENT_FROM), SILENT_FROM + 2_500)
    return world
