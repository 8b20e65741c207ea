"""Who replays which letter: a claim before the log is written, its place after. The one writer of `dead_letter_replays`.

A letter's n-th replay is a row of its own key, so that two callers cannot both make it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import psycopg

from api.replays.letters import CLAIM_SECONDS
from pipelines.connectors.errors import Retryable
from pipelines.connectors.timescale import DatabaseConfig

CONNECT_SECONDS: Final = 3

CLAIM: Final = f"""
INSERT INTO dead_letter_replays AS known (dead_letter_id, attempt, organization_id, replayed_by)
SELECT wanted.id, wanted.attempt, wanted.organization, %(by)s
FROM unnest(%(ids)s::uuid[], %(attempts)s::smallint[], %(organizations)s::integer[]) AS wanted (id, attempt, organization)
ORDER BY wanted.id
ON CONFLICT (dead_letter_id, attempt) DO UPDATE SET replayed_at = now(), replayed_by = excluded.replayed_by
WHERE known.uplink_offset IS NULL AND known.replayed_at < now() - interval '{CLAIM_SECONDS} seconds'
RETURNING dead_letter_id
"""
PLACE: Final = """
UPDATE dead_letter_replays known SET uplink_partition = placed.partition, uplink_offset = placed.place
FROM unnest(%(ids)s::uuid[], %(attempts)s::smallint[], %(partitions)s::smallint[], %(offsets)s::bigint[])
  AS placed (id, attempt, partition, place)
WHERE known.dead_letter_id = placed.id AND known.attempt = placed.attempt
"""
RELEASE: Final = """
DELETE FROM dead_letter_replays known USING unnest(%(ids)s::uuid[], %(attempts)s::smallint[]) AS given_up (id, attempt)
WHERE known.dead_letter_id = given_up.id AND known.attempt = given_up.attempt AND known.uplink_offset IS NULL
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """One letter's replay: its number, counted from 1."""

    letter: UUID
    attempt: int
    organization: int


class Ledger:
    """The table of replays. Replays are rare: each opens a connection of its own."""

    def __init__(self, config: DatabaseConfig) -> None:
        """Write to this database."""
        self._config = config

    async def claim(self, claims: Sequence[Claim], by: str) -> set[UUID]:
        """Take letters for the caller; return those that nobody else has."""
        async with self._connection() as connection:
            cursor = await connection.execute(
                CLAIM, {**_columns(claims), "organizations": [claim.organization for claim in claims], "by": by}
            )
            return {row[0] for row in await cursor.fetchall()}

    async def place(self, placed: Sequence[tuple[Claim, int, int]]) -> None:
        """Write down where in `uplinks` each claimed letter stands: (claim, partition, offset)."""
        if placed:
            columns = _columns([claim for claim, _, _ in placed])
            places = {"partitions": [partition for _, partition, _ in placed], "offsets": [offset for _, _, offset in placed]}
            async with self._connection() as connection:
                await connection.execute(PLACE, columns | places)

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give claims back whose record the log did not take."""
        if claims:
            async with self._connection() as connection:
                await connection.execute(RELEASE, _columns(claims))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["psycopg.AsyncConnection[Any]"]:
        try:
            async with await psycopg.AsyncConnection.connect(
                self._config.url,
                autocommit=True,
                application_name="api-replays",
                connect_timeout=CONNECT_SECONDS,
                options="-c timezone=UTC -c statement_timeout=10000",
            ) as connection:
                yield connection
        except psycopg.OperationalError as error:
            message = f"the database does not answer: {error}"
            raise Retryable(message) from error


def _columns(claims: Sequence[Claim]) -> dict[str, list[Any]]:
    return {"ids": [claim.letter for claim in claims], "attempts": [claim.attempt for claim in claims]}
