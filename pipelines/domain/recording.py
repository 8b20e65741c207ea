"""Judgements are recorded by comparing: what was found now against what stands, per sensor and band.

The same facts change nothing. A found excursion that overlaps a standing one keeps that one's id and gets its next version; of
several overlapped the earliest keeps its id and the others are voided, naming it; one without a counterpart gets a new id; a
standing one in the judged stretch that is no longer found is voided. So a crash, another batching or a revision tells nobody
anything twice. Pure: it returns changes, the recorder in the engine writes them.
"""

import uuid
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from schemas.ids import excursion_id


class Reason(StrEnum):
    """Why a version of an excursion was written."""

    OPENED = "opened"
    CLOSED = "closed"
    LATE = "late"
    CORRECTION = "correction"
    POLICY = "policy"
    ASSIGNMENT = "assignment"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers of an excursion (excursions.md section 4); hundredths, milliseconds."""

    peak: int | None
    mean: float | None
    degree_minutes: float
    exposure_ms: int
    known_ms: int
    unknown_ms: int
    samples: int
    largest_gap_ms: int


@dataclass(frozen=True, slots=True)
class Found:
    """An excursion as a judgement found it; times in ms UTC, temperatures in hundredths."""

    sensor: int
    device: int
    unit: int
    organization: int
    policy_version: int
    band: str
    side: str
    severity: str
    limit: int
    started_at: int
    opened_at: int
    ended_at: int | None
    closed_at: int | None
    ended_by: str | None
    figures: Figures
    kind: str = "sustained"
    window_ms: int | None = None
    """The band's window; with its name, side and kind it says which band it is in any version."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An excursion as it is on record: its id, its newest version and what that says."""

    id: uuid.UUID
    version: int
    first_started_at: int
    found: Found
    late: bool
    as_of: int = 0
    """Offset in `uplinks` of the row that its newest version was judged as of."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a revision has judged again: everything of a sensor after one instant (ms UTC) and up to another, as of an offset."""

    after: int
    until: int
    as_of: int
    since: int | None = None
    """Where a live state goes on from a revision: the offset that one was as of. Only what was recorded as of later ones is in doubt."""
    reason: Reason = Reason.LATE
    """Why it was judged again: late readings, or what a person corrected."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A version to write."""

    standing: Standing
    reason: Reason
    superseded_by: uuid.UUID | None = None


_FOREVER: Final = 1 << 62

NEWEST: Final = 1 << 62
"""As of the newest row there is."""


def overlaps(one: Found, other: Found) -> bool:
    """Return whether two excursions of one sensor and band share any time; those that start together always do.

    Those of bands that only share a name never do, nor one that opened after the other's policy or assignment had ended, though its window
    may begin before.
    """
    if (one.side, one.kind, one.window_ms) != (other.side, other.kind, other.window_ms):
        return False
    if _is_of_a_later_band(one, other) or _is_of_a_later_band(other, one):
        return False
    if one.started_at == other.started_at:
        return True
    end = _FOREVER if one.ended_at is None else one.ended_at
    other_end = _FOREVER if other.ended_at is None else other.ended_at
    return one.started_at < other_end and other.started_at < end


def _is_of_a_later_band(one: Found, other: Found) -> bool:
    return other.ended_by in ("policy", "assignment") and other.ended_at is not None and one.opened_at >= other.ended_at


def record_found(
    found: Found,
    standing: Sequence[Standing],
    taken_ids: AbstractSet[uuid.UUID] = frozenset(),
    *,
    as_of: int = NEWEST,
    revised: Reason | None = None,
    stale: bool = False,
) -> list[Recorded]:
    """Return the versions to write for one found excursion, given the current ones of its sensor and band.

    `revised` says why it was judged again, None where it was found live. `taken_ids` are ids that voided history already holds.
    An open excursion whose running figures alone differ is the same.
    `stale` is what a state found that waits for a revision: it may raise an alarm where there is none, and corrects nothing. Nor does what was
    found as of an earlier offset than what is on record.
    """
    if any(overlaps(one.found, found) and (stale or one.as_of > as_of) for one in standing):
        return []
    if stale and any(one.found.closed_at is None for one in standing):
        return []  # of a band that only shares the name: an alarm is there, and its end is the revision's to say
    late = revised is Reason.LATE
    overlapped = sorted((one for one in standing if overlaps(one.found, found)), key=lambda one: one.first_started_at)
    if not overlapped:
        taken = taken_ids | {one.id for one in standing}
        return [Recorded(Standing(_new_id(found, taken), 1, found.started_at, found, late), revised or _reason(found))]
    kept, *others = overlapped
    changes = []
    if not same_facts(kept.found, found):
        newer = Standing(kept.id, kept.version + 1, kept.first_started_at, found, kept.late or late)
        changes.append(Recorded(newer, revised or _reason(found)))
    changes += [void(one, kept.id) for one in others]
    return changes


