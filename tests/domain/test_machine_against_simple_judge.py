"""The machine and `evaluate` against the simple judge on random series: every time and figure, to the millisecond.

`COLDSTREAM_TRUTH_SERIES` sets how many series are tried (default 10,000). A failing one is shrunk and printed.
"""

import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from random import Random

import msgspec
import pytest

from pipelines.domain.evaluate import Excursion, evaluate, in_order
from pipelines.domain.evaluate import judge as machine_judge
from pipelines.domain.excursion_facts import (
    EndedBy,
    ExcursionClosed,
    ExcursionOpened,
    Fact,
)
from pipelines.domain.excursion_states import Reading
from pipelines.domain.figures import Figures
from pipelines.domain.policy import Policy
from pipelines.domain.sensor import (
    FRESH,
    SensorState,
    on_assignment_end,
    on_clock,
    on_reading,
)
from pipelines.domain.sensor_view import OpenExcursion, open_excursions
from tests.domain.judged import policy_of, simple_truth
from tests.domain.random_series import KINDS, Series, random_series, shrunk

SERIES = int(os.environ.get("COLDSTREAM_TRUTH_SERIES", "10000"))

Line = tuple[str | int | Fraction | float | None, ...]
"""One excursion as comparable values, in the order of `FIELDS`."""
FIELDS = (
    "band",
    "started_at",
    "opened_at",
    "ended_at",
    "closed_at",
    "ended_by",
    "peak",
    "mean",
    "mean_celsius",
    "degree_ms",
    "degree_minutes",
    "exposure",
    "known",
    "unknown",
    "samples",
    "largest_gap",
)


@pytest.mark.parametrize("kind", KINDS)
def test_machine_over_rows_in_any_order_agrees_with_the_simple_judge(kind: str) -> None:
    _agree(kind, _by_machine_at_once)


@pytest.mark.parametrize("kind", KINDS)
def test_evaluate_agrees_with_the_simple_judge_where_one_policy_and_one_max_gap_hold(kind: str) -> None:
    _agree(kind, _by_evaluate)


@pytest.mark.parametrize("kind", KINDS)
def test_machine_fed_row_by_row_with_clocks_and_restarts_agrees_with_the_simple_judge_at_every_clock(kind: str) -> None:
    _agree(kind, _by_machine_row_by_row)


Compared = list[tuple[str, Sequence[Line], Sequence[Line]]]
"""(what is compared, by the simple judge, by the product)."""


def _agree(kind: str, compare: Callable[[Series], Compared]) -> None:
    def difference(series: Series) -> str | None:
        try:
            compared = compare(series)
        except (AssertionError, ValueError, KeyError, IndexError, TypeError) as error:
            return f"it raised {error!r}"
        return next((_told(*one) for one in compared if list(one[1]) != list(one[2])), None)

    for seed in range(SERIES):
        series = random_series(seed, kind)
        if difference(series) is not None:
            smallest = shrunk(series, lambda candidate: difference(candidate) is not None)
            raise AssertionError(f"{smallest}\n{difference(smallest)}")


def _told(what: str, expected: Sequence[Line], found: Sequence[Line]) -> str:
    lines = [what]
    for title, excursions in (("simple judge", expected), ("product", found)):
        lines.append(f"{title}: {len(excursions)}")
        lines += ["  " + ", ".join(f"{name}={value}" for name, value in zip(FIELDS, one)) for one in excursions]
    return "\n".join(lines)


def _by_machine_at_once(series: Series) -> Compared:
    found = machine_judge(_readings(series), _policies(series), series.until, series.assignment_end)
    return [
        (
            "at once",
            _truth(series),
            sorted((_line(one, one.ended_at, one.closed_at, one.ended_by) for one in found), key=_place),
        )
    ]


def _by_evaluate(series: Series) -> Compared:
    max_gaps = {max_gap for *_, max_gap in series.rows}
    if len(series.versions) != 1 or len(max_gaps) != 1 or series.assignment_end is not None:
        return []
    rows = [(at, value) for at, value, *_ in series.rows]
    found = evaluate(rows, _policies(series)[0], max_gaps.pop(), series.until)
    return [
        (
            "evaluate",
            _truth(series),
            sorted((_line(one, one.ended_at, one.closed_at, one.ended_by) for one in found), key=_place),
        )
    ]


