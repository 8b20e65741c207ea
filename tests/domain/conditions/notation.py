"""A notation for rows: `"0:4.5 5:4.5,open 10:x 12:,18%,2900mV 15:,closed"` is minute:degrees and what stands beside. For tests only.

`x` is a fault mark (probe missing), `s` another (a sentinel); nothing before the first comma is a row without a temperature.
"""

from collections.abc import Iterable

from pipelines.domain.conditions.facts import ConditionBegan, ConditionFact, ConditionFacts
from pipelines.domain.conditions.row import ConditionRow
from pipelines.domain.conditions.sensor import FRESH, SensorConditions, on_clock, on_row
from pipelines.domain.conditions.terms import ConditionTerms
from pipelines.domain.temperatures import hundredths
from schemas.reasons import RejectReason

MINUTE = 60_000
FAULTS = {"x": RejectReason.PROBE_MISSING, "s": RejectReason.SENTINEL}


def rows(text: str, max_gap: float = 15) -> list[ConditionRow]:
    """Read the notation; max gap in minutes."""
    return [_row(word, round(max_gap * MINUTE)) for word in text.split()]


def _row(word: str, max_gap_ms: int) -> ConditionRow:
    at, _, rest = word.partition(":")
    value, *beside = rest.split(",")
    percent = next((int(one[:-1]) for one in beside if one.endswith("%")), None)
    millivolts = next((int(one[:-2]) for one in beside if one.endswith("mV")), None)
    door = True if "open" in beside else False if "closed" in beside else None
    fault = FAULTS.get(value)
    temperature = hundredths(value) if value and fault is None else None
    return ConditionRow(round(float(at) * MINUTE), max_gap_ms, temperature, fault, millivolts, percent, door)


def judged(given: Iterable[ConditionRow], terms: ConditionTerms, until: float) -> tuple[SensorConditions, ConditionFacts]:
    """Judge rows under one version of the terms, then a clock in minutes."""
    state, facts = FRESH, ConditionFacts()
    for row in given:
        state, found = on_row(state, row, terms)
        facts += found
    state, found = on_clock(state, round(until * MINUTE))
    return state, facts + found


def on_paper(facts: Iterable[ConditionFact]) -> list[str]:
    """Return facts as `kind + started opened` and `kind - ended closed by`, in minutes."""
    return [_told(fact) for fact in facts]


def _told(fact: ConditionFact) -> str:
    if isinstance(fact, ConditionBegan):
        return f"{fact.kind} + {fact.started_at / MINUTE:g} {fact.opened_at / MINUTE:g}"
    return f"{fact.kind} - {fact.ended_at / MINUTE:g} {fact.closed_at / MINUTE:g} {fact.ended_by}"


def found(text: str, terms: ConditionTerms, until: float = 0, max_gap: float = 15) -> list[str]:
    """Judge the notation and return the facts on paper."""
    return on_paper(judged(rows(text, max_gap), terms, until)[1])
