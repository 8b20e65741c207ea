"""Times to and from text."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.instants import UnreadableInstant, format_instant, parse_instant

NEW_YEAR = 1_767_225_600_000


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-01-01T00:00:00Z", NEW_YEAR),
        ("2026-01-01T00:00:00", NEW_YEAR),
        (" 2026-01-01 00:00 ", NEW_YEAR),
        ("2026-01-01", NEW_YEAR),
        ("2026-01-01t00:00:00.001z", NEW_YEAR + 1),
        ("2026-01-01T00:00:00.123456789Z", NEW_YEAR + 123),
        ("2026-01-01T00:00:00.9999Z", NEW_YEAR + 999),
        ("2026-01-01T00:00:00.5", NEW_YEAR + 500),
        ("2026-01-01T02:00:00+02:00", NEW_YEAR),
        ("2025-12-31T18:30:00-0530", NEW_YEAR),
        ("2026-01-01T01:00:00 +01", NEW_YEAR),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000),
    ],
)
def test_iso_8601_is_read_as_milliseconds_utc(text: str, meant: int) -> None:
    assert parse_instant(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "1767225600",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00Z",
        "2026-1-1T00:00:00Z",
        "01/02/2026 00:00",
        "2026-01-01T00:00:00Z extra",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "\uff12026-01-01T00:00:00Z",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UnreadableInstant):
        parse_instant(text)


@pytest.mark.parametrize("instant", [0, -1, 999, NEW_YEAR + 7, -62_135_596_800_000, 253_402_300_799_999])
def test_instants_survive_the_way_to_text_and_back(instant: int) -> None:
    assert parse_instant(format_instant(instant)) == instant


def test_text_has_milliseconds_and_a_z() -> None:
    assert format_instant(NEW_YEAR) == "2026-01-01T00:00:00.000Z"
    assert format_instant(NEW_YEAR + 5) == "2026-01-01T00:00:00.005Z"


@given(
    moment=st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)),  # noqa: DTZ001 - hypothesis wants them naive
    fraction=st.from_regex(r"[0-9]{1,12}", fullmatch=True),
)
def test_times_as_the_things_stack_writes_them_are_read_as_any_other_way_of_writing(moment: datetime, fraction: str) -> None:
    text = f"{moment.replace(microsecond=0).isoformat()}.{fraction}"

    assert parse_instant(f"{text}Z") == parse_instant(f"{text}+00:00")


@given(st.text(alphabet="0123456789-:.TZ 5\u0665\u00b2+_", min_size=20, max_size=32), st.integers(0, 31))
def test_text_that_only_looks_like_a_time_is_read_as_its_other_spelling_or_refused(noise: str, place: int) -> None:
    text = "2026-01-01T00:00:00.123456789Z"
    spoilt = text[:place] + noise[:2] + text[place + 2 :]

    assert read(spoilt) == read(spoilt.replace("Z", "z"))


def read(text: str) -> int | None:
    try:
        return parse_instant(text)
    except UnreadableInstant:
        return None
