"""The one recorder of judgements: one transaction for the versions, what is current, the outbox and flow_progress.

It holds each touched sensor's advisory lock, compares by `domain.recording`, and tells the events after the commit. Facts at or
below the offset already done are dropped: they were recorded before a crash.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

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
from pipelines.domain.recording import Reason, Recorded, Standing, record_found
from pipelines.engine import excursion_rows
from pipelines.engine.clock_metrics import show_published
from pipelines.engine.judgements import (
    ExcursionFact,
    Fact,
    Judged,
    OfflineFact,
    RunningFact,
    StateFact,
)
from pipelines.engine.lease import Fence, unfenced
from pipelines.engine.outbox import Outbox, Tell
from pipelines.engine.partitions_ahead import PartitionsAhead
from pipelines.engine.progress import Progress
from pipelines.engine.reconnecting import Reconnecting
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

LOCK_CLASS: Final = 730_001
"""First key of the advisory locks of sensors; the second is the sensor."""

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
    states: list[StateFact] = field(default_factory=list)
    tells: list[Tell] = field(default_factory=list)


class Recorder:
    """A writer (engine.sinks) of what detect_excursions found."""

    def __init__(
        self, database: Reconnecting, outbox: Outbox, publisher: LivePublisher, *, fence: Fence = unfenced, skip_done: bool = True
    ) -> None:
        """Take the database, where to tell and what fences; `skip_done=False` is for a test that shows what the skip is for."""
        self._database = database
        self._fence = fence
        self._outbox = outbox
        self._publisher = publisher
        self._skip_done = skip_done
        self._progress = Progress(FLOW)
        self._pending: list[Judged] = []
        self._facts = 0
        self._versions_ahead = PartitionsAhead("excursion_versions")
        self._conditions_ahead = PartitionsAhead("condition_events")
        database.on_connect(self._progress.load)
        database.on_connect(self._versions_ahead.forget)
        database.on_connect(self._conditions_ahead.forget)
        database.on_connect(self._send_left_behind)

    def write(self, items: list[Judged]) -> None:
        """Keep facts until a flush or the bound."""
        self._pending += items
        self._facts += sum(len(item.facts) for item in items)
        if self._facts >= COMMIT_FACTS:
            self.flush()

    def flush(self) -> None:
        """Record what is pending; tries again while the database is away."""
        if self._facts:
            FLOW_COMMIT_ROWS.labels(FLOW).observe(self._facts)
            with FLOW_COMMIT_SECONDS.labels(FLOW).time():
                self._database.transact(self._record)
        self._pending.clear()
        self._facts = 0
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
            if not self._skip_done or fact.as_of > self._progress.done(judged.partition)
        ]
        reached: dict[int, int] = {}
        for judged in self._pending:
            if judged.reached > self._progress.done(judged.partition):
                reached[judged.partition] = max(judged.reached, reached.get(judged.partition, judged.reached))
        with connection.transaction():
            self._fence(connection, {judged.partition for judged in self._pending})
            changes = self._compare(connection, fresh)
            self._versions_ahead.ensure(connection, (recorded.standing.first_started_at for recorded, _, _ in changes.versions))
            self._conditions_ahead.ensure(connection, (fact.started_at for fact, _ in changes.offline))
            excursion_rows.write_versions(connection, changes.versions)
            excursion_rows.write_running(connection, changes.running)
            excursion_rows.write_offline(connection, changes.offline)
            excursion_rows.write_states(connection, changes.states)
            events = self._outbox.write(connection, changes.tells)
            if self._skip_done:
                self._progress.advance(connection, reached)
        self._progress.committed(reached)
        count_recorded(changes, skipped=sum(len(judged.facts) for judged in self._pending) - len(fresh))
        self._outbox.send(connection, events)
        for tell in changes.tells:
            show_published("alert", tell.received_at)
        self._publish_states(connection, changes.states)

    def _compare(self, connection: psycopg.Connection, facts: list[tuple[int, Fact]]) -> _Changes:
        changes = _Changes()
        excursions = [fact for _, fact in facts if isinstance(fact, ExcursionFact)]
        sensors = sorted({fact.found.sensor for fact in excursions} | {fact.sensor for _, fact in facts if isinstance(fact, RunningFact)})
        for sensor in sensors:
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_CLASS, sensor))
        earliest = min((fact.found.started_at for fact in excursions), default=0)
        current = excursion_rows.load_current(connection, sensors, earliest) if sensors else {}
        for partition, fact in facts:
            match fact:
                case ExcursionFact():
                    self._compare_excursion(connection, fact, partition, current, changes)
                case RunningFact():
                    for standing in current.get((fact.sensor, fact.band), []):
                        if standing.found.closed_at is None:
                            changes.running.append((standing, fact))
                case OfflineFact():
                    changes.offline.append((fact, partition))
                    changes.tells.append(self._tell_offline(connection, fact))
                case StateFact():
                    changes.states.append(fact)
        still_open = {one.id for several in current.values() for one in several if one.found.closed_at is None}
        changes.running = [(standing, fact) for standing, fact in changes.running if standing.id in still_open]
        return changes

    def _compare_excursion(
        self,
        connection: psycopg.Connection,
        fact: ExcursionFact,
        partition: int,
        current: dict[tuple[int, str], list[Standing]],
        changes: _Changes,
    ) -> None:
        standing = current.setdefault((fact.found.sensor, fact.found.band), [])
        for recorded in record_found(fact.found, standing):
            changes.versions.append((recorded, partition, fact.as_of))
            standing[:] = [one for one in standing if one.id != recorded.standing.id]
            if recorded.reason is not Reason.VOID:
                standing.append(recorded.standing)
            changes.tells.append(self._tell_excursion(connection, fact, recorded))

    def _tell_excursion(self, connection: psycopg.Connection, fact: ExcursionFact, recorded: Recorded) -> Tell:
        found = recorded.standing.found
        over = found.closed_at is not None or recorded.reason is Reason.VOID
        data = AlertData(
            id=str(recorded.standing.id),
            version=recorded.standing.version,
            category="temperature",
            severity=found.severity,
            sensor=found.sensor,
            device=found.device,
            started_at=format_instant(found.started_at),
            opened_at=format_instant(found.opened_at),
            caused_by_received_at=format_instant(fact.received_at),
            band=found.band,
            side=found.side,
            limit_celsius=found.limit / 100,
            ended_at=None if found.ended_at is None else format_instant(found.ended_at),
            closed_at=None if found.closed_at is None else format_instant(found.closed_at),
            ended_by="void" if recorded.reason is Reason.VOID else found.ended_by,
            peak_celsius=None if found.figures.peak is None else found.figures.peak / 100,
        )
        event = EventName.ALERT_RESOLVED if over else EventName.ALERT_TRIGGERED
        return Tell(found.organization, self._site(connection, found.unit), found.unit, event, data, fact.received_at)

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
        return Tell(fact.organization, self._site(connection, fact.unit), fact.unit, event, data, fact.received_at)

    def _site(self, connection: psycopg.Connection, unit: int) -> int:
        """Return the site a unit is at now; it may have moved, and alerts are few."""
        row = connection.execute("SELECT site_id FROM units WHERE id = %s", (unit,)).fetchone()
        return int(row[0]) if row is not None else 0

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


def count_recorded(changes: _Changes, skipped: int) -> None:
    """Count what a transaction that is in has recorded."""
    DETECT_SKIPPED.inc(skipped)
    for recorded, _, _ in changes.versions:
        DETECT_VERSIONS.labels(recorded.reason.value).inc()
    for fact, _ in changes.offline:
        DETECT_CONDITIONS.labels("offline", "began" if fact.ended_at is None else "ended").inc()
    for state, many in Counter(fact.state for fact in changes.states).items():
        DETECT_STATES.labels(state.value).inc(many)
