"""Corrections on a simulated log, among late readings, restarts and crashes, come to what one pass over the corrected rows finds.

`COLDSTREAM_CORRECTED_SERIES` sets how many logs are tried.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from pipelines.domain.corrections import Correction, CorrectionKind, Overlay, StampedRow, overlay_of, stretches_of
from pipelines.domain.evaluate import in_order
from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy import Policy
from pipelines.domain.recording import Found, Reason
from pipelines.domain.registered import Assignment, Timeline
from pipelines.domain.rejudging import Place, Start, StoredRow, rejudge
from pipelines.engine.terms import Configuration, Configurations, Policies, Terms
from schemas.readings import RowFlag, RowKind, Rows, blank_rows, encode_rows
from schemas.revisions import REASONS
from tests.domain.judged import policy_of
from tests.domain.random_series import Series, random_series
from tests.engine.revised_world import PLACE, SENSOR, World, arrivals, facts_of, row_of

SERIES = int(os.environ.get("COLDSTREAM_CORRECTED_SERIES", "300"))
CALIBRATED = 100
"""Added to a configuration's number for one with the new calibration."""
NEW = Place(SENSOR, 70, 701, 1, 7_001)
REASON_OF = {
    CorrectionKind.CALIBRATION: "correction",
    CorrectionKind.FLAG: "correction",
    CorrectionKind.DELETE: "correction",
    CorrectionKind.ASSIGNMENT: "assignment",
    CorrectionKind.POLICY: "policy",
}


@dataclass(frozen=True)
class Plan:
    """One correction of a log: committed before the event `known_at`, put into the log with the tick `asked_at`."""

    correction: Correction
    known_at: int
    asked_at: int
    revoked_known_at: int
    """Beyond the log where it is not revoked."""
    revoked_asked_at: int
    goes_on: bool
    """From its end on the registry says the same: rows are stamped so."""

    @property
    def stands(self) -> bool:
        """Whether it stands in the end."""
        return self.revoked_known_at >= 1 << 40


@dataclass
class CorrectedWorld(World):
    """A world in which rows are judged as they are corrected."""

    plan: Plan | None = None
    read: int = 0
    """Events that are read: a correction is known from then on."""
    places: dict[int, tuple[Place, int]] = field(default_factory=dict)
    """Place and configuration by offset."""

    def overlay(self) -> Overlay:
        """Return the overlay as it is known."""
        assert self.plan is not None
        plan = self.plan
        known = [plan.correction] if plan.known_at <= self.read < plan.revoked_known_at else []
        assignments = [Assignment(PLACE.assignment, PLACE.unit, -(1 << 60), None)]
        stretches = stretches_of(known, assignments, {NEW.unit: Timeline((-(1 << 60),), (1,))})
        return overlay_of(stretches, dict.fromkeys(range(CALIBRATED, 3 * CALIBRATED), plan.correction.calibration))

    def rows(self) -> list[StoredRow]:
        """Return the rows as they are corrected."""
        overlay, found = self.overlay(), []
        newest: dict[int, tuple[int, Reading]] = {}
        for offset, row in self.stored:
            known = newest.get(row.measured_at)
            if known is None or (known[1].temperature is None and row.temperature is not None):
                newest[row.measured_at] = offset, row
        for at in sorted(newest):
            offset, row = newest[at]
            place, configuration = self.places[offset]
            one = overlay.corrected(StampedRow(row.temperature, place.unit, place.assignment, row.policy), at, configuration)
            if one is not None:
                whose = Place(SENSOR, 70, one.unit, 1, one.assignment)
                found.append(StoredRow(Reading(at, one.temperature, row.max_gap_ms, one.policy), whose))
        return found

    def ends(self) -> dict[int, int]:
        """Return when assignments ended."""
        assert self.plan is not None
        if self.plan.correction.kind is not CorrectionKind.ASSIGNMENT or self.read < self.plan.known_at:
            return {}
        return {PLACE.assignment: self.overlay().end_of(PLACE.assignment, self.plan.correction.until)}


def planned(events: Sequence[tuple[str, Any]], versions: int, chance: Random) -> Plan | None:
    """Return a correction of a log at random, or None where there is no room for one."""
    ticks = [index for index, event in enumerate(events) if event[0] == "tick"]
    times = sorted(event[1].measured_at for event in events if event[0] == "row")
    asked_at = chance.choice(ticks[1:-1])
    effective = events[asked_at][1]
    begun = [at for at in times if at < effective]
    if not begun or not times:
        return None
    since = chance.choice(begun) - chance.choice([0, 0, 1, 30_000])
    kind = chance.choice(list(CorrectionKind))
    goes_on = kind in (CorrectionKind.CALIBRATION, CorrectionKind.POLICY, CorrectionKind.ASSIGNMENT)
    until = effective if goes_on else chance.choice([effective, max(since + 1, chance.choice(begun) + 1)])
    if kind is CorrectionKind.CALIBRATION and chance.random() < 0.5:
        goes_on, until = False, max(since + 1, chance.choice(begun) + 1)
    moved = NEW if kind is CorrectionKind.ASSIGNMENT and chance.random() < 0.7 else None
    correction = Correction(
        id=1,
        kind=kind,
        since=since,
        until=until,
        calibration=chance.choice([-250, -40, 30, 300]) if kind is CorrectionKind.CALIBRATION else 0,
        unit=PLACE.unit if kind is CorrectionKind.POLICY else None if moved is None else moved.unit,
        assignment=None if moved is None else moved.assignment,
        policy=chance.randint(1, versions) if kind is CorrectionKind.POLICY else None,
    )
    known_at = chance.randint(max(0, asked_at - 12), asked_at)
    later = [index for index in ticks if index > asked_at]
    if later and chance.random() < 0.3:
        revoked = chance.choice(later)
        return Plan(correction, known_at, asked_at, chance.randint(asked_at, revoked), revoked, goes_on)
    return Plan(correction, known_at, asked_at, 1 << 40, 1 << 40, goes_on)


