"""`coldstream intervals`: what is learned of how often sensors report, and taking it over where an organization has said so.

Straight to the database, for whoever runs the machine; meant to be run once a day. It stands in the log of changes as `operator`.
"""

import json
from typing import Final

import click

from api.commands.intervals import accept_interval
from api.commands.transaction import Changes, Outcome
from api.errors import ApiError
from api.interval_shapes import AcceptInterval
from api.managers import Manager
from api.parameters import now
from api.queries.intervals import DAYS, MOST_DAYS, answer_of, learned, sensors_of
from api.shapes import iso
from infra.commands.operator import WHO, Desk, changing, desk, run
from pipelines.domain.expected_interval import NoProposal
from pipelines.domain.registration.refusals import Refused, TooEarly

COMMENT: Final = "learned from its uplinks"
ACCEPTING: Final = """
SELECT id, team_id FROM organizations
WHERE id = ANY(%(scope)s) AND archived_at IS NULL AND (accepts_intervals OR %(all)s) ORDER BY id
"""

_organization = click.option("--organization", type=int, default=None, metavar="ID", help="Only sensors of this one.")
_sensor = click.option("--sensor", type=int, default=None, metavar="ID", help="Only this one.")


@click.group()
def command() -> None:
    """Learn how often sensors report from their stored readings."""


@command.command()
@_organization
@_sensor
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=DAYS, show_default=True, help="How far back to look.")
def propose(organization: int | None, sensor: int | None, days: int) -> None:
    """Print a JSON line with the evidence for each sensor whose interval should be another."""
    run(lambda: _propose(organization, sensor, days))


@command.command()
@_organization
@_sensor
def accept(organization: int | None, sensor: int | None) -> None:
    """Take over what is proposed: for one sensor that is named, or for those of organizations that accept by themselves.

    Of these only an interval that is no longer than the one in force and at least half of it, or of up to an hour in place of
    the default; others are listed as left to a person.
    """
    run(lambda: _accept(organization, sensor))


async def _propose(organization: int | None, sensor: int | None, days: int) -> None:
    async with desk(organization) as at:
        for number in await sensors_of(at.database, at.scope, sensor):
            known = await learned(at.database, at.scope, number, now(), days)
            if sensor is not None or not isinstance(known.found, NoProposal):
                click.echo(json.dumps(answer_of(known).model_dump(mode="json", by_alias=True)))


async def _accept(organization: int | None, sensor: int | None) -> None:
    async with desk(organization) as at, changing(at) as changes:
        for row in await at.database.rows(ACCEPTING, {"scope": at.scope, "all": sensor is not None}):
            manager = Manager(WHO, frozenset({row["team_id"]}), frozenset({row["team_id"]}))
            for number in await sensors_of(at.database, [row["id"]], sensor):
                await _accept_one(at, changes, manager, row["id"], number, is_unattended=sensor is None)


async def _accept_one(at: Desk, changes: Changes, manager: Manager, organization: int, number: int, *, is_unattended: bool) -> None:
    """Take over one proposal, looked for before any lock is taken; what stands against it is said and leaves the others be."""
    if isinstance((await learned(at.database, [organization], number, now())).found, NoProposal):
        return
    try:
        async with changes.transaction(manager, COMMENT) as transaction:
            outcome: Outcome = await accept_interval(transaction, number, AcceptInterval(), is_unattended=is_unattended)
    except (ApiError, Refused, TooEarly) as error:
        click.echo(f"sensor {number}: not taken over: {error}", err=True)
        return
    if outcome.effective_at is not None:
        click.echo(f"sensor {number}: taken over, takes effect at {iso(outcome.effective_at)}")
