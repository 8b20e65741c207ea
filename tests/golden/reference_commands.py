"""Writes the part of docs/reference.md about the command line: every command and option, as click itself describes them."""

from collections.abc import Iterator

import click

from infra.cli import main
from tests.golden.tables import table_of

Named = tuple[str, click.Command, click.Context]


def commands_part() -> str:
    """Return a section for each command, below the list of them."""
    found = list(commands(main, click.Context(main, info_name="coldstream")))
    listed = table_of(("command", "what it does"), [(f"`{name}`", one.get_short_help_str(200)) for name, one, _ in found])
    return "\n\n".join([listed, *(section(*named) for named in found)])


def commands(group: click.Group, context: click.Context) -> Iterator[Named]:
    """Yield each command with its whole name, those of groups below them, sorted."""
    for name in sorted(group.list_commands(context)):
        command = group.get_command(context, name)
        assert command is not None
        below = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from commands(command, below)
        else:
            yield below.command_path, command, below


def section(name: str, command: click.Command, context: click.Context) -> str:
    """Return what one command takes."""
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    about = " ".join((command.help or "").split())
    records = [parameter.get_help_record(context) for parameter in command.get_params(context) if isinstance(parameter, click.Option)]
    options = [
        (f"`{record[0].replace('|', ', ')}`", record[1] or "-") for record in records if record is not None and "--help" not in record[0]
    ]
    parts = [f"### {name}", about, f"`{usage}`"]
    return "\n\n".join([*parts, table_of(("option", "meaning"), options)] if options else parts)
