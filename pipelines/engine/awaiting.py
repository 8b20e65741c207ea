"""A sensor whose late readings are being judged again: what has come of it meanwhile, and how the answer is put in place.

Until the answer is there the live state is a stale one: it opens excursions, as an alarm must not wait, and closes none. The answer is a
state as of an offset; what came after that offset is judged from it once more, and whatever the stale state opened and this does not
find is not so. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from pipelines.connectors.errors import Misconfigured
from pipelines.domain.excursion_states import Reading
from pipelines.domain.rejudging import Place, Rejudged, StoredRow, end_assignment, end_without_rows, note_open, pass_clock, take_row
from pipelines.domain.sensor import SensorState, is_late, is_quiet
from pipelines.engine.sensor_batch import ASSIGNMENT_END, CORRECTED, CORRECTION, READING, Line
from pipelines.engine.shard_table import LONG_AGO, compressed, decompressed
from pipelines.engine.terms import Terms
from schemas.revisions import LATE, REASONS, Revised

MOST_REQUESTS: Final = 20
"""Of one sensor that are told apart."""

MOST_LINES: Final = 2_000
"""Rows kept of one sensor; beyond it they are let go, and a further request asks for them."""


MOST_LINES_OF_ALL: Final = 20_000
"""Rows kept of all sensors of a shard: a few tens of megabytes, and as much in its snapshot before it is packed."""


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What a revision came to, as detect_excursions takes it over."""

    sensor: int
    offset: int
    measured_from: int
    until: int
    state: SensorState
    place: Place | None
    reason: str = LATE
    """Why it was asked for."""


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """What an answer's bytes hold."""

    version: int
    state: SensorState
    place: Place | None


_ANSWER_VERSION: Final = 1
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(_Kept)


def encode_answer(answer: Answer, partition: int) -> Revised:
    """Return an answer as a record of the topic `revised`."""
    kept = compressed(_ENCODER.encode(_Kept(_ANSWER_VERSION, answer.state, answer.place)))
    return Revised(answer.sensor, partition, answer.offset, answer.measured_from, answer.until, kept, answer.reason)


def decode_answer(revised: Revised) -> Answer:
    """Return the answer of a record; raises Misconfigured on a version that this code does not read."""
    try:
        kept = _DECODER.decode(decompressed(revised.state))
    except (msgspec.DecodeError, ValueError) as error:
        message = f"an answer on `revised` cannot be read: {error}; run the code that wrote it"
        raise Misconfigured(message) from error
    if kept.version != _ANSWER_VERSION:
        message = f"an answer on `revised` has version {kept.version}; this code reads {_ANSWER_VERSION}: run the code that wrote it"
        raise Misconfigured(message)
    return Answer(revised.sensor, revised.offset, revised.measured_from, revised.until, kept.state, kept.place, revised.reason)


class Awaiting(msgspec.Struct, frozen=True, array_like=True):
    """One sensor's requests that are not answered, and what has come of it since."""

    offset: int
    """Of the newest request: only what came behind it is kept."""
    requests: tuple[tuple[int, int], ...]
    """Offset and earliest late reading (ms UTC) of each that no answer has covered, oldest first."""
    lines: tuple[Line, ...] = ()
    """Rows behind the offset, in log order."""
    early: Answer | None = None
    """The answer that covers the last of them, until the shard is that far: after a start it reads again what it had done before."""
    ended_at: int = LONG_AGO
    """ms UTC: an assignment had ended here when it was asked. An answer to what was asked before may not have looked as far."""

    def asked(self, offset: int, measured_from: int, ended_at: int) -> "Awaiting":
        """Return it with a further request; beyond some, the oldest two become one."""
        requests = (*self.requests, (offset, measured_from))
        if len(requests) > MOST_REQUESTS:
            (_, one), (second, other), *rest = requests
            requests = ((second, min(one, other)), *rest)
        lines = tuple(line for line in self.lines if line.offset > offset)
        return Awaiting(offset, requests, lines, ended_at=max(ended_at, self.ended_at))

    def answered(self, answer: Answer) -> "Awaiting":
        """Return it without the requests that an answer covers: it looked back as far as they asked, with their readings."""
        if answer.until < self.ended_at:
            return self
        left = tuple(one for one in self.requests if one[0] > answer.offset or one[1] < answer.measured_from)
        return Awaiting(self.offset, left, self.lines, None if left else answer, self.ended_at)


def newest_of(answer: Answer) -> int:
    """Return when the newest row that a revision knew was measured (ms UTC)."""
    state = answer.state
    if state.newest is not None:
        return state.newest.measured_at
    return LONG_AGO if state.judged_at is None else state.judged_at


@dataclass(frozen=True, slots=True)
class Settled:
    """An answer put in place."""

    judged: Rejudged
    late: tuple[Line, ...]
    """Rows that are late after the answer too."""


def settled(answer: Answer, lines: Sequence[Line], clock: int, terms: Terms) -> Settled:
    """Return what an answer and the rows behind its offset come to at a partition's clock (ms UTC)."""
    judged = Rejudged(answer.state, answer.place)
    note_open(judged, terms.policies)
    late: list[Line] = []
    for line in lines:
        if line.offset <= answer.offset and line.kind != ASSIGNMENT_END:
            continue  # an end is in no table of rows: the revision knows of it only where its clock had passed it
        if is_for_revision(line) or is_late(judged.state, line.measured_at):
            if not says_again(line, judged):
                late.append(line)
        elif line.kind == ASSIGNMENT_END:
            if judged.place is not None and judged.place.assignment == line.assignment:
                end_assignment(judged, line.measured_at, terms.policies)
            end_without_rows(judged, line.measured_at, terms.policies)
        elif is_further(line, judged):
            late.append(line)
        else:
            take_row(judged, stored(line, terms), {}, terms.policies)
    pass_clock(judged, clock, terms.policies)
    return Settled(judged, tuple(late))


def is_for_revision(line: Line) -> bool:
    """Tell whether a row is a revision's to judge, in order or not: a person corrected something, or what was known when it was measured."""
    return line.kind == CORRECTION or (line.flags & CORRECTED) != 0


def reason_of(line: Line) -> str:
    """Return why a row has its sensor judged again."""
    return REASONS[line.reason] if line.kind == CORRECTION else LATE


def says_again(line: Line, judged: Rejudged) -> bool:
    """Tell whether a late row says nothing new: the newest one again, or an end that was taken already."""
    newest = judged.state.newest
    if line.kind == CORRECTION:
        return False
    if line.kind == ASSIGNMENT_END:
        return newest is None or judged.place is None or judged.place.assignment != line.assignment
    if newest is None or newest.measured_at != line.measured_at:
        return False
    return newest.temperature is not None or line.kind != READING


def is_further(line: Line, judged: Rejudged) -> bool:
    """Tell whether a row is of a further assignment though nothing has said when the one before ended, which has a run: a revision knows."""
    state, place = judged.state, judged.place
    return place is not None and place.assignment != line.assignment and state.newest is not None and not is_quiet(state)


def stored(line: Line, terms: Terms) -> StoredRow:
    """Return a row of the log as the hypertable has it."""
    temperature = line.temperature if line.kind == READING else None
    reading = Reading(line.measured_at, temperature, terms.configurations.max_gap_of(line.configuration), line.policy)
    return StoredRow(reading, Place(line.sensor, line.device, line.unit, line.organization, line.assignment))
