"""`coldstream doctor`: look at every part of an installation and say what to mend; it changes nothing."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from infra.local.checks import Check, Finding, folder_check, machine_checks, port_checks
from infra.local.environment import DEFAULT_DATA, EXISTING, load_environment
from infra.local.folders import Folders
from infra.local.lock import holder
from infra.local.ports import DEFAULT_BASE, Ports
from infra.local.server_checks import server_checks


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_DATA, show_default=True)
@click.option("--port-base", type=int, default=DEFAULT_BASE, show_default=True)
def command(data: Path, port_base: int) -> None:
    """Check every part of an installation and say what to mend; exit 1 when something needed is missing."""
    missing = 0
    for check in _checks(Folders(data.resolve()), Ports(port_base)):
        click.echo(check.line())
        missing += check.finding is Finding.MISSING
    click.echo("all that is needed is there" if missing == 0 else f"missing: {missing}")
    sys.exit(1 if missing else 0)


def _checks(folders: Folders, ports: Ports) -> Iterator[Check]:
    """Return the checks in the order in which a person would mend them."""
    yield from machine_checks()
    running = holder(folders.lock) is not None
    yield folder_check(folders)
    yield from port_checks(ports, running=running)
    named = any(os.environ.get(name) for name in EXISTING.values())
    settings = load_environment(folders.data, dict(os.environ))
    yield from server_checks(settings, expected=running or named)
