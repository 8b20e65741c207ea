"""From the bytes of a CSV file to its lines by column: whatever a spreadsheet saves. Judges no value.

Taken: UTF-8 with or without a byte order mark, UTF-16 with one, commas, semicolons or tabs, a first line `sep=;`, any line ends,
blank lines. Refused, by name: a column that is not known, a column that is missing, and what is no CSV.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from pipelines.domain.registration.refusals import Refused

COLUMNS: Final = (
    "site",
    "time_zone",
    "unit",
    "kind",
    "policy",
    "dev_eui",
    "probe",
    "device_name",
    "brand_id",
    "model_id",
    "expected_interval_seconds",
    "max_gap_seconds",
    "offline_after_seconds",
    "calibration_celsius",
)
REQUIRED: Final = ("site", "unit", "dev_eui")

MAX_LINES: Final = 50_000
DELIMITERS: Final = (",", ";", "\t")
_DECLARED: Final = re.compile(r'"?sep=(.)"?[,;\t]*\s*', re.IGNORECASE)
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class FileLine:
    """One line: its number in the file (the header's is usually 1), and its cells by column, without blanks around them."""

    number: int
    cells: dict[str, str]
    error: str = ""
    """What is wrong with the line as a whole."""


def read_file(raw: bytes) -> list[FileLine]:
    """Return the lines of a file, blank ones left out; raises Refused."""
    text = _decoded(raw)
    first, _, rest = text.partition("\n")
    declared = _DECLARED.fullmatch(first.rstrip("\r"))
    delimiter = declared[1] if declared else ""
    rows = _rows(rest if declared else text, delimiter, 1 if declared else 0)
    header_at, header = next(rows, (1, []))
    columns = _columns(header)
    lines: list[FileLine] = []
    for number, row in rows:
        if len(lines) >= MAX_LINES:
            raise Refused("file", f"has more than {MAX_LINES:,} lines: cut it in two")
        lines.append(_line(number, row, columns))
    if not lines:
        raise Refused("file", f"has no lines below the header in line {header_at}")
    return lines


def _decoded(raw: bytes) -> str:
    encoding = "utf-16" if raw.startswith(_UTF_16) else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Refused("file", f"is not UTF-8 in line {line}: save it as `CSV UTF-8`") from error
    if "\0" in text:
        raise Refused("file", "is not a text file: save it as `CSV UTF-8`")
    if not text.strip():
        raise Refused("file", "is empty")
    return text


def _rows(text: str, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and stripped cells of each row that is not blank."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or _delimiter(header), strict=True)
    number = skipped + 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield number, cells
            number = skipped + reader.line_num + 1
    except csv.Error as error:
        raise Refused(f"line {number}", f"is not CSV: {error}") from error


def _delimiter(header: str) -> str:
    """Return the delimiter by which most of a header's names are columns."""

    def known(delimiter: str) -> int:
        return sum(_normal(name.strip('"')) in COLUMNS for name in header.split(delimiter))

    return max(DELIMITERS, key=known)


def _normal(name: str) -> str:
    return re.sub(r"[\s\-]+", "_", name.strip().lower())


def _columns(header: list[str]) -> list[str]:
    """Return the columns in the order of the file; empty where the header has no name."""
    columns = [_normal(name) for name in header]
    for name, column in zip(header, columns, strict=True):
        if column and column not in COLUMNS:
            near = get_close_matches(column, COLUMNS, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]}?" if near else f"the columns are {', '.join(COLUMNS)}"
            raise Refused(f"column {name[:60]!r}", f"is not known: {hint}")
        if column and columns.count(column) > 1:
            raise Refused(f"column {name[:60]!r}", "stands twice")
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise Refused(f"column {missing[0]!r}", f"is missing: the first line must name the columns, at least {', '.join(REQUIRED)}")
    return columns


def _line(number: int, row: list[str], columns: list[str]) -> FileLine:
    cells = {column: cell for column, cell in zip(columns, row, strict=False) if column}
    beyond = [cell for cell in row[len(columns) :] if cell]
    unnamed = [cell for column, cell in zip(columns, row, strict=False) if not column and cell]
    error = f"the line has {len(row)} fields and the header {len(columns)}: is a delimiter in a name that is not quoted?" if beyond else ""
    if unnamed:
        error = "the line has a value in a column without a name"
    return FileLine(number, cells, error)
