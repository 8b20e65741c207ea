"""What the simulator says it sends is what our decoders make of it, to the hundredth and the millisecond."""

from dataclasses import replace

from infra.simulator.fleet import build_fleet
from infra.simulator.happenings import Happening, What
from infra.simulator.mischief import CLEAN, Mischief
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


def test_readings_of_a_log_are_decoded_with_the_device_s_own_times() -> None:
    out = Happening(What.GATEWAY_OUT, begin=4 * HOUR, length=6 * HOUR)
    clock = Happening(What.DEVICE_CLOCK, begin=0, length=DAY, by=-20_000 * DAY, units=frozenset({2}))
    stage = replace(Stage.history(BEGIN, BEGIN + DAY, 15 * MINUTE), happenings=(out, clock))
    seen = set()
    for device in traffic_of(build_fleet(12, 1), "app", CLEAN):
        for uplink in device.uplinks(stage):
            if uplink.kind is UplinkKind.HISTORY:
                message = parse_message(uplink.body)
                assert isinstance(message, TtnMessage)
                made = decode(message).readings

                believed = [(one.measured_at, one.temperature) for one in made if one.history and one.measured_at > BEGIN - DAY]
                assert sorted(believed) == sorted(uplink.history)
                seen.add(len(believed))
    assert {0, 3} <= seen


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
