"""What commands for operators stand on: the API's own queries, changes and replays, over every organization, without a server.

Nothing is decided here; each command opens what it needs and lets go of it at the end.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import click

from api.commands.transaction import Changes
from api.database import Database
from api.errors import ApiError
from api.managers import Manager
from api.replays.ledger import Ledger
from api.replays.replaying import Replays
from infra.local.environment import load_environment
from pipelines.connectors.errors import Misconfigured, Retryable
from pipelines.connectors.kafka import KafkaConfig
from pipelines.connectors.kafka_loop import LoopProducer
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.domain.registration.refusals import Refused, TooEarly

WHO: Final = "operator"
"""As whom a command on the machine replays and changes."""

WHERE_TO_LOOK: Final = "`coldstream device EUI` shows the sensors of a device; the page, GET /api/v1/sites and /api/v1/units the rest."
"""Where the numbers of things stand, for a command that was given one that is not there."""

ORGANIZATIONS: Final = "SELECT id, team_id FROM organizations WHERE %(organization)s::integer IS NULL OR id = %(organization)s ORDER BY id"


@dataclass(frozen=True, slots=True)
class Desk:
    """An open database, and the organizations a command is about."""

    database: Database
    config: DatabaseConfig
    scope: list[int]
    teams: frozenset[str]

    @property
    def manager(self) -> Manager:
        """Who makes changes here: may change each of the organizations."""
        return Manager(WHO, self.teams, self.teams)


@asynccontextmanager
async def desk(organization: int | None) -> AsyncIterator[Desk]:
    """Open the database; raises click.ClickException where there is no such organization."""
    config = DatabaseConfig.from_environment()
    database = Database(config)
    await database.open()
    try:
        rows = await database.rows(ORGANIZATIONS, {"organization": organization})
        if organization is not None and not rows:
            message = f"there is no organization {organization}"
            raise click.ClickException(message)
        yield Desk(database, config, [row["id"] for row in rows], frozenset(row["team_id"] for row in rows))
    finally:
        await database.close()


@asynccontextmanager
async def changing(at: Desk) -> AsyncIterator[Changes]:
    """Open connections on which changes are made."""
    changes = Changes(at.config)
    await changes.open()
    try:
        yield changes
    finally:
        await changes.close()


@asynccontextmanager
async def replays(at: Desk) -> AsyncIterator[Replays]:
    """Open the log for replays, and wait for what is on its way at the end."""
    kafka = KafkaConfig.from_environment()
    producer = LoopProducer(kafka.ingest_producer("coldstream-replay"))
    try:
        yield Replays(at.database, Ledger(at.config), producer, kafka)
    finally:
        await producer.close()


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Run a command's work; what a person can mend is told in a line, with exit 2 for settings and 1 for the rest."""

    async def whole() -> None:
        await work()

    load_environment()
    try:
        asyncio.run(whole())
    except Misconfigured as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    except (Retryable, ApiError, Refused, TooEarly) as error:
        raise click.ClickException(str(error)) from error


async def finding(work: Coroutine[None, None, None]) -> None:
    """Do some work; where a thing is not found, say where its number can be looked up."""
    try:
        await work
    except ApiError as error:
        if error.code != "not_found":
            raise
        message = f"{error} {WHERE_TO_LOOK}"
        raise click.ClickException(message) from error
