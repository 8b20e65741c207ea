"""Publishes live events from a flow by Redis. A hint only: while Redis is away events are dropped, and that is said once it is back.

A Redis that stood still for a while keeps its connections: those who listen on them learn only from us that they missed something.
"""

from collections.abc import Sequence
from typing import Final

import structlog
from redis.exceptions import RedisError

from pipelines.connectors.clock import monotonic
from pipelines.connectors.metrics import LIVE_PUBLISHED
from pipelines.connectors.redis import KEEPALIVE_CHANNEL, RedisConfig

DROPPED: Final = (KEEPALIVE_CHANNEL, b"")
"""What is published once Redis is back."""

RETRY_SECONDS: Final = 1.0
"""After a failure events are dropped for this long before Redis is tried again: a flow must never wait for a hint."""


class LivePublisher:
    """Publishes (channel, message) pairs."""

    def __init__(self, config: RedisConfig, name: str) -> None:
        """Connect lazily, under the flow's name."""
        self._client = config.client(name)
        self._away_until = 0.0
        self._owes_notice = False
        """Whether events were dropped since the last notice of it."""
        self._published = LIVE_PUBLISHED.labels(name, "published")
        self._dropped = LIVE_PUBLISHED.labels(name, "dropped")
        self._log = structlog.get_logger().bind(flow=name)

    def publish(self, messages: Sequence[tuple[str, bytes]]) -> int:
        """Publish in one round trip; return how many messages were handed over."""
        if not messages:
            self.tell_dropped()
            return 0
        if monotonic() < self._away_until:
            self._dropped.inc(len(messages))
            return 0
        if not self._send([*([DROPPED] if self._owes_notice else ()), *messages]):
            self._dropped.inc(len(messages))
            return 0
        self._published.inc(len(messages))
        return len(messages)

    def tell_dropped(self) -> None:
        """Tell whoever listens that events were dropped, if that is owed and Redis may be back: they fetch everything again."""
        if self._owes_notice and monotonic() >= self._away_until:
            self._send([DROPPED])

    def _send(self, messages: Sequence[tuple[str | bytes, bytes]]) -> bool:
        """Publish in one round trip; return whether Redis has them."""
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                for channel, message in messages:
                    pipeline.publish(channel, message)
                pipeline.execute()
        except (RedisError, OSError) as error:
            self._away_until = monotonic() + RETRY_SECONDS
            self._owes_notice = True
            self._log.warning("live_events_dropped", events=len(messages), reason=str(error))
            return False
        self._owes_notice = False
        return True

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()
