"""Who calls the Stack Auth stand-in: the server by its key, a client by its project, and whom they act for."""

import secrets
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Header

from infra.sandbox.known_errors import KnownError
from infra.sandbox.settings import SandboxSettings
from infra.sandbox.stack_auth_tokens import Issuer

ME: Final = "me"

Text = Annotated[str | None, Header()]


@dataclass(frozen=True, slots=True)
class Caller:
    """The headers of one request."""

    x_stack_access_type: Text = None
    x_stack_project_id: Text = None
    x_stack_secret_server_key: Text = None
    x_stack_access_token: Text = None


@dataclass(frozen=True, slots=True)
class Access:
    """Checks callers against the project and its server key."""

    issuer: Issuer
    settings: SandboxSettings

    def check(self, caller: Caller) -> None:
        """Raise KnownError unless the headers name this project and, for the server, carry its key."""
        kind = caller.x_stack_access_type
        if kind is None:
            raise KnownError(400, "ACCESS_TYPE_REQUIRED", "You must specify an access level with x-stack-access-type.")
        if kind not in {"server", "client"}:
            raise KnownError(400, "INVALID_ACCESS_TYPE", "The x-stack-access-type must be client or server.")
        if caller.x_stack_project_id != self.settings.project:
            raise KnownError(401, "INVALID_PROJECT_ID", "The project id is missing or names no project.")
        key = (caller.x_stack_secret_server_key or "").encode()
        if kind == "server" and not secrets.compare_digest(key, self.settings.server_key.encode()):
            raise KnownError(401, "INVALID_SECRET_SERVER_KEY", "The secret server key is not valid for the project.")

    def require_server(self, caller: Caller) -> None:
        """Raise KnownError unless the server itself calls."""
        self.check(caller)
        if caller.x_stack_access_type != "server":
            raise KnownError(401, "INSUFFICIENT_ACCESS_TYPE", "This route needs access type server.")

    def whom(self, user_id: str | None, caller: Caller) -> str | None:
        """Return the user that is meant; `me` is the one the access token acts for."""
        if user_id != ME:
            return user_id
        if not caller.x_stack_access_token:
            raise KnownError(401, "USER_AUTHENTICATION_REQUIRED", "User authentication required for this endpoint.")
        return self.issuer.subject(caller.x_stack_access_token)
