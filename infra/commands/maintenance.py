"""`coldstream maintenance`: windows in which a unit's operational alarms are held back, by the very commands that the API runs.

Straight to the database, for whoever runs the machine; in the record it stands as `operator`. Nothing is decided here.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import click

from api.commands.maintenance import Planned, keep, plan_end, plan_end_at_site, plan_for_site, plan_for_unit, plan_revocation
from api.commands.maintenance_preview import preview as preview_of
from api.commands.transaction import Transaction
from api.maintenance_shapes import MaintenanceEnd, MaintenanceOrder
from api.parameters import MAX_ID, optional_instant
from api.queries.maintenance import WindowFilter, maintenance, windows_of
from infra.commands.moment import Moment
from infra.commands.operator import changing, desk, finding, run
from infra.correction_words import instant
from infra.maintenance_words import previewed_lines, table
from pipelines.domain.registration.naming import required_comment

MAX_LISTED: Final = 1_000
Plan = Callable[[Transaction], Awaitable[list[Planned]]]
NUMBER: Final = click.IntRange(1, MAX_ID)

_unit = click.option("--unit", type=NUMBER, default=None, metavar="ID")
_site = click.option("--site", type=NUMBER, default=None, metavar="ID", help="All units of this one.")
_from = click.option("--from", "from_", type=Moment(), default=None, help="Default: as soon as every flow knows, within ten seconds.")
_to = click.option("--to", type=Moment(), required=True, help="Up to then; at most 31 days later.")
_comment = click.option("--comment", required=True, help="Why; kept with it.")
_json = click.option("--json", "as_json", is_flag=True, help="What the API answers, one window a line.")


@click.group(name="maintenance")
def command() -> None:
    """Declare maintenance of units, end it sooner, revoke it, and list it."""


@command.command()
@_unit
@_site
@_from
@_to
@_comment
@_json
def declare(unit: int | None, site: int | None, from_: str | None, to: str, comment: str, *, as_json: bool) -> None:
    """Declare maintenance of a unit, or of every unit of a site; one that began in the past has its sensors judged again."""
    plan = _declaration(unit, site, from_, to)
    run(lambda: finding(_change(plan, comment, as_json=as_json)))


@command.command()
@_unit
@_site
@_from
@_to
@_json
def preview(unit: int | None, site: int | None, from_: str | None, to: str, *, as_json: bool) -> None:
    """Say what maintenance that began in the past would change of what people were told, and write nothing."""
    plan = _declaration(unit, site, from_, to)
    run(lambda: finding(_show(plan, as_json=as_json)))


@command.command()
@click.argument("window", type=NUMBER, required=False)
@_site
@click.option("--to", type=Moment(), default=None, help="When it ended or ends; default: as soon as every flow knows.")
@_comment
@_json
def end(window: int | None, site: int | None, to: str | None, comment: str, *, as_json: bool) -> None:
    """End a window sooner than declared, or all that hold now at a site."""
    order = MaintenanceEnd(to=to)
    _one_of(window=window, site=site)

    async def plan(transaction: Transaction) -> list[Planned]:
        if window is not None:
            return await plan_end(transaction, window, order)
        assert site is not None, "one of them is given"
        return await plan_end_at_site(transaction, site, order)

    run(lambda: finding(_change(plan, comment, as_json=as_json)))


@command.command()
@click.argument("window", type=NUMBER)
@_comment
@_json
def revoke(window: int, comment: str, *, as_json: bool) -> None:
    """Take a window back, as if it had not been declared."""
    run(lambda: finding(_change(lambda transaction: plan_revocation(transaction, window), comment, as_json=as_json)))


@command.command(name="list")
@click.option("--organization", type=NUMBER, default=None, metavar="ID", help="Default: each that there is.")
@_unit
@_site
@click.option("--from", "from_", type=Moment(), default=None, help="Only what holds at some instant from then on...")
@click.option("--to", type=Moment(), default=None, help="...and before then.")
@click.option("--standing", is_flag=True, help="Without those that were revoked.")
@click.option("--before", type=NUMBER, default=None, metavar="ID", help="Only older ones than this.")
@click.option("--limit", type=click.IntRange(1, MAX_LISTED), default=100, show_default=True)
@_json
def list_(organization: int | None, from_: str | None, to: str | None, limit: int, *, as_json: bool, **given: Any) -> None:
    """List windows, the newest declared first: for what unit and when, by whom and why."""

    async def work() -> None:
        wanted = WindowFilter(start=optional_instant(from_, "from"), end=optional_instant(to, "to"), limit=limit, **given)
        async with desk(organization) as at:
            found = await maintenance(at.database, at.scope, wanted)
        for line in [one.model_dump_json(by_alias=True) for one in found] if as_json else table(found):
            click.echo(line)
        more = f"; for older ones: --before {found[-1].id}" if len(found) == limit else ""
        click.echo(f"{len(found)} windows{more}", err=True)

    run(work)


def _one_of(**given: int | None) -> None:
    if sum(value is not None for value in given.values()) != 1:
        message = f"name either {' or '.join(name if name == 'window' else f'--{name}' for name in given)}"
        raise click.UsageError(message)


def _declaration(unit: int | None, site: int | None, from_: str | None, to: str) -> Plan:
    """Return the plan of maintenance of a unit or a site."""
    order = MaintenanceOrder.model_validate({"from": from_, "to": to})
    _one_of(unit=unit, site=site)

    async def plan(transaction: Transaction) -> list[Planned]:
        if unit is not None:
            return await plan_for_unit(transaction, unit, order)
        assert site is not None, "one of them is given"
        return await plan_for_site(transaction, site, order)

    return plan


async def _change(plan: Plan, comment: str, *, as_json: bool) -> None:
    """Keep what is planned, with why, and tell what became of it."""
    why = required_comment(comment)
    async with desk(None) as at:
        async with changing(at) as changes, changes.transaction(at.manager, why) as transaction:
            done = await keep(transaction, await plan(transaction))
        items = await windows_of(at.database, at.scope, done.numbers)
    for line in [one.model_dump_json(by_alias=True) for one in items] if as_json else table(items):
        click.echo(line)
    what = (
        f"{len(items)} {'window' if len(items) == 1 else 'windows'} {done.outcome}" if items else "no window holds now: nothing is changed"
    )
    again = "" if done.judged_again_at is None else f"; what it says of the past is judged again at {instant(done.judged_again_at)}"
    click.echo(what + again, err=True)


async def _show(plan: Plan, *, as_json: bool) -> None:
    """Tell what would come of what is planned."""
    async with desk(None) as at, changing(at) as changes, changes.transaction(at.manager, is_dry=True) as transaction:
        found = await preview_of(transaction, await plan(transaction))
    for line in [found.model_dump_json(by_alias=True)] if as_json else previewed_lines(found):
        click.echo(line)
