"""The one recorder of judgements: one transaction for the versions, what is current, the outbox and flow_progress.

It holds each touched sensor's advisory lock, compares by `domain.recording`, and tells the events after the commit. Facts at or
below the offset already done are dropped: they were recorded before a crash.
"""

import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

import msgspec
import psycopg

from pipelines.connectors.live import LivePublisher
from pipelines.connectors.metrics import (
    DETECT_CONDITIONS,
    DETECT_SKIPPED,
    DETECT_STATES,
    DETECT_VERSIONS,
    FLOW_COMMIT_ROWS,
    FLOW_COMMIT_SECONDS,
)
from pipelines.domain.instants import format_instant
from pipelines.domain.recording import Found, Reason, Recorded, Standing, Stretch, record_found, record_stretch
from pipelines.engine import condition_rows, excursion_rows, state_rows
from pipelines.engine.clock_metrics import show_published
from pipelines.engine.condition_rows import ConditionVersion, StandingConditions, tell_of_condition
from pipelines.engine.judgements import (
    ConditionChange,
    ExcursionFact,
    Fact,
    Judged,
    LateReadings,
    OfflineFact,
    RunningFact,
    SettledFact,
    StandingFact,
    StateFact,
)
from pipelines.engine.lease import Fence, unfenced
from pipelines.engine.outbox import Outbox, Tell
from pipelines.engine.partitions_ahead import PartitionsAhead
from pipelines.engine.progress import Progress
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.telling import site_of, tells_of
from pipelines.engine.writers import RevisionWriter
from schemas.events import (
    AlertData,
    Event,
    EventName,
    UnitState,
    UnitStateData,
    live_channel,
    worst,
)
from schemas.ids import condition_id

FLOW: Final = "detect_excursions"

FAR_AWAY_MS: Final = 4_102_444_800_000
"""The year 2100: of a sensor of which nothing was found only what is open is looked at."""

COMMIT_FACTS: Final = 2_000
"""Facts that are committed at once without waiting for a flush."""


STATES_OF_UNITS: Final = """
SELECT s.unit_id, s.sensor_id, s.state, u.site_id FROM sensor_states s JOIN units u ON u.id = s.unit_id WHERE s.unit_id = ANY(%s)
"""


@dataclass(slots=True)
class _Changes:
    """What one transaction will write."""

    versions: list[tuple[Recorded, int, int]] = field(default_factory=list)
    running: list[tuple[Standing, RunningFact]] = field(default_factory=list)
    offline: list[tuple[OfflineFact, int]] = field(default_factory=list)
    conditions: list[tuple[ConditionVersion, int]] = field(default_factory=list)
    states: list[StateFact] = field(default_factory=list)
    tells: list[Tell] = field(default_factory=list)


