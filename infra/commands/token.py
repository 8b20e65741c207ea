"""`coldstream token`: mint an access token from the sandbox's Stack Auth stand-in."""

import os
import sys
from typing import Final

import click
import httpx

from infra.local.environment import load_environment

TOKEN_PATH: Final = "/sandbox/stack-auth/token"  # noqa: S105 - an address


@click.command()
@click.option("--user", default="demo", show_default=True, help="Whose token; an unknown user is made.")
@click.option("--expires-in", default=3_600, show_default=True, type=click.IntRange(-86_400, 31_536_000), help="Seconds.")
@click.option("--sandbox-url", default=None, help="Default: SANDBOX_URL, or the stack in .local.")
def command(user: str, expires_in: int, sandbox_url: str | None) -> None:
    """Print an access token, for the header x-stack-access-token or the WebSocket's first message."""
    load_environment()
    url = sandbox_url or os.environ.get("SANDBOX_URL", "")
    if not url:
        message = "no sandbox named: start one with `coldstream up`, set SANDBOX_URL or pass --sandbox-url"
        raise click.UsageError(message)
    order = {"user": user, "expires_in": expires_in}
    try:
        answer = httpx.post(url.rstrip("/") + TOKEN_PATH, json=order, timeout=10, trust_env=False)
        token = answer.raise_for_status().json()["access_token"]
    except (httpx.HTTPError, ValueError, KeyError) as error:
        click.echo(f"coldstream token: the sandbox at {url} minted no token: {error}", err=True)
        sys.exit(1)
    click.echo(token)
