"""Whether the process is alive, and which of the parts it stands on are down."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from api.errors import bad_request
from api.health import Health, Part


def router(health: Health) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["health"])

    @routes.get("/health")
    async def alive() -> dict[str, str]:
        return {"status": "alive"}

    @routes.get("/health/ready")
    async def ready(parts: Annotated[str | None, Query(max_length=100)] = None) -> JSONResponse:
        states = await health.look(named_parts(parts))
        is_ready = all(state.up for state in states.values())
        body = {
            "status": "ready" if is_ready else "not_ready",
            "parts": {part.value: {"up": state.up, "detail": state.detail} for part, state in states.items()},
        }
        return JSONResponse(body, 200 if is_ready else 503)

    return routes


def named_parts(text: str | None) -> list[Part]:
    """Return the parts a comma-separated list names, all for none; a bad request for a name that is no part."""
    if text is None:
        return list(Part)
    try:
        return [Part(name) for name in dict.fromkeys(text.split(","))]
    except ValueError as error:
        message = f"parts: must be some of {','.join(Part)}"
        raise bad_request(message) from error
