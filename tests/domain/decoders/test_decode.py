"""What is taken from messages: roles of probes, sentinels, units; and that nothing impossible is ever a temperature."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.decoders.decode import Decoded, decode
from pipelines.domain.decoders.message import Rejection, TtnMessage, parse_message
from pipelines.domain.decoders.numbers import SENTINELS
from schemas.reasons import RejectReason

HEARD_AT = "2026-03-01T10:00:00.123456789Z"


def message(payload: object, brand: str = "", model: str = "", port: int = 2, **fields: Any) -> TtnMessage:
    """Return a message with a decoded payload."""
    uplink = {
        "f_port": port,
        "decoded_payload": payload,
        "received_at": HEARD_AT,
        "version_ids": {"brand_id": brand, "model_id": model},
        **fields,
    }
    parsed = parse_message(json.dumps({"end_device_ids": {"dev_eui": "70B3D5000000AB01"}, "uplink_message": uplink}).encode())
    assert isinstance(parsed, TtnMessage)
    return parsed


def headline(decoded: Decoded) -> float | None:
    """Return the headline in degrees."""
    return None if decoded.headline is None or decoded.headline.temperature is None else decoded.headline.temperature / 100


@pytest.mark.parametrize(
    ("brand", "model", "payload", "expected"),
    [
        ("dragino", "lht65", {"TempC_DS": 4.31, "TempC_SHT": 21.5, "Hum_SHT": 48.2, "BatV": 3.05}, 4.31),
        ("dragino", "lht65", {"TempC_DS": "4.31", "TempC_SHT": "21.5"}, 4.31),
        ("dragino", "lht52", {"TempC_DS": 327.67, "TempC_SHT": 21.5}, 21.5),
        ("dragino", "lsn50v2-d20", {"TempC1": -0.1, "TempC2": -0.1, "TempC3": -0.1}, None),
        ("dragino", "lsn50v2-d20", {"TempC1": 4.1, "TempC2": 5.2, "TempC3": 6.3}, None),
        ("milesight-iot", "em300-th", {"battery": 92, "temperature": 5.5, "humidity": 71}, 5.5),
        ("decentlab", "dl-ds18", {"temperature": {"displayName": "Temperature", "unit": "°C", "value": -18.125}}, -18.13),
        ("elsys", "elt2", {"temperature": 22.6, "externalTemperature": -19.4, "vdd": 3605}, -19.4),
        ("", "", {"temp": "24°C", "dewPoint": 12.0, "boardTemperature": 30.1}, 24.0),
        ("", "", {"temperature_f": 41.0, "temperature_c": 5.0}, 5.0),
        ("", "", {"soil_temperature": 12.3}, None),
        ("", "", {"temperatureThreshold": 8, "maxTemperature": 9, "temperatureAlarm": 1}, None),
        ("", "", {"temperature": True}, None),
        ("", "", {"temperature": None}, None),
    ],
)
def test_the_headline_is_what_a_careful_person_would_take(brand: str, model: str, payload: object, expected: float | None) -> None:
    assert headline(decode(message(payload, brand, model))) == expected


def test_an_unplugged_external_probe_stays_the_main_probe_and_is_a_fault() -> None:
    decoded = decode(message({"TempC_DS": 327.67, "TempC_SHT": 21.5}, "dragino", "lht65"))

    assert decoded.main is not None
    assert (decoded.main.probe, decoded.main.fault, decoded.main.temperature) == ("external", RejectReason.SENTINEL, None)


@pytest.mark.parametrize(
    ("payload", "brand", "reason"),
    [
        ({"TempC_DS": 85.0}, "dragino", RejectReason.POWER_ON_85),
        ({"TempC_DS": 126.0}, "dragino", RejectReason.OUT_OF_RANGE),
        ({"TempC_DS18B20": "0.00"}, "dragino", RejectReason.PROBE_MISSING),
        ({"temperature": 6553.5}, "", RejectReason.SENTINEL),
        ({"temperature": 150.01}, "", RejectReason.OUT_OF_RANGE),
        ({"temperature": "error"}, "", RejectReason.NOT_A_NUMBER),
        ({"extThermistorTemperature": 0, "thermistorProperlyConnected": False}, "mclimate", RejectReason.PROBE_MISSING),
    ],
)
def test_a_value_that_cannot_be_true_is_a_fault_with_its_reason(payload: object, brand: str, reason: RejectReason) -> None:
    decoded = decode(message(payload, brand, "lht65" if brand == "dragino" else ""))

    assert decoded.main is not None
    assert (decoded.main.temperature, decoded.main.fault) == (None, reason)


def test_values_beside_the_temperature_ride_on_the_main_probe() -> None:
    decoded = decode(message({"TempC_DS": 4.0, "TempC_SHT": 20, "Hum_SHT": 50.5, "BatV": 3.051}, "dragino", "lht65"))

    assert decoded.main is not None
    assert (decoded.main.humidity, decoded.main.battery_millivolts) == (5_050, 3_051)


def test_a_door_without_a_temperature_is_a_row_of_its_own() -> None:
    decoded = decode(message({"DOOR_OPEN_STATUS": 1, "BAT_V": 2.95}, "dragino", "lds02", port=10))

    (reading,) = decoded.readings
    assert (reading.probe, reading.temperature, reading.door_open, reading.battery_millivolts) == ("main", None, True, 2_950)


def test_history_frames_keep_the_devices_own_time() -> None:
    payload = {"temperature": 5.0, "history": [{"timestamp": 1_772_355_600, "temperature": 4.5, "humidity": 60}]}

    decoded = decode(message(payload, "milesight-iot", "em320-th", port=85))

    current, history = decoded.readings
    assert (current.history, current.temperature) == (False, 500)
    assert (history.history, history.temperature, history.measured_at, history.humidity) == (True, 450, 1_772_355_600_000, 6_000)


def test_normalized_payloads_are_the_fallback_when_nothing_was_decoded() -> None:
    uplink = {
        "f_port": 2,
        "frm_payload": "AQ==",
        "received_at": HEARD_AT,
        "normalized_payload": [{"air": {"temperature": 6.5, "relativeHumidity": 55}, "battery": 3.1}],
    }
    parsed = parse_message(json.dumps({"uplink_message": uplink}).encode())
    assert isinstance(parsed, TtnMessage)

    decoded = decode(parsed)

    assert headline(decoded) == 6.5
    assert decoded.main is not None
    assert (decoded.main.humidity, decoded.main.battery_millivolts) == (5_500, 3_100)


def test_a_payload_that_the_network_server_could_not_decode_is_rejected_and_housekeeping_is_not() -> None:
    failed = decode(message(None, frm_payload="AQID"))
    housekeeping = decode(message(None, port=0))

    assert failed.rejection is not None
    assert failed.rejection.reason is RejectReason.DECODER_FAILED
    assert housekeeping.rejection is not None
    assert housekeeping.rejection.reason is RejectReason.NO_READING


NUMBERS = st.one_of(
    st.sampled_from([float(number) for number in SENTINELS]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**12), 10**12),
)


@given(
    name=st.sampled_from(["temperature", "TempC_DS", "temp", "externalTemperature", "Temp1"]),
    number=NUMBERS,
    brand=st.sampled_from(["", "dragino", "elsys"]),
)
def test_no_sentinel_and_no_impossible_value_is_ever_a_temperature(name: str, number: float, brand: str) -> None:
    decoded = decode(message({name: number}, brand))

    for reading in decoded.readings:
        if reading.temperature is not None:
            assert -10_000 <= reading.temperature <= 15_000
            assert Decimal(repr(number)) not in SENTINELS
            assert abs(reading.temperature - number * 100) <= 0.5000001


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(
            st.sampled_from(["temperature", "value", "unit", "history", "humidity", "timestamp", "x", "battery", "measurementId", "values"])
            | st.text(max_size=8),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=25,
)


@given(payload=JSON, brand=st.sampled_from(["", "dragino", "milesight-iot", "elsys", "decentlab"]))
def test_decoding_never_raises_on_any_json(payload: object, brand: str) -> None:
    raw = json.dumps({"uplink_message": {"decoded_payload": payload, "f_port": 1, "version_ids": {"brand_id": brand}}}).encode()

    parsed = parse_message(raw)

    if isinstance(parsed, TtnMessage):
        decode(parsed)


@given(raw=st.binary(max_size=300))
def test_parsing_never_raises_on_any_bytes(raw: bytes) -> None:
    parsed = parse_message(raw)

    assert isinstance(parsed, Rejection | TtnMessage)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\xff\xfe", RejectReason.NOT_UTF8),
        (b"not json", RejectReason.NOT_JSON),
        (b'{"uplink_message": {"decoded_payload": {"temperature": NaN}}}', RejectReason.NOT_JSON),
        (b'{"uplink_message": {"decoded_payload": {"temperature": 1e999}}}', RejectReason.NOT_JSON),
        (b"{}", RejectReason.NOT_A_MESSAGE),
        (b'{"uplink_message": {}, "join_accept": {}}', None),
        (b"[" * 100_000, RejectReason.NOT_A_MESSAGE),
    ],
)
def test_garbage_is_named_for_what_it_is(raw: bytes, reason: RejectReason | None) -> None:
    parsed = parse_message(raw)

    assert (parsed.reason if isinstance(parsed, Rejection) else None) == reason
