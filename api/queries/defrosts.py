"""What defrosts look like to a sensor, learned on demand from its stored readings as corrected; nothing of it is kept."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from api.defrost_shapes import DefrostEvidenceAnswer, DefrostProposalAnswer
from api.errors import ApiError, conflict, not_found
from api.parameters import aware
from api.queries.intervals import Asked
from api.registry_shapes import DefrostAnswer
from pipelines.domain.defrost_pattern import MOST_READINGS, NoProfile, ProposedProfile, propose_profile
from pipelines.domain.policy import Policy, Role, Side, SustainedBand
from pipelines.domain.policy_document import parse_policy
from pipelines.domain.registration.sensor_terms import from_row
from pipelines.domain.suppression import DefrostProfile

DAYS: Final = 14
"""How far back is looked: a week or more is best."""
MOST_DAYS: Final = 60

IN_FORCE: Final = """
SELECT s.id, a.unit_id, v.document, c.expected_interval_ms, c.max_gap_ms, c.offline_after_ms, c.calibration_hundredths, c.defrost_period_ms,
  c.defrost_peak_hundredths, c.defrost_duration_ms
FROM sensors s
LEFT JOIN LATERAL (
  SELECT unit_id FROM assignments
  WHERE sensor_id = s.id AND valid_from <= %(end)s AND (valid_to IS NULL OR valid_to > %(end)s) ORDER BY valid_from DESC LIMIT 1
) a ON true
LEFT JOIN LATERAL (
  SELECT policy_version_id FROM unit_policies WHERE unit_id = a.unit_id AND effective_at <= %(end)s ORDER BY effective_at DESC LIMIT 1
) p ON true
LEFT JOIN policy_versions v ON v.id = p.policy_version_id
LEFT JOIN LATERAL (
  SELECT * FROM sensor_configurations WHERE sensor_id = s.id AND effective_at <= %(end)s ORDER BY effective_at DESC LIMIT 1
) c ON true
WHERE s.id = %(sensor)s AND s.organization_id = ANY(%(scope)s)
"""
READINGS: Final = """
SELECT (extract(epoch FROM measured_at) * 1000)::bigint AS at, temperature FROM corrected_readings
WHERE organization_id = ANY(%(scope)s) AND sensor_id = %(sensor)s AND unit_id = %(unit)s AND measured_at > %(begin)s AND measured_at <= %(end)s
  AND (temperature IS NOT NULL OR reason IS NOT NULL)
ORDER BY measured_at DESC LIMIT %(limit)s
"""
"""Of the unit that the sensor watches now: another one has other defrosts."""


@dataclass(frozen=True, slots=True)
class LearnedDefrosts:
    """What the readings of a stretch say of the defrosts of a sensor's unit."""

    sensor: int
    band: str
    begin: datetime
    end: datetime
    readings: int
    in_force: DefrostProfile | None
    found: ProposedProfile | NoProfile


async def learned_defrosts(
    asked: Asked, scope: list[int], sensor: int, end: datetime, days: int = DAYS, band: str | None = None
) -> LearnedDefrosts:
    """Return what is learned of a sensor from the days before an instant, above the limit of the band that defrosts suppress, or one that is named.

    Raises ApiError 404 for a sensor of somebody else, 409 `no_band` where it is not plain which band is meant.
    """
    begin = end - timedelta(days=days)
    named = {"scope": scope, "sensor": sensor, "begin": begin, "end": end}
    rows = await asked.rows(IN_FORCE, named)
    if not rows:
        raise not_found("sensor")
    (row,) = rows
    if row["document"] is None or row["max_gap_ms"] is None:
        raise conflict("no_band", f"Sensor {sensor} watches no unit that is judged by a policy: assign it, and apply a policy to its unit.")
    chosen = band_of(parse_policy(row["document"]), band)
    stored = await asked.rows(READINGS, {**named, "unit": row["unit_id"], "limit": MOST_READINGS})
    series = [(one["at"], one["temperature"]) for one in stored]
    found = await asyncio.to_thread(propose_profile, series, chosen, row["max_gap_ms"])
    return LearnedDefrosts(sensor, chosen.name, begin, end, len(series), from_row(row).defrost, found)


def band_of(policy: Policy, name: str | None) -> SustainedBand:
    """Return the band above whose limit defrosts rise: the one that is named, or the one that they suppress, or else the one operational band.

    Raises ApiError 409 `no_band` naming those that could be named.
    """
    rises = [band for band in policy.bands if isinstance(band, SustainedBand) and band.side is Side.HIGH]
    suppressed = [band for band in rises if band.suppress is not None and band.suppress.defrost]
    operational = [band for band in rises if band.role is Role.OPERATIONAL]
    meant = [band for band in rises if band.name == name] if name is not None else suppressed or operational
    if len(meant) == 1:
        return meant[0]
    raise _not_plain(name, [band.name for band in rises])


def _not_plain(name: str | None, names: list[str]) -> ApiError:
    known = f"name one as band: {', '.join(names)}" if names else "it has none of kind sustained and side high"
    said = "It is not plain above which band's limit defrosts rise" if name is None else f"The policy in force has no such band {name!r}"
    return conflict("no_band", f"{said}: {known}.")


def proposal_answer(known: LearnedDefrosts) -> DefrostProposalAnswer:
    """Return what is learned as it is answered."""
    found = known.found
    return DefrostProposalAnswer(
        sensor=known.sensor,
        band=known.band,
        start=known.begin,
        end=known.end,
        readings=known.readings,
        in_force=defrost_answer(known.in_force),
        proposal=defrost_answer(found.profile) if isinstance(found, ProposedProfile) else None,
        evidence=evidence_answer(found) if isinstance(found, ProposedProfile) else None,
        why=found.value if isinstance(found, NoProfile) else None,
    )


def defrost_answer(profile: DefrostProfile | None) -> DefrostAnswer | None:
    """Return what a defrost looks like to a sensor, as it is answered."""
    if profile is None:
        return None
    return DefrostAnswer(
        period_seconds=profile.period_ms / 1_000, peak_celsius=profile.peak_hundredths / 100, duration_seconds=profile.duration_ms / 1_000
    )


def evidence_answer(found: ProposedProfile) -> DefrostEvidenceAnswer:
    """Return what bears a profile out."""
    return DefrostEvidenceAnswer(
        rises=found.rises,
        explained=found.explained,
        period_seconds=found.period_ms / 1_000,
        jitter_seconds=found.jitter_ms / 1_000,
        peak_celsius=found.peak_hundredths / 100,
        duration_seconds=found.duration_ms / 1_000,
        decay_seconds=found.decay_ms / 1_000,
        start=aware(found.from_at),
        end=aware(found.to_at),
    )
