"""Measures answers of the REST routes while uplinks come in and are stored, beside the same without load, in turn."""

import http.client
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

import psycopg

from tests.bench.dashboard import access_token, percentile
from tests.bench.figures import Figure
from tests.bench.rig import Rig, Say, Servers, running, servers
from tests.bench.sender_process import SenderProcess

ASKED_EVERY_SECONDS: Final = 0.05
WARM_UP_SECONDS: Final = 5.0
SETTLE_SECONDS: Final = 2.0
HTTP_OK: Final = 200

DAY_OF_READINGS: Final = """
INSERT INTO readings (sensor_id, measured_at, organization_id, unit_id, assignment_id, policy_version_id, configuration_id,
                      received_after_ms, uplink_partition, uplink_offset, temperature, late)
SELECT %(sensor)s + i, %(until)s - make_interval(mins => 5 * report), %(organization)s, %(unit)s + i, %(assignment)s + i, %(policy)s,
       %(configuration)s + i, 60, 0, 0, 350 + (i * 7 + report * 13) %% 300, false
FROM generate_series(0, %(count)s - 1) AS i, generate_series(1, 288) AS report
"""
EXCURSIONS: Final = """
WITH made AS (
  SELECT gen_random_uuid() AS id, i, %(until)s - make_interval(mins => 20 * i + 30) AS at FROM generate_series(0, %(count)s - 1) AS i
), version AS (
  INSERT INTO excursion_versions (excursion_id, version, first_started_at, known_at, reason, organization_id, unit_id, sensor_id, device_id,
    band, side, severity, limit_hundredths, policy_version_id, started_at, opened_at, ended_at, closed_at, ended_by, late, peak, mean,
    degree_minutes, exposure_ms, known_ms, unknown_ms, samples, largest_gap_ms, uplink_partition, uplink_offset)
  SELECT id, 2, at, at, 'closed', %(organization)s, %(unit)s + i, %(sensor)s + i, %(device)s + i, 'warm', 'high', 'critical', 800,
         %(policy)s, at, at, at + interval '20 min', at + interval '20 min', 'recovery', false, 950, 900, 20, 1200000, 1200000, 0, 4, 300000,
         0, 0
  FROM made
)
INSERT INTO current_excursions (excursion_id, version, organization_id, unit_id, sensor_id, device_id, band, side, severity,
  limit_hundredths, policy_version_id, first_started_at, started_at, opened_at, ended_at, closed_at, ended_by, late, known_at)
SELECT id, 2, %(organization)s, %(unit)s + i, %(sensor)s + i, %(device)s + i, 'warm', 'high', 'critical', 800, %(policy)s, at, at, at,
       at + interval '20 min', at + interval '20 min', 'recovery', false, at
FROM made
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large and how long."""

    sensors: int = 2_000
    per_second: float = 1_000.0
    rounds: int = 60
    """Each asks every question once."""
    repeats: int = 5


QUICK: Final = Plan(sensors=500, per_second=200.0, rounds=15, repeats=1)


def measure(*, quick: bool, say: Say, repeats: int | None = None) -> list[Figure]:
    """Measure and return the figures."""
    plan = QUICK if quick else Plan()
    loaded: defaultdict[str, list[float]] = defaultdict(list)
    alone: defaultdict[str, list[float]] = defaultdict(list)
    interval_ms = round(plan.sensors / plan.per_second * 1000)
    with servers(say, sensors=plan.sensors, interval_ms=interval_ms) as on:
        put_history(on)
        with running(on, say) as rig, SenderProcess(rig.load(plan.per_second)) as sender:
            asker = Asker(rig)
            time.sleep(WARM_UP_SECONDS)
            asker.ask(2)
            for repeat in range(repeats or plan.repeats):
                for rate, found in ((0.0, alone), (plan.per_second, loaded)):
                    sender.set_rate(rate)
                    time.sleep(SETTLE_SECONDS)
                    for name, took in asker.ask(plan.rounds).items():
                        found[name].append(percentile(took, 0.95) * 1000)
                    sender.look()
                say(f"run {repeat + 1}: " + ", ".join(f"{name} p95 {loaded[name][-1]:.1f} ms ({alone[name][-1]:.1f})" for name in loaded))
    return [
        Figure("api", f"{name}, p95 at {plan.per_second:,.0f} uplinks/s", "ms", tuple(values), at_most=True, baseline=tuple(alone[name]))
        for name, values in loaded.items()
    ]


def put_history(on: Servers) -> None:
    """Put a day of readings of every sensor, and an excursion of each, straight into the tables."""
    fleet = on.fleet
    values = {
        "count": fleet.size,
        "until": datetime.now(UTC) - timedelta(minutes=1),
        "organization": fleet.organization,
        "unit": fleet.first_unit,
        "sensor": fleet.first_sensor,
        "device": fleet.first_device,
        "assignment": fleet.first_assignment,
        "policy": fleet.policy_version,
        "configuration": fleet.first_configuration,
    }
    with psycopg.connect(on.stack.database_url) as connection:
        for table, days in (("readings", 2), ("excursion_versions", fleet.size // 72 + 2)):
            connection.execute("SELECT ensure_partitions(%s, now() - make_interval(days => %s), now())", (table, days))
        connection.execute(DAY_OF_READINGS, values)
        connection.execute(EXCURSIONS, values)
    with psycopg.connect(on.stack.database_url, autocommit=True) as connection:
        connection.execute("ANALYZE readings, excursion_versions, current_excursions")


class Asker:
    """One caller on one kept connection."""

    def __init__(self, rig: Rig) -> None:
        """Sign in."""
        self._fleet = rig.servers.fleet
        self._connection = http.client.HTTPConnection(rig.stack.api_url.removeprefix("http://"), timeout=30)
        self._headers = {"x-stack-access-token": access_token(rig.servers.stack)}
        self._asked = 0

    def ask(self, rounds: int) -> dict[str, list[float]]:
        """Ask every question so many times, each of another unit, and return the seconds to the whole answer."""
        took: defaultdict[str, list[float]] = defaultdict(list)
        due = time.perf_counter()
        for _ in range(rounds):
            for name, path in self._questions().items():
                due = max(due + ASKED_EVERY_SECONDS, time.perf_counter())
                time.sleep(max(0.0, due - time.perf_counter()))
                started = time.perf_counter()
                self._get(path)
                took[name].append(time.perf_counter() - started)
        return took

    def _questions(self) -> dict[str, str]:
        self._asked += 1
        unit = self._fleet.first_unit + self._asked * 37 % self._fleet.size
        now = datetime.now(UTC)
        day = f"from={quote((now - timedelta(days=1)).isoformat())}&to={quote(now.isoformat())}"
        return {
            "list of units (a page of 1,000)": "/api/v1/units?limit=1000",
            "one unit": f"/api/v1/units/{unit}",
            "a unit's readings of a day": f"/api/v1/readings?unit={unit}&{day}&limit=1000&order=asc",
            "excursions (a page of 100)": "/api/v1/excursions?limit=100",
        }

    def _get(self, path: str) -> None:
        self._connection.request("GET", path, headers=self._headers)
        with self._connection.getresponse() as answer:
            body = answer.read()
        if answer.status != HTTP_OK:
            raise RuntimeError(f"{path} was answered {answer.status}: {body[:200]!r}")
