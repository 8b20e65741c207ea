"""The machine and `evaluate` beside the simple judge over one series: every time and figure, to the millisecond. For tests only."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from random import Random
from typing import Final

import msgspec

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
from tests.domain.random_series import Series

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


Compared = list[tuple[str, Sequence[Line], Sequence[Line]]]
"""(what is compared, by the simple judge, by the product)."""


Compare = Callable[[Series], Compared]


def difference(series: Series, compare: Compare) -> str | None:
    """Return in words where a series comes to something else than the simple judge says, None where it does not."""
    try:
        compared = compare(series)
    except (AssertionError, ValueError, KeyError, IndexError, TypeError) as error:
        return f"it raised {error!r}"
    return next((_told(*one) for one in compared if list(one[1]) != list(one[2])), None)


def _told(what: str, expected: Sequence[Line], found: Sequence[Line]) -> str:
    lines = [what]
    for title, excursions in (("simple judge", expected), ("product", found)):
        lines.append(f"{title}: {len(excursions)}")
        lines += ["  " + ", ".join(f"{name}={value}" for name, value in zip(FIELDS, one)) for one in excursions]
    return "\n".join(lines)


def at_once(series: Series) -> Compared:
    """Judge all rows at once, in any order."""
    found = machine_judge(_readings(series), _policies(series), series.until, series.assignment_end)
    return [
        (
            "at once",
            truth(series),
            sorted((_line(one, one.ended_at, one.closed_at, one.ended_by) for one in found), key=_place),
        )
    ]


def by_evaluate(series: Series) -> Compared:
    """Have `evaluate` judge, where one policy and one max gap hold."""
    max_gaps = {max_gap for *_, max_gap in series.rows}
    if len(series.versions) != 1 or len(max_gaps) != 1 or series.assignment_end is not None:
        return []
    rows = [(at, value) for at, value, *_ in series.rows]
    found = evaluate(rows, _policies(series)[0], max_gaps.pop(), series.until)
    return [
        (
            "evaluate",
            truth(series),
            sorted((_line(one, one.ended_at, one.closed_at, one.ended_by) for one in found), key=_place),
        )
    ]


def row_by_row(series: Series) -> Compared:
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
                        truth(series, clock),
                        _as_of(state, facts, clock, policies),
                    )
                )
    step = on_assignment_end(state, ends_at, policies) if ended and ends_at is not None else on_clock(state, horizon, policies)
    facts += step.facts
    whole = truth(series)
    compared.append(("at the end", whole, _as_of(step.state, facts, horizon, policies)))
    opened = [fact for fact in facts if isinstance(fact, ExcursionOpened)]
    compared.append(
        (
            "openings",
            _openings(series, whole),
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


def _openings(series: Series, whole: Sequence[Line]) -> list[Line]:
    """Each excursion as it stood at the instant it opened."""
    lines = [line for one in whole for line in truth(series, int(str(one[2]))) if line[:3] == one[:3]]
    return sorted(lines, key=_place)


def truth(series: Series, until: int | None = None) -> list[Line]:
    """Return what the simple judge says, up to an instant (ms UTC) or the series' horizon."""
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


COMPARISONS: Final[dict[str, Compare]] = {"at once": at_once, "evaluate": by_evaluate, "row by row": row_by_row}
"""Every way to judge a series."""
