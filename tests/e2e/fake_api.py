"""REST and WebSocket of docs/api.md over a fake fleet, with the real page in front: what a browser talks to in these tests.

A test scripts it: push events, drop connections, refuse tokens. It keeps what the page has sent.
"""

import asyncio
import json
import socket
import threading
import time
from contextlib import suppress
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.page import page_routes
from tests.e2e.fake_fleet import MAX_GAP, FakeFleet, FakeUnit, Json, iso
from tests.e2e.fake_history import FakeHistory, instant

TOKEN: Final = "a-token-of-the-test"
SIGN_IN: Final = "http://127.0.0.1:9/sandbox/sign-in"
START_SECONDS: Final = 10


class FakeApi:
    """A server in a thread of its own; `url` is where the page is."""

    def __init__(self, fleet: FakeFleet) -> None:
        """Serve this fleet once started."""
        self.fleet = fleet
        self.history = FakeHistory(fleet)
        self.are_tokens_refused = False
        self.is_down = False
        self.frames: list[Json] = []
        self.asked: list[str] = []
        self.answers: dict[str, Json | tuple[int, Json]] = {}
        """What a test lets the registry answer, by method and path: "POST sites"; with a status where it is no 200."""
        self.sent: list[tuple[str, Json]] = []
        """What the page asked to change, with its bodies."""
        self._sockets: dict[WebSocket, set[int]] = {}
        self._cursor = 0
        self._server = uvicorn.Server(uvicorn.Config(self._app(), log_level="error", ws="websockets-sansio", lifespan="off"))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> "FakeApi":
        """Start; returns once the port answers."""
        self._thread = threading.Thread(target=self._run, name="fake api", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline:
                message = f"the fake API did not start within {START_SECONDS} s"
                raise TimeoutError(message)
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        """Stop and wait for the thread."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=5)
        self._listener.close()

    def _run(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self._server.serve([self._listener]))

    @property
    def connections(self) -> int:
        """How many WebSockets are open and authenticated."""
        return len(self._sockets)

    def push(self, event: str, unit: FakeUnit, data: Json) -> None:
        """Send an event to those who watch the unit's site."""
        self.push_text(unit.site, self.event_text(event, unit.site, unit.id, data))

    def event_text(self, event: str, site: int, unit: int, data: Json) -> str:
        """Return an event as it is sent."""
        self._cursor += 1
        return json.dumps({"event": event, "cursor": str(self._cursor), "organization": 1, "site": site, "unit": unit, "data": data})

    def push_text(self, site: int, text: str) -> None:
        """Send a frame to those who watch a site."""
        asyncio.run_coroutine_threadsafe(self._send(site, text), self._loop).result(5)

    async def _send(self, site: int, text: str) -> None:
        for connection, sites in list(self._sockets.items()):
            if site in sites:
                await connection.send_text(text)

    def push_reading(self, unit: FakeUnit, celsius: float, at: int | None = None) -> None:
        """Send a reading measured now, or at an instant."""
        measured_at = iso(int(time.time() * 1000) if at is None else at)
        reading = {"sensor": unit.sensor, "unit": unit.id, "measured_at": measured_at, "received_at": measured_at}
        self.push("sensor:readings:batch", unit, {"readings": [{**reading, "temperature_celsius": celsius}]})

    def push_state(self, unit: FakeUnit, state: str) -> None:
        """Send a change of the unit's state."""
        since = iso(int(time.time() * 1000))
        self.push("unit:state:changed", unit, {"state": state, "since": since, "sensors": {str(unit.sensor): state}})

    def drop_connections(self, code: int = 1012) -> None:
        """Close every WebSocket."""

        async def close() -> None:
            for connection in list(self._sockets):
                await connection.close(code)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(5)

    def resync(self) -> None:
        """Tell every page that events may have been missed."""

        async def tell() -> None:
            for connection in list(self._sockets):
                await connection.send_json({"type": "resync", "reason": "redis"})

        asyncio.run_coroutine_threadsafe(tell(), self._loop).result(5)

    def _app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)
        app.add_middleware(GZipMiddleware, minimum_size=2_000, compresslevel=1)
        app.router.routes.extend(
            [
                Route("/api/v1/{path:path}", self._rest, methods=["GET", "POST", "PATCH"]),
                WebSocketRoute("/ws", self._live),
                *page_routes(),
            ],
        )
        return app

    async def _rest(self, request: Request) -> Response:
        path = request.path_params["path"]
        self.asked.append(path)
        if path == "sign-in":
            return JSONResponse({"sandbox_sign_in_url": SIGN_IN})
        if self.is_down:
            return error(503, "database_unavailable", "The database does not answer. Try again in a moment.")
        if self.are_tokens_refused or request.headers.get("x-stack-access-token") != TOKEN:
            return error(401, "token_expired", "The access token has expired: sign in again.")
        if request.method != "GET":
            is_json = request.headers.get("content-type") == "application/json"
            self.sent.append((f"{request.method} {path}", await request.json() if is_json else {"text": (await request.body()).decode()}))
        if (scripted := self.answers.get(f"{request.method} {path}")) is not None:
            status, told = scripted if isinstance(scripted, tuple) else (200, scripted)
            return JSONResponse(told, status_code=status)
        body = self._answer(path, dict(request.query_params)) if request.method == "GET" else None
        return error(404, "not_found", f"There is no {path}.") if body is None else JSONResponse(body)

    def _answer(self, path: str, asked: dict[str, str]) -> Any:
        fleet = self.fleet
        match path.split("/"):
            case ["me"]:
                user = {"id": "00000000-0000-0000-0000-000000000001", "name": "Ada Berg", "email": "ada@example.com"}
                organizations = [{"id": 1, "name": "Northern Clinics"}]
                return {"user": user, "token_expires_at": iso(fleet.now + 36_000_000), "organizations": organizations}
            case ["teams"]:
                return {"items": [{"id": "team-1", "name": "Northern", "organization": 1, "may_manage": True}], "next": None}
            case ["sites"]:
                return {"items": fleet.sites, "next": None}
            case ["units"]:
                return page_of([fleet.unit_json(unit) for unit in some(fleet, asked)], fleet, asked)
            case ["units", unit]:
                found = fleet.units[int(unit)]
                return {**fleet.unit_json(found), "sensors": [{**fleet.sensor_json(found), "budgets": []}], "conditions": []}
            case ["units", unit, "policy"]:
                return self.history.policy(fleet.units[int(unit)], asked.get("at"))
            case ["units", unit, "registration"]:
                return self.history.registration(fleet.units[int(unit)])
            case ["sensors"]:
                return page_of([fleet.sensor_json(unit) for unit in some(fleet, asked)], fleet, asked)
            case ["readings"]:
                measured = fleet.units[int(asked["sensor"]) - 100_000]
                return {"items": self.history.readings(measured, asked), "next": None}
            case ["readings", "buckets"]:
                return {"items": self._buckets(asked), "next": None}
            case ["excursions"]:
                return {"items": self.history.excursions(asked), "next": None}
            case ["excursions", excursion, "versions"]:
                return {"items": self.history.versions[excursion], "next": None} if excursion in self.history.versions else None
            case ["corrections"]:
                return {"items": self.history.corrections.get(int(asked.get("sensor", 0)), []), "next": None}
            case ["maintenance"]:
                return {"items": self.history.maintenance.get(int(asked["unit"]), []), "next": None}
            case ["conditions"]:
                return {"items": self.history.conditions.get(int(asked["unit"]), []), "next": None}
            case _:
                return None

    def _buckets(self, asked: dict[str, str]) -> list[Json]:
        unit = self.fleet.units[int(asked["sensor"]) - 100_000]
        width = int(asked["seconds"]) * 1000
        end = min(instant(asked["to"]), int(time.time() * 1000))
        buckets: dict[int, list[float]] = {}
        if "known_at" in asked:
            end = min(end, instant(asked["known_at"]))
        begin = instant(asked["from"])
        for reading in self.history.readings(unit, {**asked, "from": iso(begin - MAX_GAP), "to": iso(end)}):
            held_from = instant(reading["measured_at"])
            for start in range(max(held_from, begin) // width * width, min(held_from + MAX_GAP, end), width):
                buckets.setdefault(start, []).append(reading["temperature_celsius"])
        return [
            {
                "sensor": unit.sensor,
                "from": iso(max(start, instant(asked["from"]))),
                "to": iso(min(start + width, end)),
                "count": len(values),
                "faults": 0,
                "known_seconds": (min(start + width, end) - max(start, instant(asked["from"]))) / 1000,
                "min_celsius": min(values),
                "max_celsius": max(values),
                "mean_celsius": sum(values) / len(values),
            }
            for start, values in sorted(buckets.items())
        ]

    async def _live(self, connection: WebSocket) -> None:
        await connection.accept()
        with suppress(WebSocketDisconnect, RuntimeError):
            first = await connection.receive_json()
            self.frames.append(first)
            if self.are_tokens_refused or first != {"type": "authenticate", "token": TOKEN}:
                await connection.close(4401)
                return
            self._sockets[connection] = set()
            await connection.send_json({"type": "authenticated", "user": "u", "expires_at": iso(self.fleet.now + 36_000_000)})
            while True:
                frame = await connection.receive_json()
                self.frames.append(frame)
                if frame["type"] == "subscribe:site":
                    self._sockets[connection].add(frame["site"])
                    await connection.send_json({"type": "subscribed", "site": frame["site"]})
        self._sockets.pop(connection, None)


def some(fleet: FakeFleet, asked: dict[str, str]) -> list[FakeUnit]:
    """Return the units of a page; the cursor is the last id before it."""
    after = int(asked.get("cursor", "0"))
    return [unit for unit in fleet.units.values() if unit.id > after][: int(asked["limit"])]


def page_of(items: list[Json], fleet: FakeFleet, asked: dict[str, str]) -> Json:
    """Return a page of a list that goes by unit."""
    page = some(fleet, asked)
    has_more = bool(page) and page[-1].id < max(fleet.units)
    return {"items": items, "next": str(page[-1].id) if has_more else None}


def error(status: int, code: str, message: str) -> Response:
    """Return an error as the API writes it."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
