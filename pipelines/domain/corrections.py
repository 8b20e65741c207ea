"""What people corrected of a sensor's past, and what its stored rows are because of it.

Stored rows are never changed: corrections lie over them. `stretches_of` says what is true between any two instants because of all the
corrections that stand, `corrected` what a row is there. Who reads rows for judging, for a preview or for people applies the same
stretches, so that all agree (the view `corrected_readings` is held to `corrected` by a test). Pure.

A calibration says what is in force, not what is to be added: of a row stamped by a configuration that applied another one, the difference
is added, so nothing is applied twice. A correction ends where the registry's own timelines take over.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple, assert_never

from pipelines.domain.registered import NOTHING, Assignment, Timeline
from pipelines.domain.temperatures import is_possible


class CorrectionKind(StrEnum):
    """What a correction is about."""

    CALIBRATION = "calibration"
    FLAG = "flag"
    DELETE = "delete"
    ASSIGNMENT = "assignment"
    POLICY = "policy"


class Mark(StrEnum):
    """Why rows of a stretch are not judged as they are."""

    FLAGGED = "flagged"
    """Not to be believed: fault marks, from which on the temperature is unknown."""
    DELETED = "deleted"
    """As if they had never come."""
    UNASSIGNED = "unassigned"
    """The sensor watched nothing: they are nobody's."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction that stands, in [since, until) (ms UTC); of two of a kind that overlap the one with the higher id holds."""

    id: int
    kind: CorrectionKind
    since: int
    until: int
    calibration: int = 0
    """Hundredths, of kind calibration."""
    unit: int | None = None
    """Of kind policy: whose; of kind assignment: what was watched, None for nothing."""
    assignment: int | None = None
    policy: int | None = None


@dataclass(frozen=True, slots=True)
class CorrectedStretch:
    """What is true of a sensor's rows measured in [since, until) (ms UTC); None: what they are stamped with."""

    since: int
    until: int
    mark: Mark | None = None
    calibration: int | None = None
    """Hundredths in force."""
    unit: int | None = None
    assignment: int | None = None
    policy: int | None = None


class StampedRow(NamedTuple):
    """Of a stored row, what a correction may change."""

    temperature: int | None
    """Hundredths, calibrated by its configuration; None for a fault mark."""
    unit: int
    assignment: int
    policy: int


def stretches_of(
    corrections: Sequence[Correction], assignments: Sequence[Assignment], policies: Mapping[int, Timeline]
) -> tuple[CorrectedStretch, ...]:
    """Return the stretches of a sensor in order, none at an instant where nothing is corrected.

    `corrections` are the sensor's, and those of policies of any unit; `assignments` and `policies` (by unit) are the registry's.
    """
    if not corrections:
        return ()
    edges = {edge for one in corrections for edge in (one.since, one.until)}
    edges |= {edge for one in assignments for edge in (one.valid_from, one.valid_to) if edge is not None}
    edges |= {start for timeline in policies.values() for start in timeline.starts}
    ordered = sorted(edges)
    newest_first = sorted(corrections, key=lambda one: one.id, reverse=True)
    found: list[CorrectedStretch] = []
    for since, until in pairwise(ordered):
        one = _stretch(since, until, [each for each in newest_first if each.since <= since < each.until], assignments, policies)
        if one is None:
            continue
        if found and found[-1].until == since and _says(found[-1]) == _says(one):
            found[-1] = CorrectedStretch(found[-1].since, until, *_says(one))
        else:
            found.append(one)
    return tuple(found)


