"""What the simple implementation says a fleet comes to, and what is wrong with what stands in the tables and was told."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.domain.judged import simple_truth
from tests.domain.random_series import Band, Series
from tests.domain.simple_judge import Row as SimpleRow
from tests.truth.fleet import Assignment, Fleet, Sensor
from tests.truth.tables import Kept

Line = tuple[Any, ...]
"""An excursion as comparable values, in the order of FIELDS."""

FIELDS = (
    *("sensor", "unit", "band", "started_at", "opened_at", "ended_at", "closed_at", "ended_by"),
    *("peak", "mean", "degree_minutes", "exposure", "known", "unknown", "samples", "largest_gap", "policy"),
)
FACTS = 8
"""So many of them count while an excursion is open: the others are its running figures, and the version that judges it."""

INSTANTS = frozenset({"started_at", "opened_at", "ended_at", "closed_at"})


def expected(fleet: Fleet, clock: int) -> list[Line]:
    """Return every excursion of a fleet up to an instant (ms UTC), by the simple implementation over all rows in log order."""
    return sorted(
        (line for sensor in fleet.sensors for one in sensor.assignments for line in _of_assignment(fleet, sensor, one, clock)), key=str
    )


def _of_assignment(fleet: Fleet, sensor: Sensor, assignment: Assignment, clock: int) -> Iterator[Line]:
    index = {number: place for place, number in enumerate(assignment.versions)}
    rows = tuple(
        (row.at, row.value, index[row.policy], row.max_gap)
        for row in fleet.corrected_rows
        if row.sensor == sensor.number and row.assignment == assignment.number and not row.bare
    )
    versions = tuple(fleet.policies[number] for number in assignment.versions)
    for one in simple_truth(Series(0, rows, versions, clock, assignment.ends_at), clock):
        facts = (sensor.number, assignment.unit, *(one[name] for name in FIELDS[2:FACTS]))
        if one["closed_at"] is None:
            yield facts
            continue
        mean = None if one["mean"] is None else float(one["mean"])
        figures = (one["peak"], mean, one["degree_ms"] / 6_000_000, *(one[name] for name in FIELDS[11:-1]))
        yield (*facts, *figures, assignment.versions[closing_version(one, rows, versions)])


def closing_version(one: Any, rows: Sequence[SimpleRow], versions: Sequence[Sequence[Band]]) -> int:
    """Return the version in force where an excursion closed: a window of kind mean and what ends from outside are before a reading there."""
    readings = sorted((at, version) for at, value, version, _ in rows if value is not None)
    at_most = [version for at, version in readings if at <= one["closed_at"]][-1]
    before = [version for at, version in readings if at < one["closed_at"]][-1]
    is_mean = all(band["kind"] == "mean" for band in versions[before] if band["name"] == one["band"])
    return before if one["ended_by"] != "recovery" or is_mean else at_most


def standing(kept: Kept) -> list[Line]:
    """Return every excursion that stands in the tables."""
    return sorted((line_of(one | kept.versions[one["id"], one["version"]]) for one in kept.current.values()), key=str)


def line_of(values: dict[str, Any]) -> Line:
    """Return a version's values as they are compared."""
    return tuple(values[name] for name in (FIELDS if values["closed_at"] is not None else FIELDS[:FACTS]))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    what: str
    expected: tuple[Line, ...] = ()
    found: tuple[Line, ...] = ()


def findings(fleet: Fleet, kept: Kept, told: list[bytes], clock: int) -> Iterator[Finding]:
    """Yield what is wrong once a fleet has come to rest at an instant of its clock (ms UTC)."""
    wanted, there = Counter(expected(fleet, clock)), Counter(standing(kept))
    if wanted != there:
        yield Finding("excursions that stand are others", tuple((wanted - there).elements()), tuple((there - wanted).elements()))
    yield from _versions_that_say_the_same(kept)
    yield from _told_wrongly(kept, told)
    if kept.outbox:
        yield Finding(f"{len(kept.outbox)} events are never sent")


def _versions_that_say_the_same(kept: Kept) -> Iterator[Finding]:
    by_id: dict[Any, list[dict[str, Any]]] = {}
    for (identity, _), version in sorted(kept.versions.items()):
        by_id.setdefault(identity, []).append(version)
    for several in by_id.values():
        if [one["version"] for one in several] != list(range(1, len(several) + 1)):
            yield Finding(f"an excursion has versions {[one['version'] for one in several]}")
        for before, after in pairwise(several):
            if before["reason"] == "void" or (after["reason"] != "void" and line_of(before) == line_of(after)):
                yield Finding(f"version {after['version']} ({after['reason']}) changes nothing", (line_of(before),), (line_of(after),))


def _told_wrongly(kept: Kept, told: list[bytes]) -> Iterator[Finding]:
    """Yield what is wrong with the events: each version is told once, under one cursor; what comes again has the same cursor."""
    events = {event["cursor"]: event["data"] for event in map(json.loads, told)}
    versions = Counter((data["id"], data["version"]) for data in events.values())
    wanted = Counter((str(identity), version) for identity, version in kept.versions)
    of_conditions = Counter((str(identity), version) for identity, version in kept.condition_events)
    for (identity, version), many in (versions - wanted - of_conditions).items():
        yield Finding(f"version {version} of {identity} is told {many} times too often")
    for identity, version in wanted - versions:
        yield Finding(f"version {version} of {identity} is told to nobody")
