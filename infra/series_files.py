"""The files of commands that judge a series without services: readings, policies and what is known beside them.

Files become values here; nothing is decided. What cannot be read is refused naming file, line and field.
"""

import csv
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final, NoReturn, TextIO

import click

from pipelines.domain.circumstances_document import CircumstancesError, parse_circumstances
from pipelines.domain.decimals import NotANumber, scaled
from pipelines.domain.instants import UnreadableInstant, parse_instant
from pipelines.domain.policy import Policy
from pipelines.domain.policy_document import MAX_TIME, PolicyError, parse_policy
from pipelines.domain.suppression import Circumstances
from pipelines.domain.temperatures import UnreadableTemperature, believed

HEADER: Final = ("measured_at", "temperature")
STANDARD_INPUT: Final = "-"


class BadInput(click.ClickException):
    """Input that cannot be judged; the message names file, line and field."""

    exit_code = 2


def refuse(*places: str) -> NoReturn:
    """End the command: what is wrong, after where it is."""
    raise BadInput(": ".join(places))


def instant(place: str, text: str) -> int:
    """Return ms UTC."""
    try:
        return parse_instant(text)
    except UnreadableInstant as error:
        refuse(place, str(error))


def max_gap_of(text: str) -> int:
    """Return milliseconds, above 0, from seconds in decimal."""
    try:
        milliseconds = scaled(Decimal(text.strip()), 3)
    except (ArithmeticError, NotANumber):
        refuse("--max-gap", f"not a number of seconds: {text[:40]!r}")
    if not 0 < milliseconds <= MAX_TIME:
        refuse("--max-gap", f"must be more than 0 seconds (and within reason): {text[:40]!r}")
    return milliseconds


def read_policy(file: str) -> Policy:
    """Return the policy of a JSON file."""
    try:
        return parse_policy(_read_json(file))
    except PolicyError as error:
        refuse(file, str(error))


def read_circumstances(file: str) -> Circumstances:
    """Return what a JSON file says is known beside the readings."""
    try:
        return parse_circumstances(_read_json(file))
    except CircumstancesError as error:
        refuse(file, str(error))


def _read_json(file: str) -> object:
    try:
        return json.loads(Path(file).read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except OSError as error:
        refuse(file, error.strerror or str(error))
    except json.JSONDecodeError as error:
        refuse(file, f"line {error.lineno}", f"not JSON: {error.msg}")
    except (ValueError, RecursionError) as error:  # not UTF-8, or an integer or nesting beyond all measure
        refuse(file, f"not JSON: {error}")


def read_readings(file: str) -> Iterator[tuple[int, int | None]]:
    """Yield (measured_at, temperature) of each row."""
    if file == STANDARD_INPUT:
        sys.stdin.reconfigure(encoding="utf-8-sig", newline="")  # type: ignore[union-attr]
        yield from _rows("standard input", sys.stdin)
        return
    try:
        with Path(file).open(encoding="utf-8-sig", newline="") as lines:
            yield from _rows(file, lines)
    except OSError as error:
        refuse(file, error.strerror or str(error))


def _rows(name: str, lines: TextIO) -> Iterator[tuple[int, int | None]]:
    reader = csv.reader(lines, strict=True)
    try:
        header = next(reader, [])
        if tuple(field.strip() for field in header) != HEADER:
            refuse(name, "line 1", f"the header must be {','.join(HEADER)}")
        for row in reader:
            if row:
                yield _row(f"{name}: line {reader.line_num}", row)
    except csv.Error as error:
        refuse(name, f"line {reader.line_num}", f"not CSV: {error}")
    except UnicodeDecodeError:
        refuse(name, f"after line {reader.line_num}", "not UTF-8")


def _row(place: str, row: list[str]) -> tuple[int, int | None]:
    measured_at = instant(f"{place}: measured_at", row[0])
    if len(row) < len(HEADER):
        refuse(place, "temperature", "is missing (leave it empty after a comma for a fault mark)")
    if len(row) > len(HEADER):
        refuse(place, "temperature", f"is followed by {len(row) - len(HEADER)} more fields")
    try:
        return measured_at, believed(row[1])
    except UnreadableTemperature as error:
        refuse(place, "temperature", str(error))
