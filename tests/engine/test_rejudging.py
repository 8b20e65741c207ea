"""Late rows, judged again from the last clean reading and recorded by comparing, come to what one pass over all rows finds."""

import os
from bisect import bisect_right
from random import Random

from pipelines.domain.evaluate import in_order
from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy import Policy
from pipelines.domain.recording import Found, Reason, Recorded, Standing, Stretch, record_stretch
from pipelines.domain.rejudging import Place, Rejudged, Start, StoredRow, rejudge
from pipelines.domain.resuming import is_clean, reach_at, resumed
from tests.domain.judged import policy_of
from tests.domain.random_series import Series, random_series

SERIES = int(os.environ.get("COLDSTREAM_REJUDGED_SERIES", "1500"))
PLACE = Place(1, 2, 3, 4, 5)

Policies = dict[int, Policy]
Record = dict[str, list[Standing]]


def stored(rows: list[Reading]) -> list[StoredRow]:
    """Return rows as the hypertable gives them."""
    return [StoredRow(row, PLACE) for row in rows]


def whole(rows: list[Reading], policies: Policies, until: int) -> Rejudged:
    """Return what one pass from nothing finds."""
    return rejudge(Start(), stored([row for row in rows if row.measured_at <= until]), {}, policies, until)


def recorded(record: Record, found: list[Found], stretch: Stretch) -> list[Recorded]:
    """Bring a record up to date as the recorder does, and return what was written."""
    changes: list[Recorded] = []
    for band in {*record, *(one.band for one in found)}:
        written = record_stretch([one for one in found if one.band == band], record.get(band, []), stretch)
        for change in written:
            kept = [one for one in record.get(band, []) if one.id != change.standing.id]
            record[band] = kept if change.reason is Reason.VOID else [*kept, change.standing]
        changes += written
    return changes


def start_before(rows: list[Reading], at: int, record: Record, policies: Policies) -> tuple[Start, int]:
    """Return the last state before an instant that stored rows alone give, and the instant it is as of."""
    for last in range(bisect_right([row.measured_at for row in rows], at - 1) - 1, -1, -1):
        row = rows[last]
        if is_clean(row, policies[row.policy]) and not covered(record, row.measured_at):
            reach = reach_at(policies[row.policy], row.measured_at)
            assert reach is not None
            first = max(0, bisect_right([one.measured_at for one in rows], reach) - 1)
            while first > 0 and rows[first].temperature is None:
                first -= 1
            return Start(resumed(rows[first : last + 1], policies), PLACE), row.measured_at
    return Start(), -(1 << 60)


def covered(record: Record, at: int) -> bool:
    """Tell whether an excursion on record covers an instant, its end included."""
    every = [one.found for several in record.values() for one in several]
    return any(one.started_at <= at and (one.closed_at is None or at <= one.closed_at) for one in every)


def facts_of(found: list[Found]) -> list[tuple[object, ...]]:
    """Return what is compared: figures count once an excursion is closed."""
    return sorted(
        (
            one.band,
            one.started_at,
            one.opened_at,
            one.ended_at or 0,
            one.closed_at or 0,
            one.ended_by or "",
            str(one.closed_at and one.figures),
        )
        for one in found
    )


def standing_facts(record: Record) -> list[tuple[object, ...]]:
    """Return what stands on record."""
    return facts_of([one.found for several in record.values() for one in several])


def drawn(seed: int) -> tuple[Series, list[Reading], Policies]:
    """Return a random series of bands of any kind, its rows in order, and its policies."""
    series = random_series(seed, "mixed")
    policies = {number: policy_of(policy) for number, policy in enumerate(series.versions)}
    return series, in_order(Reading(at, value, gap, version) for at, value, version, gap in series.rows), policies


def test_late_rows_judged_again_from_the_last_clean_reading_come_to_what_one_pass_finds() -> None:
    revised = resumed_in_the_middle = 0
    for seed in range(SERIES):
        _, rows, policies = drawn(seed)
        if len(rows) < 3:
            continue
        chance = Random(seed)
        until = rows[-1].measured_at + chance.choice([0, 1, 60_000, 600_000])
        on_time = [row for row in rows if chance.random() < 0.7]
        record: Record = {}
        recorded(record, list(whole(on_time, policies, until).found.values()), Stretch(-(1 << 60), until, 0))
        while len(on_time) < len(rows):
            missing = [row for row in rows if row not in on_time]
            came = chance.sample(missing, chance.randint(1, len(missing)))
            on_time = in_order([*on_time, *came])
            start, after = start_before(on_time, min(row.measured_at for row in came), record, policies)
            resumed_in_the_middle += after > 0

            judged = rejudge(start, stored([row for row in on_time if row.measured_at > after]), {}, policies, until)
            recorded(record, list(judged.found.values()), Stretch(after, until, 0))

            revised += 1
            assert standing_facts(record) == facts_of(list(whole(on_time, policies, until).found.values())), f"seed {seed}"
    assert resumed_in_the_middle > revised / 5


def test_a_revision_that_changes_no_fact_writes_nothing() -> None:
    written = 0
    for seed in range(SERIES // 3):
        _, rows, policies = drawn(seed)
        if not rows:
            continue
        until = rows[-1].measured_at + 600_000
        record: Record = {}
        written += len(recorded(record, list(whole(rows, policies, until).found.values()), Stretch(-(1 << 60), until, 0)))
        start, after = start_before(rows, Random(seed).choice(rows).measured_at, record, policies)

        judged = rejudge(start, stored([row for row in rows if row.measured_at > after]), {}, policies, until)

        assert recorded(record, list(judged.found.values()), Stretch(after, until, 0)) == [], f"seed {seed}"
    assert written > SERIES // 3
