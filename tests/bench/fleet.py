"""The done-when of the real fleet: so many sensors for so many minutes through the whole stack, generator and servers on one machine.

Each half minute it says what was sent and acknowledged, the lag of each flow, the time from acceptance to the WebSocket, and the CPU
of each process; at the end whether any lag grew.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.bench.dashboard import Dashboard, Told, access_token, percentile
from tests.bench.figures import Figure
from tests.bench.flow_process import cpu_seconds_of
from tests.bench.lag import READS, LagLook, LagWatch, rise_per_second
from tests.bench.process_trees import cpu_seconds_of_trees
from tests.bench.report import FOLDER
from tests.bench.rig import Rig, Say, running, servers
from tests.bench.sender_process import SenderProcess
from tests.bench.simulator_process import SimulatorProcess

BUDGET_P99_MS: Final = 2_000.0
BUDGET_P50_MS: Final = 500.0
BUDGET_FRAME_MS: Final = 100.0
LOOK_SECONDS: Final = 5.0
GREW_SECONDS: Final = 1.0
"""A lag grew when the line through it rises by more than this over the counted time."""
KEPT_SHARE: Final = 0.95
"""Of the uplinks that are wanted each second."""
PAGE_SECONDS: Final = 60.0
SETTLE_SECONDS: Final = 5.0
"""After the last answer to the sender: what was accepted last is told."""

VIEWER_NICENESS: Final = 10
"""Of the process that runs Chromium, and all that it starts."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how many, how often."""

    sensors: int = 10_000
    interval_seconds: float = 5.0
    seconds: float = 600.0
    window_seconds: float = 30.0
    warm_up_windows: int = 2
    """Not counted: the broker's machine compiles, and every sensor is seen for the first time."""
    picture: Path | None = None
    page: bool = True
    simulator: bool = False
    """`coldstream simulate` is the generator, and not the bench's own sender."""

    @property
    def per_second(self) -> float:
        """Uplinks a second."""
        return self.sensors / self.interval_seconds


QUICK: Final = Plan(sensors=2_000, seconds=15, window_seconds=5, warm_up_windows=1, page=False)


@dataclass(frozen=True, slots=True)
class Window:
    """What one window came to."""

    seconds: float
    sent: int
    acknowledged: int
    refused: int
    waiting: int
    ack_p99_ms: float | None
    readings: list[int]
    alerts: list[int]
    lag: dict[str, int]
    cpu: dict[str, float]
    """Cores used, by process."""


@dataclass
class Run:
    """The whole run."""

    windows: list[Window] = field(default_factory=list)
    lags: list[LagLook] = field(default_factory=list)
    page: dict[str, Any] = field(default_factory=dict)
    told_share: float = 0.0
    """Readings that the dashboard was told, in per cent of the uplinks acknowledged."""


def measure(plan: Plan, say: Say) -> list[Figure]:
    """Run the fleet once and return the figures."""
    interval_ms = round(plan.interval_seconds * 1000)
    seeded = 1 if plan.simulator else plan.sensors
    with servers(say, sensors=seeded, interval_ms=interval_ms) as made, running(made, say) as rig:
        run = FleetRun(plan, rig, say).run()
    counted = run.windows[plan.warm_up_windows :]
    lags = run.lags[-(len(counted) * round(plan.window_seconds / LOOK_SECONDS) or 1) :]
    say(verdict(plan, counted, lags))
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "fleet-windows.json").write_text(json.dumps([shown(window) for window in run.windows], indent=1))
    return figures_of(plan, counted, lags, run)


