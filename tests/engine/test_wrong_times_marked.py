"""What decode_uplinks says of rejected times, so that a device's clock can be judged: a row of its own, or a mark on the uplink's first row."""

import numpy as np

from pipelines.domain.decoders.decode import Decoded
from pipelines.domain.decoders.message import MessageKind, TtnMessage, parse_message
from pipelines.domain.decoders.readings import ProbeReading
from pipelines.domain.registered import Device, Sensor, Stamp
from pipelines.engine.decoding import Uplink, end_row, stamped_rows
from pipelines.engine.source import Record
from schemas.readings import ROW, RowFlag, RowKind, Rows
from schemas.reasons import RejectReason, code_of_reason
from tests.domain.decoders.golden_cases import cases

AT = 1_772_359_200_000
DAY = 86_400_000
DEVICE = Device(1, 1, {"main": Sensor(1, "main", (0,), (Stamp(unit=7, assignment=1, policy=3, configuration=2, calibration=0),))})
NOW = ProbeReading("main", AT, 400)
KEPT, LOST = ProbeReading("main", AT - DAY, 410, history=True), ProbeReading("main", AT - 60 * DAY, 420, history=True)


def uplink() -> Uplink:
    message = next(found for case in cases() if isinstance(found := parse_message((case / "input.json").read_bytes()), TtnMessage))
    return Uplink(Record(5, AT, [], b""), 1, "acme-cold", message, AT)


def rows_of(*readings: ProbeReading) -> Rows:
    packed, _ = stamped_rows(uplink(), Decoded(MessageKind.UPLINK_MESSAGE, readings, main=NOW), DEVICE)
    return np.frombuffer(b"".join(packed), dtype=ROW)


def test_an_uplink_of_whose_history_some_is_rejected_is_marked_on_its_first_row_alone() -> None:
    rows = rows_of(NOW, LOST, KEPT)

    assert rows["flags"].tolist() == [RowFlag.CLOCK_WRONG, RowFlag.HISTORY]
    assert rows["temperature"].tolist() == [400, 410]


def test_an_uplink_whose_times_are_believed_is_not_marked() -> None:
    assert rows_of(NOW, KEPT)["flags"].tolist() == [0, RowFlag.HISTORY]


def test_an_uplink_of_which_all_is_rejected_ends_so() -> None:
    rows = rows_of(LOST, replace_time(LOST))

    assert rows["kind"].tolist() == [RowKind.REJECTED]
    assert rows["reason"].tolist() == [code_of_reason(RejectReason.CLOCK_WRONG)]


def test_what_ends_without_a_reading_says_by_which_policy_its_device_is_judged() -> None:
    rows = np.frombuffer(end_row(uplink(), RowKind.REJECTED, DEVICE, RejectReason.CLOCK_WRONG), dtype=ROW)

    assert rows[["sensor", "unit", "policy", "configuration"]].tolist() == [(1, 7, 3, 2)]


def replace_time(reading: ProbeReading) -> ProbeReading:
    """Return a reading a day earlier."""
    return ProbeReading(reading.probe, reading.measured_at - DAY, reading.temperature, history=True)
