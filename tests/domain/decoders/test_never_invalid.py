"""Whatever shape it comes in, a value that cannot be true is never shown as a temperature, and an old value never as one of now."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.decimals import scaled
from pipelines.domain.decoders.decode import Decoded, decode
from pipelines.domain.decoders.message import TtnMessage, parse_message
from pipelines.domain.decoders.numbers import SENTINELS, quick_hundredths, quick_scaled
from pipelines.domain.decoders.vocabulary import NO_READING
from schemas.reasons import RejectReason

HEARD_AT = "2026-03-01T10:00:00Z"
HEARD_AT_MS = 1_772_359_200_000
NAMES = (
    "temperature",
    "Temp",
    "TempC_DS",
    "TempC_SHT",
    "TempC1",
    "temperature_3",
    "externalTemperature",
    "fridge_temp",
    "temp_f",
    "temp_x100",
)
BRANDS = (
    ("", ""),
    ("dragino", "lht65"),
    ("dragino", "lsn50v2-d20"),
    ("milesight-iot", "em320-th"),
    ("elsys", "ers"),
    ("decentlab", "dl-ds18"),
)


def decoded(payload: object, brand: str = "", model: str = "") -> Decoded:
    """Decode a payload as the uplink of a model."""
    uplink = {"f_port": 2, "received_at": HEARD_AT, "decoded_payload": payload, "version_ids": {"brand_id": brand, "model_id": model}}
    message = parse_message(json.dumps({"uplink_message": uplink}).encode())
    assert isinstance(message, TtnMessage)
    return decode(message)


def shapes(name: str, value: object) -> list[object]:
    """Return payloads that say the same in the shapes devices use."""
    return [
        {name: value},
        {name: str(value)},
        {name: f"{value} °C"},
        {name: {"value": value, "unit": "°C"}},
        {name: [value]},
        {name: [value, value, value]},
        {"data": {name: value}},
        {"bytes": {name: {"unit": "°C", "values": [value, 4.0]}}},
        {"messages": [{"measurementId": "4097", "measurementValue": value}]},
        {"data": [{"date": "2026-03-01T09:59:00Z", "label": name, "value": value}]},
        {"channels": [{"channel": 1, name: value}, {"channel": 2, name: value}]},
        {"history": [{"timestamp": 1_772_355_600, name: value}]},
        {"records": [{"n": name, "u": "Cel", "v": value}]},
        {"measurements": [{"typeName": name, "typeUnits": "[°C]", "value": value}]},
        {"values": [{"_name": name, "_unit": "°C", "_value": value}]},
        {"messages": [{"measurementId": "4203", "type": name, "measurementChannel": "1", "measurementValue": value}]},
        {name: {"unit": "°C", "value": [value, value]}},
        {"device_status": {name: value}},
    ]


BAD = st.one_of(
    st.sampled_from(sorted(SENTINELS)).map(float),
    st.floats(min_value=150.01, allow_infinity=False),
    st.floats(max_value=-100.01, allow_infinity=False),
    st.integers(151, 10**30),
    st.integers(-(10**30), -101),
)


@given(name=st.sampled_from([name for name in NAMES if not name.endswith(("_f", "x100"))]), value=BAD, brand=st.sampled_from(BRANDS))
def test_a_value_that_cannot_be_true_is_a_temperature_in_no_shape_and_of_no_model(name: str, value: float, brand: tuple[str, str]) -> None:
    for payload in shapes(name, value):
        found = decoded(payload, *brand)

        shown = [one for one in found.readings if one.temperature is not None and one.temperature != 400]
        assert shown == [], payload
        assert found.headline is None or found.headline.temperature == 400


@given(
    name=st.sampled_from(NAMES),
    value=st.floats(min_value=-99, max_value=149) | st.integers(-99, 149),
    brand=st.sampled_from(BRANDS),
)
def test_a_temperature_shown_is_the_one_that_was_sent(name: str, value: float, brand: tuple[str, str]) -> None:
    for payload in shapes(name, value):
        number = Decimal(repr(value))
        meant = {number, (number - 32) * 5 / 9, number / 100, Decimal(4)}

        for reading in decoded(payload, *brand).readings:
            if reading.temperature is not None:
                assert any(abs(Decimal(reading.temperature) - one * 100) <= Decimal("0.5000001") for one in meant), payload


@given(
    word=st.sampled_from(sorted(NO_READING - {"units", "unit", "scale", "date", "time", "timestamp", "timestamps"})),
    value=st.floats(min_value=-40, max_value=60) | st.integers(-40, 60),
    form=st.sampled_from(["{word}_temperature", "temperature_{word}", "{word}Temp", "TEMP {word}", "temp{word}"]),
)
def test_a_limit_a_count_or_a_derived_value_is_a_temperature_under_no_name(word: str, value: float, form: str) -> None:
    found = decoded({form.format(word=word): value})

    assert [one for one in found.readings if one.temperature is not None] == []


@pytest.mark.parametrize(
    "flag", [{"temperature_valid": False}, {"valid": False}, {"temperature_fault": True}, {"status": {"temperature_ok": 0}}]
)
def test_a_value_the_device_itself_distrusts_is_a_fault(flag: dict[str, Any]) -> None:
    found = decoded({"temperature": 4.2, **flag})

    assert found.main is not None
    assert (found.main.temperature, found.headline) == (None, None)


def test_of_a_dated_list_the_newest_is_now_and_the_others_are_history() -> None:
    times = ("2026-03-01T09:40:00Z", "2026-03-01T09:50:00Z", "2026-03-01T09:30:00Z")
    entries = [{"date": at, "label": "Temperature", "value": value} for at, value in zip(times, (3.1, 3.4, 2.8), strict=True)]

    found = decoded({"data": entries})

    assert found.headline is not None
    assert (found.headline.temperature, found.headline.measured_at) == (340, HEARD_AT_MS)
    assert sorted((one.measured_at, one.temperature) for one in found.readings if one.history) == [
        (HEARD_AT_MS - 1_800_000, 280),
        (HEARD_AT_MS - 1_200_000, 310),
    ]


def test_a_backlog_message_is_never_a_value_of_now() -> None:
    stamp = {"year": 2026, "month": "March", "day": 1, "hours": 9, "minutes": 0, "seconds": 0}

    found = decoded({"msgType": "SendBackLogMessage", "temperature": 5.5, "timestamp": stamp}, "laird", "rs1xx-ext-multi-sensor")

    assert found.headline is None
    assert [(one.temperature, one.history, one.measured_at) for one in found.readings] == [(550, True, HEARD_AT_MS - 3_600_000)]


def test_values_in_a_list_that_nothing_tells_apart_are_not_taken() -> None:
    found = decoded({"readings": [{"temperature": 4.0}, {"temperature": 9.0}]})

    assert found.readings == ()


def test_history_alone_still_belongs_to_the_main_probe() -> None:
    found = decoded({"history": [{"timestamp": 1_772_355_600, "temperature": 4.5}]}, "milesight-iot", "em320-th")

    assert found.main is not None
    assert (found.main.probe, found.main.history, found.headline) == ("ambient", True, None)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"temperature": 75.2, "temperature_unit": "F"}, 2_400),
        ({"temperature_f": 41}, 500),
        ({"temperature": "41 °F"}, 500),
        ({"temp_x100": -50}, -50),
        ({"temperature": {"value": 277.15, "unit": "K"}}, 400),
        ({"temperature": "12 mA"}, None),
        ({"temperature": {"value": 3.1, "unit": "V"}}, None),
        ({"wind_direction": {"value": 90, "unit": "°"}}, None),
    ],
)
def test_units_are_obeyed(payload: object, expected: int | None) -> None:
    found = decoded(payload)

    assert (None if found.headline is None else found.headline.temperature) == expected


@pytest.mark.parametrize(
    "payload",
    [
        {"fridge_temp": 4.1, "freezer_temp": -18.2},
        {"temperatures": {"probe1": 4, "probe2": 5}},
        {"sensors": [{"name": "Fridge", "temperature": 4.0}, {"name": "Freezer", "temperature": -18.0}]},
        {"ambientTemp": 22, "temp": 4},
    ],
)
def test_equal_probes_have_no_headline_and_each_its_own_name(payload: object) -> None:
    found = decoded(payload)

    assert found.headline is None
    assert len({one.probe for one in found.readings}) == 2


@pytest.mark.parametrize(
    "payload",
    [
        {"BatV": 3.0, "Ext_sensor": "Temperature Sensor", "Hum_SHT": 50, "TempC_SHT": 4.0},
        {"BatV": 3.0, "Ext_sensor": "Temperature Sensor", "No_connect": "Sensor no connection", "TempC_SHT": 4.0},
    ],
)
def test_the_built_in_sensor_does_not_step_in_for_a_probe_the_device_is_set_up_for(payload: object) -> None:
    found = decoded(payload, "dragino", "lht65")

    assert found.main is not None
    assert (found.main.probe, found.main.fault, found.main.battery_millivolts) == ("external", RejectReason.PROBE_MISSING, 3_000)
    assert found.headline is not None
    assert found.headline.probe == "ambient"


def test_a_frame_without_the_probe_its_model_is_sold_for_is_nobodys_main_reading() -> None:
    found = decoded({"temperature": 4.0, "humidity": 40, "vdd": 3600}, "elsys", "elt-2")

    assert found.main is None
    assert [(one.probe, one.temperature, one.battery_millivolts) for one in found.readings] == [
        ("ambient", 400, None),
        ("main", None, 3_600),
    ]


@pytest.mark.parametrize(
    "payload",
    [
        {"temperature": {"value": 4.2, "unit": "°C", "status": "sensor fault"}},
        {"temperature": {"value": 4.2, "unit": "°C", "valid": 0}},
        {"data": [{"name": "temperature", "value": 4.2, "quality": "invalid"}]},
        {"temperature": 4.2, "temperatureSensorError": True},
        {"temperature": 4.2, "temperature_error": "open circuit"},
        {"Ambient_Temperature": 4.2, "Ambient_Sensor_Failure": 1},
    ],
)
def test_what_stands_beside_a_value_and_speaks_against_it_is_heard(payload: object) -> None:
    found = decoded(payload)

    assert [(one.temperature, one.fault) for one in found.readings] == [(None, RejectReason.PROBE_MISSING)]


@pytest.mark.parametrize(
    "payload",
    [
        {"temperature": {"value": 4.2, "unit": "°C", "status": "ok"}},
        {"temperature": 4.2, "temperature_error": "none"},
        {"temperature": 4.2, "externalTemperatureSensorError": 1},
        {"temperature": 4.2, "status": "battery fault"},
        {"temperature": "\N{MINUS SIGN}18,5 °C"},
    ],
)
def test_what_speaks_of_something_else_costs_no_reading(payload: object) -> None:
    found = decoded(payload)

    assert found.headline is not None
    assert found.headline.temperature in (420, -1_850)


@pytest.mark.parametrize("name", ["temperature_sensor_status", "temperature_exception"])
def test_a_value_whose_state_is_an_error_is_a_fault(name: str) -> None:
    found = decoded({"temperature": 4.2, name: "read error"}, "milesight-iot", "em320-th")

    assert found.main is not None
    assert (found.main.temperature, found.headline) == (None, None)


@given(
    value=st.floats(-200, 200)
    | st.integers(-200, 200)
    | st.decimals(-200, 200, places=3).map(float)
    | st.sampled_from(sorted(SENTINELS)).map(float)
)
def test_the_quick_way_rounds_as_decimals_do_and_passes_no_sentinel(value: float) -> None:
    hundredths = quick_hundredths(value)

    assert hundredths is None or (hundredths == scaled(value, 2) and Decimal(repr(value)) not in SENTINELS)
    assert quick_scaled(value, 1_000) in (None, scaled(value, 3))