class FleetRun:
    """One run on a rig."""

    def __init__(self, plan: Plan, rig: Rig, say: Say) -> None:
        """Take a running stack."""
        self._plan = plan
        self._rig = rig
        self._say = say
        self._watch = LagWatch(rig.stack)
        self._viewer: subprocess.Popen[str] | None = None

    def run(self) -> Run:
        """Send, look and listen."""
        plan, run = self._plan, Run()
        with self._generator() as sender, Dashboard(self._rig.stack, self._rig.servers.all_sites()) as dashboard:
            processes = {**self._rig.processes(), "sender": sender.pid}
            self._say(f"{plan.per_second:,.0f} uplinks/s; processes: " + ", ".join(f"{name} {pid}" for name, pid in processes.items()))
            started = time.perf_counter()
            try:
                while time.perf_counter() - started < plan.seconds:
                    self._open_page(time.perf_counter() - started)
                    run.windows.append(self._window(dashboard, sender, processes, run))
                    self._say(line_of(run.windows[-1]))
                run.page = self._page_seen()
            finally:
                if self._viewer is not None:
                    self._viewer.kill()
                    self._viewer.wait()
            last = sender.stop()
            time.sleep(SETTLE_SECONDS)
            run.told_share = 100 * dashboard.readings / last["acknowledged"] if last["acknowledged"] else 0.0
            self._say(
                f"sent {last['sent']:,}, acknowledged {last['acknowledged']:,}, refused {last['refused']:,}; told {dashboard.readings:,} readings"
            )
            if not last["acknowledged"]:
                raise RuntimeError("no uplink was acknowledged")
            dashboard.require_whole()
        return run

    def _generator(self) -> SenderProcess | SimulatorProcess:
        plan = self._plan
        if plan.simulator:
            return SimulatorProcess(self._rig, plan.sensors, plan.interval_seconds, self._say)
        return SenderProcess(self._rig.load(plan.per_second))

    def _window(self, dashboard: Dashboard, sender: SenderProcess | SimulatorProcess, processes: dict[str, int], run: Run) -> Window:
        began, before, cpu_before = time.perf_counter(), sender.look(), self._cpu_seconds(processes)
        ack_ms: list[float] = []
        told = Told([], [])
        while (left := began + self._plan.window_seconds - time.perf_counter()) > 0:
            time.sleep(min(left, LOOK_SECONDS))
            run.lags.append(self._watch.look())
            heard = dashboard.take()
            told.readings.extend(heard.readings)
            told.alerts.extend(heard.alerts)
            if (newest := sender.look()["ack_p99_ms"]) is not None:
                ack_ms.append(newest)
        after, seconds = sender.look(), time.perf_counter() - began
        cpu_after = self._cpu_seconds(processes)
        return Window(
            seconds=seconds,
            sent=after["sent"] - before["sent"],
            acknowledged=after["acknowledged"] - before["acknowledged"],
            refused=after["refused"] - before["refused"],
            waiting=after["waiting"],
            ack_p99_ms=max(ack_ms, default=None),
            readings=told.readings,
            alerts=told.alerts,
            lag={flow: run.lags[-1].lag(flow) for flow in READS},
            cpu={name: (cpu_after[name] - cpu_before.get(name, 0.0)) / seconds for name in cpu_after},
        )

    def _cpu_seconds(self, processes: dict[str, int]) -> dict[str, float]:
        """Return what each has used so far; the bench, which is the dashboard, without its children."""
        roots = processes if self._viewer is None else {**processes, "viewer": self._viewer.pid}
        return {**cpu_seconds_of_trees(roots), "bench": cpu_seconds_of(os.getpid())}

    def _open_page(self, since: float) -> None:
        """Open the live page in Chromium once half of the time is over."""
        plan = self._plan
        if not plan.page or self._viewer is not None or since < plan.seconds / 2:
            return
        url = f"{self._rig.stack.api_url}/#access_token={access_token(self._rig.stack)}"
        seconds = min(PAGE_SECONDS, plan.seconds / 4)
        # A person's browser has a machine of its own; on these two cores it takes what the servers leave.
        command = [
            "nice",
            "-n",
            str(VIEWER_NICENESS),
            sys.executable,
            "-m",
            "tests.bench.viewer",
            url,
            str(self._rig.servers.count_units()),
            str(seconds),
        ]
        if plan.picture is not None:
            command.append(str(plan.picture))
        self._say("opening the page in Chromium")
        self._viewer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def _page_seen(self) -> dict[str, Any]:
        if self._viewer is None:
            return {}
        out, _ = self._viewer.communicate(timeout=300)
        if self._viewer.returncode:
            raise RuntimeError(f"the page could not be watched: the viewer ended with {self._viewer.returncode}")
        seen: dict[str, Any] = json.loads(out)
        self._say(f"the page: {seen}")
        if seen["errors"]:
            raise RuntimeError(f"the page had errors: {seen['errors'][:3]}")
        return seen


def line_of(window: Window) -> str:
    """Return a window in some lines."""
    readings, alerts = window.readings, window.alerts
    return (
        f"sent {window.sent / window.seconds:,.0f}/s, acknowledged {window.acknowledged / window.seconds:,.0f}/s (p99 {window.ack_p99_ms} ms, "
        f"{window.refused} refused, {window.waiting} waiting)\n"
        f"    readings on the WebSocket {len(readings) / window.seconds:,.0f}/s, p50 {percentile(readings, 0.5):,.0f} ms, "
        f"p99 {percentile(readings, 0.99):,.0f} ms; alerts {len(alerts)}, p50 {percentile(alerts, 0.5):,.0f} ms, "
        f"p99 {percentile(alerts, 0.99):,.0f} ms\n"
        f"    lag in records: {', '.join(f'{flow} {lag:,}' for flow, lag in window.lag.items())}\n"
        f"    CPU of one core: {', '.join(f'{name} {share:.0%}' for name, share in window.cpu.items())}; "
        f"all {sum(window.cpu.values()):.0%}"
    )


