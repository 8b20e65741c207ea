"""The live page and its files, from installed packages only. The browser is told to load nothing from anywhere else."""

import importlib.util
from pathlib import Path
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC: Final = Path(__file__).parent / "static"

CHART_PACKAGE: Final = "metaflow_extensions.card_uplot"
CHART_FOLDER: Final = Path("plugins/cards/uplot/uplot")
"""Where a Python package ships uPlot, so that the page needs no other host and setting up needs no npm."""

HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
"""`no-cache`: a browser asks whether a file is still the same, so that a new version shows at once."""


def page_routes() -> list[BaseRoute]:
    """Return the routes of the page and its files."""

    async def page(_request: Request) -> FileResponse:
        return FileResponse(STATIC / "index.html", headers=HEADERS)

    routes: list[BaseRoute] = [Route("/", page)]
    chart = chart_folder()
    if chart is not None:
        routes.append(Mount("/static/uplot", Guarded(StaticFiles(directory=chart))))
    routes.append(Mount("/static", Guarded(StaticFiles(directory=STATIC))))
    return routes


def chart_folder() -> Path | None:
    """Return the folder that holds uPlot, or None where its package is not installed."""
    try:
        found = importlib.util.find_spec(CHART_PACKAGE)
    except ModuleNotFoundError:
        return None
    places = list(found.submodule_search_locations or ()) if found else []
    folders = [Path(place) / CHART_FOLDER for place in places]
    return next((folder for folder in folders if folder.is_dir()), None)


class Guarded:
    """Files with the page's headers."""

    def __init__(self, app: ASGIApp) -> None:
        """Add them to what this app answers."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, send_guarded)
