"""What an API process is told at its start, read from the environment once."""

import os
import socket
from dataclasses import dataclass

from pipelines.connectors.kafka import KafkaConfig
from pipelines.connectors.redis import RedisConfig
from pipelines.connectors.settings import flag, setting
from pipelines.connectors.stack_auth import StackAuthConfig
from pipelines.connectors.timescale import DatabaseConfig


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Settings of one API process."""

    kafka: KafkaConfig
    database: DatabaseConfig
    redis: RedisConfig
    stack_auth: StackAuthConfig
    ticks_enabled: bool
    """Whether this process writes ticks. At least one process must, or no deadline ever passes."""
    allowed_origins: frozenset[str]
    """Other origins whose pages may open the WebSocket, such as https://dashboard.example."""
    sandbox_sign_in_url: str | None
    """Where the page sends people to sign in locally; never set in production."""
    process: str
    """This process's name in ticks and to Kafka."""

    @classmethod
    def from_environment(cls) -> "ApiSettings":
        """Return the settings that the environment names; raises Misconfigured."""
        origins = setting("ALLOWED_ORIGINS", "").split(",")
        return cls(
            kafka=KafkaConfig.from_environment(),
            database=DatabaseConfig.from_environment(),
            redis=RedisConfig.from_environment(),
            stack_auth=StackAuthConfig.from_environment(),
            ticks_enabled=flag("TICKS_ENABLED", default=True),
            allowed_origins=frozenset(origin.strip().rstrip("/").lower() for origin in origins if origin.strip()),
            sandbox_sign_in_url=setting("SANDBOX_SIGN_IN_URL", "") or local_sign_in(setting("SANDBOX_URL", "")),
            process=f"api-{socket.gethostname()}-{os.getpid()}",
        )


def local_sign_in(sandbox_url: str) -> str | None:
    """Return the sign-in page of the local stack's sandbox, or None where there is no sandbox."""
    return f"{sandbox_url.rstrip('/')}/sandbox/sign-in" if sandbox_url else None