def shown(window: Window) -> dict[str, Any]:
    """Return a window for JSON, its times summed up."""
    return {
        "seconds": window.seconds,
        "sent": window.sent,
        "acknowledged": window.acknowledged,
        "refused": window.refused,
        "waiting": window.waiting,
        "ack_p99_ms": window.ack_p99_ms,
        "lag_records": window.lag,
        "cpu_cores": {name: round(share, 3) for name, share in window.cpu.items()},
        **{
            f"{name}_{key}": value
            for name, values in (("readings", window.readings), ("alerts", window.alerts))
            for key, value in (
                ("count", len(values)),
                ("p50_ms", percentile(values, 0.5) if values else None),
                ("p99_ms", percentile(values, 0.99) if values else None),
            )
        },
    }


def rises(lags: Sequence[LagLook]) -> dict[str, float]:
    """Return by how many seconds' worth of records each flow's lag rose over the looks, by the straight line through it.

    Where less than a record a second is written, there is no such measure: 0.
    """
    seconds = lags[-1].at - lags[0].at
    found = {}
    for flow in READS:
        per_second = (lags[-1].written[flow] - lags[0].written[flow]) / seconds if seconds else 0.0
        rise = rise_per_second([(look.at, look.lag(flow)) for look in lags]) * seconds
        found[flow] = rise / per_second if per_second >= 1 else 0.0
    return found


def verdict(plan: Plan, counted: Sequence[Window], lags: Sequence[LagLook]) -> str:
    """Say whether it held."""
    grew = {flow: rise for flow, rise in rises(lags).items() if rise > GREW_SECONDS}
    behind = counted[-1].waiting > plan.per_second
    readings = percentile([value for window in counted for value in window.readings], 0.99)
    alerts = percentile([value for window in counted for value in window.alerts], 0.99)
    lag = "no lag grew" if not grew else "LAG GREW: " + ", ".join(f"{flow} by {rise:.1f} s" for flow, rise in grew.items())
    sender = "" if not behind else "; THE SENDER WAITS for answers"
    rate = sum(window.acknowledged for window in counted) / sum(window.seconds for window in counted)
    if rate < KEPT_SHARE * plan.per_second:
        sender += f"; THE RATE WAS NOT KEPT: {rate:,.0f}/s of {plan.per_second:,.0f}/s"
    # What was never heard has no percentile: not a number, which is below nothing.
    held = "met" if readings < BUDGET_P99_MS and alerts < BUDGET_P99_MS else "MISSED"
    return f"{lag}{sender}; p99 to the WebSocket: readings {readings:,.0f} ms, alerts {alerts:,.0f} ms, budget {held}"


def figures_of(plan: Plan, counted: Sequence[Window], lags: Sequence[LagLook], run: Run) -> list[Figure]:
    """Return what is shown: the spread is that of the windows."""

    def figure(what: str, unit: str, values: Sequence[float], budget: float | None = None, *, at_most: bool = True) -> Figure:
        return Figure("fleet", f"{plan.sensors:,} sensors: {what}", unit, tuple(values), budget, at_most)

    figures = [figure("uplinks acknowledged", "1/s", [window.acknowledged / window.seconds for window in counted])]
    figures.append(figure("readings told of uplinks acknowledged", "%", [run.told_share]))
    for name, of in (("readings", [window.readings for window in counted]), ("alerts", [window.alerts for window in counted])):
        heard = [values for values in of if values] or [[]]
        figures += [
            figure(f"accepted to WebSocket, {name}, p50", "ms", [percentile(values, 0.5) for values in heard], BUDGET_P50_MS),
            figure(f"accepted to WebSocket, {name}, p99", "ms", [percentile(values, 0.99) for values in heard], BUDGET_P99_MS),
        ]
    figures += [
        figure(f"lag of {flow}, rise over the run", "s", [max(0.0, rise)], GREW_SECONDS)
        for flow, rise in rises(lags).items()
        if lags[-1].written[flow]
    ]
    figures += [
        figure(f"CPU of {name}", "% of a core", [window.cpu[name] * 100 for window in counted if name in window.cpu])
        for name in counted[-1].cpu
    ]
    if run.page:
        figures.append(figure("the page meanwhile: longest frame", "ms", [run.page["longest_frame_ms"]]))
        figures.append(figure("the page meanwhile: first paint", "ms", [run.page["first_contentful_paint_ms"]]))
    return figures