def stamped(row: Reading, plan: Plan, gaps: list[int]) -> tuple[Reading, Place, int] | None:
    """Return a row as decode_uplinks stamps it, None where its sensor watches nothing by then."""
    number, correction = 1 + gaps.index(row.max_gap_ms), plan.correction
    if not plan.goes_on or row.measured_at < correction.until:
        return row, PLACE, number
    match correction.kind:
        case CorrectionKind.CALIBRATION:
            temperature = None if row.temperature is None else row.temperature + correction.calibration
            return Reading(row.measured_at, temperature, row.max_gap_ms, row.policy), PLACE, CALIBRATED + number
        case CorrectionKind.POLICY:
            assert correction.policy is not None
            return Reading(row.measured_at, row.temperature, row.max_gap_ms, correction.policy), PLACE, number
        case CorrectionKind.ASSIGNMENT:
            return None if correction.assignment is None else (row, NEW, number)
        case _:
            return row, PLACE, number


def ideal(rows: Sequence[tuple[Reading, Place]], plan: Plan) -> tuple[list[StoredRow], dict[int, int]]:
    """Return the rows as they should be judged, and when assignments ended: a second telling of the rules."""
    correction, found = plan.correction, []
    for row, place in rows:
        here, whose = row, place
        if plan.stands and correction.since <= row.measured_at < correction.until:
            temperature, policy = row.temperature, row.policy
            if correction.kind is CorrectionKind.DELETE or (correction.kind is CorrectionKind.ASSIGNMENT and correction.assignment is None):
                continue
            if correction.kind is CorrectionKind.FLAG:
                temperature = None
            if correction.kind is CorrectionKind.CALIBRATION and temperature is not None:
                temperature += correction.calibration
            if correction.kind is CorrectionKind.POLICY:
                assert correction.policy is not None
                policy = correction.policy
            if correction.kind is CorrectionKind.ASSIGNMENT:
                whose, policy = NEW, 1
            here = Reading(row.measured_at, temperature, row.max_gap_ms, policy)
        found.append(StoredRow(here, whose))
    if correction.kind is not CorrectionKind.ASSIGNMENT:
        return found, {}
    return found, {PLACE.assignment: correction.since if plan.stands else correction.until}


def record_of(offset: int, event: tuple[str, Any], world: CorrectedWorld, gaps: list[int], marks: set[int]) -> Rows:
    """Return an arrival as decode_uplinks writes it, with what stands with its tick."""
    plan = world.plan
    assert plan is not None
    if event[0] == "row":
        made = stamped(event[1], plan, gaps)
        if made is None:
            row = blank_rows(1)
            row["offset"], row["measured_at"], row["received_at"] = offset, event[1].measured_at, event[1].measured_at
            row["device"], row["organization"], row["kind"] = 70, 1, RowKind.UNASSIGNED
            return row
        reading, place, configuration = made
        row = row_of(offset, ("row", reading), gaps)
        row["unit"], row["assignment"], row["configuration"] = place.unit, place.assignment, configuration
        row["flags"] = RowFlag.CORRECTED if offset in marks else 0
        return row
    beside = []
    if offset == plan.asked_at and plan.correction.kind is CorrectionKind.ASSIGNMENT:
        end = blank_rows(1)
        end["measured_at"], end["kind"], end["assignment"], end["unit"] = plan.correction.until, RowKind.ASSIGNMENT_END, 7_000, 700
        beside.append(end)
    if offset in (plan.asked_at, plan.revoked_asked_at):
        again = blank_rows(1)
        again["measured_at"], again["kind"] = plan.correction.since, RowKind.CORRECTION
        again["reason"] = REASONS.index(REASON_OF[plan.correction.kind])
        beside.append(again)
    for row in beside:
        row["offset"], row["received_at"], row["sensor"], row["device"], row["organization"] = offset, event[1], SENSOR, 70, 1
    return np.concatenate([*beside, row_of(offset, event, gaps)])


