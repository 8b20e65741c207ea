"""`coldstream up`: start the whole local stack, keep it running, stop it on Ctrl-C or SIGTERM."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import click

from infra.local import parts
from infra.local.cells import Counts, parse_counts
from infra.local.environment import DEFAULT_DATA
from infra.local.errors import StackError
from infra.local.folders import Folders
from infra.local.lock import exclusive
from infra.local.ports import DEFAULT_BASE, SPAN, Ports, span
from infra.local.progress import Progress, TerminalProgress
from infra.local.stack import Stack

NAME = "coldstream"
HIGHEST_PORT = 65_535


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_DATA, show_default=True)
@click.option(
    "--port-base",
    type=click.IntRange(1024, 65535 - SPAN),
    default=DEFAULT_BASE,
    show_default=True,
    help="The API's port; the other parts take those that follow.",
)
@click.option("--only", type=click.Choice(["infra"]), help="infra: Kafka, PostgreSQL and Redis alone.")
@click.option(
    "--cells", default="1", metavar="N|FLOW=N,...", help="Processes of each flow, such as 4 or detect_excursions=4,decode_uplinks=2."
)
@click.option("--no-restart", is_flag=True, help="Leave a part that died down.")
def command(data: Path, port_base: int, only: str | None, cells: str, no_restart: bool) -> None:
    """Start the whole local stack and keep it running until Ctrl-C.

    The data stays in the --data folder. A part whose setting is given (KAFKA_BOOTSTRAP_SERVERS, DATABASE_URL,
    REDIS_URL) is a server that exists: it is used, not started.

    With --cells a flow runs as several processes, each with a range of partitions and a recovery folder of its own.
    A flow that ran with another number before is not started: the message names the command that groups its state anew.
    """
    progress = TerminalProgress()
    wanted = parts.SERVERS if only == "infra" else parts.ALL
    try:
        counts = parse_counts(cells)
        _require_room(port_base, counts)
        folders = Folders.at(data)
        with exclusive(folders.lock):
            given = os.environ
            stack = Stack(folders, Ports(port_base), wanted, progress, given=given, restart=not no_restart, cells=counts)
            asyncio.run(_run(stack, progress))
    except StackError as error:
        raise click.ClickException(str(error)) from error


def _require_room(port_base: int, counts: Counts) -> None:
    """Raise StackError where the metrics of so many cells would have no ports."""
    if port_base + span(max(counts.values(), default=1)) > HIGHEST_PORT:
        raise StackError("--cells needs more ports than there are from --port-base on.", "Choose a lower --port-base.")


async def _run(stack: Stack, progress: Progress) -> None:
    """Start the stack, wait to be told to stop, stop it; a second signal does not wait for anything to end well."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if told.is_set():
            progress.warn(NAME, "ending every part at once")
            stack.hurry()
        told.set()

    for wanted in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(wanted, on_signal)
    starting = asyncio.create_task(stack.start())
    waiting = asyncio.create_task(told.wait())
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            _tell_ready(stack, progress)
            await waiting
    finally:
        starting.cancel()
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError, StackError):
            await starting
        progress.say(NAME, "stopping")
        await stack.stop()


def _tell_ready(stack: Stack, progress: Progress) -> None:
    """Say where everything is and how to stop it."""
    if parts.Part.API in stack.wanted:
        progress.say(NAME, f"ready: {stack.settings['API_URL']}   (sign in with: coldstream token)")
    else:
        progress.say(NAME, "ready")
    progress.say(NAME, f"settings in {stack.folders.environment}, logs in {stack.folders.logs}")
    progress.say(NAME, "Ctrl-C stops everything; the data stays" if sys.stdin.isatty() else "SIGTERM stops everything")