def _by_machine_row_by_row(series: Series) -> Compared:
    """Feed rows in order; between them read clocks at random, and write the state down and read it back."""
    random, policies = Random(series.seed), _policies(series)
    horizon, ends_at = series.until, series.assignment_end
    ended = ends_at is not None and ends_at <= horizon
    last = ends_at - 1 if ended and ends_at is not None else horizon
    rows = [row for row in in_order(_readings(series)) if row.measured_at <= last]
    before_the_next = [*(row.measured_at - 1 for row in rows[1:]), last][: len(rows)]
    state, facts, compared = FRESH, list[Fact](), Compared()
    for row, until in zip(rows, before_the_next, strict=True):
        step = on_reading(state, row, policies)
        state = _restarted(step.state) if random.random() < 0.2 else step.state
        facts += step.facts
        if random.random() < 0.3:
            clock = random.randint(row.measured_at, until)
            step = on_clock(state, clock, policies)
            state = step.state
            facts += step.facts
            if random.random() < 0.2:
                compared.append(
                    (
                        f"at clock {clock}",
                        _truth(series, clock),
                        _as_of(state, facts, clock, policies),
                    )
                )
    step = on_assignment_end(state, ends_at, policies) if ended and ends_at is not None else on_clock(state, horizon, policies)
    facts += step.facts
    truth = _truth(series)
    compared.append(("at the end", truth, _as_of(step.state, facts, horizon, policies)))
    opened = [fact for fact in facts if isinstance(fact, ExcursionOpened)]
    compared.append(
        (
            "openings",
            _openings(series, truth),
            sorted((_line(fact, None, None, None) for fact in opened), key=_place),
        )
    )
    return compared


def _place(line: Line) -> Line:
    return line[:3]


def _restarted(state: SensorState) -> SensorState:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=SensorState)


def _as_of(state: SensorState, facts: Sequence[Fact], until: int, policies: dict[int, Policy]) -> list[Line]:
    """What the machine holds true at an instant: the closed excursions it has told of, and the open ones."""
    closed = [_line(fact, fact.ended_at, fact.closed_at, fact.ended_by) for fact in facts if isinstance(fact, ExcursionClosed)]
    still_open = [_line(one, None, None, None) for one in open_excursions(state, until, policies)]
    return sorted(closed + still_open, key=_place)


def _openings(series: Series, truth: Sequence[Line]) -> list[Line]:
    """Each excursion as it stood at the instant it opened."""
    lines = [line for one in truth for line in _truth(series, int(str(one[2]))) if line[:3] == one[:3]]
    return sorted(lines, key=_place)


def _truth(series: Series, until: int | None = None) -> list[Line]:
    found = simple_truth(series, series.until if until is None else until)
    return [
        (
            one["band"],
            one["started_at"],
            one["opened_at"],
            one["ended_at"],
            one["closed_at"],
            one["ended_by"],
            one["peak"],
            one["mean"],
            None if one["mean"] is None else float(one["mean"] / 100),
            one["degree_ms"],
            float(Fraction(one["degree_ms"], 100 * 60_000)),
            one["exposure"],
            one["known"],
            one["unknown"],
            one["samples"],
            one["largest_gap"],
        )
        for one in found
    ]


def _line(
    one: ExcursionOpened | ExcursionClosed | OpenExcursion | Excursion,
    ended_at: int | None,
    closed_at: int | None,
    ended_by: EndedBy | None,
) -> Line:
    numbers = one.figures
    known = numbers.known_ms
    return (
        one.band,
        one.started_at,
        one.opened_at,
        ended_at,
        closed_at,
        None if ended_by is None else ended_by.value,
        numbers.peak_hundredths,
        _mean_of(numbers),
        numbers.mean_celsius,
        numbers.beyond,
        numbers.degree_minutes,
        numbers.exposure_ms,
        known,
        numbers.unknown_ms,
        numbers.samples,
        numbers.largest_gap_ms,
    )


def _mean_of(numbers: Figures) -> Fraction | None:
    if numbers.peak_hundredths is None:
        return None
    return Fraction(numbers.weighted, numbers.known_ms) if numbers.known_ms else Fraction(numbers.peak_hundredths)


def _readings(series: Series) -> list[Reading]:
    return [Reading(at, value, max_gap, version) for at, value, version, max_gap in series.rows]


def _policies(series: Series) -> dict[int, Policy]:
    return {number: policy_of(policy) for number, policy in enumerate(series.versions)}
