"""Measures late readings: sensors bring a stretch of the past, newest first, while others send live; until everything is judged again.

What is on record afterwards is compared with one pass over the stored readings of every sensor that was late.
"""

import re
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg

from infra.local.local_stack import LocalStack
from infra.local.parts import FLOWS, Part
from pipelines.domain.evaluate import judge
from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy_document import parse_policy
from tests.bench.backfill import Backfill, send
from tests.bench.dashboard import Dashboard, percentile
from tests.bench.figures import Figure
from tests.bench.lag import ANSWER_SECONDS, LagWatch
from tests.bench.process_trees import cpu_seconds_of_trees
from tests.bench.rig import UNITS_OF_A_SITE, Rig, Say, Servers, running, servers
from tests.bench.sender_process import SenderProcess
from tests.bench.sending import POLICY

INTERVAL_MS: Final = 300_000
BUDGET_SETTLED_SECONDS: Final = 60.0
BUDGET_ALERT_P99_MS: Final = 2_000.0
EXCURSIONS_PER_SECOND: Final = 5.0
LOOK_SECONDS: Final = 0.5
STEADY_LOOKS: Final = 4
"""A request is written a moment after its reading is read, an answer a moment after its request: settled is what stays so."""
SETTLE_SECONDS: Final = 3_600.0
WAITING: Final = re.compile(r"^coldstream_revisions_waiting\{[^}]*\} (\S+)$", re.MULTILINE)
DONE: Final = re.compile(r'^coldstream_revisions_done_total\{outcome="(\w+)"\} (\S+)$', re.MULTILINE)
STORED: Final = "SELECT partition, position FROM flow_progress WHERE flow = 'store_readings'"
ROWS: Final = """
SELECT sensor_id, (extract(epoch FROM measured_at) * 1000)::bigint, temperature FROM readings
WHERE sensor_id >= %s AND sensor_id < %s AND temperature IS NOT NULL ORDER BY sensor_id, measured_at
"""
ON_RECORD: Final = """
SELECT sensor_id, band, (extract(epoch FROM started_at) * 1000)::bigint, (extract(epoch FROM opened_at) * 1000)::bigint,
  (extract(epoch FROM ended_at) * 1000)::bigint, (extract(epoch FROM closed_at) * 1000)::bigint
FROM current_excursions WHERE sensor_id >= %s AND sensor_id < %s
"""

