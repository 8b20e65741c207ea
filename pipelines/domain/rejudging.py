"""Judges a stretch of one sensor again from its stored rows, streamed: the machine that runs live, from a state that is known.

Pure: rows come in as values and what was found goes out. Where to begin `domain.resuming` says, what changes `domain.recording`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from pipelines.domain.excursion_facts import ExcursionOpened, Facts
from pipelines.domain.excursion_states import Reading
from pipelines.domain.found import found_of_fact
from pipelines.domain.policy import identity
from pipelines.domain.recording import Found
from pipelines.domain.sensor import FRESH, Policies, SensorState, is_late, on_assignment_end, on_clock, on_reading
from pipelines.domain.sensor_view import open_excursions


class Place(msgspec.Struct, frozen=True, gc=False):
    """Whom a row is of."""

    sensor: int
    device: int
    unit: int
    organization: int
    assignment: int


class StoredRow(msgspec.Struct, frozen=True, gc=False):
    """A row of the hypertable, with the terms it is stamped with."""

    reading: Reading
    place: Place


class Start(msgspec.Struct, frozen=True):
    """A state that is known, and whom its newest row is of; nobody where nothing was judged before."""

    state: SensorState = FRESH
    place: Place | None = None


@dataclass(slots=True)
class Rejudged:
    """What a stretch came to."""

    state: SensorState
    place: Place | None
    found: dict[tuple[str, int, int], Found] = field(default_factory=dict)
    """The newest finding of each excursion, by band, start and opening."""


def rejudge(start: Start, rows: Iterable[StoredRow], ends: Mapping[int, int], policies: Policies, until: int) -> Rejudged:
    """Judge rows in order, all of them after the start and at or before `until` (ms UTC), to which the clock has come.

    `ends` says when assignments end (ms UTC), for those that do.
    """
    judged = Rejudged(start.state, start.place)
    for row in rows:
        take_row(judged, row, ends, policies)
    pass_ends(judged, ends, until, policies)
    pass_clock(judged, until, policies)
    return judged


def take_row(judged: Rejudged, row: StoredRow, ends: Mapping[int, int], policies: Policies) -> None:
    """Judge the next row, which must not be late; where it is of another assignment the one before ends first."""
    if judged.place is not None and judged.place.assignment != row.place.assignment:
        end_assignment(judged, min(ends.get(judged.place.assignment, row.reading.measured_at), row.reading.measured_at), policies)
    judged.place = row.place
    before = judged.state
    step = on_reading(before, row.reading, policies)
    judged.state = step.state
    _note(judged, step.facts, step.state, before, policies)


def pass_ends(judged: Rejudged, ends: Mapping[int, int], until: int, policies: Policies) -> None:
    """End what has ended by an instant (ms UTC): the assignment of the newest row, and any later one of which no row is there."""
    if judged.place is not None and (ends_at := ends.get(judged.place.assignment)) is not None and ends_at <= until:
        end_assignment(judged, ends_at, policies)
    last = max((ends_at for ends_at in ends.values() if ends_at <= until), default=None)
    if last is not None:
        end_without_rows(judged, last, policies)


def end_without_rows(judged: Rejudged, at: int, policies: Policies) -> None:
    """Say that all is judged up to the end of an assignment of which no row is there, where nothing is judged of any other: rows that come yet are late."""
    if judged.state.newest is None and not is_late(judged.state, at):
        judged.state = on_assignment_end(judged.state, at, policies).state


def pass_clock(judged: Rejudged, until: int, policies: Policies) -> None:
    """Pass every deadline up to and at an instant."""
    before = judged.state
    step = on_clock(before, until, policies)
    judged.state = step.state
    _note(judged, step.facts, step.state, before, policies)


def note_open(judged: Rejudged, policies: Policies) -> None:
    """Note the excursions that are open already."""
    state = judged.state
    if state.newest is None or state.policy is None:
        return
    bands = {band.name: identity(band) for band in policies[state.policy].bands}
    for one in open_excursions(state, state.newest.measured_at, policies):
        opened = ExcursionOpened(one.band, one.started_at, one.opened_at, one.figures, bands[one.band])
        _note(judged, (opened,), state, state, policies)


def end_assignment(judged: Rejudged, at: int, policies: Policies) -> None:
    """End the assignment, unless everything up to there is judged as ended already."""
    before = judged.state
    if before.newest is None or is_late(before, at):
        return
    step = on_assignment_end(before, at, policies)
    _note(judged, step.facts, before, before, policies)
    judged.state = step.state


def _note(judged: Rejudged, facts: Facts, after: SensorState, before: SensorState, policies: Policies) -> None:
    for fact in facts:
        assert judged.place is not None, "what is found is of a row's sensor"
        place = judged.place
        of = {"id": place.sensor, "device": place.device, "unit": place.unit, "organization": place.organization}
        judged.found[fact.band, fact.started_at, fact.opened_at] = found_of_fact(fact, after, before, of, policies)
