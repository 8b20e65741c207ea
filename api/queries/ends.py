"""How uplinks ended: dead letters one by one with their replays, and the sums of every end."""

import base64
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from api.database import Database, Row
from api.queries.readings import reason_name
from api.shapes import DeadLetterAnswer, DeadLetterDetailAnswer, ReplayAnswer, UplinkEndAnswer
from schemas.reason_texts import text_of

COLUMNS: Final = """l.dead_letter_id, l.received_at, l.organization_id, l.application_id, l.kind, l.reason, l.detail, l.dev_eui, l.topic,
       l.uplink_partition, l.uplink_offset, l.part, length(l.raw) AS size_bytes, l.replay_of,
       newest.attempt, newest.replayed_at, newest.replayed_by, newest.uplink_partition AS new_partition,
       newest.uplink_offset AS new_offset, e.ended_as AS outcome, e.reason AS outcome_reason"""

LETTERS: Final = """
SELECT {columns} FROM dead_letters l
LEFT JOIN LATERAL (
  SELECT * FROM dead_letter_replays d WHERE d.dead_letter_id = l.dead_letter_id ORDER BY attempt DESC LIMIT 1
) newest ON true
LEFT JOIN replay_ends e ON (e.uplink_partition, e.uplink_offset) = (newest.uplink_partition, newest.uplink_offset)
WHERE l.organization_id = ANY(%(scope)s) {filters}
ORDER BY l.received_at DESC, l.dead_letter_id DESC
LIMIT %(limit)s
"""

FILTERS: Final = {
    "id": "AND l.dead_letter_id = %(id)s",
    "kind": "AND l.kind = %(kind)s",
    "reason": "AND l.reason = %(reason)s",
    "dev_eui": "AND l.dev_eui = %(dev_eui)s",
    "start": "AND l.received_at >= %(start)s",
    "end": "AND l.received_at < %(end)s",
    "after_at": "AND (l.received_at, l.dead_letter_id) < (%(after_at)s, %(after_id)s)",
    "replayed": """AND l.dead_letter_id IN (
  SELECT dead_letter_id FROM dead_letter_replays WHERE organization_id = ANY(%(scope)s) AND uplink_offset IS NOT NULL
  UNION SELECT dead_letter_id FROM dead_letters WHERE organization_id = ANY(%(scope)s) AND replay_of IS NOT NULL)""",
    "waiting": "AND newest.uplink_offset IS NULL AND l.replay_of IS NULL",
}
"""Each is added where its parameter is given; replays are few, so those start from them."""

REPLAYS: Final = """
SELECT d.attempt, d.replayed_at, d.replayed_by, d.uplink_partition AS new_partition, d.uplink_offset AS new_offset,
       e.ended_as AS outcome, e.reason AS outcome_reason
FROM dead_letter_replays d
LEFT JOIN replay_ends e USING (uplink_partition, uplink_offset)
WHERE d.organization_id = ANY(%(scope)s) AND d.dead_letter_id = %(id)s ORDER BY d.attempt
"""

ENDS: Final = """
SELECT organization_id, ended_as, reason, sum(uplinks)::bigint AS uplinks, sum(replayed)::bigint AS replayed FROM uplink_ends
WHERE organization_id = ANY(%(scope)s)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def _letter(row: Row) -> dict[str, Any]:
    text = text_of(row["reason"])
    return {
        "id": row["dead_letter_id"],
        "organization": row["organization_id"],
        "application": row["application_id"],
        "kind": row["kind"],
        "reason": row["reason"],
        "detail": row["detail"],
        "dev_eui": row["dev_eui"],
        "received_at": row["received_at"],
        "topic": row["topic"],
        "partition": row["uplink_partition"],
        "offset": row["uplink_offset"],
        "part": row["part"],
        "size_bytes": row["size_bytes"],
        "meaning": text.meaning,
        "what_to_do": text.what_to_do,
        "replay_of": row["replay_of"],
        "replay": None if row["attempt"] is None else replay_answer(row),
    }


def replay_answer(row: Row) -> ReplayAnswer:
    """Return a replay as it is shown."""
    return ReplayAnswer(
        attempt=row["attempt"],
        replayed_at=row["replayed_at"],
        replayed_by=row["replayed_by"],
        partition=row["new_partition"],
        offset=row["new_offset"],
        outcome=row["outcome"],
        reason=None if row["outcome_reason"] is None else reason_name(row["outcome_reason"]),
    )


async def dead_letters(
    database: Database,
    scope: list[int],
    *,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
    **given: object,
) -> list[DeadLetterAnswer]:
    """Return dead letters without their bytes, newest first; `given` are parameters named in FILTERS, None for no filter."""
    after_at, after_id = after or (None, None)
    if given.get("replayed") is False:
        given |= {"replayed": None, "waiting": True}
    wanted = {name: value for name, value in {**given, "after_at": after_at}.items() if value is not None}
    query = LETTERS.format(columns=COLUMNS, filters=" ".join(FILTERS[name] for name in wanted))
    rows = await database.rows(query, {"scope": scope, "limit": limit, "after_id": after_id, **wanted})
    return [DeadLetterAnswer(**_letter(row)) for row in rows]


async def dead_letter(database: Database, scope: list[int], letter: UUID) -> DeadLetterDetailAnswer | None:
    """Return one dead letter with its bytes and replays, or None."""
    query = LETTERS.format(columns=f"{COLUMNS}, l.raw", filters=FILTERS["id"])
    row = await database.row(query, {"scope": scope, "limit": 1, "id": letter})
    if row is None:
        return None
    replays = [replay_answer(one) for one in await database.rows(REPLAYS, {"scope": scope, "id": letter})]
    return DeadLetterDetailAnswer(**_letter(row), raw_base64=base64.b64encode(row["raw"]).decode(), replays=replays)


async def uplink_ends(database: Database, scope: list[int]) -> list[UplinkEndAnswer]:
    """Return how many uplinks ended how, by organization."""
    rows = await database.rows(ENDS, {"scope": scope})
    return [
        UplinkEndAnswer(
            organization=row["organization_id"],
            ended_as=row["ended_as"],
            reason=reason_name(row["reason"]),
            uplinks=row["uplinks"],
            replayed=row["replayed"],
        )
        for row in rows
    ]
