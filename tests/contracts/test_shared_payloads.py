"""Agreement with a careful person's judgement of real payloads of The Things Stack (`COLDSTREAM_SHARED`, data/ttn)."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipelines.domain.decoders.decode import Decoded, decode
from pipelines.domain.decoders.message import TtnMessage, parse_message, parse_wrapped_message

SHARED = Path(os.environ.get("COLDSTREAM_SHARED", Path(__file__).parents[3] / "shared"))
TTN = SHARED / "data" / "ttn"
LEAST_AGREEMENT = 0.97
LEAST_AGREEMENT_HELD_OUT = 0.9

pytestmark = pytest.mark.shared


def examples() -> list[dict[str, Any]]:
    """Return the codec examples."""
    found: list[dict[str, Any]] = json.loads((TTN / "decoded_examples.json").read_bytes())
    return found


def decoded_example(example: dict[str, Any]) -> Decoded:
    """Decode an example as a partial message."""
    version = {"brand_id": example["vendor"], "model_id": example["model"]}
    uplink = {"f_port": example["fPort"], "decoded_payload": example["decoded"], "version_ids": version}
    message = parse_message(json.dumps({"uplink_message": uplink}).encode())
    assert isinstance(message, TtnMessage), example["id"]
    return decode(message)


def taken(decoded: Decoded) -> tuple[float | None, ...]:
    """Return headline, humidity, volts, percent and door as a person would write them."""
    current = [reading for reading in decoded.readings if not reading.history]

    def first(name: str, scale: float) -> float | None:
        return next((getattr(one, name) / scale for one in current if getattr(one, name) is not None), None)

    temperature = decoded.headline.temperature if decoded.headline is not None else None
    return (
        None if temperature is None else temperature / 100,
        first("humidity", 100),
        first("battery_millivolts", 1000),
        first("battery_percent", 1),
        first("door_open", 1),
    )


def agrees(found: tuple[float | None, ...], wanted: tuple[float | None, ...]) -> bool:
    """Return whether all values agree as far as they are rounded."""
    tolerances = (0.0051, 0.0051, 0.002, 0.6, 0)
    return all(
        (one is None) == (other is None) and (one is None or other is None or abs(one - other) <= tolerance)
        for one, other, tolerance in zip(found, wanted, tolerances, strict=True)
    )


def judged(reading: dict[str, Any]) -> tuple[float | None, ...]:
    """Return the judgement of an example in the same order."""
    return tuple(reading[name] for name in ("temperature_c", "humidity_pct", "battery_v", "battery_pct", "door_open"))


def test_decode_agrees_with_the_judgement_of_the_clear_examples() -> None:
    clear = [example for example in examples() if example["reading"]["confidence"] == "clear"]

    wrong = [example["id"] for example in clear if not agrees(taken(decoded_example(example)), judged(example["reading"]))]

    assert len(clear) > 100
    assert 1 - len(wrong) / len(clear) >= LEAST_AGREEMENT, wrong


def is_held_out(example: dict[str, Any]) -> bool:
    """Return whether a model is of the fifth that decoders are not tuned on."""
    return hashlib.md5(f"{example['vendor']}/{example['model']}".encode(), usedforsecurity=False).digest()[0] % 5 == 0


def test_decode_agrees_as_well_on_models_it_was_not_tuned_on() -> None:
    held_out = [one for one in examples() if one["reading"]["confidence"] == "clear" and is_held_out(one)]

    wrong = [example["id"] for example in held_out if not agrees(taken(decoded_example(example)), judged(example["reading"]))]

    assert len(held_out) > 30
    assert 1 - len(wrong) / len(held_out) >= LEAST_AGREEMENT_HELD_OUT, wrong


def test_no_invalid_temperature_is_presented_as_valid() -> None:
    shown = []
    for example in examples():
        invalid = {str(one["raw"]) for one in example["reading"]["temperatures"] if one["valid"] is False and one.get("raw") is not None}
        values = {f"{one.temperature / 100:g}" for one in decoded_example(example).readings if one.temperature is not None}
        shown += [
            (example["id"], value)
            for value in invalid
            if value in values or (f"{float(value):g}" in values and value.replace(".", "").lstrip("-").isdigit())
        ]

    assert shown == []


def test_whole_captured_messages_are_understood() -> None:
    expected = json.loads((TTN / "uplinks_expected.json").read_bytes())
    wrong = []
    for entry in expected:
        message = parse_wrapped_message((TTN / "uplinks" / entry["file"]).read_bytes())
        headline = taken(decode(message))[0] if isinstance(message, TtnMessage) else None
        wanted = entry["expected"]["temperature_c"]
        if (headline is None) != (wanted is None) or (headline is not None and abs(headline - wanted) > 0.0051):
            wrong.append((entry["file"], headline, wanted))

    assert len(wrong) <= 3, wrong  # all three are marked ambiguous: a housing's and a PCB's temperature, and hundredths without a name
