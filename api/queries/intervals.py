"""How often a sensor reports, learned on demand from the readings stored of it; nothing of it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from api.database import Database, Row
from api.interval_shapes import ExpectedIntervalAnswer, GapsAnswer, IntervalSettingAnswer, ProposedIntervalAnswer
from api.parameters import aware
from pipelines.domain.expected_interval import MOST_GAPS, NoProposal, Proposal, propose
from pipelines.domain.interval_evidence import Spread, spread

DAYS: Final = 14
"""How far back is looked: a week or more is best, and two hold both kinds of weekends."""
MOST_DAYS: Final = 60

REPORTED: Final = """
SELECT (extract(epoch FROM max(measured_at) FILTER (WHERE NOT late)) * 1000)::bigint AS at
FROM readings
WHERE organization_id = ANY(%(scope)s) AND sensor_id = %(sensor)s AND measured_at > %(begin)s AND measured_at <= %(end)s
GROUP BY uplink_partition, uplink_offset
HAVING NOT bool_and(late)
ORDER BY 1 DESC LIMIT %(limit)s
"""
"""When each uplink reported: the newest reading in it. Older ones beside it, and what came late, are history."""

IN_FORCE: Final = """
SELECT expected_interval_ms FROM sensor_configurations
WHERE organization_id = ANY(%(scope)s) AND sensor_id = %(sensor)s AND effective_at <= %(end)s ORDER BY effective_at DESC LIMIT 1
"""
SENSORS: Final = """
SELECT id FROM sensors WHERE organization_id = ANY(%(scope)s) AND archived_at IS NULL AND (%(sensor)s::integer IS NULL OR id = %(sensor)s) ORDER BY id
"""
SETTING: Final = "SELECT id, accepts_intervals FROM organizations WHERE id = %(id)s AND id = ANY(%(scope)s)"


class Asked(Protocol):
    """What answers a query: the API's database, or a change under way."""

    async def rows(self, query: str, parameters: Mapping[str, object]) -> list[Row]:
        """Return what a query finds."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What the uplinks of a stretch say of how often a sensor reports."""

    sensor: int
    begin: datetime
    end: datetime
    in_force_ms: int | None
    found: Proposal | NoProposal
    uplinks: int
    spread: Spread


async def learned(asked: Asked, scope: list[int], sensor: int, end: datetime, days: int = DAYS) -> Learned:
    """Return what is learned of a sensor of some organizations from the days before an instant."""
    begin = end - timedelta(days=days)
    named = {"scope": scope, "sensor": sensor, "begin": begin, "end": end}
    instants = [row["at"] for row in await asked.rows(REPORTED, {**named, "limit": MOST_GAPS + 1})]
    in_force = await asked.rows(IN_FORCE, named)
    current = in_force[0]["expected_interval_ms"] if in_force else None
    found = propose(((at, False) for at in instants), current)
    return Learned(sensor, begin, end, current, found, len(instants), spread(instants))


async def sensors_of(database: Database, scope: list[int], sensor: int | None = None) -> list[int]:
    """Return the sensors of some organizations that are not archived, or the one that is named."""
    return [row["id"] for row in await database.rows(SENSORS, {"scope": scope, "sensor": sensor})]


async def interval_setting(database: Database, scope: list[int], organization: int) -> IntervalSettingAnswer | None:
    """Return whether an organization takes proposals over by itself, or None."""
    row = await database.row(SETTING, {"scope": scope, "id": organization})
    return None if row is None else IntervalSettingAnswer(organization=row["id"], accept_by_itself=row["accepts_intervals"])


def answer_of(known: Learned) -> ExpectedIntervalAnswer:
    """Return what is learned as it is answered."""
    found = known.found
    return ExpectedIntervalAnswer(
        sensor=known.sensor,
        start=known.begin,
        end=known.end,
        in_force_seconds=None if known.in_force_ms is None else known.in_force_ms / 1_000,
        proposal=proposed(found) if isinstance(found, Proposal) else None,
        why=found.value if isinstance(found, NoProposal) else None,
        uplinks=known.uplinks,
        gaps=known.spread.gaps,
        quantiles={str(percent): gap / 1_000 for percent, gap in known.spread.quantiles},
        longest_gap_seconds=known.spread.longest_ms / 1_000,
        histogram=[GapsAnswer(from_seconds=one.from_ms / 1_000, to_seconds=one.to_ms / 1_000, gaps=one.gaps) for one in known.spread.bins],
    )


def proposed(found: Proposal) -> ProposedIntervalAnswer:
    """Return a proposal with its evidence."""
    return ProposedIntervalAnswer(
        interval_seconds=whole_seconds(found),
        gaps=found.gaps,
        singles=found.singles,
        explained_fraction=found.share_thousandths / 1_000,
        jitter_seconds=found.jitter_ms / 1_000,
        start=aware(found.from_at),
        end=aware(found.to_at),
    )


def whole_seconds(found: Proposal) -> int:
    """Return the interval as it is taken over: devices count in whole seconds."""
    return max(1, round(found.interval_ms / 1_000))
