"""`coldstream migrate`: bring the database to the newest revision, and create partitions ahead."""

import os

import click

from migrations import runner


@click.command()
@click.option("--database-url", default=lambda: os.environ.get("DATABASE_URL", ""), help="Default: DATABASE_URL.")
@click.option("--revision", default="head", show_default=True)
def command(database_url: str, revision: str) -> None:
    """Bring the database to the newest revision; safe to run again at any time."""
    if not database_url:
        message = "no database named: set DATABASE_URL or pass --database-url postgresql://user@host:port/name"
        raise click.UsageError(message)
    before = runner.current(database_url)
    runner.upgrade(database_url, revision)
    after = runner.current(database_url)
    click.echo(f"database at revision {after}" + ("" if before == after else f" (was {before or 'empty'})"))
