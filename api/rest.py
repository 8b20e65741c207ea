"""The FastAPI app: REST routes, health, OpenAPI and the page. No docs page, as those load scripts from other hosts."""

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response

from api.body_limit import BodyLimit
from api.errors import install_handlers
from api.health import Health
from api.page import page_routes
from api.replays.replaying import Replays
from api.routes import (
    account,
    conditions,
    corrections,
    defrosts,
    devices,
    ends,
    excursions,
    health,
    imports,
    intervals,
    maintenance,
    organization_changes,
    place_changes,
    places,
    policies,
    readings,
    replays,
    sensor_changes,
)
from api.routes.context import Context
from api.shapes import ErrorAnswer
from pipelines.connectors.clock import monotonic
from pipelines.connectors.metrics import API_ANSWER_SECONDS, API_ANSWERS

PREFIX: Final = "/api/v1"
OPENAPI_PATH: Final = "/api/openapi.json"

ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": ErrorAnswer, "description": "A parameter is missing or wrong; the message names it."},
    401: {"model": ErrorAnswer, "description": "The access token is missing, expired or not valid."},
    403: {"model": ErrorAnswer, "description": "The caller may see the organization, but not change it."},
    404: {"model": ErrorAnswer, "description": "There is no such thing among the caller's organizations."},
    409: {"model": ErrorAnswer, "description": "What is there stands against the change; the message names it and says what to do."},
    413: {"model": ErrorAnswer, "description": "The body is too large."},
    503: {"model": ErrorAnswer, "description": "Something this stands on does not answer: try again."},
}


def create_rest(context: Context, health_of_parts: Health, sandbox_sign_in_url: str | None, replays_of_letters: Replays) -> FastAPI:
    """Return the app with every route."""
    app = FastAPI(
        title="Coldstream",
        version=version("coldstream"),
        openapi_url=OPENAPI_PATH,
        docs_url=None,
        redoc_url=None,
    )
    install_handlers(app)
    app.add_middleware(BodyLimit)
    app.middleware("http")(measured)
    versioned = APIRouter(prefix=PREFIX, responses=ERRORS)
    versioned.include_router(account.router(context, sandbox_sign_in_url))
    versioned.include_router(places.router(context))
    versioned.include_router(readings.router(context))
    versioned.include_router(excursions.router(context))
    versioned.include_router(conditions.router(context))
    versioned.include_router(ends.router(context))
    versioned.include_router(organization_changes.router(context))
    versioned.include_router(place_changes.router(context))
    versioned.include_router(sensor_changes.router(context))
    versioned.include_router(intervals.router(context))
    versioned.include_router(defrosts.router(context))
    versioned.include_router(policies.router(context))
    versioned.include_router(corrections.router(context))
    versioned.include_router(maintenance.router(context))
    versioned.include_router(replays.router(context, replays_of_letters))
    versioned.include_router(imports.router(context))
    versioned.include_router(devices.router(context))
    app.include_router(versioned)
    app.include_router(health.router(health_of_parts))
    app.router.routes.extend(page_routes())
    describe_as_it_is(app)
    return app


async def measured(request: Request, following: Callable[[Request], Awaitable[Response]]) -> Response:
    """Count an answer and its time under the route's template, never under what the caller wrote."""
    started_at = monotonic()
    status = 500
    try:
        response = await following(request)
        status = response.status_code
    finally:
        route = getattr(request.scope.get("route"), "path", "other")
        API_ANSWERS.labels(route, status).inc()
        API_ANSWER_SECONDS.labels(route).observe(monotonic() - started_at)
    if request.url.path.startswith(PREFIX):
        response.headers["Cache-Control"] = "no-store"
    return response


def describe_as_it_is(app: FastAPI) -> None:
    """Take out of the OpenAPI schema the 422 that FastAPI writes by default: here a wrong parameter is a 400."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        schema = original()
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        for name in ("HTTPValidationError", "ValidationError"):
            schema.get("components", {}).get("schemas", {}).pop(name, None)
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
