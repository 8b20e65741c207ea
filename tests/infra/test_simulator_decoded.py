"""What the simulator says it sends is what our decoders make of it, to the hundredth and the millisecond."""

from dataclasses import replace

import pytest

from infra.simulator.catalog import FACTS, Model
from infra.simulator.fleet import Mix, UnitKind, build_fleet
from infra.simulator.frame import believed
from infra.simulator.happenings import Happening, What
from infra.simulator.mischief import CLEAN, Mischief
from infra.simulator.payloads import FRAMES
from infra.simulator.physics import DAY, HOUR, MINUTE
from infra.simulator.stages import Stage
from infra.simulator.traffic import traffic_of
from infra.simulator.uplink import Uplink, UplinkKind
from pipelines.domain.decoders.decode import Decoded, decode
from pipelines.domain.decoders.message import MessageKind, TtnMessage, parse_message

BEGIN = 1_760_000_000_000
OFTEN = Mischief(0.1, 0.1, 0.1, 0.02, 0.1, 0.1, 0.05, foreign=0.1)


def decoded(*kinds: UplinkKind) -> list[tuple[Uplink, TtnMessage, Decoded]]:
    """Every uplink of these kinds in four days of a fleet, as our decoders read it."""
    stage = Stage.history(BEGIN, BEGIN + 4 * DAY, 15 * MINUTE)
    found = []
    for device in traffic_of(build_fleet(12, 1), "app", OFTEN):
        for uplink in device.uplinks(stage):
            if uplink.kind in kinds:
                message = parse_message(uplink.body)
                assert isinstance(message, TtnMessage)
                found.append((uplink, message, decode(message)))
    assert found
    return found


def test_every_temperature_is_decoded_as_it_was_meant() -> None:
    for uplink, message, made in decoded(UplinkKind.READING):
        assert made.main is not None
        assert (message.dev_eui, made.main.measured_at) == (uplink.dev_eui, uplink.measured_at)
        assert (made.main.temperature, made.main.fault) == (uplink.hundredths, None)


def of_model(model: Model, kind: UnitKind, *happenings: Happening, days: int = 2, mischief: Mischief = OFTEN) -> list[Uplink]:
    """What one device of a model sends from a unit of a kind."""
    fleet = build_fleet(12, 1, Mix.CALM)
    unit = next(unit for unit in fleet.units if unit.kind is kind)
    watched = replace(unit, devices=(replace(unit.devices[0], model=model),))
    stage = replace(Stage.history(BEGIN, BEGIN + days * DAY, 15 * MINUTE), happenings=happenings)
    (traffic,) = traffic_of(replace(fleet, units=(watched,)), "app", mischief)
    return list(traffic.uplinks(stage))


def read(uplink: Uplink) -> Decoded:
    message = parse_message(uplink.body)
    assert isinstance(message, TtnMessage)
    return decode(message)


@pytest.mark.parametrize("model", [model for model in Model if not FACTS[model].sees_door])
@pytest.mark.parametrize("kind", [UnitKind.REFRIGERATOR, UnitKind.FREEZER])
def test_every_model_s_temperature_is_decoded_to_what_was_simulated(model: Model, kind: UnitKind) -> None:
    uplinks = [uplink for uplink in of_model(model, kind) if uplink.kind is UplinkKind.READING]

    assert len(uplinks) > 150
    for uplink in uplinks:
        main = read(uplink).main
        assert main is not None
        assert (main.temperature, main.fault, main.measured_at, main.history) == (uplink.hundredths, None, uplink.measured_at, False)


@pytest.mark.parametrize("model", [model for model in Model if FACTS[model].sees_door or FACTS[model].feels_door])
def test_every_model_that_knows_the_door_says_open_and_closed(model: Model) -> None:
    left_open = Happening(What.DOOR_OPEN, begin=10 * HOUR, length=2 * HOUR)

    said = {
        reading.door_open
        for uplink in of_model(model, UnitKind.REFRIGERATOR, left_open)
        if uplink.kind in {UplinkKind.DOOR, UplinkKind.READING}
        for reading in read(uplink).readings
    }

    assert said == {True, False}


@pytest.mark.parametrize("model", [model for model in Model if FRAMES[model].status is not None])
def test_every_model_s_status_has_no_temperature(model: Model) -> None:
    uplinks = [uplink for uplink in of_model(model, UnitKind.REFRIGERATOR) if uplink.kind is UplinkKind.STATUS]

    assert uplinks
    assert [reading.temperature for uplink in uplinks for reading in read(uplink).readings if reading.temperature is not None] == []


@pytest.mark.parametrize("model", [model for model in Model if FRAMES[model].unplugged is not None])
def test_every_model_s_missing_probe_is_no_temperature(model: Model) -> None:
    uplinks = [uplink for uplink in of_model(model, UnitKind.REFRIGERATOR) if uplink.kind is UplinkKind.SENTINEL]

    assert uplinks
    for uplink in uplinks:
        made = read(uplink)
        assert made.main is None or made.main.temperature is None


@pytest.mark.parametrize("model", [model for model in Model if FRAMES[model].log is not None])
@pytest.mark.parametrize("kind", [UnitKind.REFRIGERATOR, UnitKind.FREEZER])
def test_readings_of_a_log_are_decoded_with_the_device_s_own_times(model: Model, kind: UnitKind) -> None:
    out = Happening(What.GATEWAY_OUT, begin=4 * HOUR, length=6 * HOUR)

    logs = [uplink for uplink in of_model(model, kind, out, mischief=CLEAN) if uplink.kind is UplinkKind.HISTORY]

    assert sum(len(uplink.history) for uplink in logs) == 24
    for uplink in logs:
        made = [(one.measured_at, one.temperature) for one in read(uplink).readings if one.history]
        assert sorted(made, key=str) == sorted(uplink.history)


@pytest.mark.parametrize("model", [model for model in Model if FRAMES[model].log is not None])
def test_a_log_dated_decades_ago_is_not_believed(model: Model) -> None:
    out = Happening(What.GATEWAY_OUT, begin=4 * HOUR, length=6 * HOUR)
    clock = Happening(What.DEVICE_CLOCK, begin=0, length=DAY, by=-8_000 * DAY)

    logs = [uplink for uplink in of_model(model, UnitKind.REFRIGERATOR, out, clock) if uplink.kind is UplinkKind.HISTORY]

    assert logs
    assert {uplink.history for uplink in logs} == {()}
    for uplink in logs:
        assert all(one.history and not believed(one.measured_at, uplink.measured_at) for one in read(uplink).readings)


def test_an_unplugged_probe_is_a_fault_and_not_the_temperature_beside_it() -> None:
    for _, _, made in decoded(UplinkKind.SENTINEL):
        assert made.main is not None
        assert made.main.temperature is None
        assert made.main.fault is not None


def test_a_door_sensor_says_open_or_closed_and_no_temperature() -> None:
    seen = set()
    for _, _, made in decoded(UplinkKind.DOOR):
        assert [reading.temperature for reading in made.readings] == [None]
        seen.add(made.readings[0].door_open)

    assert seen == {True, False}


def test_a_status_frame_has_no_temperature() -> None:
    for _, _, made in decoded(UplinkKind.STATUS):
        assert made.main is None or made.main.temperature is None


def test_a_join_is_known_as_one() -> None:
    assert {message.kind for _, message, _ in decoded(UplinkKind.JOIN)} == {MessageKind.JOIN_ACCEPT}
