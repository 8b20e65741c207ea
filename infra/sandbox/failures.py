"""Failures on order: `POST /sandbox/fail` makes the next requests of a route fail before they reach it."""

from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

CONTROL: Final = ("/sandbox/", "/health")
"""Control routes never fail on order, or nobody could call it off."""


class FailureOrder(BaseModel):
    """Which route is to fail, how often and how; `times` 0 calls it off."""

    route: str = Field(min_length=1, description="A path; it and everything below it fails.")
    times: int = Field(default=1, ge=0, le=1_000_000)
    status: int = Field(default=503, ge=400, le=599)


@dataclass(slots=True)
class Failures:
    """The failures still to be shown."""

    _left: dict[str, tuple[int, int]] = field(default_factory=dict)

    def order(self, order: FailureOrder) -> None:
        """Take an order; a later one for the same route replaces it."""
        if order.times:
            self._left[order.route] = (order.times, order.status)
        else:
            self._left.pop(order.route, None)

    def take(self, path: str) -> int | None:
        """Return the status a request for `path` must fail with, None when it may go on; counts it as shown."""
        if path.startswith(CONTROL):
            return None
        for route, (times, status) in self._left.items():
            if path == route or path.startswith(route.rstrip("/") + "/"):
                if times > 1:
                    self._left[route] = (times - 1, status)
                else:
                    del self._left[route]
                return status
        return None


class FailureMiddleware:
    """Answers requests that are to fail; hands all others on."""

    def __init__(self, app: ASGIApp, failures: Failures) -> None:
        """Wrap an app."""
        self._app = app
        self._failures = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        status = self._failures.take(scope["path"]) if scope["type"] == "http" else None
        if status is None:
            await self._app(scope, receive, send)
            return
        answer = JSONResponse({"code": "SANDBOX_FAILURE", "error": "failing as ordered"}, status_code=status)
        await answer(scope, receive, send)


def router(failures: Failures) -> APIRouter:
    """Return the control route."""
    routes = APIRouter(prefix="/sandbox")

    @routes.post("/fail")
    async def fail(order: Annotated[FailureOrder, Body()]) -> FailureOrder:
        failures.order(order)
        return order

    return routes
