"""`coldstream evaluate`: judge a CSV of readings by a policy, with the very machine that runs live; needs no services.

Files become values here and results become JSON; nothing is decided here. Nothing is printed unless everything was read.
"""

import csv
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final, NoReturn, TextIO

import click

from pipelines.domain.decimals import NotANumber, scaled
from pipelines.domain.evaluate import Excursion, evaluate
from pipelines.domain.instants import UnreadableInstant, format_instant, parse_instant
from pipelines.domain.policy import Policy, warnings
from pipelines.domain.policy_document import MAX_TIME, PolicyError, parse_policy
from pipelines.domain.temperatures import UnreadableTemperature, believed

HEADER: Final = ("measured_at", "temperature")
STANDARD_INPUT: Final = "-"


class BadInput(click.ClickException):
    """Input that cannot be judged; the message names file, line and field."""

    exit_code = 2


@click.command(name="evaluate")
@click.option("--policy", "policy_file", required=True, help='JSON file {"bands": [...]}.', metavar="P.json")
@click.option("--until", required=True, help="Judge up to this instant, ISO 8601; UTC without a zone.", metavar="ISO")
@click.option("--max-gap", required=True, help="How long a reading's value is known at most.", metavar="SECONDS")
@click.argument("readings_file", metavar="READINGS.csv")
def command(policy_file: str, until: str, max_gap: str, readings_file: str) -> None:
    """Print the excursions in READINGS.csv (measured_at,temperature; - is standard input) as a JSON list.

    Bands of every kind are judged: sustained, cumulative, mean and mkt.

    Times are ISO 8601 UTC, peak_celsius has hundredths; mean_celsius and degree_minutes are exact sums divided once, to the
    nearest double. A bad policy, time or row is exit 2 with nothing on standard output.
    """
    horizon = _instant("--until", until)
    max_gap_ms = _max_gap(max_gap)
    policy = _read_policy(policy_file)
    readings = list(_read_readings(readings_file))
    excursions = evaluate(readings, policy, max_gap_ms, horizon)
    for warning in warnings(policy, max_gap_ms):
        click.echo(f"warning: {policy_file}: {warning}", err=True)
    click.echo(json.dumps([_to_json(excursion) for excursion in excursions], indent=2, ensure_ascii=False))


def _refuse(*places: str) -> NoReturn:
    raise BadInput(": ".join(places))


def _instant(place: str, text: str) -> int:
    try:
        return parse_instant(text)
    except UnreadableInstant as error:
        _refuse(place, str(error))


def _max_gap(text: str) -> int:
    """Return milliseconds, above 0, from seconds in decimal."""
    try:
        milliseconds = scaled(Decimal(text.strip()), 3)
    except (ArithmeticError, NotANumber):
        _refuse("--max-gap", f"not a number of seconds: {text[:40]!r}")
    if not 0 < milliseconds <= MAX_TIME:
        _refuse("--max-gap", f"must be more than 0 seconds (and within reason): {text[:40]!r}")
    return milliseconds


def _read_policy(file: str) -> Policy:
    try:
        document = json.loads(Path(file).read_text(encoding="utf-8-sig"), parse_float=Decimal)
        policy = parse_policy(document)
    except OSError as error:
        _refuse(file, error.strerror or str(error))
    except json.JSONDecodeError as error:
        _refuse(file, f"line {error.lineno}", f"not JSON: {error.msg}")
    except PolicyError as error:
        _refuse(file, str(error))
    except (ValueError, RecursionError) as error:  # not UTF-8, or an integer or nesting beyond all measure
        _refuse(file, f"not JSON: {error}")
    return policy


def _read_readings(file: str) -> Iterator[tuple[int, int | None]]:
    """Yield (measured_at, temperature) of each row."""
    if file == STANDARD_INPUT:
        sys.stdin.reconfigure(encoding="utf-8-sig", newline="")  # type: ignore[union-attr]
        yield from _rows("standard input", sys.stdin)
        return
    try:
        with Path(file).open(encoding="utf-8-sig", newline="") as lines:
            yield from _rows(file, lines)
    except OSError as error:
        _refuse(file, error.strerror or str(error))


def _rows(name: str, lines: TextIO) -> Iterator[tuple[int, int | None]]:
    reader = csv.reader(lines, strict=True)
    try:
        header = next(reader, [])
        if tuple(field.strip() for field in header) != HEADER:
            _refuse(name, "line 1", f"the header must be {','.join(HEADER)}")
        for row in reader:
            if row:
                yield _row(f"{name}: line {reader.line_num}", row)
    except csv.Error as error:
        _refuse(name, f"line {reader.line_num}", f"not CSV: {error}")
    except UnicodeDecodeError:
        _refuse(name, f"after line {reader.line_num}", "not UTF-8")


def _row(place: str, row: list[str]) -> tuple[int, int | None]:
    measured_at = _instant(f"{place}: measured_at", row[0])
    if len(row) < len(HEADER):
        _refuse(place, "temperature", "is missing (leave it empty after a comma for a fault mark)")
    if len(row) > len(HEADER):
        _refuse(place, "temperature", f"is followed by {len(row) - len(HEADER)} more fields")
    try:
        return measured_at, believed(row[1])
    except UnreadableTemperature as error:
        _refuse(place, "temperature", str(error))


def _to_json(excursion: Excursion) -> dict[str, object]:
    numbers = excursion.figures
    return {
        "band": excursion.band,
        "started_at": format_instant(excursion.started_at),
        "opened_at": format_instant(excursion.opened_at),
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
