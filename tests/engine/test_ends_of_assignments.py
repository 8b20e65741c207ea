"""Ends of assignments beside late readings: said too late, or between a request and its answer, they end what they end and at their own instant."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from pipelines.domain.excursion_states import Reading
from pipelines.domain.partition_clock import GRACE_MS
from pipelines.domain.policy_document import parse_policy
from pipelines.domain.rejudging import Place, Rejudged, Start, StoredRow, rejudge
from pipelines.engine.awaiting import Answer
from pipelines.engine.judgements import ExcursionFact, Judged, LateReadings, Output, SettledFact
from pipelines.engine.shard import Shard
from pipelines.engine.terms import Configuration, Configurations, Policies, Terms
from schemas.readings import RowKind, Rows, blank_rows, encode_rows

AT = 1_750_000_000_000
MINUTE = 60_000
POLICY = parse_policy({"bands": [{"name": "warm", "side": "high", "limit_celsius": 8, "recovery_margin_celsius": 1}]})
TERMS = Terms(Policies(lambda _: POLICY), Configurations(lambda numbers: {number: Configuration(10 * MINUTE, 0) for number in numbers}))


def row(offset: int, minute: int, kind: RowKind, temperature: int = 900, assignment: int = 1) -> Rows:
    """Return a row of the only sensor, in minutes."""
    rows = blank_rows(1)
    rows["offset"], rows["measured_at"], rows["received_at"], rows["kind"] = offset, AT + minute * MINUTE, AT, kind
    if kind is RowKind.TICK:
        rows["measured_at"] += GRACE_MS
        return rows
    rows["sensor"], rows["device"], rows["unit"], rows["organization"], rows["assignment"] = 7, 70, 100 * assignment, 1, assignment
    rows["policy"] = rows["configuration"] = 1
    if kind is RowKind.READING:
        rows["temperature"] = temperature
    return rows


def judged(shard: Shard, *rows: Rows) -> list[Output]:
    """Let a shard judge rows."""
    return shard.on_records([encode_rows(np.concatenate(rows))])


def told(outputs: Iterable[Output]) -> list[tuple[int, int | None, str | None]]:
    """Return unit, end in minutes and why it ended of what a shard found."""
    facts = [fact for output in outputs if isinstance(output, Judged) for fact in output.facts]
    found = [fact.found for fact in facts if isinstance(fact, ExcursionFact)]
    found += [one for fact in facts if isinstance(fact, SettledFact) for one in fact.found]
    return [(one.unit, None if one.ended_at is None else (one.ended_at - AT) // MINUTE, one.ended_by) for one in found]


def requests(outputs: Iterable[Output]) -> list[LateReadings]:
    """Return what a shard asks."""
    return [output for output in outputs if isinstance(output, LateReadings)]


def revised(request: LateReadings, offset: int, minutes: list[int], ends: dict[int, int]) -> Answer:
    """Return the answer to a request from the warm readings at some minutes, all of the first assignment."""
    place = Place(7, 70, 100, 1, 1)
    rows = [StoredRow(Reading(AT + minute * MINUTE, 900, 10 * MINUTE, 1), place) for minute in minutes]
    until = max(request.clock, rows[-1].reading.measured_at)
    found: Rejudged = rejudge(Start(), rows, ends, TERMS.policies, until)
    return Answer(7, offset, request.measured_from, until, found.state, found.place)


def test_a_row_of_the_next_assignment_before_the_end_of_the_last_was_said_asks_when_it_ended() -> None:
    shard = Shard(0, TERMS)
    judged(shard, row(0, 0, RowKind.TICK), row(1, 0, RowKind.READING))

    outputs = judged(shard, row(2, 30, RowKind.READING, assignment=2))

    assert told(outputs) == [(200, None, None)]
    assert [(one.measured_from, one.offset) for one in requests(outputs)] == [(AT + 30 * MINUTE, 2)]


def test_a_row_of_the_next_assignment_after_the_end_was_said_asks_nothing() -> None:
    shard = Shard(0, TERMS)
    judged(shard, row(0, 0, RowKind.TICK), row(1, 0, RowKind.READING))

    outputs = judged(shard, row(2, 20, RowKind.ASSIGNMENT_END), row(3, 30, RowKind.READING, assignment=2))

    assert told(outputs) == [(100, 20, "assignment"), (200, None, None)]
    assert requests(outputs) == []


def test_rows_of_an_assignment_that_come_after_its_end_was_said_are_late_though_it_had_none_before() -> None:
    shard = Shard(0, TERMS)
    judged(shard, row(0, 0, RowKind.TICK), row(1, 0, RowKind.READING))
    judged(shard, row(2, 20, RowKind.ASSIGNMENT_END), row(3, 40, RowKind.ASSIGNMENT_END, assignment=2))

    outputs = judged(shard, row(4, 30, RowKind.READING, assignment=2))

    assert told(outputs) == []
    assert [(one.measured_from, one.offset) for one in requests(outputs)] == [(AT + 30 * MINUTE, 4)]


def test_an_end_between_a_request_and_an_answer_that_looked_less_far_is_not_lost() -> None:
    shard = Shard(0, TERMS)
    judged(shard, row(0, 0, RowKind.TICK), row(1, 5, RowKind.READING))
    (request,) = requests(judged(shard, row(2, 2, RowKind.READING)))
    judged(shard, row(3, 20, RowKind.ASSIGNMENT_END))

    outputs = shard.on_answer(revised(request, 3, [2, 5], {1: AT + 20 * MINUTE}))

    assert told(outputs) == [(100, 20, "assignment")]


def test_a_request_after_an_end_looks_as_far_as_the_end_though_the_clock_stands_still() -> None:
    shard = Shard(0, TERMS)
    judged(shard, row(0, 0, RowKind.TICK), row(1, 5, RowKind.READING), row(2, 20, RowKind.ASSIGNMENT_END))

    (request,) = requests(judged(shard, row(3, 2, RowKind.READING)))

    assert request.clock == AT + 20 * MINUTE


def test_an_answer_that_looked_less_far_than_an_end_said_before_is_not_the_one_that_is_waited_for() -> None:
    shard = Shard(0, TERMS)
    judged(shard, row(0, 0, RowKind.TICK), row(1, 5, RowKind.READING), row(2, 20, RowKind.ASSIGNMENT_END))
    (request,) = requests(judged(shard, row(3, 2, RowKind.READING)))
    older = revised(replace(request, clock=AT), 3, [2, 5], {1: AT + 20 * MINUTE})

    assert shard.on_answer(older) == []
    assert len(shard.on_answer(revised(request, 3, [2, 5], {1: AT + 20 * MINUTE}))) == 1


def test_the_end_of_an_assignment_without_rows_between_a_request_and_its_answer_makes_its_rows_late() -> None:
    shard = Shard(0, TERMS)
    judged(shard, row(0, 0, RowKind.TICK), row(1, 5, RowKind.READING))
    (request,) = requests(judged(shard, row(2, 2, RowKind.READING)))
    judged(shard, row(3, 20, RowKind.ASSIGNMENT_END), row(4, 40, RowKind.ASSIGNMENT_END, assignment=2))
    assert told(shard.on_answer(revised(request, 4, [2, 5], {1: AT + 20 * MINUTE}))) == [(100, 20, "assignment")]

    outputs = judged(shard, row(5, 30, RowKind.READING, assignment=2))

    assert told(outputs) == []
    assert [(one.measured_from, one.offset) for one in requests(outputs)] == [(AT + 30 * MINUTE, 5)]


def test_the_end_of_an_assignment_without_rows_that_was_said_before_a_request_makes_its_rows_late_after_the_answer() -> None:
    shard = Shard(0, TERMS)
    judged(shard, row(0, 0, RowKind.TICK), row(1, 5, RowKind.READING))
    judged(shard, row(2, 20, RowKind.ASSIGNMENT_END), row(3, 40, RowKind.ASSIGNMENT_END, assignment=2))
    (request,) = requests(judged(shard, row(4, 2, RowKind.READING)))
    shard.on_answer(revised(request, 4, [2, 5], {1: AT + 20 * MINUTE, 2: AT + 40 * MINUTE}))

    outputs = judged(shard, row(5, 30, RowKind.READING, assignment=2))

    assert told(outputs) == []
    assert [(one.measured_from, one.offset) for one in requests(outputs)] == [(AT + 30 * MINUTE, 5)]


def test_rows_that_come_after_an_end_are_late_though_all_rows_before_it_were_deleted() -> None:
    ended = rejudge(Start(), [], {1: AT + 20 * MINUTE, 2: AT + 60 * MINUTE}, TERMS.policies, AT + 40 * MINUTE)

    assert (ended.state.newest, ended.state.judged_at) == (None, AT + 20 * MINUTE - 1)
