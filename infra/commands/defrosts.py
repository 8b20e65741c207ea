"""`coldstream defrosts`: propose what the defrosts in a CSV of readings look like, with the evidence; needs no services.

Values become JSON here; nothing is decided. The proposal is in the form that `coldstream evaluate --beside` takes.
"""

import json

import click

from infra.series_files import max_gap_of, read_policy, read_readings, refuse
from pipelines.domain.defrost_pattern import NoProfile, ProposedProfile, propose_profile
from pipelines.domain.instants import format_instant
from pipelines.domain.policy import Side, SustainedBand


@click.command(name="defrosts")
@click.option("--policy", "policy_file", required=True, help='JSON file {"bands": [...]}.', metavar="P.json")
@click.option("--band", required=True, help="The band to be suppressed: sustained, side high.", metavar="NAME")
@click.option("--max-gap", required=True, help="How long a reading's value is known at most.", metavar="SECONDS")
@click.argument("readings_file", metavar="READINGS.csv")
def command(policy_file: str, band: str, max_gap: str, readings_file: str) -> None:
    """Print what the defrosts in READINGS.csv (measured_at,temperature; - is standard input) look like, and the evidence, as JSON.

    Looked at are the rises that the band would tell of; a week of readings or more is best. Where none is proposed `defrost` is
    null and `why` says why: too_few, too_irregular or too_long. A bad policy, time or row is exit 2 with nothing on standard output.
    """
    max_gap_ms = max_gap_of(max_gap)
    chosen = next((one for one in read_policy(policy_file).bands if one.name == band), None)
    if not isinstance(chosen, SustainedBand) or chosen.side is not Side.HIGH:
        refuse("--band", f"{policy_file} has no band {band!r} of kind sustained and side high")
    found = propose_profile(read_readings(readings_file), chosen, max_gap_ms)
    click.echo(json.dumps(_none(found) if isinstance(found, NoProfile) else _to_json(found), indent=2))


def _none(why: NoProfile) -> dict[str, object]:
    return {"defrost": None, "why": why.value}


def _to_json(found: ProposedProfile) -> dict[str, object]:
    profile = found.profile
    return {
        "defrost": {
            "period_seconds": profile.period_ms / 1000,
            "peak_celsius": profile.peak_hundredths / 100,
            "duration_seconds": profile.duration_ms / 1000,
        },
        "evidence": {
            "rises": found.rises,
            "explained": found.explained,
            "period_seconds": found.period_ms / 1000,
            "jitter_seconds": found.jitter_ms / 1000,
            "peak_celsius": found.peak_hundredths / 100,
            "duration_seconds": found.duration_ms / 1000,
            "decay_seconds": found.decay_ms / 1000,
            "from": format_instant(found.from_at),
            "to": format_instant(found.to_at),
        },
    }
