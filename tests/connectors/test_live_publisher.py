"""A publisher drops events while Redis is away, never waits for it, and tells whoever listens once it is back."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self, cast

import pytest
from redis.exceptions import TimeoutError as RedisTimeoutError

from pipelines.connectors import live
from pipelines.connectors.live import DROPPED, RETRY_SECONDS, LivePublisher
from pipelines.connectors.redis import RedisConfig

EVENT = ("live:1", b"event")


class FakeRedis:
    """A Redis that may stand still."""

    def __init__(self) -> None:
        """Have heard nothing."""
        self.heard: list[tuple[str | bytes, bytes]] = []
        self.asked = 0
        self.stands_still = False
        self._queued: list[tuple[str | bytes, bytes]] = []

    def client(self, _name: str) -> Self:
        """Be its own client."""
        return self

    def pipeline(self, *, transaction: bool) -> Self:
        """Be its own pipeline."""
        assert not transaction
        self._queued = []
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def publish(self, channel: str | bytes, message: bytes) -> None:
        """Take a message into the pipeline."""
        self._queued.append((channel, message))

    def execute(self) -> None:
        """Hear everything, or let the caller wait in vain."""
        self.asked += 1
        if self.stands_still:
            raise RedisTimeoutError("Timeout reading from socket")
        self.heard += self._queued


class World:
    """A publisher, its Redis and its clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Start at an instant of the clock."""
        self.now = 100.0
        self.redis = FakeRedis()
        monkeypatch.setattr(live, "monotonic", lambda: self.now)
        self._publisher = LivePublisher(cast("RedisConfig", self.redis), "flow")

    def publish(self, *messages: tuple[str, bytes]) -> int:
        """Publish."""
        return self._publisher.publish(cast("Sequence[tuple[str, bytes]]", messages))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a publisher whose Redis works."""
    return World(monkeypatch)


def test_events_are_published_and_nothing_is_said_of_dropped_ones(world: World) -> None:
    assert world.publish(EVENT) == 1

    world.publish()

    assert world.redis.heard == [EVENT]
    assert world.redis.asked == 1


def test_after_events_were_dropped_the_first_that_go_through_come_behind_a_notice(world: World) -> None:
    world.redis.stands_still = True
    assert world.publish(EVENT) == 0
    world.redis.stands_still = False
    world.now += RETRY_SECONDS

    assert world.publish(EVENT) == 1
    assert world.publish(EVENT) == 1

    assert world.redis.heard == [DROPPED, EVENT, EVENT]


def test_the_notice_does_not_wait_for_a_further_event(world: World) -> None:
    world.redis.stands_still = True
    world.publish(EVENT)
    world.redis.stands_still = False
    world.now += RETRY_SECONDS

    world.publish()
    world.publish()

    assert world.redis.heard == [DROPPED]


def test_while_redis_stands_still_it_is_tried_once_a_second_at_most(world: World) -> None:
    world.redis.stands_still = True

    for _ in range(5):
        world.publish(EVENT)
        world.publish()
        world.now += RETRY_SECONDS / 5

    assert world.redis.asked == 1
    world.publish()
    assert world.redis.asked == 2
    assert world.redis.heard == []