Facts = tuple[int, str, int, int, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Who sends what."""

    live: int
    """Sensors that send live."""
    live_per_second: float
    late: int
    """Sensors that were cut off."""
    reports: int
    """Of each of them, INTERVAL_MS apart."""
    late_per_second: float | None
    """None: as fast as the broker takes them."""
    is_watched: bool = True
    """Whether the dashboard has the sites of the late sensors on it too; a connection takes 1,000 sites."""

    @property
    def what(self) -> str:
        """The plan in words."""
        hours = self.reports * INTERVAL_MS / 3_600_000
        return f"{self.late:,} sensors {hours:,.3g} h late"


DAY: Final = Plan(live=2_000, live_per_second=500, late=1_000, reports=288, late_per_second=3_000)
HOUR: Final = Plan(live=2_000, live_per_second=500, late=100_000, reports=12, late_per_second=None, is_watched=False)
QUICK: Final = Plan(live=200, live_per_second=50, late=60, reports=100, late_per_second=1_000)


@dataclass
class Found:
    """What was measured, one of each repeat."""

    send_seconds: list[float] = field(default_factory=list)
    store_seconds: list[float] = field(default_factory=list)
    """From the last one sent until all are stored."""
    settle_seconds: list[float] = field(default_factory=list)
    """From then until all are judged again."""
    alerts_p99: list[float] = field(default_factory=list)
    readings_p99: list[float] = field(default_factory=list)
    revisions: list[float] = field(default_factory=list)
    found_late: list[float] = field(default_factory=list)
    excursions: list[float] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    peak_mb: dict[str, list[float]] = field(default_factory=dict)


def measure(*, quick: bool, say: Say, repeats: int | None = None) -> list[Figure]:
    """Measure and return the figures; `repeats` of the day that comes late."""
    if quick:
        return measured(QUICK, 1, say)
    return [*measured(DAY, repeats or 3, say), *measured(HOUR, 1, say)]


def measured(plan: Plan, repeats: int, say: Say) -> list[Figure]:
    """Measure one plan."""
    found = Found()
    for repeat in range(repeats):
        with servers(say, sensors=plan.live + plan.late, interval_ms=INTERVAL_MS) as on, running(on, say) as rig:
            run(plan, on, rig, found, say)
        say(
            f"{plan.what}, run {repeat + 1}: sent in {found.send_seconds[-1]:.0f} s, stored {found.store_seconds[-1]:.1f} s later, "
            f"settled {found.settle_seconds[-1]:.1f} s after that by {found.revisions[-1]:,.0f} revisions; "
            f"live alerts p99 {found.alerts_p99[-1]:,.0f} ms"
        )
    return figures_of(plan, found)


def run(plan: Plan, on: Servers, rig: Rig, found: Found, say: Say) -> None:
    """Let live sensors send, bring in the late readings, and wait until they are judged."""
    until = int(time.time() * 1000)
    backfill = Backfill(on.fleet, range(plan.live, plan.live + plan.late), plan.reports, INTERVAL_MS, until, plan.late_per_second)
    load = rig.load(plan.live_per_second, excursions_per_second=EXCURSIONS_PER_SECOND, devices=plan.live)
    sites = on.sites if plan.is_watched else on.sites[: plan.live // UNITS_OF_A_SITE]
    with Dashboard(rig.stack, sites) as dashboard, SenderProcess(load) as sender:
        time.sleep(10)
        dashboard.take()
        cpu_before = cpu_seconds_of_trees(rig.processes())
        started = time.perf_counter()
        newest = send(on.stack.kafka_bootstrap_servers, backfill, say)
        sent_at = time.perf_counter()
        stored_at = until_stored(on.stack, newest, say)
        settled_at = until_settled(rig.stack, say)
        told = dashboard.take()
        if refused := sender.look()["refused"]:
            raise RuntimeError(f"{refused} live uplinks were refused")
        dashboard.require_whole()
        if plan.is_watched:
            found.found_late.append(dashboard.found_late)
        used = cpu_seconds_of_trees(rig.processes())
    found.send_seconds.append(sent_at - started)
    found.store_seconds.append(stored_at - sent_at)
    found.settle_seconds.append(settled_at - stored_at)
    found.alerts_p99.append(percentile(told.alerts, 0.99))
    found.readings_p99.append(percentile(told.readings, 0.99))
    found.revisions.append(
        sum(float(count) for outcome, count in DONE.findall(metrics_of(rig.stack, Part.REVISE_EXCURSIONS)) if outcome != "overtaken")
    )
    found.excursions.append(compare(on, backfill))
    for name, before in cpu_before.items():
        found.cpu.setdefault(name, []).append(used[name] - before)
    for part in (Part.DETECT_EXCURSIONS, Part.REVISE_EXCURSIONS):
        pid = rig.stack.pid(part)
        assert pid is not None
        found.peak_mb.setdefault(part.value, []).append(peak_mb(pid))


def until_stored(stack: LocalStack, newest: dict[int, int], say: Say) -> float:
    """Return when store_readings had passed these offsets."""
    say("everything is sent; waiting until it is stored")
    deadline = time.perf_counter() + SETTLE_SECONDS
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        while time.perf_counter() < deadline:
            done: dict[int, int] = dict(connection.execute(STORED).fetchall())
            if all(done.get(partition, -1) >= offset for partition, offset in newest.items()):
                return time.perf_counter()
            time.sleep(LOOK_SECONDS)
    raise RuntimeError(f"not stored after {SETTLE_SECONDS:.0f} s")


def until_settled(stack: LocalStack, say: Say) -> float:
    """Return since when nothing waits to be judged again and no request or answer is unread."""
    watch, told_at = LagWatch(stack), time.perf_counter()
    deadline = told_at + SETTLE_SECONDS
    steady, since = 0, 0.0
    while steady < STEADY_LOOKS:
        if time.perf_counter() > deadline:
            raise RuntimeError(f"not settled after {SETTLE_SECONDS:.0f} s")
        look = watch.look()
        waiting = sum(float(count) for count in WAITING.findall(metrics_of(stack, Part.REVISE_EXCURSIONS)))
        unread = look.lag("revise_excursions") + look.lag("detect_excursions, answers")
        if waiting or unread:
            steady = 0
        else:
            since = since if steady else look.at
            steady += 1
        if look.at - told_at > 10:
            told_at = look.at
            say(f"{waiting:,.0f} sensors wait to be judged again, {unread:,} requests and answers are unread")
        time.sleep(LOOK_SECONDS)
    return since


def metrics_of(stack: LocalStack, part: Part) -> str:
    """Return what a flow's metrics port says."""
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.ports.metrics(FLOWS.index(part))}/metrics", timeout=ANSWER_SECONDS) as answer:
        return str(answer.read().decode())


