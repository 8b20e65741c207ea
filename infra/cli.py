"""The one entry point `coldstream`; each command is loaded only when it is named.

`COMMANDS` is the whole list. A command's file is imported on use, so that `coldstream decode` needs no Kafka client.
"""

import importlib
import keyword
from typing import Final

import click

COMMANDS: Final = {
    "corrections": "Correct the past: preview what would change, make, list and revoke corrections.",
    "dead-letters": "List and show dead letters, and replay those whose cause is mended.",
    "decode": "Decode The Things Stack messages from files or standard input.",
    "defrosts": "Learn what defrosts look like to a sensor, and take it over.",
    "demo": "Start everything, simulate a fleet and sum up what happened.",
    "device": "Say of a device EUI why its sensor shows or does not, and what to do.",
    "doctor": "Check every part of an installation and say what to mend.",
    "evaluate": "Judge a CSV of readings by a policy.",
    "flow": "Run one dataflow.",
    "import": "Import sites, units and sensors from a CSV file.",
    "intervals": "Learn how often sensors report, and take it over.",
    "maintenance": "Declare maintenance of units, end it sooner, revoke it, and list it.",
    "migrate": "Bring the database to the newest revision.",
    "regroup": "Group the partitions of stopped flows into other cells, with their state.",
    "serve": "Run the API.",
    "simulate": "Post a simulated fleet's uplinks as The Things Stack does.",
    "status": "Show every flow's cells, how far they are, and what to do where something is wrong.",
    "token": "Mint an access token from the sandbox issuer.",
    "topics": "Create the topics and check their settings.",
    "up": "Start the whole local stack.",
}


class LazyGroup(click.Group):
    """A click group that imports a command's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command of that name, importing its file."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"infra.commands.{module_of(cmd_name)}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in sorted(COMMANDS)])


def module_of(name: str) -> str:
    """Return the module of a command: its name with underscores, and one behind a word that is Python's own."""
    return f"{name}_" if keyword.iskeyword(name) else name.replace("-", "_")


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="coldstream")
def main() -> None:
    """Coldstream watches refrigerators, freezers, cold rooms and shipments."""
