"""`coldstream corrections`: what is to be corrected of the past, previewed, made, listed and revoked by the very commands that the API runs.

Straight to the database, for whoever runs the machine; in the record it stands as `operator`. Nothing is decided here.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

import click
from pydantic import TypeAdapter, ValidationError

from api.commands.correcting import revoke as revoke_correction
from api.commands.corrections import correct
from api.commands.previewing import preview as preview_correction
from api.correction_shapes import AnyOrder, Corrected, CorrectionAnswer
from api.errors import ApiError, describe
from api.parameters import MAX_ID
from api.queries.corrections import corrections as query_corrections
from api.routes.corrections import preview_answer
from infra.commands.moment import Moment
from infra.commands.operator import Desk, changing, desk, finding, run
from infra.correction_words import correction_table, instant, previewed_lines, said_of
from pipelines.domain.registration.naming import required_comment

ORDER: Final[TypeAdapter[AnyOrder]] = TypeAdapter(AnyOrder)
MAX_LISTED: Final = 1_000

Act = Callable[[AnyOrder, int | None, bool], Coroutine[None, None, None]]


NUMBER: Final = click.IntRange(1, MAX_ID)
SENSOR: Final = click.Option(["--sensor"], type=NUMBER, required=True, metavar="ID")
UNIT: Final = click.Option(["--unit"], type=NUMBER, required=True, metavar="ID")
SINCE: Final = click.Option(["--from", "from"], type=Moment(), required=True, help="Since when; within 366 days.")
UNTIL_NOW: Final = click.Option(["--to"], type=Moment(), help="Up to then, in the past; default: now.")
ORGANIZATION: Final = click.Option(["--organization"], type=NUMBER, metavar="ID", help="Only within this one; default: any.")
AS_JSON: Final = click.Option(["--json", "as_json"], is_flag=True, help="What the API answers.")
COMMENT: Final = click.Option(["--comment"], required=True, help="Why; kept with it.")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of correction: its name here, what the API calls it, and what it takes."""

    name: str
    is_called: str
    about: str
    options: tuple[click.Option, ...]


KINDS: Final = (
    Kind(
        "calibration",
        "calibration",
        "This was added to what a sensor measured; without --to it goes on.",
        (
            SENSOR,
            click.Option(["--celsius", "calibration_celsius"], type=float, required=True, help="Added to what it says, such as -0.2."),
            SINCE,
            click.Option(["--to"], type=Moment(), help="Up to then, also in the future; default: it goes on."),
        ),
    ),
    Kind("flag", "flag", "Readings of a sensor are not to be believed.", (SENSOR, SINCE, UNTIL_NOW)),
    Kind("delete", "delete", "Readings of a sensor are as if they had never come.", (SENSOR, SINCE, UNTIL_NOW)),
    Kind("move", "assignment", "A sensor has watched another unit since then.", (SENSOR, UNIT, SINCE)),
    Kind("end", "assignment", "A sensor has watched nothing since then.", (SENSOR, SINCE)),
    Kind(
        "swap",
        "swap",
        "Two sensors have watched each other's unit since then.",
        (SENSOR, click.Option(["--other"], type=NUMBER, required=True, metavar="ID", help="The other sensor."), SINCE),
    ),
    Kind(
        "policy",
        "policy",
        "A unit is judged by this policy version since then.",
        (UNIT, click.Option(["--policy-version"], type=NUMBER, required=True, metavar="ID"), SINCE),
    ),
)


def order_of(kind: Kind, given: Mapping[str, Any]) -> AnyOrder:
    """Return what is asked of the API's command; raises click.UsageError for a value that cannot be taken."""
    fields = {name: value for name, value in given.items() if value is not None}
    if kind.is_called == "assignment":
        fields["unit"] = given.get("unit")
    try:
        return ORDER.validate_python({"kind": kind.is_called, **fields})
    except ValidationError as error:
        raise click.UsageError(describe(error.errors())) from error


def _with_kinds(name: str, about: str, act: Act, *more: click.Option) -> click.Group:
    """Return a group with a command for each kind."""
    return click.Group(name, help=about, commands=[_of_kind(kind, act, more) for kind in KINDS])


def _of_kind(kind: Kind, act: Act, more: tuple[click.Option, ...]) -> click.Command:
    def callback(organization: int | None, *, as_json: bool, **given: Any) -> None:
        order = order_of(kind, given)
        run(lambda: finding(act(order, organization, as_json)))

    return click.Command(kind.name, callback=callback, help=kind.about, params=[*kind.options, *more, ORGANIZATION, AS_JSON])