def compare(on: Servers, backfill: Backfill) -> int:
    """Return how many excursions the late sensors have; raises RuntimeError where one pass over what is stored finds others."""
    first = on.fleet.first_sensor + backfill.places[0]
    span = (first, first + len(backfill.places))
    with psycopg.connect(on.stack.database_url) as connection:
        recorded: set[Facts] = set(connection.execute(ON_RECORD, span).fetchall())
        expected, sensors, rows = set[Facts](), 0, 0
        for sensor, readings in by_sensor(connection, span):
            sensors, rows = sensors + 1, rows + len(readings)
            expected |= facts_of(sensor, readings)
    if (sensors, rows) != (len(backfill.places), backfill.uplinks):
        raise RuntimeError(f"{rows:,} readings of {sensors:,} sensors are stored, of {backfill.uplinks:,} that were sent")
    if recorded != expected:
        wrong = sorted(recorded ^ expected, key=str)
        raise RuntimeError(f"{len(wrong):,} of {len(expected):,} excursions are not what one pass finds, such as {wrong[:3]}")
    return len(recorded)


def by_sensor(connection: psycopg.Connection, span: tuple[int, int]) -> Iterator[tuple[int, list[Reading]]]:
    """Yield the stored readings of each sensor."""
    sensor, readings = None, list[Reading]()
    with connection.cursor(name="stored") as cursor:
        cursor.itersize = 20_000
        cursor.execute(ROWS, span)
        for one, measured_at, temperature in cursor:
            if one != sensor and sensor is not None:
                yield sensor, readings
                readings = []
            sensor = one
            readings.append(Reading(measured_at, temperature, 3 * INTERVAL_MS, 1))
    if sensor is not None:
        yield sensor, readings


def facts_of(sensor: int, readings: Sequence[Reading]) -> set[Facts]:
    """Return what one pass over a sensor's readings finds."""
    found = judge(readings, {1: parse_policy(POLICY)}, readings[-1].measured_at)
    return {(sensor, one.band, one.started_at, one.opened_at, one.ended_at, one.closed_at) for one in found}


def peak_mb(pid: int) -> float:
    """Return the most memory a process ever had, in MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024 / 1e6


def figures_of(plan: Plan, found: Found) -> list[Figure]:
    """Return what is shown; only a day's lateness has budgets."""
    bound = plan.late_per_second is not None

    def figure(what: str, unit: str, values: Sequence[float], budget: float | None = None) -> Figure:
        return Figure("late", f"{plan.what}: {what}", unit, tuple(values), budget if bound else None, at_most=True)

    figures = [
        figure("sent newest first within", "s", found.send_seconds),
        figure("from the last one sent until all are stored", "s", found.store_seconds),
        figure("from then until all are judged again", "s", found.settle_seconds, BUDGET_SETTLED_SECONDS),
        figure("live alerts meanwhile, p99", "ms", found.alerts_p99, BUDGET_ALERT_P99_MS),
        figure("live readings meanwhile, p99", "ms", found.readings_p99),
        figure("revisions", "", found.revisions),
        figure("excursions of theirs on record, all as one pass finds them", "", found.excursions),
    ]
    if plan.is_watched:
        figures.append(figure("alerts told as found late", "", found.found_late))
    figures += [figure(f"CPU of {name}", "s", values) for name, values in sorted(found.cpu.items())]
    figures += [figure(f"most memory of {name}", "MB", values) for name, values in sorted(found.peak_mb.items())]
    return figures
