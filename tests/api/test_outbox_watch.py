"""What waits in the outbox is shown while the database answers, and what was last seen stays while it does not."""

import asyncio

from prometheus_client import REGISTRY

from api.outbox_watch import OutboxWatch, Waiting
from pipelines.connectors.errors import Retryable


def shown() -> tuple[float | None, float | None]:
    """Return the two gauges."""
    return (
        REGISTRY.get_sample_value("coldstream_outbox_waiting_events"),
        REGISTRY.get_sample_value("coldstream_outbox_oldest_seconds"),
    )


async def after_looks(*answers: Waiting | None) -> list[tuple[float | None, float | None]]:
    """Run a watch over some answers, None for a database that is away; return what was shown before each look and at the end."""
    left = list(answers)
    seen: list[tuple[float | None, float | None]] = []
    over = asyncio.Event()

    async def look() -> Waiting:
        seen.append(shown())
        if not left:
            over.set()
            await asyncio.Event().wait()
        answer = left.pop(0)
        if answer is None:
            message = "away"
            raise Retryable(message)
        return answer

    task = asyncio.create_task(OutboxWatch(look, every_seconds=0).run())
    await asyncio.wait_for(over.wait(), 5)
    task.cancel()
    return seen[1:]


def test_the_last_answer_stays_while_the_database_is_away() -> None:
    seen = asyncio.run(after_looks(Waiting(3, 61.5), None, Waiting(0, 0.0)))

    assert seen == [(3, 61.5), (3, 61.5), (0, 0)]
