"""`coldstream simulate`: post a simulated fleet's uplinks to a running API as The Things Stack does."""

import asyncio
import gc
import hmac
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click
import psycopg
import uvloop

from infra.local.environment import load_environment
from infra.seed import seed_registry
from infra.simulator.fleet import LARGEST, Fleet, build_fleet
from infra.simulator.http_client import Target
from infra.simulator.journal import Journal
from infra.simulator.lengths import milliseconds
from infra.simulator.mischief import CLEAN, NAMES, Mischief
from infra.simulator.physics import DAY
from infra.simulator.progress import Progress
from infra.simulator.registry import QUICK, USUAL, Pace, registry_of
from infra.simulator.run import Plan, Simulation, Span, summary
from infra.simulator.scenario import Scenario, ScenarioError, load, names
from infra.simulator.sender import RefusedError, Sender, target_of
from pipelines.connectors.clock import monotonic, now_ms

LONGEST_HISTORY: Final = 34 * DAY
"""A `measured_at` more than 35 days before it is received is rejected; a day is left for the time the posting takes."""
SETTLE_SECONDS: Final = 6.0
"""Until every process has seen a change of the registry: secrets within 5 s, terms as quickly."""
COLLECT_EVERY: Final = 100_000
"""Objects: a large fleet is a lot that stays, and looking through it for garbage every 700 objects takes a tenth of all time."""
QUICK_OFFLINE_MS: Final = 30_000


class Length(click.ParamType[int]):
    """A length of time such as 30d, 12h, 90m or 45s; in ms."""

    name = "length"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return ms, or fail."""
        if isinstance(value, int):
            return value
        try:
            length = milliseconds(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if length < 0:
            self.fail(f"{value!r} goes back in time: write 30d, 12h, 90m or 45s", param, ctx)
        return length


def note(text: str) -> None:
    """Tell a person; standard output is for the summary."""
    click.echo(text, err=True)


@click.command()
@click.option("--scenario", "scenario_name", default=None, help="A scenario's name or file; options go before what it says.")
@click.option("--list", "is_listing", is_flag=True, help="List the scenarios and end.")
@click.option("--url", default=None, help="The API. Default: API_URL, or the stack in .local.")
@click.option("--units", default=None, type=click.IntRange(1, LARGEST), help="Default: 12.")
@click.option("--seed", default=None, type=click.IntRange(0, 65_535), help="Same seed, same uplinks. Default: 1.")
@click.option("--interval", default=None, type=click.FloatRange(0.05, 86_400), help="Seconds. Default: 300.")
@click.option("--history", type=Length(), default=None, help="Post this much history first, such as 30d.")
@click.option("--history-interval", default=None, type=click.FloatRange(1, 86_400), help="Seconds. Default: 900.")
@click.option("--duration", type=click.FloatRange(0), default=None, help="Seconds of real time. Default: until Ctrl-C.")
@click.option("--quick", is_flag=True, help="Things happen 60 times faster in real time, and holds are 5 to 20 s.")
@click.option("--clean", is_flag=True, help="No oddities: every uplink is a reading in order.")
@click.option("--without", multiple=True, type=click.Choice(NAMES), help="Leave one kind of oddity out.")
@click.option("--journal", type=click.Path(path_type=Path, dir_okay=False), help="One JSON line per uplink taken.")
@click.option("--secret", default=None, help="The webhook's secret. Without it the registry is seeded by DATABASE_URL.")
@click.option("--application", default="coldstream-demo", show_default=True)
@click.option("--team", default="demo-team", show_default=True, help="Whose fleet it is, when the registry is seeded.")
def command(
    scenario_name: str | None,
    is_listing: bool,
    url: str | None,
    units: int | None,
    seed: int | None,
    interval: float | None,
    history: int | None,
    history_interval: float | None,
    duration: float | None,
    quick: bool,
    clean: bool,
    without: tuple[str, ...],
    journal: Path | None,
    secret: str | None,
    application: str,
    team: str,
) -> None:
    """Post a simulated fleet's uplinks as The Things Stack does; a summary in JSON comes last.

    History is judged well only while the API writes no ticks (TICKS_ENABLED=false), as `coldstream demo` does: the
    clock of ticks runs far ahead of old readings, so that each hold reached in them makes the next reading late.
    """
    if is_listing:
        list_scenarios()
        return
    load_environment()
    gc.set_threshold(COLLECT_EVERY)
    try:
        scenario = load(scenario_name) if scenario_name is not None else Scenario()
    except ScenarioError as error:
        raise click.UsageError(str(error)) from error
    given: dict[str, Any] = {"units": units, "seed": seed, "history": history}
    given |= {"interval": interval and round(interval * 1000), "history_interval": history_interval and round(history_interval * 1000)}
    given |= {"duration": None if duration is None else round(duration * 1000), "quick": quick or None}
    scenario = replace(scenario, **{name: value for name, value in given.items() if value is not None})
    if scenario.history > LONGEST_HISTORY:
        raise click.UsageError("--history may be 34d at most: older readings are rejected")
    oddities = (CLEAN if clean else scenario.mischief).without(frozenset(without))
    end = now_ms()
    span = Span(end - scenario.history, end, scenario.history_interval) if scenario.history else None
    if span is not None:
        note("history is judged well only while the API writes no ticks (TICKS_ENABLED=false); see docs/simulator.md")
    plan = plan_of(scenario, application, oddities)
    if secret is None:
        secret = _seed(plan, span, team)
    try:
        target = target_of(url or os.environ.get("API_URL") or "", secret)
    except ValueError as error:
        raise click.UsageError(f"{error}: pass --url, or start a stack with `coldstream up`") from error
    sys.exit(_simulated(plan, span, scenario.duration, target, journal))


def list_scenarios() -> None:
    """Print each packaged scenario's name and what it is for."""
    for name in names():
        click.echo(f"{name:<16} {load(name).title}")


