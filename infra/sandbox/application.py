"""The sandbox as one FastAPI app: every provider's routes, its control routes and the failures it was told to show."""

from fastapi import FastAPI

from infra.sandbox import failures, stack_auth_control, stack_auth_routes, stack_auth_sign_in
from infra.sandbox.failures import FailureMiddleware, Failures
from infra.sandbox.known_errors import KnownError, answer_known_error
from infra.sandbox.settings import SandboxSettings
from infra.sandbox.stack_auth_keys import KeyRing
from infra.sandbox.stack_auth_state import Directory
from infra.sandbox.stack_auth_tokens import Issuer


def create_app(settings: SandboxSettings) -> FastAPI:
    """Return the app; its state is loaded from, and kept in, the settings' data folder."""
    settings.data.mkdir(parents=True, exist_ok=True)
    keys = KeyRing.open(settings.data / "stack-auth-keys")
    directory = Directory.open(settings.data / "stack-auth.json")
    issuer = Issuer(keys, settings.base_url, settings.project)
    told = Failures()

    app = FastAPI(title="Coldstream sandbox providers", docs_url=None, redoc_url=None)
    app.include_router(stack_auth_routes.router(directory, issuer, settings))
    app.include_router(stack_auth_control.router(directory, issuer))
    app.include_router(stack_auth_sign_in.router(directory, issuer))
    app.include_router(failures.router(told))
    app.add_exception_handler(KnownError, answer_known_error)
    app.add_middleware(FailureMiddleware, failures=told)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app
