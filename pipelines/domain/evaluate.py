"""From readings in any order to excursions: the machine run once, in event order, up to a horizon.

Backtest, `coldstream evaluate` and the tests of every other evaluator come through here. It reads no file and no clock.
"""

from collections.abc import Iterable

import msgspec

from pipelines.domain.excursion_facts import EndedBy, ExcursionClosed, Fact, HeldBack, Suppressed
from pipelines.domain.excursion_states import Reading
from pipelines.domain.figures import Figures
from pipelines.domain.policy import Policy
from pipelines.domain.sensor import FRESH, Policies, on_assignment_end, on_clock, on_reading
from pipelines.domain.sensor_view import held_back, open_excursions
from pipelines.domain.suppression import NOTHING_BESIDE, Circumstances


class Excursion(msgspec.Struct, frozen=True):
    """An excursion as of a horizon; `ended_at`, `closed_at` and `ended_by` are None while it is open."""

    band: str
    started_at: int
    opened_at: int
    ended_at: int | None
    closed_at: int | None
    ended_by: EndedBy | None
    figures: Figures
    held_back: HeldBack | None = None


class Judged(msgspec.Struct, frozen=True):
    """All that was found of a sensor, each sorted by band and start."""

    excursions: list[Excursion]
    suppressed: list[Suppressed]


def evaluate(readings: Iterable[tuple[int, int | None]], policy: Policy, max_gap_ms: int, until: int) -> list[Excursion]:
    """Return the excursions of one sensor judged by one policy up to `until` (ms UTC), sorted by band and start.

    Readings are (measured_at in ms UTC, hundredths of a degree or None for a fault mark), in any order.
    """
    rows = (Reading(measured_at, temperature, max_gap_ms, 1) for measured_at, temperature in readings)
    return judge(rows, {1: policy}, until)


def judge(rows: Iterable[Reading], policies: Policies, until: int, ends_at: int | None = None) -> list[Excursion]:
    """Return the excursions of one sensor, each row judged by its own terms, sorted by band and start.

    `ends_at` is the assignment's end, if it has one: rows at or after it are another assignment's and are ignored.
    """
    return judge_beside(rows, policies, until, NOTHING_BESIDE, ends_at).excursions


def judge_beside(rows: Iterable[Reading], policies: Policies, until: int, beside: Circumstances, ends_at: int | None = None) -> Judged:
    """Return the excursions of one sensor as `judge` does, and those that were suppressed by what is known beside its readings."""
    ended = ends_at is not None and ends_at <= until
    state, facts, suppressed = FRESH, list[Fact](), list[Suppressed]()
    for row in in_order(rows):
        if row.measured_at > until or (ends_at is not None and row.measured_at >= ends_at):
            break
        step = on_reading(state, row, policies, beside)
        state = step.state
        facts += step.facts
        suppressed += step.suppressed
    if ended:
        assert ends_at is not None
        step = on_assignment_end(state, ends_at, policies, beside)
    else:
        step = on_clock(state, until, policies, beside)
    facts += step.facts
    suppressed += (*step.suppressed, *held_back(step.state, until, policies, beside))
    closed = [
        Excursion(
            fact.band,
            fact.started_at,
            fact.opened_at,
            fact.ended_at,
            fact.closed_at,
            fact.ended_by,
            fact.figures,
            fact.held_back,
        )
        for fact in facts
        if isinstance(fact, ExcursionClosed)
    ]
    still_open = [
        Excursion(run.band, run.started_at, run.opened_at, None, None, None, run.figures, run.held_back)
        for run in open_excursions(step.state, until, policies, beside)
    ]
    return Judged(sorted(closed + still_open, key=_place), sorted(suppressed, key=_place))


def _place(found: Excursion | Suppressed) -> tuple[str, int]:
    return found.band, found.started_at


def in_order(rows: Iterable[Reading]) -> list[Reading]:
    """Return rows sorted by `measured_at` without duplicates: the first stays, but a reading takes a fault mark's place."""
    kept: dict[int, Reading] = {}
    for row in rows:
        before = kept.get(row.measured_at)
        if before is None or (before.temperature is None and row.temperature is not None):
            kept[row.measured_at] = row
    return [kept[measured_at] for measured_at in sorted(kept)]
