"""Corrections of the past: a calibration, readings flagged or deleted, a sensor moved or swapped, an assignment ended, a policy put in force.

Each says what holds in [from, to). Where it goes on from now, `to` is the instant at which the same change, made on the timeline of the
sensor or unit in the same transaction, takes effect: the past is corrected up to there, and stamped so from there on.
"""

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Final, assert_never

from api.commands.archiving import require_standing
from api.commands.assignments import LAST, UNIT, assign, end_assignment, sensor_row
from api.commands.correcting import Wanted, keep
from api.commands.sensors import configure, newest_terms
from api.commands.transaction import Outcome, Row, Transaction
from api.commands.units import NEWEST, VERSION, apply_policy, unit_row
from api.correction_shapes import AnyOrder, CalibrationOrder, MarkOrder, MoveOrder, PolicyOrder, SwapOrder
from api.errors import conflict
from api.parameters import instant, optional_instant
from api.registry_requests import TermsGiven
from api.shapes import iso
from pipelines.domain.corrections import CorrectionKind
from pipelines.domain.registration.refusals import Refused
from pipelines.domain.registration.sensor_terms import sensor_terms

MAX_BACK: Final = timedelta(days=366)
"""How far back a correction may begin: everything of its sensors since then is judged again."""

TO_BE_MADE: Final = -1
"""Number of an assignment that a dry transaction does not make."""


async def correct(transaction: Transaction, order: AnyOrder) -> tuple[list[int], datetime | None]:
    """Make a correction; return the numbers of what is kept, and when the sensors it touches are judged again."""
    wanted, effective_at = await wanted_of(transaction, order)
    numbers, judged_at = await keep(transaction, wanted)
    return numbers, judged_at or effective_at


async def wanted_of(transaction: Transaction, order: AnyOrder) -> tuple[list[Wanted], datetime | None]:
    """Put in force what goes on from now, and return what is to be kept of the past; and when the former holds.

    A dry transaction puts nothing in force: the past is corrected up to now.
    """
    since = _since(transaction, order.from_)
    match order:
        case CalibrationOrder():
            return await _calibrate(transaction, order, since)
        case MarkOrder():
            return [await _mark(transaction, order, since)], None
        case MoveOrder():
            sensor = await _sensor(transaction, order.sensor)
            return await _move(transaction, sensor, order.unit, since), None
        case SwapOrder():
            return await _swap(transaction, order, since), None
        case PolicyOrder():
            return await _judge_by(transaction, order, since)
        case _:
            assert_never(order)


def _since(transaction: Transaction, text: str) -> datetime:
    since = instant(text, "from")
    if since < transaction.now_at - MAX_BACK:
        raise Refused("from", f"must be within {MAX_BACK.days} days")
    return since


def _in_the_past(transaction: Transaction, since: datetime) -> None:
    if since >= transaction.now_at:
        raise Refused("from", "must be in the past: what holds from now on is changed at the sensor or the unit itself")


def _not_planned(transaction: Transaction, what: str, at: datetime) -> None:
    """Refuse what is on the timeline already but holds only later: between now and then something else is in force, and nobody asked for that."""
    if at > transaction.earliest:
        raise conflict("in_use", f"{what} is planned for {iso(at)} already: wait for it, then correct it.")


async def _sensor(transaction: Transaction, number: int) -> Row:
    row = await sensor_row(transaction, number)
    require_standing("sensor", row)
    return row


async def _calibrate(transaction: Transaction, order: CalibrationOrder, since: datetime) -> tuple[list[Wanted], datetime | None]:
    """Say what calibration was in force; where it goes on, its configuration has it too from the earliest instant on."""
    sensor = await _sensor(transaction, order.sensor)
    to = optional_instant(order.to, "to")
    if to is not None and to <= since:
        raise Refused("to", "must be after from")
    calibration = sensor_terms({"calibration_celsius": order.calibration_celsius}).calibration_hundredths
    until = to if to is not None and to <= transaction.earliest else await _calibrate_on(transaction, order, since, to, calibration)
    if since >= until:
        return [], until
    wanted = Wanted(sensor["organization_id"], CorrectionKind.CALIBRATION, since, until, order.sensor, calibration=calibration)
    return [wanted], until


async def _calibrate_on(
    transaction: Transaction,
    order: CalibrationOrder,
    since: datetime,
    to: datetime | None,
    calibration: int,
) -> datetime:
    """Configure the calibration of what is still to come, up to an instant where one is given; return from when on it holds."""
    before = await newest_terms(transaction, order.sensor)
    if before is not None and before[0].calibration_hundredths == calibration and before[1] > since:
        _not_planned(transaction, f"That calibration of sensor {order.sensor}", before[1])
    if transaction.is_dry:
        return transaction.now_at
    later = None if since <= transaction.earliest else order.from_
    terms = TermsGiven(effective_at=later, calibration_celsius=order.calibration_celsius)
    begun = await configure(transaction, order.sensor, terms)
    if to is not None and before is not None and begun.effective_at is not None:
        back = before[0].calibration_hundredths / 100
        await configure(transaction, order.sensor, TermsGiven(effective_at=order.to, calibration_celsius=back))
    return begun.effective_at or transaction.earliest