def plan_of(scenario: Scenario, application: str, mischief: Mischief) -> Plan:
    """Return the plan of a scenario."""
    return Plan(
        fleet=build_fleet(scenario.units, scenario.seed, scenario.mix),
        application=application,
        mischief=mischief,
        interval=scenario.interval,
        quick=scenario.quick,
        ramp=scenario.ramp,
        happenings=scenario.happenings,
    )


def _simulated(plan: Plan, span: Span | None, duration: int | None, target: Target, journal: Path | None) -> int:
    """Run a simulation, print its summary and return the exit code."""
    with Journal(journal) as kept:
        sender = Sender(target, kept)
        progress = Progress(note, sys.stderr if sys.stderr.isatty() else None)
        began = monotonic()
        try:
            uvloop.run(_run(Simulation(plan, sender, progress), sender, span, None if duration is None else duration / 1000))
        except RefusedError as refused:
            progress.say(f"coldstream simulate: {refused}")
            return 1
        finally:
            click.echo(json.dumps(summary(sender.tally, monotonic() - began)))
    return 1 if sender.tally.given_up else 0


async def _run(simulation: Simulation, sender: Sender, span: Span | None, duration: float | None) -> None:
    loop = asyncio.get_running_loop()
    for told in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(told, sender.stop)
    if span is not None:
        await simulation.history(span)
    await simulation.live(duration)


def _seed(plan: Plan, span: Span | None, team: str) -> str:
    """Put the fleet into the registry of the stack at hand and return the webhook's secret."""
    database, key = os.environ.get("DATABASE_URL"), os.environ.get("STACK_AUTH_SECRET_SERVER_KEY")
    if not database or not key:
        raise click.UsageError("pass --secret, or start a stack with `coldstream up` so that its registry can be seeded")
    secret = local_secret(key, plan.application)
    paces = paces_of(plan, span, now_ms())
    registry = registry_of(
        plan.fleet,
        team_id=team,
        name="Coldstream demo",
        application=plan.application,
        secret=secret,
        valid_from=paces[0].effective_at,
        paces=paces,
    )
    with psycopg.connect(database) as connection:
        seed_registry(connection, registry)
    note(f"registry seeded: {describe(plan.fleet)}; waiting {SETTLE_SECONDS:.0f} s until every process knows")
    wait_seconds(SETTLE_SECONDS)
    return secret


def wait_seconds(seconds: float) -> None:
    """Wait; a Ctrl-C ends the command."""
    asyncio.run(asyncio.sleep(seconds))


def paces_of(plan: Plan, span: Span | None, now: int) -> tuple[Pace, ...]:
    """Return the terms of the history and, from its end on, of the live part; each alone where the other is missing."""
    live_from = now - DAY if span is None else span.end
    live = Pace.usual(live_from, plan.interval, USUAL)
    if plan.quick and plan.interval:
        live = Pace(live_from, plan.interval, QUICK, 3 * plan.interval, max(QUICK_OFFLINE_MS, 3 * plan.interval))
    if span is None:
        return (live,)
    return (Pace.usual(span.begin - DAY, span.interval, USUAL), live)


def local_secret(key: str, application: str) -> str:
    """Return the webhook's secret of a local stack: the same each time, and as hard to guess as the stack's own key."""
    return hmac.new(key.encode(), f"webhook secret of {application}".encode(), "sha256").hexdigest()


def describe(fleet: Fleet) -> str:
    """Say how large a fleet is."""
    return f"{len(fleet.sites)} sites, {len(fleet.units)} units, {len(fleet.devices)} devices"
