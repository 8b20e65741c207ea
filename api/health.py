"""Which parts the API stands on answer right now. Looks at each at most once a second, however often it is asked."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pipelines.connectors.clock import monotonic
from pipelines.connectors.errors import ConnectorError
from pipelines.connectors.metrics import API_PART_UP

FRESH_SECONDS: Final = 1.0
CHECK_SECONDS: Final = 2.0
"""A part that takes longer to answer counts as down."""

ACCEPTING_POLL_SECONDS: Final = 0.5


class Part(StrEnum):
    """What the API stands on."""

    KAFKA = "kafka"
    SECRETS = "secrets"
    DATABASE = "database"
    REDIS = "redis"
    AUTH_KEYS = "auth_keys"


INGEST_PARTS: Final = (Part.KAFKA, Part.SECRETS)
"""What accepting an uplink needs; the rest may be away."""

Check = Callable[[], Awaitable[None]]
"""Returns when the part answers; raises ConnectorError with what is wrong."""


@dataclass(frozen=True, slots=True)
class PartState:
    """What was found of a part, and when (monotonic seconds)."""

    up: bool
    detail: str
    looked_at: float


class Health:
    """Looks at the parts."""

    def __init__(self, checks: Mapping[Part, Check]) -> None:
        """Take one check per part."""
        self._checks = checks
        self._states: dict[Part, PartState] = {}
        self._locks = {part: asyncio.Lock() for part in checks}

    async def look(self, parts: Collection[Part]) -> dict[Part, PartState]:
        """Return the state of these parts, at most FRESH_SECONDS old."""
        states = await asyncio.gather(*(self._state(part) for part in parts))
        return dict(zip(parts, states, strict=True))

    async def wait_until_accepting(self) -> None:
        """Return once uplinks can be accepted, by a look that is made now."""
        while True:
            self.forget(INGEST_PARTS)
            states = await self.look(INGEST_PARTS)
            if all(state.up for state in states.values()):
                return
            await asyncio.sleep(ACCEPTING_POLL_SECONDS)

    def forget(self, parts: Collection[Part] = tuple(Part)) -> None:
        """Let the next look at these parts be one that is made then."""
        for part in parts:
            self._states.pop(part, None)

    async def _state(self, part: Part) -> PartState:
        async with self._locks[part]:
            known = self._states.get(part)
            if known is not None and monotonic() - known.looked_at < FRESH_SECONDS:
                return known
            try:
                await asyncio.wait_for(self._checks[part](), CHECK_SECONDS)
            except TimeoutError:
                up, detail = False, f"no answer within {CHECK_SECONDS:.0f} s"
            except ConnectorError as error:
                up, detail = False, str(error)
            else:
                up, detail = True, ""
            state = PartState(up, detail, monotonic())
            self._states[part] = state
            API_PART_UP.labels(part).set(up)
            return state