async def _mark(transaction: Transaction, order: MarkOrder, since: datetime) -> Wanted:
    """Flag or delete what was measured; what is measured from now on nobody can judge yet."""
    sensor = await _sensor(transaction, order.sensor)
    _in_the_past(transaction, since)
    until = optional_instant(order.to, "to") or transaction.now_at
    if not since < until <= transaction.now_at:
        raise Refused("to", "must be after from, and not in the future: readings to come cannot be flagged or deleted")
    return Wanted(sensor["organization_id"], CorrectionKind(order.kind), since, until, order.sensor)


async def _move(transaction: Transaction, sensor: Row, unit: int | None, since: datetime) -> list[Wanted]:
    """Let a sensor have watched another unit, or nothing, since an instant."""
    _in_the_past(transaction, since)
    number = sensor["id"]
    last = await transaction.row(LAST, {"sensor": number})
    if last is None or (last["valid_to"] is not None and last["valid_to"] <= since):
        raise conflict("in_use", f"Sensor {number} watched nothing then: assign it (POST /api/v1/sensors/{number}/assignment).")
    if unit is None:
        if last["valid_to"] is not None and last["valid_to"] > transaction.now_at:
            raise conflict("in_use", f"The end of the assignment of sensor {number} is planned already: wait for it, then correct it.")
        until = last["valid_to"] or (transaction.now_at if transaction.is_dry else await _when(end_assignment(transaction, sensor, None)))
        return [Wanted(sensor["organization_id"], CorrectionKind.ASSIGNMENT, since, until, number)]
    is_there = last["valid_to"] is None and last["unit_id"] == unit
    if is_there:
        _not_planned(transaction, f"The move of sensor {number} to unit {unit}", last["valid_from"])
    await transaction.mine("unit", UNIT, unit)
    if transaction.is_dry and not is_there:
        until, assignment = transaction.now_at, TO_BE_MADE
    else:
        until = last["valid_from"] if is_there else await _when(assign(transaction, sensor, unit, None))
        newest = await transaction.row(LAST, {"sensor": number})
        assert newest is not None, "it was assigned just now, or before"
        assignment = newest["id"]
    if until <= since:
        return []
    return [Wanted(sensor["organization_id"], CorrectionKind.ASSIGNMENT, since, until, number, unit, assignment=assignment)]


async def _when(change: Awaitable[Outcome]) -> datetime:
    """Make a change that takes effect at an instant, and return that."""
    effective_at = (await change).effective_at
    assert effective_at is not None, "an assignment begins and ends at an instant"
    return effective_at


async def _swap(transaction: Transaction, order: SwapOrder, since: datetime) -> list[Wanted]:
    """Let two sensors have watched each other's unit since an instant."""
    one, other = await _sensor(transaction, order.sensor), await _sensor(transaction, order.other)
    units = []
    for sensor in (one, other):
        last = await transaction.row(LAST, {"sensor": sensor["id"]})
        if last is None or last["valid_to"] is not None:
            raise conflict("in_use", f"Sensor {sensor['id']} watches no unit now: move each of the two by itself.")
        units.append(last["unit_id"])
    if units[0] == units[1]:
        raise conflict("in_use", f"Both watch unit {units[0]}: there is nothing to swap.")
    return [*await _move(transaction, one, units[1], since), *await _move(transaction, other, units[0], since)]


async def _judge_by(transaction: Transaction, order: PolicyOrder, since: datetime) -> tuple[list[Wanted], datetime | None]:
    """Judge a unit by a policy version since an instant, and from now on."""
    unit = await unit_row(transaction, order.unit)
    require_standing("unit", unit)
    _in_the_past(transaction, since)
    newest = await transaction.row(NEWEST, {"unit": order.unit})
    is_there = newest is not None and newest["policy_version_id"] == order.policy_version
    if newest is not None and is_there:
        _not_planned(transaction, f"That policy version at unit {order.unit}", newest["effective_at"])
    if transaction.is_dry and not is_there:
        await transaction.mine("policy version", VERSION, order.policy_version)
        until = transaction.now_at
    else:
        until = await _when(apply_policy(transaction, unit, order.policy_version, None))
    if until <= since:
        return [], until
    return [Wanted(unit["organization_id"], CorrectionKind.POLICY, since, until, unit=order.unit, policy=order.policy_version)], until
