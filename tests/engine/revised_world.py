"""A simulated world of one sensor: its log, what is stored, revised and recorded of it. For tests only."""

from bisect import bisect_right
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pipelines.domain.evaluate import in_order
from pipelines.domain.excursion_states import Reading
from pipelines.domain.partition_clock import GRACE_MS
from pipelines.domain.policy import Policy
from pipelines.domain.recording import Found, Reason, Recorded, Standing, Stretch, record_found, record_stretch
from pipelines.domain.rejudging import Place, Start, StoredRow, rejudge
from pipelines.domain.resuming import is_clean, reach_at, resumed
from pipelines.engine.awaiting import Answer
from pipelines.engine.judgements import ExcursionFact, Judged, LateReadings, Output, SettledFact
from pipelines.engine.shard import Shard
from pipelines.engine.terms import Configuration, Configurations, Policies, Terms
from schemas.readings import ABSENT_I2, RowKind, Rows, blank_rows
from schemas.revisions import REASONS
from tests.domain.random_series import Series

SETTLE_MS = 70 * 61_337
SENSOR = 7
PLACE = Place(SENSOR, 70, 700, 1, 7_000)


@dataclass
class World:
    """One sensor's log, what is stored of it, what is on record, and who is under way."""

    policies: dict[int, Policy]
    gaps: list[int]
    shard: Shard = field(init=False)
    stored: list[tuple[int, Reading]] = field(default_factory=list)
    """(offset, row) as they came."""
    record: dict[str, list[Standing]] = field(default_factory=dict)
    requests: list[LateReadings] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    written: list[Recorded] = field(default_factory=list)
    progress: int = -1
    """Offset up to which facts are on record."""
    taken: int = 0
    """Answers that the shard has had."""
    pending: list[Output] = field(default_factory=list)
    """What the shard found and the recorder has not written yet."""

    def __post_init__(self) -> None:
        gaps = dict(enumerate(self.gaps, 1))
        self.terms = Terms(
            Policies(self.policies.__getitem__),
            Configurations(lambda numbers: {number: Configuration(gaps[number], 0) for number in numbers}),
        )
        self.shard = Shard(0, self.terms)

    def restart(self, snapshot: bytes | None = None) -> None:
        """Go on from the shard's snapshot, or an older one; what was not written is gone."""
        self.pending.clear()
        self.shard = Shard(0, self.terms, snapshot or self.shard.snapshot(), self.progress)

    def take(self, outputs: list[Output]) -> None:
        """Let the recorder have what the shard found."""
        self.pending += outputs

    def flush(self) -> None:
        """Record what the shard found, then ask what it asks."""
        outputs, self.pending = sorted(self.pending, key=lambda output: isinstance(output, LateReadings)), []
        for output in outputs:
            match output:
                case LateReadings():
                    self.requests.append(output)
                case Judged():
                    for fact in output.facts:
                        if fact.as_of <= self.progress and not (isinstance(fact, SettledFact) and fact.as_of == self.progress):
                            continue
                        if isinstance(fact, ExcursionFact):
                            standing = self.record.get(fact.found.band, [])
                            self._write(
                                fact.found.band,
                                [
                                    self._as_of(one, fact.as_of)
                                    for one in record_found(fact.found, standing, as_of=fact.as_of, stale=fact.stale)
                                ],
                            )
                        elif isinstance(fact, SettledFact):
                            self._stretch(fact.found, Stretch(fact.after, fact.until, fact.as_of, fact.since, Reason(fact.reason)))
                    self.progress = max(self.progress, output.reached)

    def revise(self, stored_to: int = -1) -> None:
        """Judge again for all requests at once, as of everything that is stored, and answer."""
        offset = max(stored_to, self.stored[-1][0] if self.stored else -1)
        due = [one for one in self.requests if one.offset <= offset]
        if not due:
            return
        self.requests = [one for one in self.requests if one.offset > offset]
        rows = self.rows()
        clock = max(one.clock for one in due)
        measured_from = min(one.measured_from for one in due)
        reason = max((one.reason for one in due), key=REASONS.index)
        start, after = self._start_before(rows, measured_from)
        until = max([clock, *(row.reading.measured_at for row in rows[-1:])])
        judged = rejudge(start, [row for row in rows if row.reading.measured_at > after], self.ends(), self.policies, until)
        self._stretch(tuple(judged.found.values()), Stretch(after, until, offset, reason=Reason(reason)))
        self.answers.append(Answer(SENSOR, offset, measured_from, until, judged.state, judged.place, reason))

    def rows(self) -> list[StoredRow]:
        """Return the rows that are stored, in order, as they are to be judged."""
        return [StoredRow(row, PLACE) for row in in_order(row for _, row in self.stored)]

    def ends(self) -> dict[int, int]:
        """Return when assignments ended."""
        return {}

    def answer(self) -> None:
        """Let the shard have the next answer."""
        self.taken += 1
        self.take(self.shard.on_answer(self.answers[self.taken - 1]))

    @property
    def has_answers(self) -> bool:
        """Whether there are answers that the shard has not had."""
        return self.taken < len(self.answers)

    def _start_before(self, rows: list[StoredRow], at: int) -> tuple[Start, int]:
        for last in range(bisect_right([row.reading.measured_at for row in rows], at - 1) - 1, -1, -1):
            row, place = rows[last].reading, rows[last].place
            if last + 1 < len(rows) and rows[last + 1].reading.measured_at < at and rows[last + 1].place.assignment != place.assignment:
                return Start(), rows[last + 1].reading.measured_at - 1
            if is_clean(row, self.policies[row.policy]) and not self._covered(row.measured_at):
                reach = reach_at(self.policies[row.policy], row.measured_at)
                assert reach is not None
                mine = [one.reading for one in rows[: last + 1] if one.place.assignment == place.assignment]
                first = max(0, bisect_right([one.measured_at for one in mine], reach) - 1)
                while first > 0 and mine[first].temperature is None:
                    first -= 1
                return Start(resumed(mine[first:], self.policies), place), row.measured_at
        return Start(), -(1 << 60)

    def _covered(self, at: int) -> bool:
        every = [one.found for several in self.record.values() for one in several]
        return any(one.started_at <= at and (one.closed_at is None or at <= one.closed_at) for one in every)

    def _stretch(self, found: tuple[Found, ...], stretch: Stretch) -> None:
        for band in {*self.record, *(one.band for one in found)}:
            changes = record_stretch([one for one in found if one.band == band], self.record.get(band, []), stretch)
            self._write(band, [self._as_of(one, stretch.as_of) for one in changes])

    def _as_of(self, recorded: Recorded, offset: int) -> Recorded:
        standing = recorded.standing
        dated = Standing(standing.id, standing.version, standing.first_started_at, standing.found, standing.late, offset)
        return Recorded(dated, recorded.reason, recorded.superseded_by)

    def _write(self, band: str, changes: list[Recorded]) -> None:
        for change in changes:
            kept = [one for one in self.record.get(band, []) if one.id != change.standing.id]
            self.record[band] = kept if change.reason is Reason.VOID else [*kept, change.standing]
        self.written += changes