def world_of(policies: dict[int, Policy], gaps: list[int], plan: Plan) -> CorrectedWorld:
    """Return a world in which each configuration has one with the new calibration beside it."""
    world = CorrectedWorld(policies, gaps, plan=plan)
    by_number = dict(enumerate(gaps, 1)) | {CALIBRATED + number: gap for number, gap in enumerate(gaps, 1)}
    world.terms = Terms(
        Policies(policies.__getitem__),
        Configurations(lambda numbers: {number: Configuration(by_number[number], 0) for number in numbers}),
    )
    world.restart()
    return world


def run(seed: int) -> tuple[CorrectedWorld, list[Found], list[Found]] | None:
    """Let one log with a correction pass through everything; return what stands beside what one pass over the corrected rows finds."""
    chance = Random(seed)
    series = random_series(seed, "mixed")
    policies = {index + 1: policy_of(policy) for index, policy in enumerate(series.versions)}
    rows = tuple((at, value, version + 1, gap) for at, value, version, gap in series.rows)
    gaps = sorted({row[3] for row in rows})
    events = arrivals(Series(seed, rows, series.versions, series.until, None), chance)
    plan = planned(events, len(policies), chance)
    if plan is None:
        return None
    world = world_of(policies, gaps, plan)
    since, until = plan.correction.since, plan.correction.until
    marks = {
        index
        for index, (kind, one) in enumerate(events)
        if kind == "row"
        and since <= one.measured_at < until
        and (plan.asked_at < index < plan.revoked_known_at or (plan.known_at <= index < plan.asked_at and chance.random() < 0.5))
    }
    records = [record_of(offset, event, world, gaps, marks) for offset, event in enumerate(events)]
    for offset, (kind, one) in enumerate(events):
        if kind == "row" and (made := stamped(one, plan, gaps)) is not None:
            events[offset] = ("row", made[0])
            world.places[offset] = made[1:]
        elif kind == "row":
            events[offset] = ("nothing", one)
    passed_through(world, events, records, chance)
    rows_in_the_end, ends = ideal(in_the_end(world), plan)
    judged = rejudge(Start(), rows_in_the_end, ends, policies, world.shard.clock.now)
    return world, [one.found for several in world.record.values() for one in several], list(judged.found.values())


def in_the_end(world: CorrectedWorld) -> list[tuple[Reading, Place]]:
    """Return what is stored of the sensor in order, with the place it is stamped with."""
    place_of = {(row.measured_at, row.temperature): world.places[offset][0] for offset, row in reversed(world.stored)}
    return [(row, place_of[row.measured_at, row.temperature]) for row in in_order(row for _, row in world.stored)]


def passed_through(world: CorrectedWorld, events: list[tuple[str, Any]], records: list[Rows], chance: Random) -> None:
    """Let the whole log pass: batches, stores, revisions, answers, restarts and crashes at random, and in the end all that is left."""
    crashes = chance.random() < 0.5
    offset, stored, kept = 0, 0, (0, 0, world.shard.snapshot())
    while offset < len(events):
        count = chance.choice([1, 2, 5, 30, 200])
        world.take(world.shard.on_records([encode_rows(one) for one in records[offset : offset + count]]))
        offset = min(offset + count, len(events))
        world.read = max(world.read, offset)
        stored = max(stored, min(offset + chance.choice([-20, 0, 0]), len(events)))
        store(world, events, stored)
        if chance.random() < 0.6:
            world.flush()
        if stored and chance.random() < 0.3:
            world.revise(stored - 1)
        if world.has_answers and chance.random() < 0.4:
            world.answer()
        if chance.random() < 0.1:
            world.flush()
            kept = (offset, world.taken, world.shard.snapshot())
            world.restart()
        if crashes and chance.random() < 0.02:
            offset, world.taken, snapshot = kept
            world.restart(snapshot)
    world.flush()
    store(world, events, len(events))
    while world.requests or world.has_answers:
        if world.requests:
            world.revise(len(events) - 1)
        if world.has_answers:
            world.answer()
        world.flush()


def store(world: CorrectedWorld, events: list[tuple[str, Any]], upto: int) -> None:
    """Store what has come before an offset."""
    newest = world.stored[-1][0] if world.stored else -1
    world.stored += [(at, one) for at, (kind, one) in enumerate(events[:upto]) if kind == "row" and at > newest]


def places_of(found: list[Found]) -> list[tuple[object, ...]]:
    """Return where each excursion was."""
    return sorted((one.band, one.started_at, one.opened_at, one.unit) for one in found)


def test_a_correction_at_any_moment_comes_to_what_one_pass_over_the_corrected_rows_finds() -> None:
    reasons: set[Reason] = set()
    for seed in range(SERIES):
        if not random_series(seed, "mixed").rows:
            continue
        done = run(seed)
        if done is None:
            continue
        world, standing, expected = done
        reasons |= {change.reason for change in world.written}

        assert facts_of(standing) == facts_of(expected), f"seed {seed}: {world.plan}"
        assert places_of(standing) == places_of(expected), f"seed {seed}: {world.plan}"
    assert {Reason.CORRECTION, Reason.ASSIGNMENT, Reason.POLICY, Reason.LATE, Reason.VOID} <= reasons
