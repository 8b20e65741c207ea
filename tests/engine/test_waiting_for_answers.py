"""What a sensor asks while it waits already, and what an answer settles behind which rows are late still."""

from pipelines.domain.excursion_states import Reading
from pipelines.domain.rejudging import Place, Start, StoredRow, rejudge
from pipelines.engine.awaiting import Answer
from pipelines.engine.shard import Shard
from schemas.readings import RowKind
from tests.engine.test_ends_of_assignments import AT, MINUTE, TERMS, judged, requests, row, told


def answer(offset: int, measured_from: int, minutes: list[int]) -> Answer:
    """Return an answer that knows the warm readings at some minutes."""
    place = Place(7, 70, 100, 1, 1)
    rows = [StoredRow(Reading(AT + minute * MINUTE, 900, 10 * MINUTE, 1), place) for minute in minutes]
    found = rejudge(Start(), rows, {}, TERMS.policies, rows[-1].reading.measured_at)
    return Answer(7, offset, measured_from, rows[-1].reading.measured_at, found.state, found.place)


def test_a_further_request_looks_back_as_far_as_the_one_that_is_not_answered() -> None:
    shard = Shard(0, TERMS)
    judged(shard, row(0, 0, RowKind.TICK), row(1, 5, RowKind.READING), row(2, 2, RowKind.READING))

    (request,) = requests(judged(shard, row(3, 30, RowKind.READING), row(4, 25, RowKind.READING)))

    assert (request.measured_from, request.offset) == (AT + 2 * MINUTE, 4)


def test_an_answer_behind_which_rows_are_late_settles_nothing_and_asks_from_where_it_knew_all() -> None:
    shard = Shard(0, TERMS)
    fault, warm, moved = row(1, 5, RowKind.FAULT), row(2, 5, RowKind.READING), row(3, 30, RowKind.READING, 400, assignment=2)
    judged(shard, row(0, 0, RowKind.TICK), fault, warm)
    judged(shard, moved)

    outputs = shard.on_answer(answer(2, AT + 5 * MINUTE, [5]))

    assert outputs == requests(outputs)
    assert [(one.measured_from, one.offset) for one in requests(outputs)] == [(AT + 5 * MINUTE + 1, 3)]


def test_a_request_waits_for_every_row_that_came_before_its_clock() -> None:
    shard = Shard(0, TERMS)
    judged(shard, row(0, 0, RowKind.TICK), row(1, 5, RowKind.READING))

    (request,) = requests(judged(shard, row(2, 2, RowKind.READING), row(3, 20, RowKind.READING, 400), row(4, 25, RowKind.TICK)))

    assert (request.offset, request.clock) == (4, shard.clock.now)


def test_an_answer_that_nobody_waits_for_is_asked_for_again_and_that_answer_is_put_in_place() -> None:
    shard = Shard(0, TERMS)
    judged(shard, row(0, 0, RowKind.TICK), row(1, 5, RowKind.READING, 400), row(2, 10, RowKind.READING, 400))
    unasked = answer(1, AT + 3 * MINUTE, [3, 5])

    (request,) = requests(shard.on_answer(unasked))
    outputs = shard.on_answer(answer(2, request.measured_from, [3, 5, 10]))

    assert (request.sensor, request.measured_from, request.offset) == (7, AT + 3 * MINUTE, 2)
    assert requests(outputs) == []
    assert told(outputs) == [(100, None, None)]