def arrivals(series: Series, chance: Random) -> list[tuple[str, Any]]:
    """Return a sensor's rows in order of arrival, some of them late, with ticks of a clock that never goes back between them."""
    rows = in_order(Reading(at, value, gap, version) for at, value, version, gap in series.rows)
    delay = {row.measured_at: (chance.choice([60_000, 600_000, 3_000_000]) if chance.random() < 0.25 else 0) for row in rows}
    events: list[tuple[int, int, Any]] = [(row.measured_at + delay[row.measured_at], 0, row) for row in rows]
    clock, last = rows[0].measured_at, max(event[0] for event in events) + SETTLE_MS
    while clock < last:
        clock += chance.choice([1_000, 4_000, 4_900]) if series.rows[0][3] >= 1_000 else chance.choice([1, 3, 4_900])
        events.append((clock, 1, clock))
        if clock > max(event[0] for event in events if event[1] == 0) + 100_000:
            clock += 4_000
    return [("row", one) if kind == 0 else ("tick", one) for _, kind, one in sorted(events, key=lambda event: event[:2])]


def row_of(offset: int, event: tuple[str, Any], gaps: list[int]) -> Rows:
    """Return an arrival as decode_uplinks writes it."""
    kind, one = event
    row = blank_rows(1)
    row["offset"] = offset
    if kind == "tick":
        row["kind"], row["measured_at"], row["received_at"] = RowKind.TICK, one + GRACE_MS, one + GRACE_MS
        return row
    row["measured_at"] = row["received_at"] = one.measured_at
    row["sensor"], row["device"], row["unit"], row["organization"], row["assignment"] = PLACE.sensor, PLACE.device, PLACE.unit, 1, 7_000
    row["policy"], row["configuration"] = one.policy, 1 + gaps.index(one.max_gap_ms)
    row["kind"] = RowKind.FAULT if one.temperature is None else RowKind.READING
    row["temperature"] = ABSENT_I2 if one.temperature is None else one.temperature
    return row


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
