"""The spread of gaps that is shown beside a proposed interval."""

from itertools import accumulate

import pytest

from pipelines.domain.interval_evidence import NO_GAPS, Bin, spread

MINUTE = 60_000


@pytest.mark.parametrize("instants", [[], [5], [5, 5]])
def test_less_than_two_instants_have_no_gaps(instants: list[int]) -> None:
    assert spread(instants) == NO_GAPS


def test_every_gap_lies_in_one_bin_whatever_the_order() -> None:
    gaps = [*range(1, 2_000), 5 * MINUTE, 10 * MINUTE, 15 * MINUTE]
    instants = list(accumulate(gaps, initial=0))

    found = spread(instants[::-1])

    assert sum(one.gaps for one in found.bins) == found.gaps == len(gaps)
    assert found.longest_ms == 15 * MINUTE
    for one in found.bins:
        assert one.gaps == sum(one.from_ms <= gap < one.to_ms for gap in gaps)


def test_quantiles_are_gaps_that_a_share_is_no_longer_than() -> None:
    instants = list(accumulate([MINUTE] * 90 + [5 * MINUTE] * 10, initial=0))

    found = spread(instants)

    assert dict(found.quantiles) == {5: MINUTE, 25: MINUTE, 50: MINUTE, 75: MINUTE, 95: 5 * MINUTE}
    assert [one.gaps for one in found.bins] == [90, 10]
    assert isinstance(found.bins[0], Bin)