def record_stretch(
    found: Sequence[Found], standing: Sequence[Standing], stretch: Stretch, taken_ids: AbstractSet[uuid.UUID] = frozenset()
) -> list[Recorded]:
    """Return the versions to write for everything that a revision found of one sensor and band, given the current excursions.

    What stands in the stretch and is not found is voided, unless it was recorded as of a later offset than the revision's, of which that one
    knows nothing yet. What has closed beyond the stretch stays where it is found open: a request that was asked, or carried out, again
    looks less far than what is on record.
    """
    known = list(standing)
    changes: list[Recorded] = []
    confirmed: set[uuid.UUID] = set()
    for one in sorted(found, key=lambda each: (each.started_at, each.opened_at)):
        confirmed |= {other.id for other in known if overlaps(other.found, one)}
        if one.closed_at is None and any(overlaps(other.found, one) and _is_closed_beyond(other.found, stretch) for other in known):
            continue
        revised = None if stretch.since is not None and stretch.reason is Reason.LATE else stretch.reason
        recorded = record_found(one, known, taken_ids, revised=revised, as_of=NEWEST if stretch.since is None else stretch.as_of)
        for change in recorded:
            known = [other for other in known if other.id != change.standing.id]
            if change.reason is not Reason.VOID:
                known.append(change.standing)
                confirmed.add(change.standing.id)
        changes += recorded
    disproved = [one for one in known if one.id not in confirmed and _is_in(one, stretch)]
    return changes + [void(one) for one in disproved]


def _is_in(one: Standing, stretch: Stretch) -> bool:
    """Return whether a stretch says of an excursion on record that it is there, or is not."""
    if stretch.since is not None:
        # All that is open now is found; what is closed was closed by a revision, unless it came after the one that this goes on from.
        is_open = one.found.closed_at is None
        return one.as_of <= stretch.as_of and (is_open or (one.as_of > stretch.since and one.found.opened_at > stretch.after))
    return one.as_of <= stretch.as_of and stretch.after < one.found.opened_at <= stretch.until


def _is_closed_beyond(one: Found, stretch: Stretch) -> bool:
    """Return whether an excursion has closed later than a revision can tell: of a rolling window it must be later than the end."""
    if stretch.since is not None or one.closed_at is None:
        return False
    is_rolling = one.kind in ("cumulative", "mkt") and one.ended_by == "recovery"
    return one.closed_at >= stretch.until + (not is_rolling)


def void(standing: Standing, superseded_by: uuid.UUID | None = None) -> Recorded:
    """Return the version that says an excursion is no longer found; it is never deleted."""
    return Recorded(replace(standing, version=standing.version + 1), Reason.VOID, superseded_by)


def same_facts(standing: Found, found: Found) -> bool:
    """Return whether two judgements say the same; figures, and the newest version's terms, count only once the excursion is closed."""
    if standing.closed_at is None and found.closed_at is None:
        newer = replace(standing, figures=found.figures, policy_version=found.policy_version, limit=found.limit, severity=found.severity)
        return newer == found
    return standing == found


def _reason(found: Found) -> Reason:
    match found.ended_by:
        case None:
            return Reason.OPENED
        case "policy":
            return Reason.POLICY
        case "assignment":
            return Reason.ASSIGNMENT
        case _:
            return Reason.CLOSED


def _new_id(found: Found, taken: AbstractSet[uuid.UUID]) -> uuid.UUID:
    counter = 0
    while (candidate := excursion_id(found.sensor, found.band, found.started_at, counter)) in taken:
        counter += 1
    return candidate
