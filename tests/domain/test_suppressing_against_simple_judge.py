"""Suppression by the machine against a second, simple implementation on random series: every time, figure and tag.

`COLDSTREAM_TRUTH_SERIES` sets how many series are tried (default 10,000). A failing one is shrunk and printed.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import msgspec

from pipelines.domain.evaluate import Excursion, in_order, judge
from pipelines.domain.excursion_facts import EndedBy, ExcursionClosed, ExcursionOpened, Fact, HeldBack, Suppressed
from pipelines.domain.figures import Figures
from pipelines.domain.policy import Policy
from pipelines.domain.sensor import FRESH, SensorState, on_assignment_end, on_clock, on_reading
from pipelines.domain.sensor_view import OpenExcursion, held_back, open_excursions
from pipelines.domain.suppression import Circumstances, Tag
from tests.domain.judged import policy_of
from tests.domain.random_series import shrunk
from tests.domain.random_suppressed import SuppressedSeries, random_suppressed
from tests.domain.simple_judge_suppression import Verdict
from tests.domain.simple_judge_suppression import judge_beside as simple_judge_beside
from tests.domain.suppressed_cases import circumstances, found_in, policies_of, readings_of

SERIES = int(os.environ.get("COLDSTREAM_TRUTH_SERIES", "10000"))

Line = tuple[Any, ...]
"""One excursion as comparable values: what it is, its band and times, its figures, its tags."""


def test_the_machine_over_rows_in_any_order_agrees_with_the_simple_judge() -> None:
    def at_once(case: SuppressedSeries) -> str | None:
        found = found_in(case)
        lines = [_told(one, one.ended_at, one.closed_at, one.ended_by) for one in found.excursions]
        return _difference("at once", _truth(case), lines + [_suppressed(one) for one in found.suppressed])

    _agree(at_once)


def test_the_machine_fed_row_by_row_with_clocks_and_restarts_agrees_at_every_clock() -> None:
    _agree(_row_by_row)


def test_what_is_not_suppressed_is_found_as_if_nothing_were() -> None:
    told = 0
    for seed in range(SERIES // 10):
        case = random_suppressed(seed)
        series = case.series
        plain = [tuple({**band, "suppress": None} for band in policy) for policy in series.versions]
        policies = {number: policy_of(policy) for number, policy in enumerate(plain)}
        expected = judge(readings_of(case), policies, series.until, series.assignment_end)

        found = found_in(case)

        both = [_plain(one) for one in found.excursions] + [_plain(one) for one in found.suppressed]
        assert sorted(both, key=lambda one: one[:2]) == [_plain(one) for one in expected], f"seed {seed}"
        told += len(found.suppressed)
    assert told > SERIES // 200


def test_compliance_bands_are_never_suppressed_whatever_is_known() -> None:
    for seed in range(SERIES // 10):
        case = random_suppressed(seed)
        plain = tuple(tuple({**band, "suppress": None} for band in policy) for policy in case.series.versions)
        compliance = replace(case, series=replace(case.series, versions=plain))
        series = compliance.series
        expected = judge(readings_of(case), policies_of(compliance), series.until, series.assignment_end)

        found = found_in(compliance)

        assert (found.excursions, found.suppressed) == (expected, []), f"seed {seed}"


def _agree(compare: Callable[[SuppressedSeries], str | None]) -> None:
    def difference(case: SuppressedSeries) -> str | None:
        try:
            return compare(case)
        except (AssertionError, ValueError, KeyError, IndexError, TypeError, StopIteration) as error:
            return f"it raised {error!r}"

    for seed in range(SERIES):
        case = random_suppressed(seed)
        if difference(case) is not None:
            smaller = shrunk(case.series, lambda series, case=case: difference(replace(case, series=series)) is not None)  # type: ignore[misc]
            smallest = replace(case, series=smaller)
            raise AssertionError(f"{smallest}\n{difference(smallest)}")


def _row_by_row(case: SuppressedSeries) -> str | None:
    """Feed the machine as if live: clocks between rows, and states that went through a snapshot."""
    series, policies, beside = case.series, policies_of(case), circumstances(case.beside)
    random, ends_at = Random(series.seed), series.assignment_end
    ended = ends_at is not None and ends_at <= series.until
    last = ends_at - 1 if ended and ends_at is not None else series.until
    rows = [row for row in in_order(readings_of(case)) if row.measured_at <= last]
    before_the_next = [*(row.measured_at - 1 for row in rows[1:]), last][: len(rows)]
    state, facts = FRESH, list[Fact | Suppressed]()
    opened: dict[tuple[str, int], int] = {}
    for row, until in zip(rows, before_the_next, strict=True):
        step = on_reading(state, row, policies, beside)
        state = _restarted(step.state) if random.random() < 0.3 else step.state
        facts += (*step.facts, *step.suppressed)
        for _ in range(random.choice((0, 0, 1, 2))):
            clock = random.randint(row.measured_at, until)
            if state.judged_at is not None and clock < state.judged_at:
                continue
            step = on_clock(state, clock, policies, beside)
            state = step.state
            facts += (*step.facts, *step.suppressed)
            wrong = _difference(f"at clock {clock}", _truth(case, clock), _as_of(state, facts, clock, policies, beside))
            if wrong is not None:
                return wrong
    if ended and ends_at is not None:
        step = on_assignment_end(state, ends_at, policies, beside)
    else:
        step = on_clock(state, series.until, policies, beside)
    facts += (*step.facts, *step.suppressed)
    for fact in facts:
        if isinstance(fact, ExcursionOpened):
            assert (fact.band, fact.started_at) not in opened, "what was told is not told again"
            opened[fact.band, fact.started_at] = fact.opened_at
    for fact in facts:
        if isinstance(fact, ExcursionClosed):
            assert opened[fact.band, fact.started_at] == fact.opened_at
    return _difference("at the end", _truth(case), _as_of(step.state, facts, series.until, policies, beside))


def _difference(what: str, expected: Sequence[Line], found: Sequence[Line]) -> str | None:
    wanted, got = sorted(expected, key=lambda line: line[1:3]), sorted(found, key=lambda line: line[1:3])
    return None if wanted == got else "\n".join([what, "simple judge:", *map(str, wanted), "product:", *map(str, got)])


def _as_of(
    state: SensorState, facts: Sequence[Fact | Suppressed], until: int, policies: dict[int, Policy], beside: Circumstances
) -> list[Line]:
    closed = [_told(fact, fact.ended_at, fact.closed_at, fact.ended_by) for fact in facts if isinstance(fact, ExcursionClosed)]
    still_open = [_told(one, None, None, None) for one in open_excursions(state, until, policies, beside)]
    suppressed = [_suppressed(fact) for fact in facts if isinstance(fact, Suppressed)]
    return closed + still_open + suppressed + [_suppressed(one) for one in held_back(state, until, policies, beside)]


def _told(one: ExcursionClosed | OpenExcursion | Excursion, ended_at: int | None, closed_at: int | None, ended_by: EndedBy | None) -> Line:
    late = one.held_back
    return (
        "told",
        one.band,
        one.started_at,
        one.opened_at,
        ended_at,
        closed_at,
        None if ended_by is None else ended_by.value,
        *_figures(one.figures),
        None if late is None else late.from_at,
        _tags(late),
    )


def _plain(one: Excursion | Suppressed) -> Line:
    return one.band, one.started_at, one.ended_at, one.closed_at, one.figures


def _suppressed(one: Suppressed) -> Line:
    ended_by = None if one.ended_by is None else one.ended_by.value
    times = (one.started_at, one.held_from, one.ended_at, one.closed_at, ended_by)
    return "suppressed", one.band, *times, *_figures(one.figures), one.held_from, _tags(one)


def _tags(one: HeldBack | Suppressed | None) -> tuple[tuple[str, int, int], ...]:
    tags: tuple[Tag, ...] = () if one is None else one.tags
    return tuple((tag.excuse.value, tag.from_at, tag.to_at) for tag in tags)


def _figures(numbers: Figures) -> Line:
    known = numbers.known_ms
    mean = Fraction(numbers.weighted, known) if known else Fraction(numbers.peak_hundredths or 0)
    return (
        numbers.peak_hundredths,
        mean,
        numbers.beyond,
        numbers.exposure_ms,
        known,
        numbers.unknown_ms,
        numbers.samples,
        numbers.largest_gap_ms,
    )


def _truth(case: SuppressedSeries, until: int | None = None) -> list[Line]:
    series = case.series
    horizon = series.until if until is None else until
    return [_line(one) for one in simple_judge_beside(series.rows, series.versions, horizon, series.assignment_end, case.beside)]


def _line(verdict: Verdict) -> Line:
    one = verdict.excursion
    return (
        "suppressed" if verdict.suppressed else "told",
        one["band"],
        one["started_at"],
        one["opened_at"],
        one["ended_at"],
        one["closed_at"],
        one["ended_by"],
        one["peak"],
        one["mean"],
        one["degree_ms"],
        one["exposure"],
        one["known"],
        one["unknown"],
        one["samples"],
        one["largest_gap"],
        verdict.would_open_at,
        verdict.tags,
    )


def _restarted(state: SensorState) -> SensorState:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=SensorState)
