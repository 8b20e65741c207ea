"""SQL of a revision: how far readings are stored, where a sensor may be judged again from, and its rows from there on, streamed.

Rows are as people corrected them (domain.corrections): none is handed out as it is stored.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import psycopg

from pipelines.domain.beginning import covers, reaches_over
from pipelines.domain.corrections import CorrectedStretch, Mark, Overlay, StampedRow, overlay_of
from pipelines.domain.excursion_states import Reading
from pipelines.domain.recording import Standing
from pipelines.domain.rejudging import Place, Start, StoredRow
from pipelines.domain.resuming import is_clean, reach_at, resumed
from pipelines.engine.terms import Terms

STORED: Final = "SELECT partition, position FROM flow_progress WHERE flow = 'store_readings'"

_ROW: Final = """
SELECT (extract(epoch FROM measured_at) * 1000)::bigint, temperature, configuration_id, policy_version_id, unit_id, organization_id,
  assignment_id, uplink_offset
FROM readings WHERE sensor_id = %(sensor)s AND uplink_offset <= %(offset)s AND (temperature IS NOT NULL OR reason IS NOT NULL)
"""
"""Readings and fault marks: a row with humidity or battery alone has neither a temperature nor a reason, and is nothing to judge."""

BEFORE: Final = _ROW + "AND measured_at < to_timestamp(%(at)s / 1000.0) ORDER BY measured_at DESC LIMIT %(most)s"
BETWEEN: Final = _ROW + (
    "AND measured_at >= to_timestamp(%(start)s / 1000.0) AND measured_at <= to_timestamp(%(end)s / 1000.0) ORDER BY measured_at"
)
AFTER: Final = _ROW + "AND measured_at > to_timestamp(%(at)s / 1000.0) ORDER BY measured_at"
FIRST_AFTER: Final = AFTER + " LIMIT %(most)s"
FIRST_OF_ASSIGNMENT: Final = """
SELECT (extract(epoch FROM min(measured_at)) * 1000)::bigint FROM readings
WHERE sensor_id = %(sensor)s AND assignment_id = %(assignment)s AND measured_at < to_timestamp(%(at)s / 1000.0) AND uplink_offset <= %(offset)s
  AND measured_at >= coalesce((SELECT valid_from FROM assignments WHERE id = %(assignment)s), '-infinity')
  AND (temperature IS NOT NULL OR reason IS NOT NULL)
"""
BEGINS: Final = "SELECT (extract(epoch FROM valid_from) * 1000)::bigint FROM assignments WHERE id = %(assignment)s"
UP_TO: Final = _ROW + "AND measured_at <= to_timestamp(%(at)s / 1000.0) ORDER BY measured_at DESC LIMIT %(most)s"
ENDS: Final = """
SELECT id, (extract(epoch FROM valid_to) * 1000)::bigint FROM assignments WHERE sensor_id = %(sensor)s AND valid_to IS NOT NULL
"""

STRETCHES: Final = """
SELECT (extract(epoch FROM starts_at) * 1000)::bigint, (extract(epoch FROM ends_at) * 1000)::bigint, mark, calibration_hundredths, unit_id,
  assignment_id, policy_version_id
