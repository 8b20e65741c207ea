"""Rules that hold for families of devices whatever their brand: how they name, scale and wrap what they measure."""

import pytest

from pipelines.domain.decoders.decode import decode
from pipelines.domain.decoders.models import FALLBACK, MODELS, NORMALIZED
from schemas.reasons import RejectReason
from tests.domain.decoders.test_decode import headline, message


@pytest.mark.parametrize(
    "payload",
    [
        {"t": 4.2, "rh": 71},
        {"data": [{"n": "temperature", "u": "Cel", "v": 4.2}]},
        {"values": [{"_name": "Ambient temperature", "_unit": "°C", "_value": 4.2}]},
        {"measurements": [{"typeName": "temperature", "typeUnits": "[°C]", "value": 4.2}]},
        {"messages": [{"measurementId": "4203", "type": "Temperature", "measurementValue": 4.2}]},
        {"messages": [{"measurement": "Air Temperature", "measurementId": 9001, "measurementValue": "4.2", "unit": "°C"}]},
        {"result": {"output": {"temp": 4.2}, "timestamps": {"temp": "2026-03-01T10:00:00Z"}}},
        {"temperature": {"value": 42, "unit": "0.1°C"}},
        {"temperature": {"value": 4200, "unit": "m°C"}},
        {"temperature_millicelsius": 4200},
        {"temperature": {"unit": "°C", "value": [4.2]}},
        {"temperatureMeasure": "4,2 °C"},
        {"temperature": "4.2 deg C"},
        {"temp": {"cur": 4.2, "min": -3.1, "max": 9.0}},
        {"sensors": [{"name": "Lower freezer", "temperature": 4.2}]},
        {"Tem": 4.2},
    ],
)
def test_a_temperature_is_found_however_it_is_wrapped_named_and_scaled(payload: object) -> None:
    assert headline(decode(message(payload))) == 4.2


@pytest.mark.parametrize(
    "payload",
    [
        {"TemperatureTripCnt": 3},
        {"temperature_mutation": 2.5},
        {"temperature_data_source": "ntc"},
        {"color_temperature": 40},
        {"ecoTemperature": 17, "comfortTemperature": 21, "frost_temp": 7},
        {"overheatingTemperature": 69},
        {"request": {"temperature": 21}},
        {"t": 4.2},
        {"t": 1_772_359_200, "h": 40},
        {"wbgt_temp": 24.1},
        {"heating_temperature": 21, "cooling_temperature": 25, "energy_saving_temperature": 17, "manu_temp": 5},
        {"temperature_button": 1, "temperature_up": 1, "temperature_control_button": 1, "display_ambient_temperature": 1},
        {"per_ambient_temp": 1, "tick_per_ambient_temperature": 4, "ticks_temp": 3},
        {"TEMP_SEND_THROTTLED_TRESHOLD": 10, "temperaturealarmthreshold": 30, "TempCal": 1},
        {"origin_temperature": 21.5, "temperature_collection_anomaly": 1, "temperature_exception": 1},
        {"window_open_temperature": 15},
    ],
)
def test_what_only_sounds_like_a_temperature_is_none(payload: object) -> None:
    found = decode(message(payload))

    assert [one for one in found.readings if one.temperature is not None or one.fault is not None] == []


@pytest.mark.parametrize(
    "name",
    [
        *(
            "head_temperature",
            "lidar_temp",
            "LiDAR_temp1",
            "EC1_Temp",
            "do_temp",
            "temperature_electronics",
            "barometer_temperature",
            "trackerTemperature",
        ),
        *("temp_NTU", "TempPH", "SoildTemp5TE", "leaf_temperature", "forwardTemperature", "bearing_temp"),
    ],
)
def test_the_temperature_of_a_part_a_liquid_or_a_surface_is_secondary(name: str) -> None:
    found = decode(message({name: 4.2}))

    assert [(one.temperature, one.secondary) for one in found.readings] == [(420, True)]
    assert found.headline is None


def test_of_a_tracker_every_temperature_is_its_own_unless_it_says_ambient() -> None:
    found = decode(message({"notification": {"temperature": 30}, "ambientTemperature": 4.2}, "abeeway", "asset-tracker-3"))

    assert sorted((one.temperature, one.secondary) for one in found.readings) == [(420, False), (3_000, True)]
    assert headline(found) == 4.2


def test_what_a_device_tells_of_its_own_state_is_secondary_and_its_flags_are_no_battery() -> None:
    found = decode(message({"device_status": {"temperature": 31, "battery_voltage": 2.91, "battery": 1, "humidity": 1}}))

    assert [(one.temperature, one.secondary) for one in found.readings if one.temperature is not None] == [(3_100, True)]
    assert [(one.battery_millivolts, one.humidity) for one in found.readings if one.temperature is None] == [(2_910, None)]


@pytest.mark.parametrize(
    ("payload", "millivolts", "percent"),
    [
        ({"battery": 3}, 3_000, None),
        ({"battery": 3.6}, 3_600, None),
        ({"battery": 5}, None, 5),
        ({"battery": 1}, None, None),
        ({"battery": 0}, None, None),
        ({"batteryLevel": 0}, None, None),
        ({"battery_percent": 0}, None, 0),
        ({"battery": 0.9}, None, None),
        ({"batteryLevel": 3}, None, None),
        ({"batteryLevel": 2.74}, 2_740, None),
        ({"battery_level": 92}, None, 92),
        ({"battery": {"value": 2914, "unit": "[mV]"}}, 2_914, None),
        ({"battery": {"value": 88, "unit": "Wh"}}, None, None),
        ({"battery_lifetime_pct": 97, "battery_lifetime_dys": 3}, None, 97),
        ({"battery_end_of_life": 3}, None, None),
        ({"Good_Battery": 3, "batterycharging": "1", "battery_current": 12}, None, None),
        ({"voltage": 3.6}, 3_600, None),
        ({"lowBattery": {"batteryVoltage": 3338, "consumption": 4}}, 3_338, None),
        ({"alarm": {"battery": 3}}, None, None),
        ({"batteryThreshold": {"battery_voltage": 2.4}}, None, None),
        ({"voltage": 3.6, "power": 12}, None, None),
    ],
)
def test_a_battery_is_volts_or_percent_and_never_a_flag_a_step_or_a_count(
    payload: object, millivolts: int | None, percent: int | None
) -> None:
    found = decode(message(payload))

    assert [(one.battery_millivolts, one.battery_percent) for one in found.readings] == (
        [(millivolts, percent)] if millivolts is not None or percent is not None else []
    )