class Recorder:
    """A writer (engine.sinks) of what detect_excursions found."""

    def __init__(
        self,
        database: Reconnecting,
        outbox: Outbox,
        publisher: LivePublisher,
        revisions: RevisionWriter,
        *,
        fence: Fence = unfenced,
        skip_done: bool = True,
    ) -> None:
        """Take the database, where to tell and to ask, and what fences; `skip_done=False` is for a test that shows what the skip is for."""
        self._database = database
        self._fence = fence
        self._outbox = outbox
        self._publisher = publisher
        self._skip_done = skip_done
        self._progress = Progress(FLOW)
        self._revisions = revisions
        self._pending: list[Judged] = []
        self._requests: list[LateReadings] = []
        self._facts = 0
        self._versions_ahead = PartitionsAhead("excursion_versions")
        self._conditions_ahead = PartitionsAhead("condition_events")
        database.on_connect(self._progress.load)
        database.on_connect(self._versions_ahead.forget)
        database.on_connect(self._conditions_ahead.forget)
        database.on_connect(self._send_left_behind)

    def write(self, items: list[Judged | LateReadings]) -> None:
        """Keep facts and requests until a flush or the bound."""
        judged = [item for item in items if isinstance(item, Judged)]
        self._pending += judged
        self._requests += [item for item in items if isinstance(item, LateReadings)]
        self._facts += sum(len(item.facts) for item in judged)
        if self._facts >= COMMIT_FACTS:
            self.flush()

    def flush(self) -> None:
        """Record what is pending, then ask for revisions: one must find everything on record that was found before it was asked for."""
        if self._facts:
            FLOW_COMMIT_ROWS.labels(FLOW).observe(self._facts)
            with FLOW_COMMIT_SECONDS.labels(FLOW).time():
                self._database.transact(self._record)
        self._pending.clear()
        self._facts = 0
        if self._requests:
            self._revisions.write(self._requests)
            self._revisions.flush()
            self._requests.clear()
        # Alerts are few: where some were dropped, whoever listens is told once Redis is back, and not only with the next one.
        self._publisher.publish(())

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _send_left_behind(self, connection: psycopg.Connection) -> None:
        self._outbox.send_left_behind(connection)

    def _record(self, connection: psycopg.Connection) -> None:
        fresh = [
            (judged.partition, fact)
            for judged in self._pending
            for fact in judged.facts
            if not self._skip_done
            or fact.as_of > self._progress.done(judged.partition)
            or is_settled_now(fact, self._progress.done(judged.partition))
        ]
        reached: dict[int, int] = {}
        for judged in self._pending:
            if judged.reached > self._progress.done(judged.partition):
                reached[judged.partition] = max(judged.reached, reached.get(judged.partition, judged.reached))
        with connection.transaction():
            self._fence(connection, {judged.partition for judged in self._pending})
            changes = self._compare(connection, fresh)
            self._versions_ahead.ensure(connection, (recorded.standing.first_started_at for recorded, _, _ in changes.versions))
            began = [fact.started_at for fact, _ in changes.offline] + [one.change.started_at for one, _ in changes.conditions]
            self._conditions_ahead.ensure(connection, began)
            excursion_rows.write_versions(connection, changes.versions)
            excursion_rows.write_running(connection, changes.running)
            state_rows.write_offline(connection, changes.offline)
            condition_rows.write_conditions(connection, changes.conditions)
            left = state_rows.write_states(connection, changes.states)
            events = self._outbox.write(connection, changes.tells)
            if self._skip_done:
                self._progress.advance(connection, reached)
        self._progress.committed(reached)
        count_recorded(changes, skipped=sum(len(judged.facts) for judged in self._pending) - len(fresh))
        self._outbox.send(connection, events)
        for tell in changes.tells:
            show_published("alert", tell.received_at)
        self._publish_states(connection, [*left, *changes.states])

    def _compare(self, connection: psycopg.Connection, facts: list[tuple[int, Fact]]) -> _Changes:
        changes = _Changes()
        current, taken = self._standing(connection, facts)
        conditions = StandingConditions(connection, [fact for _, fact in facts])
        for partition, fact in facts:
            match fact:
                case ExcursionFact():
                    standing = current.setdefault((fact.found.sensor, fact.found.band), [])
                    recorded = record_found(fact.found, standing, taken, as_of=fact.as_of, stale=fact.stale)
                    taken |= voided_of(recorded)
                    self._change(connection, recorded, standing, (partition, fact.as_of, fact.received_at), changes)
                case SettledFact():
                    changes.states += fact.states
                    self._change_conditions(connection, conditions.settle(fact), partition, changes)
                    for band in {band for sensor, band in current if sensor == fact.sensor} | {one.band for one in fact.found}:
                        standing = current.setdefault((fact.sensor, band), [])
                        found = [one for one in fact.found if one.band == band]
                        stretch = Stretch(fact.after, fact.until, fact.as_of, fact.since, Reason(fact.reason))
                        recorded = record_stretch(found, standing, stretch, taken)
                        taken |= voided_of(recorded)
                        self._change(connection, recorded, standing, (partition, fact.as_of, fact.received_at), changes)
                case StandingFact():
                    self._change_conditions(connection, conditions.compare(fact), partition, changes)
                case RunningFact():
                    for one in current.get((fact.sensor, fact.band), []):
                        if one.found.closed_at is None:
                            changes.running.append((one, fact))
                case OfflineFact():
                    changes.offline.append((fact, partition))
                    changes.tells.append(self._tell_offline(connection, fact))
                case ConditionChange():
                    taken_in = conditions.take(fact)
                    self._change_conditions(connection, [] if taken_in is None else [taken_in], partition, changes)
                case StateFact():
                    changes.states.append(fact)
                case _:
                    assert_never(fact)
        still_open = {one.id for several in current.values() for one in several if one.found.closed_at is None}
        changes.running = [(standing, fact) for standing, fact in changes.running if standing.id in still_open]
        return changes

    def _standing(
        self, connection: psycopg.Connection, facts: list[tuple[int, Fact]]
    ) -> tuple[dict[tuple[int, str], list[Standing]], set[uuid.UUID]]:
        """Lock the sensors of some facts; return what stands of them, and the ids that are taken."""
        found = [one for _, fact in facts for one in found_of(fact)]
        sensors = sorted({one.sensor for one in found} | {fact.sensor for _, fact in facts if isinstance(fact, RunningFact | SettledFact)})
        if not sensors:
            return {}, set()
        excursion_rows.lock_sensors(connection, sensors)
        judged_from = [one.started_at for one in found] + [fact.after for _, fact in facts if isinstance(fact, SettledFact)]
        earliest = min(judged_from, default=FAR_AWAY_MS)
        return excursion_rows.load_current(connection, sensors, earliest), set(excursion_rows.load_taken(connection, sensors))

    def _change(
        self,
        connection: psycopg.Connection,
        recorded: list[Recorded],
        standing: list[Standing],
        cause: tuple[int, int, int],
        changes: _Changes,
    ) -> None:
        """Take note of versions, and of what stands after them; `cause` is partition, offset and when it was received."""
        partition, as_of, received_at = cause
        for one in recorded:
            changes.versions.append((one, partition, as_of))
            changes.tells += tells_of(connection, one, standing, received_at)
            standing[:] = [other for other in standing if other.id != one.standing.id]
            if one.reason is not Reason.VOID:
                standing.append(replace(one.standing, as_of=as_of))

    def _change_conditions(
        self, connection: psycopg.Connection, versions: list[ConditionVersion], partition: int, changes: _Changes
    ) -> None:
        """Take note of versions of conditions, and of whom to tell."""
        changes.conditions += [(one, partition) for one in versions]
        changes.tells += [tell for one in versions if (tell := tell_of_condition(connection, one)) is not None]

    def _tell_offline(self, connection: psycopg.Connection, fact: OfflineFact) -> Tell:
        started_at = format_instant(fact.started_at)
        data = AlertData(
            id=str(condition_id(fact.device, "offline", fact.started_at)),
            version=1 if fact.ended_at is None else 2,
            category="offline",
            severity="warning",
            sensor=fact.sensor or None,
            device=fact.device,
            started_at=started_at,
            opened_at=started_at,
            caused_by_received_at=format_instant(fact.received_at),
            ended_at=None if fact.ended_at is None else format_instant(fact.ended_at),
            closed_at=None if fact.ended_at is None else format_instant(fact.ended_at),
        )
        event = EventName.ALERT_TRIGGERED if fact.ended_at is None else EventName.ALERT_RESOLVED
        return Tell(fact.organization, site_of(connection, fact.unit), fact.unit, event, data, fact.received_at)

    def _publish_states(self, connection: psycopg.Connection, facts: list[StateFact]) -> None:
        units = {fact.unit: fact for fact in facts if fact.unit}
        if not units:
            return
        by_unit: dict[int, dict[str, str]] = {}
        sites: dict[int, int] = {}
        for unit, sensor, state, site in connection.execute(STATES_OF_UNITS, (list(units),)):
            by_unit.setdefault(unit, {})[str(sensor)] = state
            sites[unit] = site
        messages = []
        for unit, fact in units.items():
            sensors = by_unit.get(unit, {})
            worst_state = worst([UnitState(state) for state in sensors.values()])
            data = msgspec.Raw(msgspec.json.encode(UnitStateData(worst_state.value, format_instant(fact.since), sensors)))
            event = Event(EventName.UNIT_STATE_CHANGED, f"s{fact.as_of}", fact.organization, sites.get(unit, 0), unit, data)
            messages.append((live_channel(fact.organization), msgspec.json.encode(event)))
        self._publisher.publish(messages)


