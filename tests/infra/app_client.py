"""A blocking client of an ASGI app in this process, for tests only."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
from starlette.types import ASGIApp


class AppClient:
    """Sends requests to an app without a socket."""

    def __init__(self, app: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(app)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._send("GET", path, **options)

    def post(self, path: str, json: Mapping[str, object], **options: Any) -> httpx.Response:
        return self._send("POST", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self._send("DELETE", path, **options)

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://127.0.0.1:9999") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())
