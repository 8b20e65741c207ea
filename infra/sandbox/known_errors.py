"""Stack Auth's known errors: JSON `{code, error, details?}` and the header `x-stack-known-error` with the code."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

HEADER: Final = "x-stack-known-error"


class KnownError(Exception):
    """An error that the provider's clients tell apart by its code."""

    def __init__(self, status: int, code: str, text: str, **details: str) -> None:
        """Keep what the answer will say."""
        super().__init__(text)
        self.status = status
        self.code = code
        self.details = details


async def answer_known_error(_request: Request, error: Exception) -> Response:
    """Return the answer for a known error."""
    assert isinstance(error, KnownError)
    body: dict[str, object] = {"code": error.code, "error": str(error)}
    if error.details:
        body["details"] = error.details
    return JSONResponse(body, status_code=error.status, headers={HEADER: error.code})
