"""Every error of the REST routes in one form, with a message that says what to do; nothing of what went wrong inside leaks."""

from collections.abc import Sequence
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from pipelines.connectors.errors import Retryable
from pipelines.connectors.metrics import API_REFUSALS
from pipelines.domain.registration.refusals import Refused, TooEarly

RETRY_AFTER_SECONDS: Final = "2"

FRAMEWORK_CODES: Final = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}

log = structlog.get_logger()


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Say which."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def not_found(what: str) -> ApiError:
    """Return the one answer for what does not exist and for what belongs to somebody else."""
    return ApiError(404, "not_found", f"There is no such {what} among your organizations.")


def bad_request(message: str) -> ApiError:
    """Return the answer to a parameter that cannot be used."""
    return ApiError(400, "bad_request", message)


def conflict(code: str, message: str) -> ApiError:
    """Return the answer to a change that what is there stands against; the message names it and says what to do."""
    return ApiError(409, code, message)


def answer(status: int, code: str, message: str) -> JSONResponse:
    """Return an error as JSON."""
    API_REFUSALS.labels(code).inc()
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if status == 503 else {}  # noqa: PLR2004
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def describe(errors: Sequence[Any]) -> str:
    """Return which parameters are wrong and why, without what was sent."""
    return "; ".join(f"{error['loc'][-1]}: {error['msg']}" for error in errors[:5])


def install_handlers(app: FastAPI) -> None:
    """Make every error of an app take this form."""

    @app.exception_handler(ApiError)
    async def on_api_error(_request: Request, error: ApiError) -> JSONResponse:
        return answer(error.status, error.code, error.message)

    @app.exception_handler(Refused)
    async def on_refused(_request: Request, error: Refused) -> JSONResponse:
        return answer(400, "bad_request", str(error))

    @app.exception_handler(TooEarly)
    async def on_too_early(_request: Request, error: TooEarly) -> JSONResponse:
        return answer(409, "too_early", f"effective_at: {error}")

    @app.exception_handler(Retryable)
    async def on_database_away(request: Request, error: Retryable) -> JSONResponse:
        log.warning("a query failed", path=request.scope.get("path"), error=str(error))
        return answer(503, "database_unavailable", "The database does not answer right now: try again.")

    @app.exception_handler(RequestValidationError)
    async def on_validation_error(_request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(400, "bad_request", describe(error.errors()))

    @app.exception_handler(HTTPException)
    async def on_http_error(_request: Request, error: HTTPException) -> JSONResponse:
        code = FRAMEWORK_CODES.get(error.status_code, "bad_request")
        message = "There is nothing at this address." if error.status_code == 404 else str(error.detail)  # noqa: PLR2004
        response = answer(error.status_code, code, message)
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    async def on_any_error(request: Request, error: Exception) -> JSONResponse:
        log.error("a request failed", path=request.scope.get("path"), exc_info=error)
        return answer(500, "internal_error", "Something went wrong here; it was logged. Try again, and tell us if it stays.")
