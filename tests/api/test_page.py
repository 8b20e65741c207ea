"""How the page's files are served: types, caching, and a policy that lets the browser load nothing from elsewhere."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from api.page import STATIC, page_routes


class Client:
    """Asks the page's routes, without a server."""

    def __init__(self) -> None:
        """Serve the page alone."""
        self.transport = httpx.ASGITransport(Starlette(routes=page_routes()))

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """Return the answer to a GET."""

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport, base_url="http://page") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


@pytest.fixture
def client() -> Client:
    """Talks to the page alone."""
    return Client()


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/setup", "text/html; charset=utf-8"),
        ("/static/setup/main.js", "text/javascript; charset=utf-8"),
        ("/static/main.js", "text/javascript; charset=utf-8"),
        ("/static/page.css", "text/css; charset=utf-8"),
        ("/static/icon.svg", "image/svg+xml"),
        ("/static/uplot/uPlot.iife.min.js", "text/javascript; charset=utf-8"),
        ("/static/uplot/uPlot.min.css", "text/css; charset=utf-8"),
    ],
)
def test_every_file_has_its_type_and_the_policy(client: Client, path: str, media_type: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert response.headers["content-type"] == media_type
    assert response.headers["x-content-type-options"] == "nosniff"
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_a_file_the_browser_has_is_not_sent_again(client: Client) -> None:
    first = client.get("/static/main.js")

    again = client.get("/static/main.js", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "no-cache"
    assert again.status_code == 304
    assert again.content == b""


@pytest.mark.parametrize("path", ["/static/nothing.js", "/static/../page.py", "/static/%2e%2e/page.py", "/static/"])
def test_nothing_else_is_served(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def imported_by(module: Path) -> set[Path]:
    """Return the modules that a module imports, by their own words."""
    return {(module.parent / name).resolve() for name in re.findall(r'from "(\.[^"]+)"', module.read_text())}


def loaded_by(module: Path, known: set[Path]) -> set[Path]:
    """Return everything that comes with a module."""
    for one in imported_by(module) - known:
        known.add(one)
        loaded_by(one, known)
    return known


@pytest.mark.parametrize(("page", "module"), [("index.html", "main.js"), ("setup.html", "setup/main.js")])
def test_a_page_preloads_every_module_that_it_needs_and_nothing_else(page: str, module: str) -> None:
    preloaded = {STATIC / name for name in re.findall(r'rel="modulepreload" href="/static/([^"]+)"', (STATIC / page).read_text())}

    assert preloaded == loaded_by(STATIC / module, set()), "none waits for another, and the live page waits for no other page's"


@pytest.mark.parametrize("page", ["index.html", "setup.html"])
def test_a_page_names_only_files_that_are_there(page: str) -> None:
    named = set(re.findall(r'(?:href|src)="/static/([^"]+)"', (STATIC / page).read_text()))

    assert {name for name in named if not name.startswith("uplot/") and not (STATIC / name).is_file()} == set()


def test_no_file_names_another_host() -> None:
    texts = "".join(path.read_text() for path in STATIC.rglob("*") if path.is_file())

    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", texts) == []
