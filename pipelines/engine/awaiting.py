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
from pipelines.domain.sensor import SensorState, is_late
from pipelines.engine.rejudging import Place, Rejudged, StoredRow, end_assignment, note_open, pass_clock, take_row
from pipelines.engine.sensor_batch import ASSIGNMENT_END, READING, Line
from pipelines.engine.terms import Terms
from schemas.revisions import Revised

MOST_LINES: Final = 2_000
"""Rows kept of one sensor; beyond it they are let go, and a further request asks for them."""


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What a revision came to, as detect_excursions takes it over."""

    sensor: int
    offset: int
    until: int
    state: SensorState
    place: Place | None


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
    kept = _ENCODER.encode(_Kept(_ANSWER_VERSION, answer.state, answer.place))
    return Revised(answer.sensor, partition, answer.offset, answer.until, kept)


def decode_answer(revised: Revised) -> Answer:
    """Return the answer of a record; raises Misconfigured on a version that this code does not read."""
    try:
        kept = _DECODER.decode(revised.state)
    except msgspec.DecodeError as error:
        message = f"an answer on `revised` cannot be read: {error}; run the code that wrote it"
        raise Misconfigured(message) from error
    if kept.version != _ANSWER_VERSION:
        message = f"an answer on `revised` has version {kept.version}; this code reads {_ANSWER_VERSION}: run the code that wrote it"
        raise Misconfigured(message)
    return Answer(revised.sensor, revised.offset, revised.until, kept.state, kept.place)


class Awaiting(msgspec.Struct, frozen=True, array_like=True):
    """One sensor's newest request, and what has come of it since."""

    offset: int
    """An answer as of an earlier one is out of date: another is on its way."""
    measured_from: int
    """ms UTC: the earliest late reading since the last answer."""
    lines: tuple[Line, ...] = ()
    """Rows behind the offset, in log order."""
    early: Answer | None = None
    """The newest answer, where the shard is not that far yet: after a start it reads again what it had done before."""


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
        if line.offset <= answer.offset:
            continue
        if is_late(judged.state, line.measured_at):
            late.append(line)
        elif line.kind == ASSIGNMENT_END:
            end_assignment(judged, line.measured_at, terms.policies)
        else:
            take_row(judged, stored(line, terms), {}, terms.policies)
    pass_clock(judged, clock, terms.policies)
    return Settled(judged, tuple(late))


def stored(line: Line, terms: Terms) -> StoredRow:
    """Return a row of the log as the hypertable has it."""
    temperature = line.temperature if line.kind == READING else None
    reading = Reading(line.measured_at, temperature, terms.configurations.max_gap_of(line.configuration), line.policy)
    return StoredRow(reading, Place(line.sensor, line.device, line.unit, line.organization, line.assignment))
