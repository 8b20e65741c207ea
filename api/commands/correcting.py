"""How a correction is kept: its row, what is true of each sensor it touches because of it, and that they are judged again.

All in the transaction of the command. decode_uplinks reads what is to be judged again and puts it into the log when its time has come, at
the earliest 5 s after the commit: from there on every row that is measured in a corrected stretch is marked as such.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.commands.painting import repaint
from api.commands.transaction import Outcome, Row, Transaction
from api.errors import conflict
from api.shapes import iso
from pipelines.domain.corrections import CorrectionKind

REASONS: Final = {
    CorrectionKind.CALIBRATION: "correction",
    CorrectionKind.FLAG: "correction",
    CorrectionKind.DELETE: "correction",
    CorrectionKind.ASSIGNMENT: "assignment",
    CorrectionKind.POLICY: "policy",
}
"""Why what a correction touches is judged again (schemas.revisions.REASONS)."""

ONE: Final = """
SELECT id, organization_id, kind, sensor_id, unit_id, starts_at, ends_at, revoked_at FROM corrections
WHERE id = %(id)s AND organization_id = ANY(%(scope)s)
"""
INSERT: Final = """
INSERT INTO corrections (organization_id, kind, sensor_id, unit_id, starts_at, ends_at, calibration_hundredths, assignment_id,
  policy_version_id, made_by, comment)
VALUES (%(organization)s, %(kind)s, %(sensor)s, %(unit)s, %(since)s, %(until)s, %(calibration)s, %(assignment)s, %(policy)s, %(user)s,
  %(comment)s) RETURNING id
"""
REVOKE: Final = """
UPDATE corrections SET revoked_by = %(user)s, revoked_at = %(now)s, revocation_comment = %(comment)s WHERE id = %(id)s
"""
WATCHERS: Final = """
SELECT sensor_id FROM assignments
WHERE unit_id = %(unit)s AND valid_from < %(until)s AND (valid_to IS NULL OR valid_to > %(since)s)
UNION SELECT sensor_id FROM corrections
WHERE kind = 'assignment' AND unit_id = %(unit)s AND starts_at < %(until)s AND ends_at > %(since)s AND revoked_at IS NULL
ORDER BY 1
"""
AGAIN: Final = """
INSERT INTO rejudgements (organization_id, correction_id, sensor_id, measured_from, effective_at, reason)
SELECT %(organization)s, %(correction)s, sensor, %(since)s, %(effective_at)s, %(reason)s FROM unnest(%(sensors)s::integer[]) AS touched (sensor)
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A correction that a command makes, in [since, until)."""

    organization: int
    kind: CorrectionKind
    since: datetime
    until: datetime
    sensor: int | None = None
    unit: int | None = None
    calibration: int | None = None
    assignment: int | None = None
    policy: int | None = None

    def said(self) -> dict[str, object]:
        """Return what the log of changes says of it."""
        said = {
            "sensor": self.sensor,
            "unit": self.unit,
            "calibration_hundredths": self.calibration,
            "policy_version": self.policy,
        }
        given = {name: value for name, value in said.items() if value is not None}
        return {"kind": self.kind.value, "from": iso(self.since), "to": iso(self.until), **given}


async def keep(transaction: Transaction, wanted: Sequence[Wanted]) -> tuple[list[int], datetime | None]:
    """Keep some corrections; return their numbers, and when the sensors they touch are judged again."""
    if not wanted:
        return [], None
    numbers: list[int] = []
    for one in wanted:
        number = await transaction.insert(INSERT, _values(one) | {"user": transaction.user, "comment": transaction.comment})
        numbers.append(number)
    effective_at = transaction.takes_effect(None, None)  # what is decoded from there on is marked, though it is corrected for longer
    for number, one in zip(numbers, wanted, strict=True):
        sensors = await touched(transaction, one.sensor, one.unit, one.since, one.until)
        await _judge_again(transaction, one.organization, number, one.kind, sensors, one.since, effective_at)
        await transaction.record(Outcome("created", one.organization, number, effective_at), "correction", "made", None, one.said())
    return numbers, effective_at


async def revoke(transaction: Transaction, number: int) -> tuple[list[int], datetime | None]:
    """Take a correction back; what it put in force from its end on stays, as a version on its timeline. Raises ApiError where it is back already."""
    row: Row = await transaction.mine("correction", ONE, number)
    if row["revoked_at"] is not None:
        raise conflict("in_use", f"It was revoked at {iso(row['revoked_at'])} already.")
    kind = CorrectionKind(row["kind"])
    unit = row["unit_id"] if kind is CorrectionKind.POLICY else None
    sensors = await touched(transaction, row["sensor_id"], unit, row["starts_at"], row["ends_at"])
    await transaction.execute(REVOKE, {"id": number, "user": transaction.user, "now": transaction.now_at, "comment": transaction.comment})
    effective_at = transaction.takes_effect(None, None)
    await _judge_again(transaction, row["organization_id"], number, kind, sensors, row["starts_at"], effective_at)
    outcome = Outcome("changed", row["organization_id"], number, effective_at)
    await transaction.record(outcome, "correction", "revoked", {"kind": kind.value}, None)
    return [number], effective_at


async def touched(transaction: Transaction, sensor: int | None, unit: int | None, since: datetime, until: datetime) -> list[int]:
    """Return the sensors that a correction touches: its own, or those that watched its unit then."""
    if sensor is not None:
        return [sensor]
    rows = await transaction.rows(WATCHERS, {"unit": unit, "since": since, "until": until})
    return [row["sensor_id"] for row in rows]


async def _judge_again(
    transaction: Transaction,
    organization: int,
    number: int,
    kind: CorrectionKind,
    sensors: list[int],
    since: datetime,
    effective_at: datetime,
) -> None:
    """Write what is true of some sensors now, and that they are judged again."""
    for sensor in sensors:
        await repaint(transaction, organization, sensor)
    values = {"organization": organization, "correction": number, "sensors": sensors, "since": since, "effective_at": effective_at}
    if sensors:
        await transaction.execute(AGAIN, values | {"reason": REASONS[kind]})


def _values(one: Wanted) -> dict[str, object]:
    return {
        "organization": one.organization,
        "kind": one.kind.value,
        "sensor": one.sensor,
        "unit": one.unit,
        "since": one.since,
        "until": one.until,
        "calibration": one.calibration,
        "assignment": one.assignment,
        "policy": one.policy,
    }