@pytest.mark.parametrize(
    ("payload", "brand", "is_guessed"),
    [
        ({"battery": 5}, "", True),
        ({"battery_level": 10}, "", True),
        ({"battery": 14.5}, "", True),
        ({"battery": 91}, "milesight", False),
        ({"batteryLevel": 10}, "milesight", False),
        ({"battery_percent": 14}, "", False),
        ({"battery": {"value": 14, "unit": "%"}}, "", False),
        ({"battery": 5, "battery_pct": 5}, "", False),
        ({"battery": 3.6}, "", False),
    ],
)
def test_percent_that_only_its_value_tells_says_so(payload: dict[str, object], brand: str, is_guessed: bool) -> None:
    found = decode(message({"temperature": 4, **payload}, brand))

    (reading,) = found.readings
    assert (reading.temperature, reading.battery_guessed) == (400, is_guessed)
    assert (reading.battery_percent is None) == (payload == {"battery": 3.6})


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"magnet_chn1": "opened"}, True),
        ({"door_contact": "closed"}, False),
        ({"door_sensor": 1}, True),
        ({"isDoorOpen": True}, True),
        ({"door_opened": 0}, False),
        ({"door_closed": True}, None),
        ({"window_detection": {"is_open": True}}, None),
        ({"contact": "open"}, True),
        ({"switch_1": "open"}, None),
        ({"relayStatus": "CLOSED"}, None),
        ({"door_count": 1}, None),
    ],
)
def test_a_door_is_known_by_its_name(payload: object, expected: bool | None) -> None:
    found = decode(message(payload))

    assert [one.door_open for one in found.readings] == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    "payload", [{"leafHum": 8}, {"humidity": {"value": 9.1, "unit": "g/m³"}}, {"SoildHumi5TE": 10}, {"internalCircuitHumidity": 56}]
)
def test_what_is_no_humidity_of_the_air_is_none(payload: object) -> None:
    assert decode(message(payload)).readings == ()


def test_several_samples_without_times_are_not_probes_and_not_now() -> None:
    found = decode(message({"temperature": {"unit": "°C", "value": [3.9, 4.1, 4.0]}}))

    assert found.readings == ()
    assert found.rejection is not None
    assert "no time" in found.rejection.detail


def test_an_unnamed_list_within_a_dated_one_is_not_taken() -> None:
    found = decode(message({"readings": [{"timestamp": 1_772_355_600, "sensors": [{"tempC": 4.1}, {"tempC": 9.3}]}]}))

    assert found.readings == ()
    assert found.rejection is not None
    assert "nothing tells apart" in found.rejection.detail


@pytest.mark.parametrize(
    ("brand", "model", "payload", "expected"),
    [
        ("dragino", "lht65", {"TempC_DS": 4.3}, "dragino/*"),
        ("milesight-iot", "em300-th", {"temperature": 4.3}, "milesight/em300*"),
        ("", "", {"TempC_DS": 4.3}, "dragino, by the names of its fields"),
        ("acme", "fridge-1", {"temperature": 4.3}, FALLBACK),
        ("acme", "fridge-1", {"nothing": 4.3}, FALLBACK),
    ],
)
def test_a_message_says_which_decoder_judged_it(brand: str, model: str, payload: object, expected: str) -> None:
    assert decode(message(payload, brand, model)).decoder == expected


def test_a_normalized_payload_says_that_the_schema_judged_it() -> None:
    found = decode(message(None, "acme", "fridge-1", normalized_payload=[{"air": {"temperature": 4.3}}]))

    assert (found.decoder, headline(found)) == (NORMALIZED, 4.3)


@pytest.mark.parametrize(
    ("brand", "model", "payload"),
    [
        ("milesight-iot", "am307", {"temperature": 71.2}),
        ("decentlab", "dl-sht35", {"air_temperature": {"unit": "°C", "value": -45.0}}),
        ("sensecap", "s2101", {"messages": [{"measurementId": "4097", "measurementValue": 88.0}]}),
        ("talkpool", "oy1100", {"Temperature": -41.2}),
        ("tektelic", "t00048xx", {"ambient_temperature": 127.5}),
        ("nke-watteco", "th-sensor", {"data": [{"label": "Temperature", "value": -40.1}]}),
    ],
)
def test_what_a_model_cannot_measure_is_a_fault(brand: str, model: str, payload: object) -> None:
    found = decode(message(payload, brand, model))

    assert [(one.temperature, one.fault) for one in found.readings] == [(None, RejectReason.OUT_OF_RANGE)]


def test_an_unknown_model_that_gives_nothing_says_so() -> None:
    found = decode(message({"pulses": 7}, "acme", "counter"))

    assert found.rejection is not None
    assert "not known" in found.rejection.detail


def test_every_line_of_the_table_has_a_name_of_its_own() -> None:
    names = [entry.decoder for entry in MODELS]

    assert len(set(names)) == len(names)
