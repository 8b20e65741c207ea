"""The machine and `evaluate` against the simple judge on random series: every time and figure, to the millisecond.

`COLDSTREAM_TRUTH_SERIES` sets how many series are tried (default 10,000). A failing one is shrunk and printed.
"""

import os

import pytest

from tests.domain.compared import Compare, at_once, by_evaluate, difference, row_by_row
from tests.domain.random_series import KINDS, random_series, shrunk

SERIES = int(os.environ.get("COLDSTREAM_TRUTH_SERIES", "10000"))


@pytest.mark.parametrize("kind", KINDS)
def test_machine_over_rows_in_any_order_agrees_with_the_simple_judge(kind: str) -> None:
    _agree(kind, at_once)


@pytest.mark.parametrize("kind", KINDS)
def test_evaluate_agrees_with_the_simple_judge_where_one_policy_and_one_max_gap_hold(kind: str) -> None:
    _agree(kind, by_evaluate)


@pytest.mark.parametrize("kind", KINDS)
def test_machine_fed_row_by_row_with_clocks_and_restarts_agrees_with_the_simple_judge_at_every_clock(kind: str) -> None:
    _agree(kind, row_by_row)


def _agree(kind: str, compare: Compare) -> None:
    for seed in range(SERIES):
        series = random_series(seed, kind)
        if difference(series, compare) is not None:
            smallest = shrunk(series, lambda candidate: difference(candidate, compare) is not None)
            raise AssertionError(f"{smallest}\n{difference(smallest, compare)}")
