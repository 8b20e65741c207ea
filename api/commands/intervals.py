"""A learned interval is taken over as a new configuration version, with its evidence in the log of changes; and who takes it over."""

from typing import Final

from api.commands.archiving import require_standing
from api.commands.assignments import sensor_row
from api.commands.organizations import standing_organization
from api.commands.sensors import newest_terms, put_terms
from api.commands.transaction import Outcome, Transaction
from api.errors import conflict
from api.interval_shapes import AcceptInterval, IntervalSetting
from api.queries.intervals import SETTING, learned, proposed, whole_seconds
from pipelines.domain.expected_interval import SAME_WITHIN, NoProposal
from pipelines.domain.registration.sensor_terms import DEFAULT_INTERVAL_MS, sensor_terms, why_left_to_a_person

SET: Final = "UPDATE organizations SET accepts_intervals = %(accepts)s WHERE id = %(id)s"

WHY: Final = {
    NoProposal.TOO_FEW: "there are too few uplinks to tell",
    NoProposal.TOO_IRREGULAR: "no interval explains when the sensor reported, or it has just changed",
    NoProposal.UNCHANGED: "the interval in force is borne out",
}


async def accept_interval(transaction: Transaction, number: int, order: AcceptInterval, *, is_unattended: bool = False) -> Outcome:
    """Take over the interval that is proposed now, learned anew within the change; a gap or patience that follows the interval follows it.

    Where no person looks at it (`is_unattended`), one that must be left to a person is refused.
    """
    row = await sensor_row(transaction, number)
    require_standing("sensor", row)
    known = await learned(transaction, [row["organization_id"]], number, transaction.now_at)
    if isinstance(known.found, NoProposal):
        raise conflict("no_proposal", f"No interval is proposed for sensor {number}: {WHY[known.found]}.")
    seconds = whole_seconds(known.found)
    wanted = order.expected_interval_seconds
    if wanted is not None and abs(float(wanted) - seconds) > SAME_WITHIN * seconds:
        raise conflict("proposal_changed", f"By now {seconds} s is proposed, and not {wanted} s: look again.")
    before = await newest_terms(transaction, number)
    if is_unattended:
        why = why_left_to_a_person(seconds * 1_000, DEFAULT_INTERVAL_MS if before is None else before[0].expected_interval_ms)
        if why is not None:
            raise conflict("left_to_a_person", f"{seconds} s is proposed and left to a person: {why}.")
    terms = sensor_terms({"expected_interval_seconds": seconds}, None if before is None else before[0])
    evidence = proposed(known.found).model_dump(mode="json", by_alias=True)
    return await put_terms(transaction, row, terms, before, action="interval_accepted", evidence=evidence)


async def set_acceptance(transaction: Transaction, number: int, order: IntervalSetting) -> Outcome:
    """Say whether proposals for an organization's sensors are taken over without a person."""
    await standing_organization(transaction, number)
    row = await transaction.row(SETTING, {"id": number, "scope": transaction.organizations})
    assert row is not None, "it was found just now"
    if row["accepts_intervals"] == order.accept_by_itself:
        return Outcome("unchanged", number, number)
    await transaction.execute(SET, {"id": number, "accepts": order.accept_by_itself})
    outcome = Outcome("changed", number, number)
    before, after = {"accepts_intervals": row["accepts_intervals"]}, {"accepts_intervals": order.accept_by_itself}
    return await transaction.record(outcome, "organization", "changed", before, after)
