"""How uplinks ended: dead letters one by one, and the sums of every end."""

import base64
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from api.database import Database, Row
from api.queries.readings import reason_name
from api.shapes import DeadLetterAnswer, DeadLetterDetailAnswer, UplinkEndAnswer

COLUMNS: Final = """dead_letter_id, received_at, organization_id, application_id, kind, reason, detail, dev_eui, topic, uplink_partition,
       uplink_offset, part, length(raw) AS size_bytes"""

LETTERS: Final = """
SELECT {columns} FROM dead_letters
WHERE organization_id = ANY(%(scope)s) {filters}
ORDER BY received_at DESC, dead_letter_id DESC
LIMIT %(limit)s
"""

FILTERS: Final = {
    "id": "AND dead_letter_id = %(id)s",
    "kind": "AND kind = %(kind)s",
    "reason": "AND reason = %(reason)s",
    "dev_eui": "AND dev_eui = %(dev_eui)s",
    "start": "AND received_at >= %(start)s",
    "end": "AND received_at < %(end)s",
    "after_at": "AND (received_at, dead_letter_id) < (%(after_at)s, %(after_id)s)",
}
"""Each is added where its parameter is given."""

ENDS: Final = """
SELECT organization_id, ended_as, reason, sum(uplinks)::bigint AS uplinks FROM uplink_ends
WHERE organization_id = ANY(%(scope)s)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def _letter(row: Row) -> dict[str, Any]:
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
    }


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
    wanted = {name: value for name, value in {**given, "after_at": after_at}.items() if value is not None}
    query = LETTERS.format(columns=COLUMNS, filters=" ".join(FILTERS[name] for name in wanted))
    rows = await database.rows(query, {"scope": scope, "limit": limit, "after_id": after_id, **wanted})
    return [DeadLetterAnswer(**_letter(row)) for row in rows]


async def dead_letter(database: Database, scope: list[int], letter: UUID) -> DeadLetterDetailAnswer | None:
    """Return one dead letter with its bytes, or None."""
    query = LETTERS.format(columns=f"{COLUMNS}, raw", filters=FILTERS["id"])
    row = await database.row(query, {"scope": scope, "limit": 1, "id": letter})
    if row is None:
        return None
    return DeadLetterDetailAnswer(**_letter(row), raw_base64=base64.b64encode(row["raw"]).decode())


async def uplink_ends(database: Database, scope: list[int]) -> list[UplinkEndAnswer]:
    """Return how many uplinks ended how, by organization."""
    rows = await database.rows(ENDS, {"scope": scope})
    return [
        UplinkEndAnswer(
            organization=row["organization_id"],
            ended_as=row["ended_as"],
            reason=reason_name(row["reason"]),
            uplinks=row["uplinks"],
        )
        for row in rows
    ]
