"""The simulator's worst day through a whole stack, with people who correct the past, detect and revise killed in the middle of it.

What is on record afterwards must be what one pass over the stored readings finds, as corrections leave them, for every sensor and band: the rows
are the database's own, so nothing is said here about what was lost before they were stored.
"""

import json
import os
import random
import signal
import subprocess
import time
from collections import defaultdict
from typing import Any, Final

import psycopg

from infra.local.parts import COLDSTREAM, Part
from pipelines.domain.evaluate import judge
from pipelines.domain.excursion_states import Reading
from tests.faults.checker.evidence import Facts, Tables
from tests.faults.checker.excursions import check_excursions, check_histories, facts_of
from tests.faults.checker.findings import Findings
from tests.faults.checker.tables import ms, read_tables
from tests.faults.correcting import Corrections
from tests.faults.rig import HarnessError, Rig, now
from tests.faults.work import LIMIT_SECONDS, Recovery, Watch

UNITS: Final = 80
DAY_SECONDS: Final = 200.0
"""The scenario's last happening is over after 190 s."""
END_SECONDS: Final = 120.0
KILL: Final = "kill -9 on the worst day"
KILL_GAP_SECONDS: Final = (6.0, 14.0)
CALM_SECONDS: Final = 30.0
"""Before the first correction: until then there is little to correct."""
LAST_SECONDS: Final = 40.0
"""Before the end of the day the last correction is made: it takes effect 8 s later."""
LEAST_CORRECTIONS: Final = 5
ROWS: Final = f"""
SELECT r.sensor_id, r.assignment_id, {ms("r.measured_at")}, r.temperature, c.max_gap_ms, r.policy_version_id
FROM corrected_readings r JOIN sensor_configurations c ON c.id = r.configuration_id
WHERE r.temperature IS NOT NULL OR r.reason IS NOT NULL
"""
ENDS: Final = f"""
SELECT a.id, {ms("least(a.valid_to, elsewhere.starts_at)")}
FROM assignments a LEFT JOIN LATERAL (
  SELECT min(c.starts_at) AS starts_at FROM corrected_stretches c WHERE c.sensor_id = a.sensor_id
    AND (c.mark = 'unassigned' OR c.assignment_id <> a.id) AND c.starts_at > a.valid_from
) elsewhere ON true
WHERE a.valid_to IS NOT NULL
"""
"""When each assignment ended, by what is known now: a sensor that was found to have been elsewhere left where it was then."""


def live_through(rig: Rig, chance: random.Random, seed: int) -> tuple[int, list[Recovery]]:
    """Play the day and kill detect and revise in turn until it is over; return how many uplinks were acknowledged, and the recoveries."""
    watch = Watch(rig)
    journal = rig.folder / "journal-worst-day.jsonl"
    rig.journals.append(journal)
    command = [COLDSTREAM, "simulate", "--scenario", "worst_day", "--units", str(UNITS), "--seed", str(seed)]
    command += ["--duration", str(DAY_SECONDS), "--journal", str(journal), "--url", rig.stack.api_url]
    process = subprocess.Popen(command, env={**os.environ, **rig.stack.settings}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    rig.senders.append(process)
    corrections = Corrections(rig, chance)
    began, parts = time.monotonic(), [Part.DETECT_EXCURSIONS, Part.REVISE_EXCURSIONS]
    for number in range(1_000):
        time.sleep(chance.uniform(*KILL_GAP_SECONDS))
        if process.poll() is not None:
            break
        if time.monotonic() > began + DAY_SECONDS + END_SECONDS:
            raise HarnessError("the worst day does not end")
        part = parts[number % len(parts)]
        rig.stack.wait_ready(part, LIMIT_SECONDS)
        began_at = now()
        if CALM_SECONDS < time.monotonic() - began < DAY_SECONDS - LAST_SECONDS:
            corrections.next()
        rig.stack.kill(part, signal.SIGKILL)
        watch.until_at_work(KILL, part, began_at)
        watch.wait(part)
    said, _ = process.communicate(timeout=END_SECONDS)
    if process.returncode:
        raise HarnessError(f"`coldstream simulate` ended with {process.returncode}")
    if len(corrections.made) < LEAST_CORRECTIONS:
        raise HarnessError(f"only {corrections.made} were corrected")
    summary: dict[str, Any] = json.loads(said)
    return int(summary["acknowledged"]), watch.recoveries


def check_stored(database_url: str, acknowledged: int) -> Findings:
    """Compare what is on record with one pass over what is stored, as of now."""
    with psycopg.connect(database_url) as connection:
        tables = read_tables(connection)
        rows = connection.execute(ROWS).fetchall()
        ends: dict[int, int] = dict(connection.execute(ENDS).fetchall())
    expected = found_in_one_pass(tables, rows, ends, now())
    late = {row.sensor for row in tables.readings if row.is_late}
    findings = [*check_excursions(expected, tables.current), *check_histories(tables.versions, {one.number for one in tables.sensors})]
    return Findings(
        acknowledged=acknowledged,
        readings=len(tables.readings),
        excursions=len(expected),
        told=0,
        late_sensors=len(late),
        findings=sorted(set(findings)),
        sensors=len(tables.sensors),
    )


def found_in_one_pass(tables: Tables, rows: list[tuple[Any, ...]], ends: dict[int, int], until: int) -> set[Facts]:
    """Return the excursions of all sensors, each assignment's rows judged in one pass by the terms they are stamped with."""
    series: dict[tuple[int, int], list[Reading]] = defaultdict(list)
    for sensor, assignment, measured_at, temperature, max_gap_ms, policy in rows:
        series[sensor, assignment].append(Reading(measured_at, temperature, max_gap_ms, policy))
    return {
        facts_of(sensor, one)
        for (sensor, assignment), readings in series.items()
        for one in judge(readings, tables.policies, until, ends.get(assignment))
    }
