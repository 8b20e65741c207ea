"""Names of the registry: what is taken in which spelling, and what is refused with which advice."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.registration.naming import (
    UnitKind,
    application_id,
    comment,
    device_eui,
    display_name,
    model_name,
    probe_name,
    time_zone,
    unit_kind,
)
from pipelines.domain.registration.refusals import Refused

EUI = "A84041000181C061"


@pytest.mark.parametrize(
    "text",
    [
        EUI,
        EUI.lower(),
        "a8-40-41-00-01-81-c0-61",
        "A8:40:41:00:01:81:C0:61",
        "a8404100 0181c061",
        " A8.40.41.00.01.81.C0.61\t",
        "0xA84041000181C061",
    ],
)
def test_an_eui_is_taken_in_every_usual_spelling(text: str) -> None:
    assert device_eui(text) == EUI


@given(st.binary(min_size=8, max_size=8).filter(lambda raw: len(set(raw.hex())) > 1), st.sampled_from("-: ."))
def test_every_eui_comes_back_from_its_spelling_with_separators(raw: bytes, separator: str) -> None:
    assert device_eui(raw.hex(separator)) == raw.hex().upper()


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "required"),
        ("--", "required"),
        (EUI[:-1], "15 hexadecimal digits instead of 16"),
        (EUI + "0", "17 hexadecimal digits"),
        ("A84041000181C06O", "'O'"),
        ("1,23457E+15", "spreadsheet"),
        ("FFFFFFFFFFFFFFFF", "placeholder"),
        ("A84041000181C06\N{FULLWIDTH DIGIT ONE}", "only 0-9"),
    ],
)
def test_what_is_no_eui_is_refused_with_advice(text: str, advice: str) -> None:
    with pytest.raises(Refused, match="dev_eui: ") as refused:
        device_eui(text)

    assert advice in refused.value.reason


def test_a_name_is_kept_in_one_form_whatever_way_it_was_typed() -> None:
    assert display_name("  Ku\u0308hlraum 1 ") == "K\u00fchlraum 1"
    assert display_name("冷蔵庫 № 3 🧊") == "冷蔵庫 № 3 🧊"


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "a\0b", "\ud800", "a\u2028b", "x" * 201])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="name"):
        display_name(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("refrigerator", UnitKind.REFRIGERATOR),
        ("Cold Room", UnitKind.COLD_ROOM),
        ("cold-room ", UnitKind.COLD_ROOM),
        ("SHIPMENT", UnitKind.SHIPMENT),
    ],
)
def test_a_kind_of_unit_is_taken_in_any_case(text: str, kind: UnitKind) -> None:
    assert unit_kind(text) is kind


@pytest.mark.parametrize(
    ("text", "hint"), [("refridgerator", "did you mean refrigerator"), ("car", "must be one of refrigerator, freezer, cold_room")]
)
def test_another_kind_of_unit_is_refused_and_a_near_one_named(text: str, hint: str) -> None:
    with pytest.raises(Refused) as refused:
        unit_kind(text)

    assert hint in str(refused.value)


def test_a_time_zone_is_one_of_the_database_of_time_zones() -> None:
    assert time_zone("america/new york") == "America/New_York"
    with pytest.raises(Refused, match="did you mean Europe/Zurich"):
        time_zone("Europe/Zurick")
    with pytest.raises(Refused, match="IANA"):
        time_zone("+01:00")


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (probe_name, ["", "main", "External", "temperature_2"], ["two words", "é", "x" * 61, "-"]),
        (lambda text: model_name(text, "model_id"), ["", "lht65n", "EM300-TH"], ["a b", "x" * 101, "-x"]),
        (application_id, ["acme-cold", "a1"], ["A", "x" * 37, "two--dashes", "-x", "x-", "Ä"]),
        (comment, ["", "because\nof two lines"], ["x" * 501, "\0"]),
    ],
)
def test_other_names_have_their_alphabets(read: Callable[[str], str], good: list[str], bad: list[str]) -> None:
    for text in good:
        read(text)
    for text in bad:
        with pytest.raises(Refused):
            read(text)