def _stretch(
    since: int, until: int, newest_first: Sequence[Correction], assignments: Sequence[Assignment], policies: Mapping[int, Timeline]
) -> CorrectedStretch | None:
    """Return what corrections that all cover a stretch make of it, or None where they make nothing."""
    watches = next((one for one in assignments if one.valid_from <= since and (one.valid_to is None or since < one.valid_to)), None)
    moved = next((one for one in newest_first if one.kind is CorrectionKind.ASSIGNMENT), None)
    unit = moved.unit if moved is not None else None if watches is None else watches.unit
    mark = calibration = policy = None
    for one in newest_first:
        match one.kind:
            case CorrectionKind.CALIBRATION:
                calibration = one.calibration if calibration is None else calibration
            case CorrectionKind.FLAG:
                mark = Mark.FLAGGED if mark is None else mark
            case CorrectionKind.DELETE:
                mark = Mark.DELETED
            case CorrectionKind.POLICY:
                policy = one.policy if policy is None and one.unit == unit else policy
            case CorrectionKind.ASSIGNMENT:
                continue
            case _:
                assert_never(one.kind)
    if moved is None:
        found = CorrectedStretch(since, until, mark, calibration, policy=policy)
        return found if any(part is not None for part in _says(found)) else None
    if moved.unit is None:
        return CorrectedStretch(since, until, Mark.UNASSIGNED)
    if policy is None:
        policy = policies.get(moved.unit, NOTHING).at(since)
    return CorrectedStretch(since, until, mark, calibration, moved.unit, moved.assignment, policy)


def _says(one: CorrectedStretch) -> tuple[Mark | None, int | None, int | None, int | None, int | None]:
    return one.mark, one.calibration, one.unit, one.assignment, one.policy


def corrected(row: StampedRow, stretch: CorrectedStretch | None, applied: int) -> StampedRow | None:
    """Return what a row is in a stretch, None where it is not there; `applied` is its configuration's calibration (hundredths).

    A value that cannot be true once it is calibrated is a fault mark.
    """
    if stretch is None:
        return row
    if stretch.mark in (Mark.DELETED, Mark.UNASSIGNED):
        return None
    temperature = None if stretch.mark is Mark.FLAGGED else row.temperature
    if temperature is not None and stretch.calibration is not None:
        temperature += stretch.calibration - applied
        temperature = temperature if is_possible(temperature) else None
    return StampedRow(
        temperature,
        row.unit if stretch.unit is None else stretch.unit,
        row.assignment if stretch.assignment is None else stretch.assignment,
        row.policy if stretch.policy is None else stretch.policy,
    )


@dataclass(frozen=True, slots=True)
class Overlay:
    """The stretches of one sensor, to look instants up in."""

    stretches: tuple[CorrectedStretch, ...] = ()
    applied: Mapping[int, int] | None = None
    """Calibration (hundredths) by sensor configuration; None where no stretch has a calibration."""
    starts: tuple[int, ...] = ()

    def at(self, instant: int) -> CorrectedStretch | None:
        """Return the stretch that an instant (ms UTC) is in, or None."""
        index = bisect_right(self.starts, instant)
        if not index or instant >= self.stretches[index - 1].until:
            return None
        return self.stretches[index - 1]

    def corrected(self, row: StampedRow, measured_at: int, configuration: int) -> StampedRow | None:
        """Return what a row measured at an instant (ms UTC) under a configuration is, None where it is not there."""
        if not self.stretches:
            return row
        return corrected(row, self.at(measured_at), 0 if self.applied is None else self.applied.get(configuration, 0))

    def moves(self) -> bool:
        """Tell whether any row is of another assignment than the one it is stamped with."""
        return any(one.assignment is not None or one.mark is Mark.UNASSIGNED for one in self.stretches)

    def begin_of(self, assignment: int) -> int | None:
        """Return the first instant (ms UTC) at which rows are moved to an assignment, None where none are."""
        return next((one.since for one in self.stretches if one.assignment == assignment), None)

    def end_of(self, assignment: int, ends_at: int) -> int:
        """Return when an assignment really ended, given when the registry says (ms UTC)."""
        for one in reversed(self.stretches):
            is_away = one.mark is Mark.UNASSIGNED or one.assignment not in (None, assignment)
            if one.since < ends_at <= one.until and is_away:
                ends_at = one.since
        return ends_at


def overlay_of(stretches: Sequence[CorrectedStretch], applied: Mapping[int, int]) -> Overlay:
    """Return the overlay of stretches in order, given the calibration of each of the sensor's configurations."""
    calibrates = any(one.calibration is not None for one in stretches)
    return Overlay(tuple(stretches), applied if calibrates else None, tuple(one.since for one in stretches))
