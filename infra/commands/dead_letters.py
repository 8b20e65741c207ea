"""`coldstream dead-letters`: what was rejected or unassigned, why, what to do, and its replay once the cause is mended."""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import click

from api.parameters import optional_instant
from api.queries.ends import dead_letter, dead_letters
from api.replay_shapes import MOST_LETTERS
from api.replays.replaying import Filter, Outcome
from api.routes.replays import answer_of
from infra.commands.operator import WHO, desk, replays, run
from schemas.reasons import RejectReason

Command = TypeVar("Command", bound=Callable[..., Any])


def filters(command: Command) -> Command:
    """Add the options that choose letters."""
    for option in reversed(
        (
            click.option("--organization", type=click.IntRange(1), default=None, help="Default: all."),
            click.option("--reason", type=click.Choice([reason.value for reason in RejectReason]), default=None),
            click.option("--kind", type=click.Choice(["rejected", "unassigned"]), default=None),
            click.option("--dev-eui", default=None, help="16 hexadecimal digits."),
            click.option("--from", "from_", default=None, metavar="ISO", help="Received at or after."),
            click.option("--to", default=None, metavar="ISO", help="Received before."),
            click.option(
                "--limit",
                type=click.IntRange(1, MOST_LETTERS),
                default=200,
                show_default=True,
                help="Of a list; of a replay how many at a time.",
            ),
        )
    ):
        command = option(command)
    return command


@click.group()
def command() -> None:
    """List dead letters, show one, and replay those whose cause is mended."""


@command.command(name="list")
@filters
@click.option("--all", "everything", is_flag=True, help="Also those that were replayed, and what came of replays.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, as the API answers.")
def list_(everything: bool, as_json: bool, **given: Any) -> None:
    """List the newest dead letters that wait for a mend, and how many there are of each reason among them."""

    async def work() -> None:
        async with desk(given["organization"]) as at:
            letters = await dead_letters(
                at.database,
                at.scope,
                limit=given["limit"],
                kind=given["kind"],
                reason=given["reason"],
                dev_eui=upper(given["dev_eui"]),
                start=optional_instant(given["from_"], "from"),
                end=optional_instant(given["to"], "to"),
                replayed=None if everything else False,
            )
        if as_json:
            for letter in letters:
                click.echo(letter.model_dump_json(by_alias=True))
            return
        for letter in letters:
            shown = json.loads(letter.model_dump_json(by_alias=True))
            click.echo(f"{shown['id']}  {shown['received_at']}  {letter.reason:<21} {letter.dev_eui or '-':<16}  {letter.detail[:80]}")
        for (reason, what_to_do), count in Counter((letter.reason, letter.what_to_do) for letter in letters).most_common():
            click.echo(f"{count} {reason}: {what_to_do}", err=True)
        click.echo(f"{len(letters)} letters", err=True)

    run(work)


@command.command()
@click.argument("letter", type=click.UUID)
def show(letter: UUID) -> None:
    """Show one dead letter with its bytes, what its reason means, what to do, and every replay, as JSON."""

    async def work() -> None:
        async with desk(None) as at:
            found = await dead_letter(at.database, at.scope, letter)
        if found is None:
            message = f"there is no dead letter {letter}"
            raise click.ClickException(message)
        click.echo(found.model_dump_json(by_alias=True, indent=2))

    run(work)


@command.command()
@click.argument("ids", nargs=-1, type=click.UUID)
@filters
@click.option("--dry-run", is_flag=True, help="Only say what each would become with today's decoder and registry.")
@click.option("--again", is_flag=True, help="Also letters that were replayed before.")
@click.option("--json", "as_json", is_flag=True, help="The answers of the API, one a line.")
def replay(ids: tuple[UUID, ...], dry_run: bool, again: bool, as_json: bool, **given: Any) -> None:
    """Write the uplinks of dead letters again: those of IDS, or of a filter, oldest first. What would end the same way is left alone."""
    named = [name for name in ("organization", "reason", "kind", "dev_eui", "from_", "to") if given[name] is not None]
    if bool(ids) == bool(named):
        message = "name the letters either by their ids or by a filter such as --reason unassigned"
        raise click.UsageError(message)

    async def work() -> None:
        counts: Counter[str] = Counter()
        async with desk(given["organization"]) as at, replays(at) as letters:
            if ids:
                counts += tell(
                    await letters.replay_named(at.scope, ids, WHO, dry_run=dry_run, again=again), dry_run=dry_run, as_json=as_json
                )
            choice = None if ids else chosen(given)
            while choice is not None:
                outcome = await letters.replay_chosen(at.scope, choice, WHO, dry_run=dry_run, again=again)
                counts += tell(outcome, dry_run=dry_run, as_json=as_json)
                choice = None if outcome.last is None else dataclasses.replace(choice, after=outcome.last)
        click.echo(", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "no letters", err=True)

    run(work)


def tell(outcome: Outcome, *, dry_run: bool, as_json: bool) -> Counter[str]:
    """Print what became of some letters; return how many had which status."""
    answer = answer_of(outcome, dry_run=dry_run)
    if as_json:
        click.echo(answer.model_dump_json(by_alias=True))
    else:
        for item in answer.items:
            click.echo(f"{item.id}  {item.status:<17} {item.message}")
    return Counter(answer.counts)


def chosen(given: dict[str, Any]) -> Filter:
    """Return the filter that options describe; raises ApiError on an instant that cannot be read."""
    return Filter(
        kind=given["kind"],
        reason=given["reason"],
        dev_eui=upper(given["dev_eui"]),
        start=optional_instant(given["from_"], "from"),
        end=optional_instant(given["to"], "to"),
        limit=given["limit"],
    )


def upper(dev_eui: str | None) -> str | None:
    """Return a device EUI as it is stored."""
    return None if dev_eui is None else dev_eui.upper()
