"""Each golden message gives exactly what its expected.json says."""

from pathlib import Path

import pytest

from tests.domain.decoders.golden_cases import cases, taken


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_golden_message_gives_what_is_expected_of_it(case: Path) -> None:
    expected = (case / "expected.json").read_text(encoding="utf-8")

    assert taken(case) == expected
