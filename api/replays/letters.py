"""Dead letters as a replay needs them: with their bytes and what was replayed already. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from api.database import Database, Row
from schemas.topics import DEAD_LETTERS, UPLINKS

CLAIM_SECONDS: Final = 60
"""A replay whose place in the log is not known after this may be taken up again: its process died, or the log never answered."""

COLUMNS: Final = f"""
SELECT l.dead_letter_id, (extract(epoch FROM l.received_at) * 1000)::bigint AS received_ms, l.received_at, l.organization_id, l.application_id,
  l.kind, l.reason, l.dev_eui, l.topic, l.uplink_partition, l.uplink_offset, l.part, l.raw, l.replay_of,
  coalesce(done.attempts, 0) AS attempts, coalesce(done.under_way, false) AS under_way
FROM dead_letters l
LEFT JOIN LATERAL (
  SELECT count(*) FILTER (WHERE d.uplink_offset IS NOT NULL) AS attempts,
    bool_or(d.uplink_offset IS NULL AND d.replayed_at > now() - interval '{CLAIM_SECONDS} seconds') AS under_way
  FROM dead_letter_replays d WHERE d.dead_letter_id = l.dead_letter_id
) done ON true
WHERE l.organization_id = ANY(%(scope)s)
"""

NAMED: Final = f"{COLUMNS} AND l.dead_letter_id = ANY(%(ids)s)"

PAGE_BYTES: Final = 20_000_000
"""A page of letters ends behind so many raw bytes: they are held in memory until it is answered."""

CHOSEN: Final = f"""
SELECT * FROM (
  SELECT chosen.*, count(*) OVER () AS found, sum(length(raw)) OVER (ORDER BY received_at, dead_letter_id) - length(raw) AS bytes_before
  FROM ({COLUMNS} AND l.replay_of IS NULL {{filters}} ORDER BY l.received_at, l.dead_letter_id LIMIT %(limit)s) chosen
) counted WHERE bytes_before < %(page_bytes)s ORDER BY received_at, dead_letter_id
"""

FILTERS: Final = {
    "kind": "AND l.kind = %(kind)s",
    "reason": "AND l.reason = %(reason)s",
    "dev_eui": "AND l.dev_eui = %(dev_eui)s",
    "start": "AND l.received_at >= %(start)s",
    "end": "AND l.received_at < %(end)s",
    "after_at": "AND (l.received_at, l.dead_letter_id) > (%(after_at)s, %(after_id)s)",
    "waiting": "AND coalesce(done.attempts, 0) = 0",
}
"""Each is added where its parameter is given."""

SIBLINGS: Final = f"""{COLUMNS.replace("l.raw", "CASE WHEN l.uplink_offset = ANY(%(bare)s) THEN l.raw ELSE ''::bytea END AS raw")} AND l.received_at = ANY(%(received)s) AND l.part < 100
AND EXISTS (
  SELECT FROM unnest(%(topics)s::text[], %(partitions)s::smallint[], %(offsets)s::bigint[]) AS wanted (topic, uplink_partition, uplink_offset)
  WHERE (wanted.topic, wanted.uplink_partition, wanted.uplink_offset) = (l.topic, l.uplink_partition, l.uplink_offset))
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter."""

    id: UUID
    received_at: datetime
    received_ms: int
    organization: int
    application: str
    kind: str
    reason: str
    dev_eui: str
    topic: str
    partition: int
    offset: int
    part: int
    raw: bytes
    replay_of: UUID | None
    attempts: int
    """Replays that reached the log."""
    under_way: bool

    @property
    def uplink(self) -> tuple[str, int, int]:
        """What names the uplink it is of; an uplink with several bad values has several letters, and one replay."""
        return self.topic, self.partition, self.offset

    @property
    def never_reached_uplinks(self) -> bool:
        """Whether ingest put it aside, so that it has no device and no partition."""
        return self.topic == DEAD_LETTERS.name


async def named_letters(database: Database, scope: list[int], ids: Sequence[UUID]) -> list[Letter]:
    """Return the letters of these ids."""
    rows = await database.rows(NAMED, {"scope": scope, "ids": list(ids)})
    return [_letter(row) for row in rows]


async def chosen_letters(
    database: Database, scope: list[int], *, limit: int, after_id: UUID | None, **given: object
) -> tuple[list[Letter], bool]:
    """Return letters that did not come of a replay, oldest first, and whether there may be more behind them.

    `given` are parameters named in FILTERS, None for no filter.
    """
    wanted = {name: value for name, value in given.items() if value is not None}
    query = CHOSEN.format(filters=" ".join(FILTERS[name] for name in wanted))
    rows = await database.rows(query, {"scope": scope, "limit": limit, "page_bytes": PAGE_BYTES, "after_id": after_id, **wanted})
    return [_letter(row) for row in rows], bool(rows) and (rows[0]["found"] == limit or rows[0]["found"] > len(rows))


async def siblings(database: Database, scope: list[int], letters: Sequence[Letter]) -> list[Letter]:
    """Return all letters of the uplinks that some letters are of, those among them; the others with bytes only where those have none."""
    of_uplinks = [letter for letter in letters if letter.topic == UPLINKS.name]
    rows = await database.rows(
        SIBLINGS,
        {
            "scope": scope,
            "received": sorted({letter.received_at for letter in of_uplinks}),
            "topics": [letter.topic for letter in of_uplinks],
            "partitions": [letter.partition for letter in of_uplinks],
            "offsets": [letter.offset for letter in of_uplinks],
            "bare": [letter.offset for letter in of_uplinks if not letter.raw],
        },
    )
    found = {letter.id: letter for letter in map(_letter, rows)} | {letter.id: letter for letter in letters}
    return list(found.values())


def _letter(row: Row) -> Letter:
    return Letter(
        id=row["dead_letter_id"],
        received_at=row["received_at"],
        received_ms=row["received_ms"],
        organization=row["organization_id"],
        application=row["application_id"],
        kind=row["kind"],
        reason=row["reason"],
        dev_eui=row["dev_eui"],
        topic=row["topic"],
        partition=row["uplink_partition"],
        offset=row["uplink_offset"],
        part=row["part"],
        raw=bytes(row["raw"]),
        replay_of=row["replay_of"],
        attempts=row["attempts"],
        under_way=row["under_way"],
    )
