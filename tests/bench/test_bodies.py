"""What the bench sends is decoded to the temperature it was given, whatever the model; and it sends what it says it sends."""

import json

import pytest

from pipelines.domain.decoders.decode import decode
from pipelines.domain.decoders.message import TtnMessage, parse_message
from pipelines.domain.instants import parse_instant
from tests.bench import bodies
from tests.bench.bodies import MODELS, instant_of, template_of
from tests.bench.sending import OUT_SHARE, Devices, out_readings_of

AT = 1_767_225_600_123
EUI = "C01D00000000002A"


@pytest.mark.parametrize("place", range(12))
@pytest.mark.parametrize("hundredths", [0, 412, 1_199])
def test_a_body_is_decoded_to_the_temperature_it_was_given(place: int, hundredths: int) -> None:
    message = parse_message(template_of(EUI, place).body(instant_of(AT), 7, hundredths))

    assert isinstance(message, TtnMessage)
    decoded = decode(message)
    assert decoded.main is not None
    assert decoded.main.temperature == hundredths
    assert (message.dev_eui, message.measured_at, message.application_id) == (EUI, AT, "fleet")


def test_twelve_places_have_every_model() -> None:
    sent = [json.loads(template_of(EUI, place).body(instant_of(AT), 1, 400)) for place in range(12)]

    models = {message["uplink_message"]["version_ids"]["model_id"] for message in sent}

    assert models == {model for _, model, _, _ in MODELS}


def test_an_instant_is_written_to_the_millisecond() -> None:
    assert parse_instant(instant_of(AT).decode()) == AT


def test_devices_take_turns_and_count_their_frames() -> None:
    devices = Devices(0xC01D << 48, range(3), seed=1)

    sent = [devices.next(instant_of(AT), 0.0, 1) for _ in range(6)]

    assert [place for place, _ in sent] == [0, 1, 2, 0, 1, 2]
    assert [json.loads(body)["uplink_message"]["f_cnt"] for _, body in sent] == [1, 1, 1, 2, 2, 2]


def test_a_fiftieth_is_out_of_range_and_an_excursion_stays_out() -> None:
    devices = Devices(0xC01D << 48, range(100), seed=1)

    quiet = [b"@" for _ in range(20_000) if is_out(devices.next(b"t", 0.0, 1)[1])]

    assert len(quiet) / 20_000 == pytest.approx(OUT_SHARE, rel=0.2)

    one = Devices(0xC01D << 48, range(1), seed=2)
    series = [is_out(one.next(b"t", 1.0 if number == 0 else 0.0, out_readings_of(5))[1]) for number in range(8)]
    assert series[:6] == [True] * 6


def is_out(body: bytes) -> bool:
    """Say whether a body carries one of the temperatures that are out of range, which no other number in it is like."""
    message = parse_message(body.replace(b'"t"', b'"2026-01-01T00:00:00Z"'))
    assert isinstance(message, TtnMessage)
    main = decode(message).main
    assert main is not None
    assert main.temperature is not None
    return main.temperature > 800


def test_every_temperature_that_is_sent_has_its_text() -> None:
    assert bodies.TEMPERATURES[1_199] == b"11.99"
    assert bodies.TEMPERATURES[0] == b"0.00"
