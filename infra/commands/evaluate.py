"""`coldstream evaluate`: judge a CSV of readings by a policy, with the very machine that runs live; needs no services.

Values become JSON here; nothing is decided. Nothing is printed unless everything was read.
"""

import json
from dataclasses import replace

import click

from infra.series_files import instant, max_gap_of, read_circumstances, read_policy, read_readings, refuse
from pipelines.domain.circumstances_document import CircumstancesError, parse_stretch
from pipelines.domain.evaluate import Excursion, judge_beside
from pipelines.domain.excursion_facts import HeldBack, Suppressed
from pipelines.domain.excursion_states import Reading
from pipelines.domain.instants import format_instant
from pipelines.domain.policy import Policy, SustainedBand, warnings
from pipelines.domain.suppression import NOTHING_BESIDE, Circumstances, Stretch, in_order

Fields = dict[str, object]


@click.command(name="evaluate")
@click.option("--policy", "policy_file", required=True, help='JSON file {"bands": [...]}.', metavar="P.json")
@click.option("--until", required=True, help="Judge up to this instant, ISO 8601; UTC without a zone.", metavar="ISO")
@click.option("--max-gap", required=True, help="How long a reading's value is known at most.", metavar="SECONDS")
@click.option(
    "--beside", "beside_file", help='What may suppress operational bands: {"maintenance": [], "door": [], "defrost": {}}.', metavar="B.json"
)
@click.option("--maintenance", multiple=True, help="One more window of maintenance; may be given again.", metavar="ISO/ISO")
@click.argument("readings_file", metavar="READINGS.csv")
def command(policy_file: str, until: str, max_gap: str, beside_file: str | None, maintenance: tuple[str, ...], readings_file: str) -> None:
    """Print the excursions in READINGS.csv (measured_at,temperature; - is standard input) as a JSON list.

    Bands of every kind are judged: sustained, cumulative, mean and mkt. One of an operational band that is suppressed is in the
    list with opened_at null; excursions of such bands say what held them back, and from when.

    Times are ISO 8601 UTC, peak_celsius has hundredths; mean_celsius and degree_minutes are exact sums divided once, to the
    nearest double. A bad policy, time or row is exit 2 with nothing on standard output.
    """
    horizon = instant("--until", until)
    max_gap_ms = max_gap_of(max_gap)
    policy = read_policy(policy_file)
    beside = _beside(beside_file, maintenance)
    rows = [Reading(measured_at, temperature, max_gap_ms, 1) for measured_at, temperature in read_readings(readings_file)]
    judged = judge_beside(rows, {1: policy}, horizon, beside)
    for warning in [*(f"{policy_file}: {one}" for one in warnings(policy, max_gap_ms)), *_warnings(policy, beside)]:
        click.echo(f"warning: {warning}", err=True)
    suppressible = _suppressible(policy)
    found = [_told(one, is_suppressible=one.band in suppressible) for one in judged.excursions]
    found += [_suppressed(one) for one in judged.suppressed]
    found.sort(key=lambda one: (str(one["band"]), str(one["started_at"])))
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))


def _beside(file: str | None, maintenance: tuple[str, ...]) -> Circumstances:
    """Return what is known beside the readings: of the file, and the windows named one by one."""
    known = NOTHING_BESIDE if file is None else read_circumstances(file)
    windows = [_window(text) for text in maintenance]
    return replace(known, maintenance=in_order([*known.maintenance, *windows])) if windows else known


def _window(text: str) -> Stretch:
    begin, slash, end = text.partition("/")
    if not slash:
        refuse("--maintenance", f"must be two instants with a slash between: {text[:80]!r}")
    try:
        return parse_stretch("--maintenance", begin, end)
    except CircumstancesError as error:
        refuse(str(error))


def _suppressible(policy: Policy) -> set[str]:
    return {band.name for band in policy.bands if isinstance(band, SustainedBand) and band.suppress is not None}


def _warnings(policy: Policy, beside: Circumstances) -> list[str]:
    """Return what was said in vain."""
    names = sorted(_suppressible(policy))
    if names and beside.is_empty:
        return [f"nothing is known that may suppress band {', '.join(map(repr, names))}: see --beside and --maintenance"]
    if not names and not beside.is_empty:
        return ["no band of the policy is suppressed by anything: what is known beside the readings changes nothing"]
    return []


def _told(excursion: Excursion, *, is_suppressible: bool) -> Fields:
    found = _to_json(excursion, excursion.opened_at)
    return found | _suppression(excursion.held_back, 0) if is_suppressible else found


def _suppressed(excursion: Suppressed) -> Fields:
    return _to_json(excursion, None) | _suppression(HeldBack(excursion.held_from, excursion.tags), excursion.figures.exposure_ms)


def _suppression(held_back: HeldBack | None, suppressed_ms: int) -> Fields:
    """Return what an excursion of a band that may be suppressed says beside the others."""
    tags = () if held_back is None else held_back.tags
    return {
        "held_back_from": None if held_back is None else format_instant(held_back.from_at),
        "suppressed_seconds": _seconds(suppressed_ms),
        "tags": [{"excuse": tag.excuse.value, "from": format_instant(tag.from_at), "to": format_instant(tag.to_at)} for tag in tags],
    }


def _to_json(excursion: Excursion | Suppressed, opened_at: int | None) -> Fields:
    numbers = excursion.figures
    return {
        "band": excursion.band,
        "started_at": format_instant(excursion.started_at),
        "opened_at": None if opened_at is None else format_instant(opened_at),
        "ended_at": None if excursion.ended_at is None else format_instant(excursion.ended_at),
        "closed_at": None if excursion.closed_at is None else format_instant(excursion.closed_at),
        "peak_celsius": numbers.peak_celsius,
        "mean_celsius": numbers.mean_celsius,
        "degree_minutes": numbers.degree_minutes,
        "exposure_seconds": _seconds(numbers.exposure_ms),
        "known_seconds": _seconds(numbers.known_ms),
        "unknown_seconds": _seconds(numbers.unknown_ms),
        "samples": numbers.samples,
        "largest_gap_seconds": _seconds(numbers.largest_gap_ms),
    }


def _seconds(milliseconds: int) -> float:
    """Return seconds, as an integer where they are whole."""
    whole, rest = divmod(milliseconds, 1000)
    return milliseconds / 1000 if rest else whole
