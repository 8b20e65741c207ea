"""Measures the time from acceptance to the WebSocket: at half of the load the whole stack sustains, and while others catch up.

First the rate is raised, step by step, until a flow falls behind or the sender has to wait.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from infra.local.parts import FLOWS, Part
from tests.bench.dashboard import Dashboard, Told, percentile
from tests.bench.figures import Figure
from tests.bench.lag import LagWatch, seconds_behind
from tests.bench.rig import Rig, Say, Servers, running, servers
from tests.bench.sender_process import SenderProcess
from tests.bench.uplink_log import UplinkLog, fill

BUDGET_P50_MS: Final = 500.0
BUDGET_P99_MS: Final = 2_000.0
BUDGET_CATCHING_UP_P99_MS: Final = 5_000.0
STEP: Final = 1.3
BEHIND_SECONDS: Final = 1.5
"""A flow that is behind by more at a step's end does not keep up, nor does a sender that waits for so much."""
EXCURSIONS_PER_SECOND: Final = 5.0
HOUR_MS: Final = 3_600_000
REPORT_MS: Final = 300_000
HALF: Final = 32
"""Live devices are of the partitions below, the backlog is of the others."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how large."""

    sensors: int = 10_000
    first_rate: float = 1_000.0
    most_rate: float = 20_000.0
    warm_up_seconds: float = 20.0
    step_seconds: float = 12.0
    windows: int = 5
    window_seconds: float = 20.0
    backlog_sensors: int = 50_000
    """In all partitions; half of them leave a backlog."""
    backlogs: int = 3


QUICK: Final = Plan(
    sensors=2_000,
    first_rate=300,
    most_rate=400,
    warm_up_seconds=5,
    step_seconds=3,
    windows=1,
    window_seconds=5,
    backlog_sensors=2_000,
    backlogs=1,
)


@dataclass
class Found:
    """What was measured; times in ms, one of each window or repeat."""

    most_per_second: float = 0.0
    readings_p50: list[float] = field(default_factory=list)
    readings_p99: list[float] = field(default_factory=list)
    alerts_p50: list[float] = field(default_factory=list)
    alerts_p99: list[float] = field(default_factory=list)
    behind_readings_p50: list[float] = field(default_factory=list)
    behind_readings_p99: list[float] = field(default_factory=list)
    behind_alerts_p99: list[float] = field(default_factory=list)
    told_share: list[float] = field(default_factory=list)
    """Readings told in the windows, in per cent of the uplinks acknowledged meanwhile."""
    catch_up_seconds: list[float] = field(default_factory=list)
    catch_up_per_second: list[float] = field(default_factory=list)


def measure(*, quick: bool, say: Say, repeats: int | None = None) -> list[Figure]:
    """Measure and return the figures; `repeats` of the backlog."""
    plan, found = QUICK if quick else Plan(), Found()
    # A reading each 10 s at the first rate: the gap and the hold of the policy allow for that.
    interval_ms = round(plan.sensors / plan.first_rate * 1000)
    with servers(say, sensors=plan.sensors, interval_ms=interval_ms) as on, running(on, say) as rig:
        at_half(plan, rig, found, say)
    for repeat in range(repeats or plan.backlogs):
        with servers(say, sensors=plan.backlog_sensors, interval_ms=REPORT_MS) as on:
            catching_up(plan, on, found, say)
        say(
            f"catching up {repeat + 1}: {found.catch_up_seconds[-1]:.1f} s; live readings p99 {found.behind_readings_p99[-1]:,.0f} ms, "
            f"alerts p99 in each run {[f'{value:,.0f}' for value in found.behind_alerts_p99]} ms"
        )
    return figures_of(plan, found)


def at_half(plan: Plan, rig: Rig, found: Found, say: Say) -> None:
    """Find the load that is sustained, then listen at half of it."""
    watch = LagWatch(rig.stack)
    load = rig.load(plan.first_rate, excursions_per_second=EXCURSIONS_PER_SECOND)
    with Dashboard(rig.stack, rig.servers.sites) as dashboard, SenderProcess(load) as sender:
        time.sleep(plan.warm_up_seconds)
        rate = plan.first_rate
        while rate <= plan.most_rate:
            sender.set_rate(rate)
            before = watch.look()
            time.sleep(plan.step_seconds)
            after, told = watch.look(), dashboard.take()
            behind = seconds_behind(before, after) | {"sender": sender.look()["waiting"] / rate}
            worst = max(behind, key=lambda name: behind[name])
            say(
                f"{rate:,.0f} uplinks/s: {worst} is behind by {behind[worst]:.2f} s; readings p99 {percentile(told.readings, 0.99):,.0f} ms"
            )
            if behind[worst] > BEHIND_SECONDS:
                break
            found.most_per_second = rate
            rate *= STEP
        half = (found.most_per_second or plan.first_rate) / 2
        sender.set_rate(half)
        caught_up(watch, sender, half)
        dashboard.take()
        before_windows, heard_before = sender.look(), dashboard.readings
        for window in range(plan.windows):
            time.sleep(plan.window_seconds)
            told = dashboard.take()
            add(told, found.readings_p50, found.readings_p99, found.alerts_p50, found.alerts_p99)
            say(
                f"at {half:,.0f} uplinks/s, window {window + 1}: readings p50 {percentile(told.readings, 0.5):,.0f} ms, "
                f"p99 {percentile(told.readings, 0.99):,.0f} ms; {len(told.alerts)} alerts p99 {percentile(told.alerts, 0.99):,.0f} ms"
            )
        found.told_share.append(told_of_acknowledged(before_windows, sender.look(), dashboard.readings - heard_before))
        dashboard.require_whole()


