"""`coldstream maintenance`: windows in which a unit's operational alarms are held back, by the very commands that the API runs.

Straight to the database, for whoever runs the machine; in the record it stands as `operator`. Nothing is decided here.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import click

from api.commands.maintenance import Done, declare_for_site, declare_for_unit, end_at_site, end_window, revoke_window
from api.commands.transaction import Transaction
from api.maintenance_shapes import MaintenanceAnswer, MaintenanceEnd, MaintenanceOrder
from api.parameters import MAX_ID, optional_instant
from api.queries.maintenance import WindowFilter, maintenance, windows_of
from infra.commands.moment import Moment
from infra.commands.operator import changing, desk, finding, run
from infra.correction_words import instant
from infra.text_table import aligned
from pipelines.domain.registration.naming import required_comment

MAX_LISTED: Final = 1_000
NUMBER: Final = click.IntRange(1, MAX_ID)

_unit = click.option("--unit", type=NUMBER, default=None, metavar="ID")
_site = click.option("--site", type=NUMBER, default=None, metavar="ID", help="All units of this one.")
_comment = click.option("--comment", required=True, help="Why; kept with it.")
_json = click.option("--json", "as_json", is_flag=True, help="What the API answers, one window a line.")


@click.group(name="maintenance")
def command() -> None:
    """Declare maintenance of units, end it sooner, revoke it, and list it."""


@command.command()
@_unit
@_site
@click.option("--from", "from_", type=Moment(), default=None, help="Default: as soon as every flow knows, within ten seconds.")
@click.option("--to", type=Moment(), required=True, help="Up to then; at most 31 days later.")
@_comment
@_json
def declare(unit: int | None, site: int | None, from_: str | None, to: str, comment: str, *, as_json: bool) -> None:
    """Declare maintenance of a unit, or of every unit of a site; one that began in the past has its sensors judged again."""
    order = MaintenanceOrder.model_validate({"from": from_, "to": to})
    _one_of(unit=unit, site=site)

    async def done(transaction: Transaction) -> Done:
        if unit is not None:
            return await declare_for_unit(transaction, unit, order)
        assert site is not None, "one of them is given"
        return await declare_for_site(transaction, site, order)

    run(lambda: finding(_change(done, comment, as_json=as_json)))


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

    async def done(transaction: Transaction) -> Done:
        if window is not None:
            return await end_window(transaction, window, order)
        assert site is not None, "one of them is given"
        return await end_at_site(transaction, site, order)

    run(lambda: finding(_change(done, comment, as_json=as_json)))


@command.command()
@click.argument("window", type=NUMBER)
@_comment
@_json
def revoke(window: int, comment: str, *, as_json: bool) -> None:
    """Take a window back, as if it had not been declared."""
    run(lambda: finding(_change(lambda transaction: revoke_window(transaction, window), comment, as_json=as_json)))


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


async def _change(command_of: Callable[[Transaction], Awaitable[Done]], comment: str, *, as_json: bool) -> None:
    """Run a command that says why, and tell what became of it."""
    why = required_comment(comment)
    async with desk(None) as at:
        async with changing(at) as changes, changes.transaction(at.manager, why) as transaction:
            done = await command_of(transaction)
        items = await windows_of(at.database, at.scope, done.numbers)
    for line in [one.model_dump_json(by_alias=True) for one in items] if as_json else table(items):
        click.echo(line)
    what = (
        f"{len(items)} {'window' if len(items) == 1 else 'windows'} {done.outcome}" if items else "no window holds now: nothing is changed"
    )
    again = "" if done.judged_again_at is None else f"; what it says of the past is judged again at {instant(done.judged_again_at)}"
    click.echo(what + again, err=True)


def table(windows: list[MaintenanceAnswer]) -> list[str]:
    """Return a row for each window, below a heading; nothing for none."""
    if not windows:
        return []
    return aligned([("id", "site", "unit", "from", "to", "by", "because"), *(_row(one) for one in windows)])


def _row(one: MaintenanceAnswer) -> tuple[str, ...]:
    ended = "" if one.ended_at is None else f" (until {instant(one.declared_to)} before {one.ended_by} ended it: {one.end_comment})"
    revoked = "" if one.revoked_at is None else f" (revoked {instant(one.revoked_at)} by {one.revoked_by}: {one.revocation_comment})"
    because = f"{one.comment}{ended}{revoked}"
    return str(one.id), str(one.site), str(one.unit), instant(one.from_), instant(one.to), one.declared_by, because
