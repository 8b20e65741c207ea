"""What a correction would change, from rows that are at hand: where judging may begin among them, and what comes of it beside the record.

The same machine and the same comparison as a revision, so that a preview says what will be. Pure.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pipelines.domain.recording import Reason, Recorded, Standing, Stretch, record_stretch
from pipelines.domain.rejudging import Start, StoredRow, rejudge
from pipelines.domain.resuming import is_clean, reach_at, resumed
from pipelines.domain.sensor import Policies

LONG_AGO_MS: Final = -(1 << 60)


def covers(standing: Iterable[Standing], at: int) -> bool:
    """Tell whether an excursion on record covers an instant (ms UTC), its end included."""
    return any(one.found.started_at <= at and (one.found.closed_at is None or at <= one.found.closed_at) for one in standing)


def reaches_over(standing: Iterable[Standing], at: int) -> bool:
    """Tell whether an excursion on record that began before an assignment reaches into it: its end is not said, or was said wrongly."""
    return any(one.found.started_at < at and (one.found.closed_at is None or one.found.closed_at > at) for one in standing)


def begin_before(
    rows: Sequence[StoredRow], at: int, standing: Sequence[Standing], policies: Policies, *, is_whole: bool
) -> tuple[Start, int] | None:
    """Return the newest state before an instant (ms UTC) that some rows alone give, and the instant after which it goes on.

    `standing` is all that is on record of the sensor; `is_whole` says that it has no earlier rows. None where earlier ones are needed.
    """
    younger: StoredRow | None = None
    for index in range(bisect_left(rows, at, key=lambda row: row.reading.measured_at) - 1, -1, -1):
        row = rows[index]
        if younger is not None and younger.place.assignment != row.place.assignment:
            begins = younger.reading.measured_at
            if not reaches_over(standing, begins):
                return Start(), begins - 1
        younger = row
        policy = policies[row.reading.policy]
        reach = reach_at(policy, row.reading.measured_at)
        if reach is None or not is_clean(row.reading, policy) or covers(standing, row.reading.measured_at):
            continue
        first = _first_needed(rows, index, reach)
        if first is None and not is_whole:
            return None
        needed = [one.reading for one in rows[first or 0 : index + 1] if one.place.assignment == row.place.assignment]
        return Start(resumed(needed, policies), row.place), row.reading.measured_at
    return (Start(), LONG_AGO_MS) if is_whole else None


def _first_needed(rows: Sequence[StoredRow], last: int, reach: int) -> int | None:
    """Return the place of the last reading at or before an instant, or of the assignment's first row; None where neither is at hand."""
    for index in range(last, -1, -1):
        if rows[index].place.assignment != rows[last].place.assignment:
            return index + 1
        if rows[index].reading.measured_at <= reach and rows[index].reading.temperature is not None:
            return index
    return None


def changes_of(
    rows: Sequence[StoredRow],
    begin: tuple[Start, int],
    standing: Sequence[Standing],
    ends: Mapping[int, int],
    policies: Policies,
    until: int,
    reason: Reason,
) -> list[Recorded]:
    """Return the versions that a revision would write: rows after a beginning judged up to an instant (ms UTC), compared with the record."""
    start, after = begin
    judged = rejudge(start, (row for row in rows if row.reading.measured_at > after), ends, policies, until)
    found = list(judged.found.values())
    stretch = Stretch(after, until, max((one.as_of for one in standing), default=0), reason=reason)
    changes: list[Recorded] = []
    for band in sorted({one.band for one in found} | {one.found.band for one in standing}):
        of_band = [one for one in standing if one.found.band == band]
        changes += record_stretch([one for one in found if one.band == band], of_band, stretch)
    return changes
