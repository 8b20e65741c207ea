"""A learned defrost profile is taken over as a new configuration version, with its evidence in the log of changes: by a person, never by itself."""

from dataclasses import replace
from typing import Final

from api.commands.archiving import require_standing
from api.commands.assignments import sensor_row
from api.commands.sensors import newest_terms, put_terms
from api.commands.transaction import Outcome, Transaction
from api.defrost_shapes import AcceptDefrost
from api.errors import conflict
from api.queries.defrosts import evidence_answer, learned_defrosts
from pipelines.domain.defrost_pattern import NoProfile, ProposedProfile
from pipelines.domain.registration.sensor_terms import defrost_profile, sensor_terms
from pipelines.domain.suppression import DefrostProfile

SAME_WITHIN: Final = 0.1
"""Share by which period and duration may differ from what is proposed by now: an hour's readings move them by less."""
SAME_PEAK: Final = 50
"""Hundredths by which the peak may."""

WHY: Final = {
    NoProfile.TOO_FEW: "too few rises would be told to recognise defrosts among them",
    NoProfile.TOO_IRREGULAR: "no period explains when the rises began, or it has just changed",
    NoProfile.TOO_LONG: "what recurs fills too much of the time to be defrosts",
}


async def accept_defrost(transaction: Transaction, number: int, order: AcceptDefrost) -> Outcome:
    """Take over the profile that is proposed now, learned anew within the change; one that was seen is taken as it was seen, if it is borne out."""
    row = await sensor_row(transaction, number)
    require_standing("sensor", row)
    known = await learned_defrosts(transaction, [row["organization_id"]], number, transaction.now_at, band=order.band)
    if isinstance(known.found, NoProfile):
        raise conflict("no_proposal", f"No defrost profile is proposed for sensor {number}: {WHY[known.found]}.")
    seen = None if order.defrost is None else defrost_profile(order.defrost.model_dump())
    profile = known.found.profile
    if seen is not None:
        if not is_borne_out(seen, profile):
            raise conflict("proposal_changed", f"By now another profile is proposed ({_said(known.found)}): look again.")
        profile = seen
    before = await newest_terms(transaction, number)
    terms = replace(sensor_terms({}, None if before is None else before[0]), defrost=profile)
    evidence = {"band": known.band, **evidence_answer(known.found).model_dump(mode="json", by_alias=True)}
    return await put_terms(transaction, row, terms, before, action="defrost_accepted", evidence=evidence)


def is_borne_out(seen: DefrostProfile, proposed: DefrostProfile) -> bool:
    """Tell whether a profile that was seen is as good as the one that is proposed by now."""
    times = ((seen.period_ms, proposed.period_ms), (seen.duration_ms, proposed.duration_ms))
    return abs(seen.peak_hundredths - proposed.peak_hundredths) <= SAME_PEAK and all(
        abs(one - other) <= SAME_WITHIN * other for one, other in times
    )


def _said(found: ProposedProfile) -> str:
    one = found.profile
    return f"period {one.period_ms / 1_000:g} s, peak {one.peak_hundredths / 100:g} °C, duration {one.duration_ms / 1_000:g} s"
