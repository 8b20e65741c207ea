"""`coldstream status`: every flow's cells, who runs them, how far they are, and what to do where something is wrong."""

import json
import os
import sys
import time
from pathlib import Path

import click
import psycopg

from infra.local.environment import DEFAULT_DATA, load_environment
from infra.local.parts import FLOWS
from infra.status.judging import problems
from infra.status.looking import look, topics_by_flow
from infra.status.table import document, table
from pipelines.connectors.clock import now_ms

WATCH_SECONDS = 2.0
CLEAR = "\x1b[H\x1b[2J"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of the table.")
@click.option("--watch", is_flag=True, help="Look again each 2 s until Ctrl-C.")
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_DATA, show_default=True, help="Of the local stack."
)
def command(as_json: bool, watch: bool, data: Path) -> None:
    """Show every flow's cells: partitions, holder, lag, clock age, records/s, seconds since state was made safe, memory.

    DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS name the servers; without them those of the local stack are looked at. Exit 1
    when something is wrong, with a line that says what to do. A dash is what cannot be seen from here.
    """
    settings = load_environment(data, dict(os.environ))
    if not settings.get("DATABASE_URL"):
        message = "DATABASE_URL is not set and no stack has run here: start one with `coldstream up`"
        raise click.ClickException(message)
    wrong = True
    try:
        while True:
            if watch and not as_json:
                click.echo(CLEAR, nl=False)
            wrong = _show(settings["DATABASE_URL"], settings.get("KAFKA_BOOTSTRAP_SERVERS", ""), as_json=as_json)
            if not watch:
                break
            time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        pass
    except psycopg.Error as error:
        message = f"the database cannot be asked: {str(error).strip()}"
        raise click.ClickException(message) from error
    sys.exit(1 if wrong else 0)


def _show(database_url: str, bootstrap_servers: str, *, as_json: bool) -> bool:
    """Look once and show it; return whether something is wrong."""
    topics = topics_by_flow(tuple(part.value for part in FLOWS))
    cells = look(database_url, bootstrap_servers, topics)
    now = now_ms() / 1_000
    found = problems(cells, {flow: topics[flow].partitions for flow in topics}, now)
    if as_json:
        click.echo(json.dumps(document(cells, found, now)))
        return bool(found)
    for line in table(cells, now):
        click.echo(line)
    for problem in found:
        click.echo(problem.line())
    return bool(found)
