"""What is left of the exposure budgets of a unit's sensors, added up from stored rows: those of each sensor's assignment that now holds.

Judges nothing: which excursions are open comes from the record.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from api.database import Database, Row
from api.parameters import EPOCH, LATEST, aware
from api.shapes import BudgetAnswer
from pipelines.domain.budgets import Budget, budgets_of_rows, cumulative_bands, rows_reach
from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy import NO_POLICY, Policy
from pipelines.domain.policy_document import parse_policy
from pipelines.domain.settling import DEFAULT_MAX_GAP_MS

MAX_ROWS: Final = 50_000
"""Rows of a unit that are added up for one answer: a month of one sensor at a minute; at five minutes, of five sensors."""

FURTHEST_MS: Final = (LATEST - EPOCH) // timedelta(milliseconds=1)
"""A forecast beyond is none: a budget may be of thousands of years."""

NEWEST: Final = """
SELECT a.sensor_id, a.id AS assignment_id, least(a.valid_from, m.starts_at) AS begins_at, n.policy_version_id,
  (extract(epoch FROM now()) * 1000)::bigint AS now_ms
FROM assignments a
LEFT JOIN LATERAL (
  SELECT min(starts_at) AS starts_at FROM corrected_stretches
  WHERE sensor_id = a.sensor_id AND assignment_id = a.id AND (mark IS NULL OR mark = 'flagged')
) m ON true
CROSS JOIN LATERAL (
  SELECT coalesce(c.policy_version_id, r.policy_version_id) AS policy_version_id
  FROM readings r
  LEFT JOIN corrected_stretches c ON c.sensor_id = r.sensor_id AND r.measured_at >= c.starts_at AND r.measured_at < c.ends_at
  WHERE r.sensor_id = a.sensor_id AND coalesce(c.assignment_id, r.assignment_id) = a.id AND r.measured_at >= least(a.valid_from, m.starts_at)
    AND r.temperature IS NOT NULL AND c.mark IS NULL
  ORDER BY r.measured_at DESC LIMIT 1
) n
WHERE a.organization_id = ANY(%(scope)s) AND a.unit_id = %(unit)s AND a.valid_from <= now() AND (a.valid_to IS NULL OR a.valid_to > now())
"""
"""The assignments that hold, from where corrections have each begin, and the policy version that judges it, which is that of its newest reading."""

VERSIONS: Final = "SELECT id, document FROM policy_versions WHERE organization_id = ANY(%(scope)s) AND id = ANY(%(versions)s)"

ROWS: Final = """
SELECT r.sensor_id, (extract(epoch FROM r.measured_at) * 1000)::bigint AS at, r.temperature, r.policy_version_id, c.max_gap_ms
FROM unnest(%(sensors)s::integer[], %(assignments)s::integer[], %(begins)s::timestamptz[], %(reaches)s::timestamptz[])
  AS w (sensor_id, assignment_id, begins_at, reaches_to)
LEFT JOIN LATERAL (
  SELECT b.measured_at FROM readings b
  LEFT JOIN corrected_stretches c ON c.sensor_id = b.sensor_id AND b.measured_at >= c.starts_at AND b.measured_at < c.ends_at
  WHERE b.sensor_id = w.sensor_id AND coalesce(c.assignment_id, b.assignment_id) = w.assignment_id AND b.temperature IS NOT NULL
    AND c.mark IS NULL AND b.measured_at >= w.begins_at AND b.measured_at <= w.reaches_to
  ORDER BY b.measured_at DESC LIMIT 1
) f ON true
CROSS JOIN LATERAL (
  SELECT sensor_id, measured_at, temperature, policy_version_id, configuration_id FROM corrected_readings
  WHERE organization_id = ANY(%(scope)s) AND sensor_id = w.sensor_id AND assignment_id = w.assignment_id AND measured_at >= coalesce(f.measured_at, w.begins_at)
    AND (temperature IS NOT NULL OR reason IS NOT NULL)
  ORDER BY measured_at LIMIT %(limit)s
) r
LEFT JOIN sensor_configurations c ON c.id = r.configuration_id
LIMIT %(limit)s
"""
"""Each sensor's rows, as they are corrected, from the last one that is believed at or before the instant to which its windows reach, or from where
its assignment begins."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A sensor whose policy in force has budgets."""

    sensor: int
    assignment: int
    begins_at: datetime
    policy: Policy
    now_ms: int


