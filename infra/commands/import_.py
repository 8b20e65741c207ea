"""`coldstream import`: sites, units and sensors from a CSV file into the registry, by the very transaction that the API runs.

It goes straight to the database, for whoever runs the machine; in the log of changes it stands as `operator`.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import click
import psycopg

from api.commands.imports import Imported, ImportOrder, run_import
from api.commands.transaction import Changes
from api.errors import ApiError
from api.managers import Manager
from api.parameters import aware
from api.shapes import iso
from infra.local.environment import load_environment
from pipelines.connectors.errors import Misconfigured, Retryable
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.domain.instants import UnreadableInstant, parse_instant
from pipelines.domain.registration.import_plan import ERROR, UNCHANGED, LineResult
from pipelines.domain.registration.naming import comment as checked_comment
from pipelines.domain.registration.refusals import Refused

OPERATOR: Final = "operator"
MAX_SHOWN: Final = 200
"""Lines of the table; all lines with errors come first."""

FIND: Final = "SELECT id, team_id, name FROM organizations WHERE id::text = %(wanted)s OR name = %(wanted)s ORDER BY id"


@click.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--organization", required=True, help="Its id or its whole name.")
@click.option("--dry-run", is_flag=True, help="Say what would become of each line; keep nothing.")
@click.option("--assigned-from", default=None, metavar="ISO", help="First assignments hold from then on: up to 35 days back.")
@click.option("--comment", default="", help="Why, for the log of changes.")
def command(file: Path, organization: str, dry_run: bool, assigned_from: str | None, comment: str) -> None:
    """Import the sites, units and sensors of FILE (CSV): all of its lines or none.

    Columns: site, unit, dev_eui and, as wanted, time_zone, kind, policy, probe, device_name, brand_id, model_id, expected_interval_seconds,
    max_gap_seconds, offline_after_seconds, calibration_celsius. Exit 1 when a line has an error.
    """
    load_environment()
    try:
        database = DatabaseConfig.from_environment()
        begin = None if assigned_from is None else aware(parse_instant(assigned_from))
        imported = asyncio.run(_run(database, organization, file.read_bytes(), dry_run, begin, comment))
    except (Refused, UnreadableInstant, ApiError, Misconfigured, Retryable, click.ClickException) as error:
        click.echo(f"coldstream import: {error}", err=True)
        sys.exit(1)
    for line in table(imported.plan.results):
        click.echo(line)
    click.echo(summary(imported))
    sys.exit(1 if imported.plan.has_errors else 0)


async def _run(
    database: DatabaseConfig, organization: str, content: bytes, dry_run: bool, begin: datetime | None, comment: str
) -> Imported:
    number, team = _organization(database, organization)
    manager = Manager(OPERATOR, frozenset({team}), frozenset({team}))
    changes = Changes(database)
    await changes.open()
    try:
        return await run_import(changes, manager, ImportOrder(number, content, dry_run, begin, checked_comment(comment)))
    finally:
        await changes.close()


def _organization(database: DatabaseConfig, wanted: str) -> tuple[int, str]:
    """Return the id and team of the one organization that is meant."""
    with database.connect("import") as connection:
        try:
            found = connection.execute(FIND, {"wanted": wanted}).fetchall()
        except psycopg.errors.UndefinedTable as error:
            message = "the database is not migrated: run `coldstream migrate`"
            raise click.ClickException(message) from error
    if len(found) != 1:
        several = ", ".join(str(row[0]) for row in found)
        message = f"{len(found)} organizations are called {wanted!r} ({several}): give the id" if found else f"no organization {wanted!r}"
        raise click.ClickException(message)
    return int(found[0][0]), str(found[0][1])


def table(results: Sequence[LineResult]) -> list[str]:
    """Return a row for each line of the file that does something, those with errors first, at most MAX_SHOWN."""
    shown = sorted((one for one in results if one.outcome != UNCHANGED), key=lambda one: one.outcome != ERROR)
    rows = [("line", "outcome", "site", "unit", "dev_eui", "what")]
    for one in shown[:MAX_SHOWN]:
        said = "; ".join(one.errors or one.changes)
        rows.append((str(one.line.number), one.outcome, one.line.site, one.line.unit, one.line.dev_eui, said))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5]]).rstrip() for row in rows]
    if len(shown) > MAX_SHOWN:
        lines.append(f"... and {len(shown) - MAX_SHOWN} more")
    return lines if shown else []


def summary(imported: Imported) -> str:
    """Return one line that says what was done."""
    counts = ", ".join(f"{number} {outcome}" for outcome, number in imported.plan.counts().items())
    if imported.plan.has_errors:
        return f"{counts}: nothing was written"
    if imported.is_dry_run:
        return f"{counts}: a dry run, nothing was written"
    at = imported.effective_at
    return f"{counts}: written" + ("" if at is None else f", takes effect at {iso(at)}")
