"""A remembered shape comes to what the long way does, whatever its numbers; and its memory is bounded."""

import json
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.decoders import decode as decoding
from pipelines.domain.decoders.decode import Decoded, decode
from pipelines.domain.decoders.message import TtnMessage, parse_wrapped_message
from pipelines.domain.decoders.shapes import MAX_SHAPES, Shapes
from tests.domain.decoders.golden_cases import cases

NUMBER = st.one_of(
    st.sampled_from([0, 0.0, 1, -0.1, 4.31, 85, 85.0, 100, 127, -127, 255, 327.67, 3276.7, 3.05, 3050, 6553.5, 1e300]),
    st.floats(-120, 160).map(lambda value: round(value, 2)),
    st.integers(-5, 5_000),
)
PLAIN = st.floats(2, 9).map(lambda value: round(value, 2))
"""Believed as a temperature, humidity and voltage."""
NAMES = st.sampled_from(
    [
        *("temperature", "TempC_DS", "TempC_SHT", "TempC1", "externalTemperature", "temp_f", "humidity", "battery", "BatV", "vdd", "door"),
        *(
            "temperature_valid",
            "probe_fault",
            "unit",
            "Ext_sensor",
            "No_connect",
            "state",
            "operatingMode",
            "value",
            "label",
            "status",
            "valid",
            "invalid",
        ),
        *(
            "t",
            "rh",
            "voltage",
            "power",
            "magnet_chn1",
            "v",
            "u",
            "n",
            "measurementValue",
            "measurement",
            "measurementChannel",
            "device_status",
        ),
    ],
)
VALUE = st.one_of(NUMBER, NUMBER, st.booleans(), st.none(), st.sampled_from(["F", "°C", "open", "21.5", "Temperature Sensor", "error"]))
PAYLOAD = st.dictionaries(NAMES, st.one_of(VALUE, st.dictionaries(NAMES, VALUE, max_size=3)), min_size=1, max_size=7)
BRANDS = st.sampled_from([(None, None), ("dragino", "lht65"), ("dragino", "lsn50v2-d20"), ("elsys", "elt-2"), ("laird", "rs1xx")])


def the_long_way(message: TtnMessage) -> Decoded:
    with mock.patch.object(decoding._SHAPES, "known", return_value=None):
        return decode(message)


def uplink(payload: object, brand: str | None, model: str | None) -> TtnMessage:
    body = {"f_port": 2, "decoded_payload": payload, "version_ids": {"brand_id": brand, "model_id": model}}
    message = parse_wrapped_message(json.dumps({"uplink_message": body}).encode())
    assert isinstance(message, TtnMessage)
    return message


def with_numbers(value: Any, draw: Any, numbers: Any = NUMBER) -> Any:
    """Return the same shape with other numbers."""
    if isinstance(value, dict):
        return {name: with_numbers(inner, draw, numbers) for name, inner in value.items()}
    return draw(numbers) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


@given(payload=PAYLOAD, brand=BRANDS, data=st.data())
def test_a_shape_seen_before_comes_to_what_the_long_way_does(
    payload: dict[str, Any], brand: tuple[str | None, str | None], data: Any
) -> None:
    decode(uplink(payload, *brand))

    again = uplink(with_numbers(payload, data.draw), *brand)

    assert decode(again) == the_long_way(again)


@given(payload=PAYLOAD, brand=BRANDS, data=st.data())
def test_plain_numbers_take_the_straight_way_to_the_same(payload: dict[str, Any], brand: tuple[str | None, str | None], data: Any) -> None:
    decode(uplink(payload, *brand))

    again = uplink(with_numbers(payload, data.draw, PLAIN), *brand)

    assert decode(again) == the_long_way(again)


def test_a_remembered_shape_of_plain_numbers_takes_the_straight_way() -> None:
    payload = {"TempC_SHT": 21.5, "TempC_DS": 4.31, "Hum_SHT": 48.2, "BatV": 3.05, "Ext_sensor": "Temperature Sensor"}
    decode(uplink(payload, "dragino", "lht65-of-its-own"))

    with mock.patch.object(decoding, "_from_named", side_effect=AssertionError("the long way")):
        found = decode(uplink(payload | {"TempC_DS": 5.02}, "dragino", "lht65-of-its-own"))

    assert found.headline is not None
    assert (found.headline.temperature, found.headline.humidity, found.headline.battery_millivolts) == (502, 4820, 3050)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_golden_messages_come_to_the_same_the_second_time(case: Any) -> None:
    message = parse_wrapped_message((case / "input.json").read_bytes())
    assert isinstance(message, TtnMessage)

    first, second = decode(message), decode(message)

    assert first == second == the_long_way(message)


def test_a_family_with_ever_new_shapes_is_not_remembered() -> None:
    memory = Shapes()
    family = ("brand", "model", None)
    learned = []

    def learn(found: Any) -> Any:
        learned.append(found)
        return [], None

    for number in range(3 * MAX_SHAPES):
        memory.known(family, {"time": f"at {number}"}, learn)

    assert len(learned) == MAX_SHAPES
