"""`coldstream topics`: create the topics and check their settings, by the independent second client."""

import os
import sys

import click

from infra.topics import TopicProblem, create_missing, find_problems
from schemas.topics import TOPICS


@click.command()
@click.option("--create", is_flag=True, help="Create topics that are missing, and correct settings that differ.")
@click.option(
    "--bootstrap-servers", default=lambda: os.environ.get("KAFKA_BOOTSTRAP_SERVERS", ""), help="Default: KAFKA_BOOTSTRAP_SERVERS."
)
def command(create: bool, bootstrap_servers: str) -> None:
    """Show every topic with its key, value, writers and readers, and whether the broker has it as it must be."""
    if not bootstrap_servers:
        message = "no broker named: set KAFKA_BOOTSTRAP_SERVERS or pass --bootstrap-servers host:port"
        raise click.UsageError(message)
    done = create_missing(bootstrap_servers) if create else []
    problems: dict[str, list[TopicProblem]] = {}
    for problem in find_problems(bootstrap_servers):
        problems.setdefault(problem.topic, []).append(problem)
    for line in done:
        click.echo(line)
    for topic in TOPICS:
        state = "; ".join(problem.text for problem in problems.get(topic.name, [])) or "ok"
        readers = ", ".join(topic.readers) or "nobody yet"
        click.echo(f"{topic.name:<14} {topic.partitions:>2} partitions  {', '.join(topic.writers)} -> {readers}: {state}")
    if problems:
        click.echo("Some topics are not as they must be: run `coldstream topics --create`", err=True)
        sys.exit(1)
