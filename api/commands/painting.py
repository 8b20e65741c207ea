"""What is true of a sensor because of all the corrections that stand: its stretches, found anew and kept where they differ from what is kept.

Decides nothing about who may correct what, and has nothing judged again.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from api.commands.transaction import Row, Transaction
from api.errors import conflict
from api.parameters import aware
from pipelines.domain.corrections import CorrectedStretch, Correction, CorrectionKind, Mark, stretches_of
from pipelines.domain.registered import Assignment, Timeline

MAX_STANDING: Final = 500
"""Corrections of one sensor that stand at once: all of them are gone through with each further one."""

STANDING: Final = """
SELECT id, kind, unit_id, (extract(epoch FROM starts_at) * 1000)::bigint AS since, (extract(epoch FROM ends_at) * 1000)::bigint AS until,
  calibration_hundredths, assignment_id, policy_version_id
FROM corrections WHERE revoked_at IS NULL AND (sensor_id = %(sensor)s OR (kind = 'policy' AND (unit_id = ANY(%(units)s) OR unit_id IN (
  SELECT unit_id FROM assignments WHERE sensor_id = %(sensor)s
  UNION SELECT unit_id FROM corrections WHERE sensor_id = %(sensor)s AND unit_id IS NOT NULL))))
ORDER BY id LIMIT %(limit)s
"""
ASSIGNMENTS: Final = """
SELECT id, unit_id, (extract(epoch FROM valid_from) * 1000)::bigint AS since, (extract(epoch FROM valid_to) * 1000)::bigint AS until
FROM assignments WHERE sensor_id = %(sensor)s ORDER BY valid_from
"""
POLICIES: Final = """
SELECT unit_id, policy_version_id, (extract(epoch FROM effective_at) * 1000)::bigint AS since
FROM unit_policies WHERE unit_id = ANY(%(units)s) ORDER BY unit_id, effective_at
"""
KEPT: Final = """
SELECT (extract(epoch FROM starts_at) * 1000)::bigint AS since, (extract(epoch FROM ends_at) * 1000)::bigint AS until, mark,
  calibration_hundredths, unit_id, assignment_id, policy_version_id
FROM corrected_stretches WHERE sensor_id = %(sensor)s ORDER BY starts_at
"""
CLEAR: Final = "DELETE FROM corrected_stretches WHERE sensor_id = %(sensor)s"
PUT: Final = """
INSERT INTO corrected_stretches (sensor_id, starts_at, ends_at, organization_id, mark, calibration_hundredths, unit_id, assignment_id,
  policy_version_id)
SELECT %(sensor)s, starts_at, ends_at, %(organization)s, mark, calibration, unit, assignment, policy
FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[], %(marks)s::text[], %(calibrations)s::integer[], %(units)s::integer[],
  %(assignments)s::integer[], %(policies)s::integer[]) AS painted (starts_at, ends_at, mark, calibration, unit, assignment, policy)
"""
CORRECTED_UNITS: Final = """
SELECT DISTINCT unit_id FROM corrections WHERE kind = 'policy' AND revoked_at IS NULL AND unit_id = ANY(%(units)s)
"""


async def repaint(transaction: Transaction, organization: int, sensor: int) -> None:
    """Write the stretches of a sensor anew where they are others than those that are kept."""
    stretches = await painted(transaction, sensor)
    kept = tuple(_kept(row) for row in await transaction.rows(KEPT, {"sensor": sensor}))
    if stretches == kept:
        return
    if kept:
        await transaction.execute(CLEAR, {"sensor": sensor})
    values = {
        "sensor": sensor,
        "organization": organization,
        "starts": [aware(one.since) for one in stretches],
        "ends": [aware(one.until) for one in stretches],
        "marks": [None if one.mark is None else one.mark.value for one in stretches],
        "calibrations": [one.calibration for one in stretches],
        "units": [one.unit for one in stretches],
        "assignments": [one.assignment for one in stretches],
        "policies": [one.policy for one in stretches],
    }
    if stretches:
        await transaction.execute(PUT, values)


async def repaint_assigned(transaction: Transaction, organization: int, assigned: Collection[tuple[int, int, datetime]]) -> None:
    """Write the stretches of sensors that are said to have watched a unit (sensor, unit, since when): its policy was corrected for that time.

    Nothing of it is stored yet, so nothing is judged again.
    """
    back = [(sensor, unit) for sensor, unit, since in assigned if since < transaction.now_at]
    if not back:
        return
    found = await transaction.rows(CORRECTED_UNITS, {"units": sorted({unit for _, unit in back})})
    corrected = {row["unit_id"] for row in found}
    for sensor in sorted({sensor for sensor, unit in back if unit in corrected}):
        await repaint(transaction, organization, sensor)


async def painted(transaction: Transaction, sensor: int, more: Sequence[Correction] = ()) -> tuple[CorrectedStretch, ...]:
    """Return what is true of a sensor because of all the corrections that stand, and some more."""
    moved_to = [one.unit for one in more if one.kind is CorrectionKind.ASSIGNMENT and one.unit is not None]
    rows = await transaction.rows(STANDING, {"sensor": sensor, "units": moved_to, "limit": MAX_STANDING + 1})
    if len(rows) > MAX_STANDING:
        raise conflict(
            "too_many_versions", f"More than {MAX_STANDING} corrections of sensor {sensor} stand: revoke some that others cover."
        )
    corrections = [*map(correction_of, rows), *more]
    found = await transaction.rows(ASSIGNMENTS, {"sensor": sensor})
    assignments = [Assignment(row["id"], row["unit_id"], row["since"], row["until"]) for row in found]
    units = sorted({one.unit for one in corrections if one.kind is CorrectionKind.ASSIGNMENT and one.unit is not None})
    policies = await _policies(transaction, units)
    return await asyncio.to_thread(stretches_of, corrections, assignments, policies)  # edges times corrections, beside webhooks


async def _policies(transaction: Transaction, units: list[int]) -> Mapping[int, Timeline]:
    """Return what units are judged by, from when on."""
    entries: dict[int, list[tuple[int, int]]] = {}
    for row in await transaction.rows(POLICIES, {"units": units}):
        entries.setdefault(row["unit_id"], []).append((row["since"], row["policy_version_id"]))
    return {unit: Timeline(tuple(at for at, _ in its), tuple(number for _, number in its)) for unit, its in entries.items()}


def correction_of(row: Row) -> Correction:
    """Return what a row of STANDING says."""
    return Correction(
        id=row["id"],
        kind=CorrectionKind(row["kind"]),
        since=row["since"],
        until=row["until"],
        calibration=row["calibration_hundredths"] or 0,
        unit=row["unit_id"],
        assignment=row["assignment_id"],
        policy=row["policy_version_id"],
    )


def _kept(row: Row) -> CorrectedStretch:
    mark = None if row["mark"] is None else Mark(row["mark"])
    return CorrectedStretch(
        row["since"], row["until"], mark, row["calibration_hundredths"], row["unit_id"], row["assignment_id"], row["policy_version_id"]
    )