FROM corrected_stretches WHERE sensor_id = %(sensor)s ORDER BY starts_at
"""
APPLIED: Final = "SELECT id, calibration_hundredths FROM sensor_configurations WHERE sensor_id = %(sensor)s"

FEW_ROWS: Final = 20
"""Rows among which the last reading at an instant is looked for at first."""

PAGE_ROWS: Final = 500
"""Rows that are looked at in one turn for a clean one: most are found among the first few."""

STREAM_ROWS: Final = 5_000
"""Rows of a stretch that are in memory at once."""

LONG_AGO_MS: Final = -62_000_000_000_000
"""Before any reading, and still a time that PostgreSQL has."""


def stored_offsets(connection: psycopg.Connection) -> dict[int, int]:
    """Return the offset in `uplinks` up to which readings are stored, by partition."""
    return {int(partition): int(position) for partition, position in connection.execute(STORED)}


class Stored:
    """The stored rows of one sensor up to an offset."""

    def __init__(self, connection: psycopg.Connection, sensor: int, device: int, offset: int, terms: Terms) -> None:
        """Look at no row behind the offset."""
        self._connection = connection
        self._sensor = sensor
        self._device = device
        self._offset = offset
        self._terms = terms
        self._overlay = load_overlay(connection, sensor)
        self._firsts: dict[int, int] = {}
        """When the first row of an assignment was measured (ms UTC), of those that were asked for."""
        self.newest_offset = -1
        """Of the rows that were looked at, those that a correction hides too."""

    def start_before(self, at: int, standing: list[Standing]) -> tuple[Start, int]:
        """Return the newest state before an instant (ms UTC) that stored rows alone give, and the instant after which it goes on.

        `standing` is all that is on record of the sensor. Where no row is clean back to the beginning of an assignment, that is it,
        unless an excursion of the one before is not on record as ended with it.
        """
        younger = None
        for row in self._backwards(BEFORE, at, PAGE_ROWS):
            if younger is not None and younger.place.assignment != row.place.assignment:
                begins = younger.reading.measured_at
                if not reaches_over(standing, begins):
                    return Start(), begins - 1
            younger = row
            reading, policy = row.reading, self._terms.policies[row.reading.policy]
            reach = reach_at(policy, reading.measured_at)
            if reach is None:
                begins = self._first_of(row, at)
                if not reaches_over(standing, begins):
                    return Start(), begins - 1
                continue
            if is_clean(reading, policy) and not covers(standing, reading.measured_at):
                return Start(resumed(self._needed(row, reach), self._terms.policies), row.place), reading.measured_at
        return Start(), LONG_AGO_MS

    def after(self, at: int) -> Iterator[StoredRow]:
        """Yield the rows after an instant, in order; a long stretch is streamed."""
        rows = self._connection.execute(FIRST_AFTER, self._values({"at": at, "most": STREAM_ROWS})).fetchall()
        yield from self._corrected(rows)
        if len(rows) < STREAM_ROWS:
            return
        at = rows[-1][0]
        with self._connection.cursor(name="stretch") as cursor:
            cursor.itersize = STREAM_ROWS
            cursor.execute(AFTER, {"sensor": self._sensor, "offset": self._offset, "at": at})
            yield from self._corrected(cursor)

    def ends(self) -> dict[int, int]:
        """Return when assignments of the sensor ended or will end (ms UTC), by number."""
        ends = self._connection.execute(ENDS, {"sensor": self._sensor}).fetchall()
        return {assignment: self._overlay.end_of(assignment, ends_at) for assignment, ends_at in ends}

    def _first_of(self, row: StoredRow, at: int) -> int:
        """Return when the first row of a row's assignment was measured, which is before an instant."""
        assignment = row.place.assignment
        if assignment not in self._firsts:
            first = (
                self._first_moved(assignment) if self._overlay.moves() else self._instant(FIRST_OF_ASSIGNMENT, assignment=assignment, at=at)
            )
            self._firsts[assignment] = row.reading.measured_at if first is None else first
        return self._firsts[assignment]

    def _first_moved(self, assignment: int) -> int | None:
        """Return when the first row was measured that corrections leave to an assignment or give it: none is before it began, there or here."""
        said = self._instant(BEGINS, assignment=assignment)
        begins = min((one for one in (said, self._overlay.begin_of(assignment)) if one is not None), default=LONG_AGO_MS)
        return next((one.reading.measured_at for one in self.after(begins - 1) if one.place.assignment == assignment), None)

    def _needed(self, row: StoredRow, reach: int) -> list[Reading]:
        """Return the rows that a state at a clean row needs."""
        assignment, start = row.place.assignment, LONG_AGO_MS
        for one in self._backwards(UP_TO, reach, FEW_ROWS):
            if one.place.assignment != assignment or one.reading.temperature is not None:
                start = one.reading.measured_at
                break
        rows = self._rows(BETWEEN, start=start, end=row.reading.measured_at)
        return [one.reading for one in rows if one.place.assignment == assignment]

    def _backwards(self, statement: str, at: int, most: int) -> Iterator[StoredRow]:
        """Yield rows newest first, read so many at a time."""
        while rows := self._connection.execute(statement, self._values({"at": at, "most": most})).fetchall():
            yield from self._corrected(rows)
            statement, at = BEFORE, rows[-1][0]

    def _rows(self, statement: str, **values: int) -> list[StoredRow]:
        return list(self._corrected(self._connection.execute(statement, self._values(values)).fetchall()))

    def _corrected(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[StoredRow]:
        """Yield the rows that are there, each as it is corrected."""
        return (one for row in rows if (one := self._stored(row)) is not None)

    def _instant(self, statement: str, **values: int) -> int | None:
        row = self._connection.execute(statement, self._values(values)).fetchone()
        return None if row is None or row[0] is None else int(row[0])

    def _values(self, values: dict[str, int]) -> dict[str, int]:
        return {"sensor": self._sensor, "offset": self._offset, **values}

    def _stored(self, row: tuple[Any, ...]) -> StoredRow | None:
        """Return a row as it is corrected, None where it is not there."""
        measured_at, temperature, configuration, policy, unit, organization, assignment, offset = row
        self.newest_offset = max(self.newest_offset, offset)
        one = self._overlay.corrected(StampedRow(temperature, unit, assignment, policy), measured_at, configuration)
        if one is None:
            return None
        reading = Reading(measured_at, one.temperature, self._terms.configurations.max_gap_of(configuration), one.policy)
        return StoredRow(reading, Place(self._sensor, self._device, one.unit, organization, one.assignment))


def load_overlay(connection: psycopg.Connection, sensor: int) -> Overlay:
    """Return what people corrected of a sensor."""
    rows = connection.execute(STRETCHES, {"sensor": sensor}).fetchall()
    if not rows:
        return Overlay()
    stretches = [CorrectedStretch(since, until, None if mark is None else Mark(mark), *others) for since, until, mark, *others in rows]
    return overlay_of(stretches, dict(connection.execute(APPLIED, {"sensor": sensor}).fetchall()))