def told_of_acknowledged(before: Mapping[str, Any], after: Mapping[str, Any], told: int) -> float:
    """Return the readings told in per cent of the uplinks acknowledged between two looks at the sender.

    Raises RuntimeError where some were refused or none was acknowledged: the load was not what it is said to be.
    """
    refused, acknowledged = after["refused"] - before["refused"], after["acknowledged"] - before["acknowledged"]
    if refused or not acknowledged:
        raise RuntimeError(f"{refused} uplinks were refused, {acknowledged} acknowledged")
    return float(100 * told / acknowledged)


def caught_up(watch: LagWatch, sender: SenderProcess, rate: float, seconds: float = 60.0) -> float:
    """Wait until every flow and the sender are less than a second behind; return how long that took.

    Raises RuntimeError when the time is up.
    """
    started = time.perf_counter()
    before = watch.look()
    while time.perf_counter() - started < seconds:
        time.sleep(1)
        now = watch.look()
        behind = seconds_behind(before, now)
        if max(behind.values(), default=0.0) < 1 and sender.look()["waiting"] < rate:
            return time.perf_counter() - started
        before = now
    raise RuntimeError(f"not caught up after {seconds:.0f} s")


def catching_up(plan: Plan, on: Servers, found: Found, say: Say) -> None:
    """Put an hour's backlog of half of the partitions into the log, then start the flows and live devices of the other half."""
    start_at = int(time.time() * 1000) - HOUR_MS
    partitions = range(HALF, 2 * HALF)
    log = UplinkLog(on.fleet, start_at, REPORT_MS, HOUR_MS // REPORT_MS, partitions=partitions, excursions_per_second=0.05)
    filled = fill(on.stack.kafka_bootstrap_servers, log, say)
    rate = (found.most_per_second or plan.first_rate) / 4
    with running(on, say, (Part.API,)) as api, Dashboard(api.stack, on.sites) as dashboard:
        load = api.load(rate, excursions_per_second=EXCURSIONS_PER_SECOND, devices=min(plan.sensors, on.fleet.size), below_partition=HALF)
        with running(on, say, FLOWS) as flows, SenderProcess(load) as sender:
            dashboard.forget_before(int(time.time() * 1000))
            watch = LagWatch(flows.stack)
            seconds = caught_up(watch, sender, rate, 600)
            time.sleep(2)
            told = dashboard.take()
            if not told.readings:
                raise RuntimeError("no live reading came while the flows caught up")
            if refused := sender.look()["refused"]:
                raise RuntimeError(f"{refused} uplinks were refused")
            dashboard.require_whole()
    add(told, found.behind_readings_p50, found.behind_readings_p99, [], found.behind_alerts_p99)
    found.catch_up_seconds.append(seconds)
    found.catch_up_per_second.append(filled.uplinks / seconds)


def add(told: Told, readings_p50: list[float], readings_p99: list[float], alerts_p50: list[float], alerts_p99: list[float]) -> None:
    """Add the percentiles of what was heard; not a number where nothing was, which no budget takes for met."""
    readings_p50.append(percentile(told.readings, 0.5))
    readings_p99.append(percentile(told.readings, 0.99))
    alerts_p50.append(percentile(told.alerts, 0.5))
    alerts_p99.append(percentile(told.alerts, 0.99))


def figures_of(plan: Plan, found: Found) -> list[Figure]:
    """Return what is shown."""

    def figure(what: str, unit: str, values: Sequence[float], budget: float | None = None) -> list[Figure]:
        return [Figure("latency", what, unit, tuple(values), budget, at_most=True)] if values else []

    backlog = f"while {plan.backlog_sensors // 2:,} others catch up on an hour"
    return [
        *figure(f"most that {plan.sensors:,} sensors may send", "uplinks/s", [found.most_per_second]),
        *figure("at half load: readings told of uplinks acknowledged", "%", found.told_share),
        *figure("at half load: readings, p50", "ms", found.readings_p50, BUDGET_P50_MS),
        *figure("at half load: readings, p99", "ms", found.readings_p99, BUDGET_P99_MS),
        *figure("at half load: alerts, p50", "ms", found.alerts_p50, BUDGET_P50_MS),
        *figure("at half load: alerts, p99", "ms", found.alerts_p99, BUDGET_P99_MS),
        *figure(f"{backlog}: live readings, p50", "ms", found.behind_readings_p50),
        *figure(f"{backlog}: live readings, p99", "ms", found.behind_readings_p99, BUDGET_CATCHING_UP_P99_MS),
        *figure(f"{backlog}: live alerts, p99", "ms", found.behind_alerts_p99, BUDGET_CATCHING_UP_P99_MS),
        *figure(f"{backlog}: until they have", "s", found.catch_up_seconds),
        *figure(f"{backlog}: uplinks of the backlog", "1/s", found.catch_up_per_second),
    ]