async def _preview(order: AnyOrder, organization: int | None, as_json: bool) -> None:
    async with desk(organization) as at, changing(at) as changes, changes.transaction(at.manager, is_dry=True) as transaction:
        previewed = await preview_correction(transaction, order)
    answer = preview_answer(previewed)
    if as_json:
        click.echo(answer.model_dump_json(by_alias=True))
        return
    for line in previewed_lines(previewed.wanted, answer):
        click.echo(line)


async def _make(order: AnyOrder, organization: int | None, as_json: bool) -> None:
    why = required_comment(order.comment)
    async with desk(organization) as at:
        async with changing(at) as changes, changes.transaction(at.manager, why) as transaction:
            numbers, effective_at = await correct(transaction, order)
        items = await _kept(at, numbers)
    _tell(Corrected(outcome="created" if items else "unchanged", effective_at=effective_at, items=items), as_json=as_json)


async def _revoke(number: int, comment: str, organization: int | None, as_json: bool) -> None:
    why = required_comment(comment)
    async with desk(organization) as at:
        async with changing(at) as changes, changes.transaction(at.manager, why) as transaction:
            numbers, effective_at = await revoke_correction(transaction, number)
        items = await _kept(at, numbers)
    _tell(Corrected(outcome="changed", effective_at=effective_at, items=items), as_json=as_json)


async def _kept(at: Desk, numbers: list[int]) -> list[CorrectionAnswer]:
    return (await query_corrections(at.database, at.scope, numbers=numbers))[::-1] if numbers else []


def _tell(corrected: Corrected, *, as_json: bool) -> None:
    """Print what became of a correction, and what comes next."""
    if as_json:
        click.echo(corrected.model_dump_json(by_alias=True))
        return
    for one in corrected.items:
        click.echo(f"correction {one.id}{' is revoked' if one.revoked_at is not None else ''}: {said_of(one)}")
    at = None if corrected.effective_at is None else instant(corrected.effective_at)
    if not corrected.items:
        click.echo("Nothing of the past need be corrected." + ("" if at is None else f" It holds from {at} on."))
    elif at is not None:
        click.echo(f"What it touches is judged again at {at}.")


@click.group()
def command() -> None:
    """Correct the past: preview what would change, make a correction, list them, revoke one."""


command.add_command(_with_kinds("preview", "Say what a correction would change, and write nothing.", _preview))
command.add_command(_with_kinds("make", "Make a correction; what it touches is judged again within seconds.", _make, COMMENT))


@command.command(name="list", params=[ORGANIZATION, AS_JSON])
@click.option("--sensor", type=NUMBER, default=None, metavar="ID", help="Only of this one.")
@click.option("--unit", type=NUMBER, default=None, metavar="ID", help="Only of this one's policies, and sensors moved to it.")
@click.option("--standing", is_flag=True, help="Without those that were revoked.")
@click.option("--before", type=NUMBER, default=None, metavar="ID", help="Only older ones than this.")
@click.option("--limit", type=click.IntRange(1, MAX_LISTED), default=100, show_default=True)
def list_(organization: int | None, *, as_json: bool, limit: int, **given: Any) -> None:
    """List corrections, the newest first: who made each, when, what it says and why."""

    async def work() -> None:
        async with desk(organization) as at:
            found = await query_corrections(at.database, at.scope, limit=limit, **given)
        for line in [one.model_dump_json(by_alias=True) for one in found] if as_json else correction_table(found):
            click.echo(line)
        more = f"; for older ones: --before {found[-1].id}" if len(found) == limit else ""
        click.echo(f"{len(found)} corrections{more}", err=True)

    run(work)


@command.command()
@click.argument("correction", type=NUMBER)
def show(correction: int) -> None:
    """Show one correction as the API does, as JSON."""

    async def work() -> None:
        async with desk(None) as at:
            found = await _kept(at, [correction])
        if not found:
            message = f"there is no correction {correction}: `coldstream corrections list` shows those that there are"
            raise click.ClickException(message)
        click.echo(found[0].model_dump_json(by_alias=True, indent=2))

    run(work)


@command.command(params=[COMMENT, ORGANIZATION, AS_JSON])
@click.argument("correction", type=NUMBER)
def revoke(correction: int, comment: str, organization: int | None, *, as_json: bool) -> None:
    """Take a correction back, as if it had not been made; what it put in force from then on stays."""

    async def work() -> None:
        try:
            await _revoke(correction, comment, organization, as_json)
        except ApiError as error:
            if error.code != "not_found":
                raise
            message = f"there is no correction {correction}: `coldstream corrections list` shows those that there are"
            raise click.ClickException(message) from error

    run(work)
