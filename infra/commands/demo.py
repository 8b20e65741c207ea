"""`coldstream demo`: start everything on fresh data, simulate a fleet, and sum up what happened in one JSON line."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Final

import click
import uvloop

from infra.demo.show import TICKS, Demo, DemoPlan
from infra.local.errors import StackError
from infra.local.folders import Folders
from infra.local.local_stack import LocalStack
from infra.local.lock import exclusive
from infra.local.parts import ALL
from infra.local.ports import DEFAULT_BASE, HOST, SPAN, Ports, free_base, is_free
from infra.local.progress import TerminalProgress

DATA: Final = Path(".local/demo")
NAME: Final = "demo"


@click.command()
@click.option("--seconds", type=click.FloatRange(1), default=None, help="Real time to show. Default: until Ctrl-C.")
@click.option("--units", default=12, show_default=True, type=click.IntRange(1, 2_000))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0, 65_535))
@click.option("--history-days", default=30, show_default=True, type=click.IntRange(0, 34))
@click.option("--data", default=DATA, show_default=True, type=click.Path(path_type=Path, file_okay=False), help="Made anew.")
@click.option("--port-base", type=click.IntRange(1024, 65_535 - SPAN), default=None, help="Default: 7400, or free ports.")
def command(seconds: float | None, units: int, seed: int, history_days: int, data: Path, port_base: int | None) -> None:
    """Start the whole stack on fresh data, load a history, run in real time, and print what became of every uplink.

    Progress goes to standard error, one JSON line to standard output. Exit 1 when the sums disagree.
    """
    progress = TerminalProgress()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ[TICKS] = "false"
    try:
        clear(data)
        base = port_base or _usual_base()
        sign_in = f"http://{HOST}:{Ports(base).sandbox}/sandbox/sign-in"
        extra = {"SANDBOX_SIGN_IN_URL": sign_in}
        with LocalStack(data, base, ALL, extra=extra, progress=progress) as stack:
            demo = Demo(DemoPlan(units, seed, history_days, seconds), stack, lambda line: progress.say(NAME, line))
            shown, problem = uvloop.run(_until_told(demo))
            progress.say(NAME, f"logs in {stack.logs}")
    except StackError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("coldstream demo: stopped before there was anything to sum up", err=True)
        sys.exit(130)
    click.echo(json.dumps(shown))
    if problem is not None:
        click.echo(f"coldstream demo: {problem}", err=True)
        sys.exit(1)


async def _until_told(demo: Demo) -> tuple[dict[str, object], str | None]:
    """Run the demo; the first Ctrl-C ends the sending, the second one everything."""
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        demo.stop()
        for told in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(told)
            signal.signal(told, signal.default_int_handler)

    for told in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(told, on_signal)
    return await demo.run()


def clear(data: Path) -> None:
    """Remove what an earlier demo left in its folder; raises StackError while one runs there."""
    if not data.exists():
        return
    with exclusive(Folders.at(data).lock):
        pass
    LocalStack(data, DEFAULT_BASE, ()).remove()


def _usual_base() -> int:
    """Return the usual ports' base where all of them are free, else any free one."""
    usual = range(DEFAULT_BASE, DEFAULT_BASE + SPAN)
    return DEFAULT_BASE if all(is_free(port) for port in usual) else free_base()