def is_settled_now(fact: Fact, done: int) -> bool:
    """Tell whether a fact says what is so as of the newest offset on record: no newer row need have come for it."""
    return isinstance(fact, SettledFact | StandingFact) and fact.as_of == done


def found_of(fact: Fact) -> tuple[Found, ...]:
    """Return the excursions that a fact speaks of."""
    match fact:
        case ExcursionFact():
            return (fact.found,)
        case SettledFact():
            return fact.found
        case RunningFact() | OfflineFact() | ConditionChange() | StandingFact() | StateFact():
            return ()
        case _:
            assert_never(fact)


def voided_of(recorded: list[Recorded]) -> set[uuid.UUID]:
    """Return the ids that are voided: none of them is given again, in the same transaction neither."""
    return {one.standing.id for one in recorded if one.reason is Reason.VOID}


def count_recorded(changes: _Changes, skipped: int) -> None:
    """Count what a transaction that is in has recorded."""
    DETECT_SKIPPED.inc(skipped)
    for recorded, _, _ in changes.versions:
        DETECT_VERSIONS.labels(recorded.reason.value).inc()
    for fact, _ in changes.offline:
        DETECT_CONDITIONS.labels("offline", "began" if fact.ended_at is None else "ended").inc()
    for one, _ in changes.conditions:
        DETECT_CONDITIONS.labels(one.change.kind.value, "began" if one.change.closed_at is None else "ended").inc()
    for state, many in Counter(fact.state for fact in changes.states).items():
        DETECT_STATES.labels(state.value).inc(many)
