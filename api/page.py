"""The live page, the set-up page and their files, read once at the start. The browser is told to load nothing from any other host.

Must not know anything of units or readings: the pages ask the API for those themselves.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

STATIC: Final = Path(__file__).parent / "static"
CHART_DISTRIBUTION: Final = "metaflow-card-uplot"
"""The package that ships uPlot; only its files are read, its code is never imported."""
CHART_FILES: Final = ("uPlot.iife.min.js", "uPlot.min.css")

MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}

ALWAYS_ASK: Final = "no-cache"
"""Our own files: the browser asks each time whether they have changed, so that page and API are never of two versions."""
KEEP_A_DAY: Final = "public, max-age=86400"
"""uPlot's files, which change only with the lock file."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    zipped: bytes
    media_type: str
    etag: str
    cache_control: str


def page_routes() -> list[BaseRoute]:
    """Return the routes `/`, `/setup` and `/static/...`.

    Raises FileNotFoundError when the package that ships uPlot is not installed whole.
    """
    assets = load_assets()

    async def index(request: Request) -> Response:
        return answer(assets["index.html"], request.headers)

    async def setup(request: Request) -> Response:
        return answer(assets["setup.html"], request.headers)

    async def static(request: Request) -> Response:
        asset = assets.get(request.path_params["path"])
        if asset is None:
            return Response("There is no such file.", status_code=404, media_type="text/plain", headers=dict(SECURITY_HEADERS))
        return answer(asset, request.headers)

    served = {"/": index, "/setup": setup, "/static/{path:path}": static}
    return [Route(path, page, include_in_schema=False) for path, page in served.items()]


def answer(asset: Asset, asked: Headers) -> Response:
    """Return the file, or 304 where the browser has it."""
    headers = {**SECURITY_HEADERS, "Cache-Control": asset.cache_control, "ETag": asset.etag, "Vary": "Accept-Encoding"}
    known = {tag.strip().removeprefix("W/") for tag in asked.get("if-none-match", "").split(",")}
    if asset.etag in known:
        return Response(status_code=304, headers=headers)
    encodings = {part.split(";")[0].strip() for part in asked.get("accept-encoding", "").split(",")}
    if "gzip" in encodings:
        headers["Content-Encoding"] = "gzip"
        return Response(asset.zipped, media_type=asset.media_type, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=headers)


def load_assets() -> dict[str, Asset]:
    """Return every file by its path below `/static/`. There is no other way to a file, so no path can lead out of the folder."""
    own = {
        path.relative_to(STATIC).as_posix(): to_asset(path, ALWAYS_ASK)
        for path in sorted(STATIC.rglob("*"))
        if path.is_file() and path.suffix in MEDIA_TYPES
    }
    chart = {f"uplot/{path.name}": to_asset(path, KEEP_A_DAY) for path in chart_files()}
    return own | chart


def to_asset(path: Path, cache_control: str) -> Asset:
    """Return a file with what is told about it."""
    body = path.read_bytes()
    return Asset(
        body=body,
        zipped=gzip.compress(body, mtime=0),
        media_type=MEDIA_TYPES[path.suffix],
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        cache_control=cache_control,
    )


def chart_files() -> list[Path]:
    """Return where uPlot's files are installed; raises FileNotFoundError when one is not."""
    try:
        listed = files(CHART_DISTRIBUTION) or []
    except PackageNotFoundError:
        listed = []
    found = {Path(file).name: Path(str(file.locate())) for file in listed}
    missing = [name for name in CHART_FILES if name not in found or not found[name].is_file()]
    if missing:
        message = f"{', '.join(missing)} of the package {CHART_DISTRIBUTION} is not installed: install requirements.lock again"
        raise FileNotFoundError(message)
    return [found[name] for name in CHART_FILES]