async def unit_budgets(
    database: Database, scope: list[int], unit: int, open_bands: Collection[tuple[int, str]]
) -> Mapping[int, list[BudgetAnswer] | None]:
    """Return the budgets of a unit's sensors by sensor, none for those that are not there; None where it takes too many rows.

    `open_bands` are (sensor, band) of the open excursions, which are left out.
    """
    newest = await database.rows(NEWEST, {"scope": scope, "unit": unit})
    policies = await _policies(database, scope, {row["policy_version_id"] for row in newest}, {}) if newest else {}
    judged = {one.sensor: one for row in newest if cumulative_bands((one := _judged(row, policies)).policy)}
    if not judged:
        return {}
    rows = await _rows(database, scope, list(judged.values()))
    if rows is None:
        return dict.fromkeys(judged)
    policies = await _policies(database, scope, {row["policy_version_id"] for row in rows}, policies)
    return await asyncio.to_thread(_added_up, judged, rows, policies, open_bands)


def _judged(row: Row, policies: Mapping[int, Policy]) -> Judged:
    return Judged(row["sensor_id"], row["assignment_id"], row["begins_at"], policies[row["policy_version_id"]], row["now_ms"])


async def _policies(database: Database, scope: list[int], versions: Collection[int], known: Mapping[int, Policy]) -> dict[int, Policy]:
    """Return policy versions by number, those that are known and some more; 0 is no policy."""
    missing = [number for number in versions if number not in known and number != 0]
    loaded = await database.rows(VERSIONS, {"scope": scope, "versions": missing}) if missing else []
    return {0: NO_POLICY, **known, **{row["id"]: parse_policy(row["document"]) for row in loaded}}


async def _rows(database: Database, scope: list[int], judged: list[Judged]) -> list[Row] | None:
    """Return the rows of some sensors, or None where there are too many."""
    reaches = [rows_reach(one.policy, one.now_ms) for one in judged]
    parameters = {
        "scope": scope,
        "sensors": [one.sensor for one in judged],
        "assignments": [one.assignment for one in judged],
        "begins": [one.begins_at for one in judged],
        "reaches": [None if reach is None else aware(max(reach, 0)) for reach in reaches],
        "limit": MAX_ROWS + 1,
    }
    rows = await database.rows(ROWS, parameters)
    return rows if len(rows) <= MAX_ROWS else None


def _added_up(
    judged: Mapping[int, Judged], rows: list[Row], policies: Mapping[int, Policy], open_bands: Collection[tuple[int, str]]
) -> dict[int, list[BudgetAnswer] | None]:
    """Return the budgets of each sensor; off the event loop, for tens of thousands of rows take a while."""
    readings: dict[int, list[Reading]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["at"]):
        max_gap_ms = DEFAULT_MAX_GAP_MS if row["max_gap_ms"] is None else row["max_gap_ms"]
        readings[row["sensor_id"]].append(Reading(row["at"], row["temperature"], max_gap_ms, row["policy_version_id"]))
    found: dict[int, list[BudgetAnswer] | None] = {}
    for sensor, its in readings.items():
        budgets = budgets_of_rows(its, judged[sensor].now_ms, policies)
        found[sensor] = [_answer(budget) for budget in budgets if (sensor, budget.band.name) not in open_bands]
    return found


def _answer(budget: Budget) -> BudgetAnswer:
    band, used_up_at = budget.band, budget.used_up_at
    return BudgetAnswer(
        band=band.name,
        side=band.side.value,
        limit_celsius=band.limit_hundredths / 100,
        window_seconds=None if band.window_ms is None else band.window_ms / 1_000,
        budget_seconds=band.budget_ms / 1_000,
        used_seconds=budget.used_ms / 1_000,
        left_seconds=budget.left_ms / 1_000,
        left_at_worst_seconds=budget.left_at_worst_ms / 1_000,
        unknown_seconds=budget.unknown_ms / 1_000,
        used_up_at=None if used_up_at is None or used_up_at > FURTHEST_MS else aware(used_up_at),
    )
