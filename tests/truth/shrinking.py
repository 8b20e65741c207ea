"""Cuts a failing fleet down: fewer sensors, happenings, rows of an uplink, bands and versions, for as long as it still fails."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from tests.truth.fleet import Act, Correction, Event, Fleet, Uplink

X = TypeVar("X")
Fails = Callable[[Fleet], bool]

LONGEST_SECONDS: Final = 120.0
"""A failure is cut down for so long; what is left then is printed as it is."""


def shrunk(fleet: Fleet, fails: Fails, seconds: float = LONGEST_SECONDS) -> Fleet:
    """Return the smallest fleet found that fails too."""
    ends_at = time.monotonic() + seconds

    def still(candidate: Fleet) -> bool:
        return time.monotonic() < ends_at and fails(candidate)

    before: Fleet | None = None
    while before != fleet and time.monotonic() < ends_at:
        before = fleet
        fleet = _fewer_sensors(fleet, still)
        fleet = _fewer_events(fleet, still)
        fleet = _first_that_fails(fleet, _simpler, still)
    return fleet


def _fewer_sensors(fleet: Fleet, fails: Fails) -> Fleet:
    for number in [sensor.number for sensor in fleet.sensors]:
        candidate = without_sensor(fleet, number)
        if candidate.sensors and fails(candidate):
            fleet = candidate
    return fleet


def without_sensor(fleet: Fleet, number: int) -> Fleet:
    """Return a fleet without a sensor, its rows and its policies."""
    sensors = tuple(sensor for sensor in fleet.sensors if sensor.number != number)
    policies = {version for sensor in sensors for one in sensor.assignments for version in one.versions}
    events: list[Event] = []
    for event in fleet.events:
        if isinstance(event, Uplink):
            rows = tuple(row for row in event.rows if row.sensor != number)
            events += [replace(event, rows=rows)] if rows else []
        elif isinstance(event, Correction) and event.sensor == number:
            continue
        else:
            events.append(event)
    kept = {version: bands for version, bands in fleet.policies.items() if version in policies}
    return replace(fleet, sensors=sensors, policies=kept, events=tuple(events))


def _fewer_events(fleet: Fleet, fails: Fails) -> Fleet:
    """Leave out what happens: first what is done or suffered, then anything."""
    quiet = replace(fleet, events=tuple(event for event in fleet.events if not isinstance(event, Act)))
    if fails(quiet):
        fleet = quiet
    return replace(fleet, events=tuple(fewer(fleet.events, lambda events: fails(replace(fleet, events=tuple(events))))))


def fewer(items: Sequence[X], fails: Callable[[Sequence[X]], bool]) -> Sequence[X]:
    """Return some of the items, none of which can be left out alone: pieces are left out, the largest first (delta debugging)."""
    width = max(1, len(items) // 2)
    while True:
        start = 0
        while start < len(items):
            candidate = [*items[:start], *items[start + width :]]
            if candidate != list(items) and fails(candidate):
                items = candidate
            else:
                start += width
        if width == 1:
            return items
        width = max(1, width // 2)


def _first_that_fails(fleet: Fleet, candidates: Callable[[Fleet], Iterator[Fleet]], fails: Fails) -> Fleet:
    """Take any simpler fleet that fails, again and again."""
    found: Fleet | None = fleet
    while found is not None:
        fleet = found
        found = next((candidate for candidate in candidates(fleet) if fails(candidate)), None)
    return fleet


def _simpler(fleet: Fleet) -> Iterator[Fleet]:
    """Yield fleets that are one cut simpler."""
    if fleet.most_rows is not None:
        yield replace(fleet, most_rows=None)
    for place, event in enumerate(fleet.events):
        if isinstance(event, Uplink) and len(event.rows) > 1:
            for number in range(len(event.rows)):
                yield _with_event(fleet, place, replace(event, rows=event.rows[:number] + event.rows[number + 1 :]))
    yield from _simpler_policies(fleet)
    yield from _simpler_assignments(fleet)


def _simpler_policies(fleet: Fleet) -> Iterator[Fleet]:
    used = {row.policy for row in fleet.rows}
    for number, bands in fleet.policies.items():
        if number not in used and len(bands) > 1:
            yield replace(fleet, policies=fleet.policies | {number: bands[:1]})
        for place in range(len(bands)):
            left = bands[:place] + bands[place + 1 :]
            if left:
                yield replace(fleet, policies=fleet.policies | {number: left})
    for one in [assignment for sensor in fleet.sensors for assignment in sensor.assignments]:
        for older, newer in zip(one.versions, one.versions[1:], strict=False):
            if newer in used or older in used:
                yield _stamped(fleet, newer, older)
                yield _stamped(fleet, older, newer)


def _stamped(fleet: Fleet, policy: int, other: int) -> Fleet:
    """Return a fleet whose rows of one policy version are stamped with another."""
    if not any(row.policy == policy for row in fleet.rows):
        return fleet
    events = [
        replace(event, rows=tuple(replace(row, policy=other) if row.policy == policy else row for row in event.rows))
        if isinstance(event, Uplink)
        else event
        for event in fleet.events
    ]
    return replace(fleet, events=tuple(events))


def _simpler_assignments(fleet: Fleet) -> Iterator[Fleet]:
    used = {row.assignment for row in fleet.rows}
    for place, sensor in enumerate(fleet.sensors):
        for number, one in enumerate(sensor.assignments):
            fewer_of_it = sensor.assignments[:number] + sensor.assignments[number + 1 :]
            if one.number not in used and fewer_of_it:
                yield _with_sensor(fleet, place, replace(sensor, assignments=fewer_of_it))
            if one.ends_at is not None and number + 1 == len(sensor.assignments):
                endless = (*sensor.assignments[:number], replace(one, ends_at=None))
                yield _with_sensor(fleet, place, replace(sensor, assignments=endless))


def _with_sensor(fleet: Fleet, place: int, sensor: object) -> Fleet:
    return replace(fleet, sensors=(*fleet.sensors[:place], sensor, *fleet.sensors[place + 1 :]))  # type: ignore[arg-type]


def _with_event(fleet: Fleet, place: int, event: Event) -> Fleet:
    return replace(fleet, events=(*fleet.events[:place], event, *fleet.events[place + 1 :]))
