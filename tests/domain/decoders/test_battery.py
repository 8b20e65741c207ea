"""A battery's whole numbers come to the same by the quick way as by decimals."""

from decimal import Decimal

import pytest

from pipelines.domain.decoders.beside import _battery
from pipelines.domain.decoders.leaves import Leaf


@pytest.mark.parametrize("scale", ["percent", "mv", "v", ""])
def test_whole_numbers_come_to_the_same_as_decimals_do(scale: str) -> None:
    for value in (*range(-3, 130), *range(480, 520), 3_050, 3_600, 19_999, 20_000, 31_999, 32_000, 32_001, 40_000):
        assert _battery(Leaf(("battery",), value), scale) == _battery(Leaf(("battery",), Decimal(value)), scale), (scale, value)
