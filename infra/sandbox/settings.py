"""What the sandbox is told at its start: where its state lives and the names by which its clients know it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from pipelines.connectors.settings import setting

DEFAULT_PROJECT: Final = "coldstream-local"
DEFAULT_SERVER_KEY: Final = "sandbox-server-key"


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Settings of one sandbox process."""

    data: Path
    """Keys, users and teams live here, so that tokens survive a restart."""
    base_url: str
    """Where clients reach it; issuers start with it."""
    project: str = DEFAULT_PROJECT
    server_key: str = DEFAULT_SERVER_KEY

    @classmethod
    def from_environment(cls, data: Path, base_url: str) -> Self:
        """Return the settings that STACK_AUTH_API_URL, STACK_AUTH_PROJECT_ID and STACK_AUTH_SECRET_SERVER_KEY name."""
        return cls(
            data=data,
            base_url=(setting("STACK_AUTH_API_URL", "") or base_url).rstrip("/").removesuffix("/api/v1"),
            project=setting("STACK_AUTH_PROJECT_ID", "") or DEFAULT_PROJECT,
            server_key=setting("STACK_AUTH_SECRET_SERVER_KEY", "") or DEFAULT_SERVER_KEY,
        )
