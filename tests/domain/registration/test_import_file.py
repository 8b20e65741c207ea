"""A CSV file as spreadsheets save it: every form gives the same lines, and what is no CSV is refused by name."""

import pytest

from pipelines.domain.registration.import_file import COLUMNS, MAX_LINES, read_file
from pipelines.domain.registration.import_lines import wanted_line
from pipelines.domain.registration.refusals import Refused
from pipelines.domain.registration.sensor_terms import FIELDS

EUI = "A84041000181C061"
PLAIN = f"site,unit,dev_eui\nMünchen,Fridge 1,{EUI}\n\nMünchen,Fridge 2,{EUI[:-1]}2\n"


def lines_of(raw: bytes) -> list[tuple[int, str, str, str]]:
    return [(line.number, line.cells["site"], line.cells["unit"], line.cells["dev_eui"]) for line in read_file(raw)]


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode("utf-16"),
        PLAIN.replace("site,unit,dev_eui", "Site , Unit,DEV EUI").encode(),
        PLAIN.replace("Fridge 1", '"Fridge 1"').encode(),
        PLAIN.replace("\n\n", "\n,,\n").encode(),
        PLAIN.rstrip().encode(),
        "".join(f"{line},\n" for line in PLAIN.splitlines()).encode(),
    ],
    ids=[
        "plain",
        "bom",
        "crlf",
        "cr",
        "semicolons",
        "utf-16 with tabs",
        "spelled",
        "quoted",
        "empty cells",
        "no last end",
        "trailing delimiter",
    ],
)
def test_every_form_gives_the_same_lines(raw: bytes) -> None:
    assert lines_of(raw) == [(2, "München", "Fridge 1", EUI), (4, "München", "Fridge 2", EUI[:-1] + "2")]


def test_a_spreadsheets_own_first_line_names_the_delimiter() -> None:
    raw = f"sep=;\r\nsite;unit;dev_eui\r\nA, B;U;{EUI}\r\n".encode()

    assert lines_of(raw) == [(3, "A, B", "U", EUI)]


def test_a_quoted_cell_may_hold_delimiters_and_lines_and_the_numbers_stay_right() -> None:
    raw = f'site,unit,dev_eui\n"A, ""B""\nC",U,{EUI}\nD,U,{EUI}\n'.encode()

    assert [(number, site) for number, site, _, _ in lines_of(raw)] == [(2, 'A, "B"\nC'), (4, "D")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("site,unit,dev_eui,calibration\na,b,c,d", "column 'calibration': is not known: did you mean calibration_celsius?"),
        ("site,unit,dev_eui,colour\na,b,c,d", "column 'colour': is not known: the columns are site"),
        ("unit,dev_eui\na,b", "column 'site': is missing"),
        ("site,unit,dev_eui,Unit\na,b,c,d", "column 'unit': stands twice"),
        ("site,unit,dev_eui\n", "file: has no lines"),
        ('site,unit,dev_eui\na,"b"x,c', "line 2: is not CSV"),
        ("\ufeff \n", "file: is empty"),
    ],
)
def test_what_cannot_be_read_as_a_whole_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        read_file(text.encode())

    assert str(refused.value).startswith(said)


def test_a_file_with_too_many_lines_is_refused() -> None:
    raw = b"site,unit,dev_eui\n" + b"a,b,c\n" * (MAX_LINES + 1)

    with pytest.raises(Refused, match="more than 50,000 lines"):
        read_file(raw)


def test_a_line_with_more_fields_than_the_header_is_an_error_of_that_line_alone() -> None:
    first, second = read_file(f"site,unit,dev_eui\na,b,{EUI},d\na,b,{EUI}\n".encode())

    assert "4 fields and the header 3" in first.error
    assert second.error == ""


def test_a_line_wants_what_its_cells_say_and_nothing_where_they_are_empty() -> None:
    header = ",".join(COLUMNS)
    full = f"S,europe/oslo,U,Cold room,P,{EUI.lower()},External,left,dragino,lht65,600,1800,3600,-0.5"
    bare = f"S,,U,,,{EUI},,,,,,,,"
    first, second = (wanted_line(line) for line in read_file(f"{header}\n{full}\n{bare}\n".encode()))

    assert (first.time_zone, first.kind, first.probe, first.dev_eui, first.errors) == ("Europe/Oslo", "cold_room", "external", EUI, ())
    assert [str(first.terms[name]) for name in FIELDS] == ["600", "1800", "3600", "-0.5"]
    assert (second.time_zone, second.kind, second.policy, second.probe, second.device_name) == (None, None, None, "main", None)
    assert set(second.terms.values()) == {None}


@pytest.mark.parametrize(("cell", "number"), [("0,5", "0.5"), ("+0.5", "0.5"), ("-12", "-12")])
def test_a_decimal_comma_is_a_decimal_point(cell: str, number: str) -> None:
    (line,) = read_file(f"site;unit;dev_eui;calibration_celsius\nS;U;{EUI};{cell}\n".encode())

    assert str(wanted_line(line).terms["calibration_celsius"]) == number


@pytest.mark.parametrize("cell", ["1e3", "NaN", "5 min", "1,000.5", "--1", "٣"])
def test_what_is_no_number_is_an_error_of_its_column(cell: str) -> None:
    (line,) = read_file(f"site;unit;dev_eui;max_gap_seconds\nS;U;{EUI};{cell}\n".encode())

    assert wanted_line(line).errors == ("max_gap_seconds: must be a number such as 900 or 0.5",)


def test_every_wrong_cell_of_a_line_is_told_at_once() -> None:
    (line,) = read_file(b"site,unit,dev_eui,time_zone,kind\n ,U,xyz,Nowhere,car\n")

    assert [error.partition(":")[0] for error in wanted_line(line).errors] == ["site", "dev_eui", "time_zone", "kind"]


def test_misspelt_time_zones_are_told_what_may_have_been_meant_in_the_first_lines_alone() -> None:
    """Else a file of 50,000 misspelt lines would take minutes."""
    rows = "\n".join(f"S,U{number},A84041000181{number:04X},Europe/Berln{number}" for number in range(200))

    errors = [wanted_line(line).errors for line in read_file(f"site,unit,dev_eui,time_zone\n{rows}\n".encode())]

    assert "did you mean Europe/Berlin?" in errors[0][0]
    assert errors[-1] == ("time_zone: must be an IANA name such as Europe/Berlin",)
