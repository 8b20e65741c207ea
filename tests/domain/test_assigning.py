"""Which sensor a reading belongs to, over time."""

from pipelines.domain.assigning import sensor_of
from pipelines.domain.decoders.message import MessageKind
from pipelines.domain.decoders.readings import Decoded, ProbeReading
from pipelines.domain.registered import Device, Sensor, Stamp

IN_FORCE = Stamp(1, 1, 1, 1, 0)
MAIN = Sensor(5, "main", (0,), (IN_FORCE,))
READING = ProbeReading("external", 100, 431)
DECODED = Decoded(MessageKind.UPLINK_MESSAGE, (READING,), READING, READING)


def device(*named: Sensor) -> Device:
    return Device(1, 1, {sensor.probe: sensor for sensor in (MAIN, *named)})


def test_a_sensor_of_the_probes_own_name_comes_before_main() -> None:
    own = Sensor(6, "external", (0,), (IN_FORCE,))

    assert sensor_of(READING, DECODED, device(own)) is own


def test_a_sensor_that_watches_no_unit_yet_does_not_silence_main() -> None:
    later = Sensor(6, "external", (101,), (IN_FORCE,))

    assert sensor_of(READING, DECODED, device(later)) is MAIN


def test_a_sensor_whose_assignment_ended_does_not_silence_main() -> None:
    ended = Sensor(6, "external", (0, 50), (IN_FORCE, None))

    assert sensor_of(READING, DECODED, device(ended)) is MAIN
