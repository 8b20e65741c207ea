"""What a dead letter would become is what decode_uplinks makes of it: every golden message, under every kind of registry."""

from typing import cast

import numpy as np
import pytest

from pipelines.domain.prospect import Prospect, prospect
from pipelines.domain.registered import Device, Sensor, Stamp
from pipelines.engine.decoding import UplinkDecoder
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.source import Batch, Record
from pipelines.engine.uplink_ends import ENDED_AS, Standing, ends_of
from schemas.readings import ABSENT_I2, RowKind, Rows
from schemas.reasons import reason_of_code
from schemas.uplinks import uplink_headers
from tests.domain.decoders.golden_cases import cases

AT = 1_772_359_200_000
"""2026-03-01, when the golden messages are from."""
APPLICATIONS = ("acme-cold", "another")
RECEIVED = (AT, AT + 40 * 86_400_000)


def sensor(number: int, probe: str, *, calibration: int = 0, starts: int = 0) -> Sensor:
    return Sensor(number, probe, (starts,), (Stamp(unit=7, assignment=1, policy=1, configuration=1, calibration=calibration),))


REGISTRIES = {
    "nobody": None,
    "no sensor": Device(1, 1, {}),
    "main": Device(1, 1, {"main": sensor(1, "main")}),
    "ambient": Device(1, 1, {"ambient": sensor(2, "ambient", calibration=-50)}),
    "both": Device(1, 1, {"main": sensor(1, "main"), "ambient": sensor(2, "ambient")}),
    "calibrated beyond": Device(1, 1, {"main": sensor(1, "main", calibration=15_000)}),
    "assigned later": Device(1, 1, {"main": sensor(1, "main", starts=AT + 10 * 365 * 86_400_000)}),
}


class Known:
    """A registry of one device."""

    def __init__(self, device: Device | None) -> None:
        self._device = device

    def device(self, _key: tuple[int, str]) -> Device | None:
        return self._device


class Nowhere:
    """A database that is not asked."""

    def transact(self, _work: object) -> None: ...


def decoded(raw: bytes, application: str, received_at: int, device: Device | None, monkeypatch: pytest.MonkeyPatch) -> Rows:
    decoder = UplinkDecoder(cast("Reconnecting", Nowhere()))
    monkeypatch.setattr(decoder, "_registry", Known(device))
    return decoder.decode(Batch(0, [Record(5, received_at, uplink_headers(1, application), raw)])).rows


def end_of(rows: Rows) -> tuple[str, str | None]:
    """Return how an uplink ends whose rows are all new, as store_readings counts it."""
    ends = ends_of(rows, np.zeros(len(rows), dtype=np.int64), np.isin(rows["kind"], (RowKind.READING, RowKind.FAULT, RowKind.ANCILLARY)))
    code = int(ends.reason[0])
    return ENDED_AS[Standing(int(ends.standing[0]))], None if code == 0 else reason_of_code(code).value


def foreseen(found: Prospect) -> list[tuple[int, int, int | None]]:
    return [(one.sensor, one.measured_at, one.temperature) for one in found.readings]


@pytest.mark.parametrize("registry", REGISTRIES)
def test_a_prospect_is_what_decoding_makes_of_it(registry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    device = REGISTRIES[registry]
    ended = set()
    for raw in [(case / "input.json").read_bytes() for case in cases()] + [b"{not json", b"[]"]:
        for application in APPLICATIONS:
            for received_at in RECEIVED:
                rows = decoded(raw, application, received_at, device, monkeypatch)

                found = prospect(raw, application, received_at, device)

                ended_as, reason = end_of(rows)
                assert found.ended_as == ended_as
                if ended_as in ("rejected", "unassigned") and len(found.readings) <= 1:
                    assert found.reason is not None
                    assert found.reason.value == reason
                ended.add(ended_as)
                stored = rows[rows["kind"] <= RowKind.ANCILLARY]
                assert foreseen(found) == [
                    (int(row["sensor"]), int(row["measured_at"]), None if row["temperature"] == ABSENT_I2 else int(row["temperature"]))
                    for row in stored
                ]
    assert "rejected" in ended
    if registry in ("main", "both"):
        assert {"stored", "no_reading", "rejected", "unassigned"} >= ended > {"rejected"}
