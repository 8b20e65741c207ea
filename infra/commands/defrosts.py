"""`coldstream defrosts`: what defrosts look like to a sensor, from its stored readings or a CSV, and taking it over: by a person, never by itself.

Values become JSON here; nothing is decided. The proposal is in the form that `coldstream evaluate --beside` takes.
"""

import json
from typing import Final

import click

from api.commands.defrosts import accept_defrost
from api.defrost_shapes import AcceptDefrost
from api.errors import ApiError
from api.parameters import now
from api.queries.defrosts import DAYS, MOST_DAYS, defrost_answer, evidence_answer, learned_defrosts, proposal_answer
from api.queries.intervals import sensors_of
from api.registry_requests import DefrostGiven
from api.shapes import iso
from infra.commands.operator import changing, desk, run
from infra.series_files import max_gap_of, read_policy, read_readings, refuse
from pipelines.domain.defrost_pattern import NoProfile, ProposedProfile, propose_profile
from pipelines.domain.policy import Side, SustainedBand
from pipelines.domain.registration.naming import comment as checked_comment

_sensor: Final = click.option("--sensor", type=click.IntRange(1), required=True, metavar="ID")
_band: Final = click.option(
    "--band", default=None, metavar="NAME", help="Above whose limit to look; default: the one that defrosts suppress."
)


@click.group(name="defrosts")
def command() -> None:
    """Learn what defrosts look like to a sensor, and take it over."""


@command.command(name="file")
@click.option("--policy", "policy_file", required=True, help='JSON file {"bands": [...]}.', metavar="P.json")
@click.option("--band", required=True, help="The band to be suppressed: sustained, side high.", metavar="NAME")
@click.option("--max-gap", required=True, help="How long a reading's value is known at most.", metavar="SECONDS")
@click.argument("readings_file", metavar="READINGS.csv")
def file_(policy_file: str, band: str, max_gap: str, readings_file: str) -> None:
    """Print what the defrosts in READINGS.csv (measured_at,temperature; - is standard input) look like, and the evidence, as JSON.

    Needs no services. Looked at are the rises that the band would tell of; a week of readings or more is best. Where none is proposed
    `defrost` is null and `why` says why: too_few, too_irregular or too_long. A bad policy, time or row is exit 2 with nothing on
    standard output.
    """
    max_gap_ms = max_gap_of(max_gap)
    chosen = next((one for one in read_policy(policy_file).bands if one.name == band), None)
    if not isinstance(chosen, SustainedBand) or chosen.side is not Side.HIGH:
        refuse("--band", f"{policy_file} has no band {band!r} of kind sustained and side high")
    found = propose_profile(read_readings(readings_file), chosen, max_gap_ms)
    click.echo(json.dumps(_to_json(found), indent=2))


@command.command()
@click.option("--organization", type=click.IntRange(1), default=None, metavar="ID", help="Only sensors of this one.")
@click.option("--sensor", type=click.IntRange(1), default=None, metavar="ID", help="Only this one; also where nothing is proposed.")
@_band
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=DAYS, show_default=True, help="How far back to look.")
def propose(organization: int | None, sensor: int | None, band: str | None, days: int) -> None:
    """Print a JSON line with the evidence for each sensor in whose stored readings defrosts are recognised."""

    async def work() -> None:
        async with desk(organization) as at:
            for number in await sensors_of(at.database, at.scope, sensor):
                try:
                    known = await learned_defrosts(at.database, at.scope, number, now(), days, band)
                except ApiError as error:
                    if sensor is not None or error.code != "no_band":
                        raise
                    continue
                if sensor is not None or isinstance(known.found, ProposedProfile):
                    click.echo(proposal_answer(known).model_dump_json(by_alias=True))

    run(work)


@command.command()
@_sensor
@_band
@click.option(
    "--period-seconds", type=float, default=None, help="With the next two: what was seen, taken as it is if it is still borne out."
)
@click.option("--peak-celsius", type=float, default=None)
@click.option("--duration-seconds", type=float, default=None)
@click.option("--comment", default="", help="Why, for the log of changes.")
def accept(
    sensor: int, band: str | None, period_seconds: float | None, peak_celsius: float | None, duration_seconds: float | None, comment: str
) -> None:
    """Take over what is proposed for a sensor, as a new version of its configuration. Nothing is ever taken over by itself."""
    seen = (period_seconds, peak_celsius, duration_seconds)
    if None in seen and seen != (None, None, None):
        message = "give --period-seconds, --peak-celsius and --duration-seconds together, as `coldstream defrosts propose` shows them"
        raise click.UsageError(message)
    given = None
    if period_seconds is not None and peak_celsius is not None and duration_seconds is not None:
        given = DefrostGiven(period_seconds=period_seconds, peak_celsius=peak_celsius, duration_seconds=duration_seconds)

    async def work() -> None:
        why = checked_comment(comment)
        async with desk(None) as at, changing(at) as changes, changes.transaction(at.manager, why) as transaction:
            outcome = await accept_defrost(transaction, sensor, AcceptDefrost(band=band, defrost=given))
        when = "it is in force already" if outcome.effective_at is None else f"taken over, takes effect at {iso(outcome.effective_at)}"
        click.echo(f"sensor {sensor}: {when}")

    run(work)


def _to_json(found: ProposedProfile | NoProfile) -> dict[str, object]:
    if isinstance(found, NoProfile):
        return {"defrost": None, "why": found.value}
    profile = defrost_answer(found.profile)
    assert profile is not None, "it is proposed"
    evidence = evidence_answer(found)
    return {"defrost": profile.model_dump(mode="json"), "evidence": evidence.model_dump(mode="json", by_alias=True)}
