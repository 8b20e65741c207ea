"""A sign-in page without passwords for the sandbox's users. It hands tokens to pages of this machine only."""

import html
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse

from infra.sandbox.known_errors import KnownError
from infra.sandbox.stack_auth_state import Directory
from infra.sandbox.stack_auth_tokens import Issuer

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
LIFETIME_SECONDS: Final = 12 * 3600
"""Longer than the real one's 10 minutes: nobody refreshes tokens here, and a demo should last an afternoon."""

PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer"><title>Sandbox sign-in</title>
<style>body{{font:16px system-ui;max-width:26rem;margin:4rem auto;padding:0 1rem}}
button{{display:block;width:100%;margin:.5rem 0;padding:.8rem;font:inherit;text-align:left;cursor:pointer}}
small{{color:#667}}</style></head>
<body><h1>Sign in</h1><p>A stand-in for Stack Auth: choose who you are.</p>
<form action="/sandbox/sign-in/choose" method="get">
<input type="hidden" name="return_to" value="{return_to}">
{buttons}</form></body></html>"""

BUTTON: Final = '<button name="user" value="{id}">{name}<br><small>{teams}</small></button>'


def router(directory: Directory, issuer: Issuer) -> APIRouter:
    """Return the page and the choice made on it."""
    routes = APIRouter(prefix="/sandbox/sign-in")

    @routes.get("")
    async def page(return_to: str) -> HTMLResponse:
        buttons = "\n".join(
            BUTTON.format(
                id=html.escape(user.id),
                name=html.escape(user.display_name),
                teams=html.escape(", ".join(team.display_name for team in directory.teams_of(user.id)) or "no team"),
            )
            for user in directory.users.values()
        )
        return HTMLResponse(PAGE.format(return_to=html.escape(loopback_page(return_to)), buttons=buttons))

    @routes.get("/choose")
    async def choose(user: str, return_to: str) -> RedirectResponse:
        page = loopback_page(return_to)
        if user not in directory.users:
            raise KnownError(404, "USER_NOT_FOUND", "User not found.")
        token = issuer.mint(directory.users[user], expires_in=LIFETIME_SECONDS)
        return RedirectResponse(f"{page}#access_token={token}", status_code=303, headers={"Cache-Control": "no-store"})

    return routes


def loopback_page(address: str) -> str:
    """Return the address without its fragment; raises KnownError unless it is a page of this machine."""
    try:
        parts = urlsplit(address)
        is_ours = parts.scheme in {"http", "https"} and parts.hostname in LOOPBACK and parts.username is None
        is_ours = is_ours and not set(address) & set("\\\r\n\t ")
        _ = parts.port
    except ValueError:
        is_ours = False
    if not is_ours:
        raise KnownError(400, "REDIRECT_URL_NOT_WHITELISTED", "Only a page of this machine may be returned to.")
    return urlunsplit(parts._replace(fragment=""))
