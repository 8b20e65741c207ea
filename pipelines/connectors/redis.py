"""Redis as a hint: live events go through it, and losing it loses no fact.

`decode_responses` is never set: with it, subscribers would receive nothing in silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import redis
import structlog

from pipelines.connectors.clock import monotonic
from pipelines.connectors.settings import setting

RETRY_SECONDS: Final = 1.0
"""After a failure events are dropped for this long before Redis is tried again: a flow must never wait for a hint."""

TIMEOUT_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class RedisConfig:
    """Where Redis is."""

    url: str

    @classmethod
    def from_environment(cls) -> "RedisConfig":
        """Return the configuration that REDIS_URL names."""
        return cls(url=setting("REDIS_URL"))


class LivePublisher:
    """Publishes events from a flow; drops them, and says so once, while Redis is away."""

    def __init__(self, config: RedisConfig) -> None:
        """Connect lazily."""
        self._client = redis.Redis.from_url(config.url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)
        self._away_until = 0.0
        self._log = structlog.get_logger()

    def publish(self, messages: Sequence[tuple[str, bytes]]) -> int:
        """Publish (channel, message) pairs in one round trip; return how many were handed over."""
        if not messages or monotonic() < self._away_until:
            return 0
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                for channel, message in messages:
                    pipeline.publish(channel, message)
                pipeline.execute()
        except redis.RedisError as error:
            self._away_until = monotonic() + RETRY_SECONDS
            self._log.warning("live_events_dropped", events=len(messages), reason=str(error))
            return 0
        return len(messages)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()
