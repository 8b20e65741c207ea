"""The simulator writes the bytes the makers' decoders read: given what a published example says was measured, its very frame."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from infra.simulator.frame import Payload, Sample
from infra.simulator.makers import air, dragino, milesight, wired
from tests.conftest import SHARED

pytestmark = pytest.mark.shared
Decoded = dict[str, Any]


@cache
def examples() -> list[dict[str, Any]]:
    """All published examples."""
    found: list[dict[str, Any]] = json.loads((SHARED / "data" / "ttn" / "decoded_examples.json").read_bytes())
    return found


def sample(inside: float, humidity: float = 50, volts: float = 3.6, charge: int = 100, clock: int = 0) -> Sample:
    return Sample(inside, humidity, volts, charge, clock)


Case = tuple[str, str, Callable[[Decoded], Payload | None]]

CASES: list[Case] = [
    ("talkpool", "oy1110", lambda d: air.talkpool(sample(d["Temperature"], d["RelativeHumidity"]))),
    ("tektelic", "t00048xx", lambda d: air.tektelic(sample(d["ambient_temperature"], d["relative_humidity"]))),
    ("netvox", "r718ck", lambda d: wired.netvox("R718CK", 0x91, sample(d["Temp"], volts=d["Volt"]))),
    ("netvox", "r720b", lambda d: air.netvox(sample(d["Temp"], d["Humi"], d["Volt"]))),
    ("browan", "tabs-tbhh100", lambda d: air.browan(sample(d["temperature"], d["humidity"], d["battery_volt"]))),
    ("enless-wireless", "tx-temp-cont1-600-032", lambda d: wired.enless(sample(d["values"]["temperature_1"]["value"]))),
    ("mclimate", "ht-sensor", lambda d: air.mclimate(sample(d["temperature"], d["humidity"], 2.968)) if "reason" in d else None),
    ("milesight-iot", "em500-pt100", lambda d: milesight.pt100(sample(d["temperature"], charge=d["battery"]))),
    ("milesight-iot", "em300-th", lambda d: milesight.air(sample(d["temperature"], d["humidity"], charge=d.get("battery", 0)))),
    ("dragino", "lht52", lambda d: lht52_of(d) if d and "TempC_SHT" in d else None),
    ("decentlab", "dl-ds18", lambda d: decentlab_of(d) if "temperature" in d else None),
]


def lht52_of(decoded: Decoded) -> Payload:
    inside, clock = decoded["TempC_SHT"] - dragino.BUILT_IN_ABOVE, decoded["Systimestamp"] * 1000
    return dragino.lht52(sample(inside, decoded["Hum_SHT"], clock=clock), is_plugged=False)


def decentlab_of(decoded: Decoded) -> Payload:
    return wired.decentlab(sample(decoded["temperature"]["value"], volts=decoded["battery_voltage"]["value"]))


@pytest.mark.parametrize(("vendor", "model", "made_of"), CASES, ids=[model for _, model, _ in CASES])
def test_a_frame_has_the_bytes_of_the_published_example(vendor: str, model: str, made_of: Callable[[Decoded], Payload | None]) -> None:
    wanted, made = [], []
    for example in examples():
        if (example["vendor"], example["model"]) == (vendor, model) and example["decoded"]:
            payload = made_of(example["decoded"])
            if payload is not None:
                wanted.append(example["bytes"])
                made.append(payload.raw.hex())

    assert wanted
    assert set(wanted) & set(made)
