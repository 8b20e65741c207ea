"""Corrections, those that were revoked too: who corrected what, when and why."""

from typing import Final

from api.correction_shapes import CorrectionAnswer
from api.database import Database, Row

CORRECTIONS: Final = """
SELECT id, organization_id, kind, sensor_id, unit_id, starts_at, ends_at, calibration_hundredths, policy_version_id, made_by, made_at, comment,
  revoked_by, revoked_at, revocation_comment
FROM corrections
WHERE organization_id = ANY(%(scope)s) AND (%(before)s::integer IS NULL OR id < %(before)s)
  AND (%(numbers)s::integer[] IS NULL OR id = ANY(%(numbers)s))
  AND (%(sensor)s::integer IS NULL OR sensor_id = %(sensor)s) AND (%(unit)s::integer IS NULL OR unit_id = %(unit)s)
  AND (NOT %(standing)s OR revoked_at IS NULL)
ORDER BY id DESC LIMIT %(limit)s
"""


async def corrections(
    database: Database,
    scope: list[int],
    *,
    numbers: list[int] | None = None,
    sensor: int | None = None,
    unit: int | None = None,
    standing: bool = False,
    before: int | None = None,
    limit: int = 100,
) -> list[CorrectionAnswer]:
    """Return corrections, the newest first; `standing`: without those that were revoked."""
    parameters = {
        "scope": scope,
        "numbers": numbers,
        "sensor": sensor,
        "unit": unit,
        "standing": standing,
        "before": before,
        "limit": limit,
    }
    return [_answer(row) for row in await database.rows(CORRECTIONS, parameters)]


def _answer(row: Row) -> CorrectionAnswer:
    calibration = row["calibration_hundredths"]
    return CorrectionAnswer(
        id=row["id"],
        organization=row["organization_id"],
        kind=row["kind"],
        sensor=row["sensor_id"],
        unit=row["unit_id"],
        from_=row["starts_at"],
        to=row["ends_at"],
        calibration_celsius=None if calibration is None else calibration / 100,
        policy_version=row["policy_version_id"],
        made_by=row["made_by"],
        made_at=row["made_at"],
        comment=row["comment"],
        revoked_by=row["revoked_by"],
        revoked_at=row["revoked_at"],
        revocation_comment=row["revocation_comment"],
    )
