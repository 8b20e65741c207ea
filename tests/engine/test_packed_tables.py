"""A snapshot's tables come back from their packed form to the byte; a damaged one is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.shard_table import DEVICE, SENSOR, packed, unpacked


@given(st.binary(max_size=SENSOR.itemsize * 4).map(lambda noise: noise[: len(noise) // SENSOR.itemsize * SENSOR.itemsize]))
def test_any_rows_come_back_to_the_byte(content: bytes) -> None:
    assert unpacked(packed(content, SENSOR), SENSOR) == content


def test_a_thousand_sensors_take_a_fifth_of_their_bytes() -> None:
    rows = np.zeros(1_000, dtype=SENSOR)
    rows["id"] = rows["unit"] = np.arange(1_000)
    rows["measured_at"] = 1_790_000_000_000 + np.arange(1_000) * 77

    assert len(packed(rows.tobytes(), SENSOR)) < len(rows.tobytes()) / 5


@pytest.mark.parametrize("place", [0, 5, 12, -3])
def test_a_flipped_bit_is_found(place: int) -> None:
    content = bytearray(packed(np.arange(44 * 20, dtype=np.uint8).tobytes(), DEVICE))
    content[place] ^= 0x10

    with pytest.raises(ValueError, match="cannot be unpacked"):
        unpacked(bytes(content), DEVICE)


def test_rows_of_another_width_are_refused() -> None:
    content = packed(bytes(DEVICE.itemsize), DEVICE)

    with pytest.raises(ValueError, match="no whole rows"):
        unpacked(content, SENSOR)
