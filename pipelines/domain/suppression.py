"""What is known beside a sensor's readings that may excuse a run of an operational band, and until when it does (ADR 0013).

Three excuses: declared maintenance, an open door, a defrost. What excuses a run is settled when the run begins, by instants that only
ever come nearer: a reading too warm for a defrost, a policy version that suppresses less. Values only; `suppressing` is the machine.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Final

import msgspec

from pipelines.domain.policy import DoorSuppression, SustainedBand

Stretch = tuple[int, int]
"""[from, to) in ms UTC."""

FOREVER: Final = 2**62
"""An instant that does not come; it fits 64 bits with room for sums."""


class Excuse(StrEnum):
    """Why an excursion is held back."""

    DEFROST = "defrost"
    DOOR = "door"
    MAINTENANCE = "maintenance"


class Tag(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An excuse and the stretch of a run for which it held, in ms UTC."""

    excuse: Excuse
    from_at: int
    to_at: int


@dataclass(frozen=True, slots=True)
class DefrostProfile:
    """What the defrosts of a unit look like to a sensor: entered by a person, or a proposal that one accepted."""

    period_ms: int
    """The least time from the start of one to the start of the next."""
    peak_hundredths: int
    """The warmest a reading may be."""
    duration_ms: int
    """The longest a run may last from its start."""


class OverlappingStretches(ValueError):
    """Stretches that are empty, not in order or not apart."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All that is known beside the readings of one sensor. Stretches are sorted and apart; `in_order` makes them so."""

    maintenance: tuple[Stretch, ...] = ()
    door: tuple[Stretch, ...] = ()
    """When a door of the unit stood open."""
    defrost: DefrostProfile | None = None
    is_empty: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check what is relied upon."""
        for stretches in (self.maintenance, self.door):
            bounds = [bound for stretch in stretches for bound in stretch]
            if any(after <= before for before, after in pairwise(bounds)):
                message = "stretches must be in order, apart and not empty"
                raise OverlappingStretches(message)
        object.__setattr__(self, "is_empty", not (self.maintenance or self.door or self.defrost))


NOTHING_BESIDE: Final = Circumstances()
"""Nothing is known beside the readings: nothing is excused."""


class Excuses(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Until when each excuse may hold for a run that began at `started_at`; an instant at or before that is never."""

    started_at: int
    maintenance_until: int
    """Within declared windows alone."""
    door_until: int
    defrost_until: int
    defrost_peak: int
    """Hundredths; a warmer reading is no defrost's."""


def in_order(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Return stretches sorted and apart: those that touch or overlap become one, empty ones none."""
    found: list[Stretch] = []
    for begin, end in sorted(stretches):
        if end <= begin:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((begin, end))
    return tuple(found)


def excuses_of_run(at: int, temperature: int, band: SustainedBand, beside: Circumstances, last_defrost_at: int | None) -> Excuses:
    """Return what may excuse a run that begins with a reading (hundredths) at `at` (ms UTC), judged by that reading's version.

    `last_defrost_at` is the start of the band's last run that was taken for a defrost.
    """
    suppress, profile = band.suppress, beside.defrost
    assert suppress is not None, "a band that nothing suppresses has no excuses"
    door_until = at if suppress.door is None else _door_until(at, suppress.door, beside.door)
    maintenance_until = FOREVER if suppress.maintenance else at
    if profile is None or not suppress.defrost or temperature > profile.peak_hundredths:
        return Excuses(at, maintenance_until, door_until, at, 0)
    is_due = last_defrost_at is None or at - last_defrost_at >= profile.period_ms
    defrost_until = at + profile.duration_ms if is_due else at
    return Excuses(at, maintenance_until, door_until, defrost_until, profile.peak_hundredths)


def narrowed(excuses: Excuses, at: int, temperature: int, band: SustainedBand) -> Excuses:
    """Return what is left of a run's excuses from its further reading at `at` on.

    No defrost is left where the reading is too warm, and nothing that its version does not suppress.
    """
    suppress = band.suppress
    maintains = suppress is not None and suppress.maintenance
    has_door = suppress is not None and suppress.door is not None
    defrosts = suppress is not None and suppress.defrost and temperature <= excuses.defrost_peak
    if maintains and has_door and defrosts:
        return excuses
    return Excuses(
        excuses.started_at,
        excuses.maintenance_until if maintains else min(excuses.maintenance_until, at),
        excuses.door_until if has_door else min(excuses.door_until, at),
        excuses.defrost_until if defrosts else min(excuses.defrost_until, at),
        excuses.defrost_peak,
    )


def excused_until(excuses: Excuses, at: int, beside: Circumstances, *, by_defrost: bool = True) -> int:
    """Return the first instant from `at` on at which nothing excuses the run: `at` itself where nothing does there."""
    run_until = max(excuses.door_until, excuses.defrost_until) if by_defrost else excuses.door_until
    at = max(at, run_until)
    while at < excuses.maintenance_until:
        window = window_at(beside.maintenance, at)
        if window is None:
            return at
        at = min(window[1], excuses.maintenance_until)
    return at


def tags(excuses: Excuses, to_at: int, beside: Circumstances) -> tuple[Tag, ...]:
    """Return what excused a run from its start up to `to_at`, and when, in order of the beginnings."""
    begin = excuses.started_at
    stretches = [(Excuse.DEFROST, begin, excuses.defrost_until), (Excuse.DOOR, begin, excuses.door_until)]
    end = min(to_at, excuses.maintenance_until)
    for index in range(bisect_right(beside.maintenance, begin, key=lambda window: window[1]), len(beside.maintenance)):
        window_from, window_to = beside.maintenance[index]
        if window_from >= end:
            break
        stretches.append((Excuse.MAINTENANCE, max(window_from, begin), min(window_to, end)))
    found = [Tag(excuse, since, min(until, to_at)) for excuse, since, until in stretches if since < min(until, to_at)]
    return tuple(sorted(found, key=lambda tag: (tag.from_at, tag.excuse)))


def window_at(windows: tuple[Stretch, ...], at: int) -> Stretch | None:
    """Return the stretch of `windows` that holds an instant, or None."""
    index = bisect_right(windows, at, key=lambda window: window[0]) - 1
    return windows[index] if index >= 0 and at < windows[index][1] else None


def _door_until(at: int, terms: DoorSuppression, opened: tuple[Stretch, ...]) -> int:
    """Return until when the door excuses a run that begins at `at`; `at` itself where it was neither open nor open shortly before."""
    index = bisect_right(opened, at, key=lambda stretch: stretch[1] + terms.after_ms)  # the first that was closed lately, or not yet
    return at + terms.grace_ms if index < len(opened) and opened[index][0] <= at else at
