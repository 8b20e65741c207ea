"""What a correction would change before it is made: judged from the stored rows in a transaction that can write nothing, within bounds."""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import psycopg

from api.commands.correcting import REASONS, Wanted, touched
from api.commands.corrections import wanted_of
from api.commands.painting import painted
from api.commands.transaction import Row, Transaction, milliseconds
from api.correction_shapes import AnyOrder
from api.errors import ApiError, conflict
from pipelines.domain.beginning import begin_before, changes_of
from pipelines.domain.corrections import Correction, Overlay, StampedRow, overlay_of
from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy import NO_POLICY, Policy
from pipelines.domain.policy_document import parse_policy
from pipelines.domain.recording import Figures, Found, Reason, Recorded, Standing
from pipelines.domain.rejudging import Place, StoredRow
from pipelines.domain.settling import DEFAULT_MAX_GAP_MS

MAX_SENSORS: Final = 20
"""Whose changes are previewed at once."""

MAX_ROWS: Final = 100_000
"""Rows that are judged for a preview, of all its sensors together: of one sensor two months at a minute, some seconds."""

PAGE_ROWS: Final = 5_000
"""Rows that are fetched at once: some ms of the event loop, on which webhooks are taken too."""

LOOK_BACK: Final = timedelta(days=2)
"""How far before a correction rows are read at first; where judging cannot begin among them, all rows are."""

TIMEOUT: Final = "SET LOCAL statement_timeout = 5000"
TOO_MUCH: Final = f"More than {MAX_ROWS:,} readings would be judged again: preview a later `from`, or correct it without."
TOO_LONG: Final = "The database took longer than 5 s for a step of the preview: preview a later `from`, or correct it without."
BUSY: Final = "Another preview is under way: try again in a few seconds."

FIRST_NUMBER: Final = 1 << 40
"""Of corrections that are not made yet: the newest of all."""

ROWS: Final = """
SELECT (extract(epoch FROM measured_at) * 1000)::bigint AS at, temperature, configuration_id, policy_version_id, unit_id, organization_id,
  assignment_id
FROM readings WHERE sensor_id = %(sensor)s AND measured_at >= %(start)s AND (temperature IS NOT NULL OR reason IS NOT NULL)
ORDER BY measured_at LIMIT %(limit)s
"""
EARLIER: Final = "SELECT 1 AS there FROM readings WHERE sensor_id = %(sensor)s AND measured_at < %(start)s LIMIT 1"
TERMS: Final = "SELECT id, max_gap_ms, calibration_hundredths FROM sensor_configurations WHERE sensor_id = %(sensor)s"
ENDS: Final = """
SELECT id, (extract(epoch FROM valid_to) * 1000)::bigint AS until FROM assignments WHERE sensor_id = %(sensor)s
"""
DEVICE: Final = "SELECT device_id FROM sensors WHERE id = %(sensor)s"
VERSIONS: Final = "SELECT id, document FROM policy_versions WHERE id = ANY(%(versions)s)"
STANDING: Final = """
SELECT c.excursion_id, c.version, (extract(epoch FROM c.first_started_at) * 1000)::bigint AS first_started_at, c.late, c.sensor_id, c.device_id,
  c.unit_id, c.organization_id, c.policy_version_id, c.band, c.side, c.severity, c.limit_hundredths,
  (extract(epoch FROM c.started_at) * 1000)::bigint AS started_at, (extract(epoch FROM c.opened_at) * 1000)::bigint AS opened_at,
  (extract(epoch FROM c.ended_at) * 1000)::bigint AS ended_at, (extract(epoch FROM c.closed_at) * 1000)::bigint AS closed_at, c.ended_by,
  c.kind, c.window_ms, v.uplink_offset, v.peak, v.mean, v.degree_minutes, v.exposure_ms, v.known_ms, v.unknown_ms, v.samples, v.largest_gap_ms
FROM current_excursions c
JOIN excursion_versions v ON v.excursion_id = c.excursion_id AND v.version = c.version AND v.first_started_at = c.first_started_at
WHERE c.sensor_id = %(sensor)s
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One excursion that a correction would change: what is on record, and what would be."""

    before: Standing | None
    after: Recorded | None
    """None where it would be voided."""


@dataclass(frozen=True, slots=True)
class Previewed:
    """What a correction would do."""

    wanted: list[Wanted]
    readings: int
    """Stored rows that it lies over."""
    judged: int
    """Rows that would be judged again."""
    changes: list[Change]


class Turns:
    """Lets one preview at a time run in a process: each works for seconds beside webhooks, and on a connection that changes need."""

    def __init__(self) -> None:
        """Let the next one run."""
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Run a preview; raises ApiError 503 `busy` while another runs."""
        if self._lock.locked():
            raise ApiError(503, "busy", BUSY)
        async with self._lock:
            yield


async def preview(transaction: Transaction, order: AnyOrder) -> Previewed:
    """Return what a correction would change as of now.

    Raises ApiError 409 `too_much` where that takes more than a preview may, 503 `query_too_long` where the database takes too long.
    """
    try:
        return await _preview(transaction, order)
    except psycopg.errors.QueryCanceled as error:
        raise ApiError(503, "query_too_long", TOO_LONG) from error


async def _preview(transaction: Transaction, order: AnyOrder) -> Previewed:
    await transaction.execute(TIMEOUT, {})
    wanted, _ = await wanted_of(transaction, order)
    sensors: dict[int, list[Wanted]] = {}
    for one in wanted:
        for sensor in await touched(transaction, one.sensor, one.unit, one.since, one.until):
            sensors.setdefault(sensor, []).append(one)
    if len(sensors) > MAX_SENSORS:
        raise conflict("too_much", f"It touches {len(sensors)} sensors, and {MAX_SENSORS} can be previewed at once: correct it without.")
    room, done = MAX_ROWS, list[_Judged]()
    for sensor, several in sorted(sensors.items()):
        judged = await _of_sensor(transaction, sensor, several, room)
        room -= judged.loaded
        done.append(judged)
    return Previewed(
        wanted,
        sum(one.lies_over for one in done),
        sum(one.judged for one in done),
        [change for one in done for change in one.changes],
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a preview comes to for one sensor."""

    loaded: int
    """Rows that it was judged from."""
    lies_over: int
    judged: int
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of a sensor as they would be corrected, in order."""

    rows: list[StoredRow]
    loaded: int
    lies_over: int
    """Of those that were fetched, how many the corrections lie over."""


async def _of_sensor(transaction: Transaction, sensor: int, wanted: list[Wanted], room: int) -> _Judged:
    """Return what corrections change of a sensor, of which so many rows may be fetched. All that takes long runs beside the event loop."""
    since = min(one.since for one in wanted)
    at = milliseconds(since)
    terms = {row["id"]: row for row in await transaction.rows(TERMS, {"sensor": sensor})}
    more = [_correction(number, one) for number, one in enumerate(wanted)]
    overlay = overlay_of(await painted(transaction, sensor, more), {number: row["calibration_hundredths"] for number, row in terms.items()})
    device = await transaction.row(DEVICE, {"sensor": sensor})
    corrector = _Corrector(overlay, terms, sensor, 0 if device is None else device["device_id"], more)
    standing = [_standing(row) for row in await transaction.rows(STANDING, {"sensor": sensor})]
    for start in (since - LOOK_BACK, None):
        found = await _load(transaction, corrector, start, room)
        is_whole = start is None or await transaction.row(EARLIER, {"sensor": sensor, "start": start}) is None
        policies = await policies_of(transaction, {row.reading.policy for row in found.rows})
        begin = await asyncio.to_thread(begin_before, found.rows, at, standing, policies, is_whole=is_whole)
        if begin is not None:
            break
    assert begin is not None, "with all rows at hand judging can begin"
    until = max([transaction.now, *(row.reading.measured_at for row in found.rows[-1:])])
    ends = await _ends(transaction, sensor, overlay, until)
    reason = Reason(REASONS[wanted[0].kind])
    recorded = await asyncio.to_thread(changes_of, found.rows, begin, standing, ends, policies, until, reason)
    by_id = {one.id: one for one in standing}
    changes = [Change(by_id.get(one.standing.id), None if one.reason is Reason.VOID else one) for one in recorded]
    behind = len(found.rows) - bisect_right(found.rows, begin[1], key=lambda row: row.reading.measured_at)
    return _Judged(found.loaded, found.lies_over, behind, changes)


async def _load(transaction: Transaction, corrector: "_Corrector", start: datetime | None, most: int) -> _Rows:
    """Return a sensor's rows since an instant, or all; raises ApiError 409 where they are more than may be fetched."""
    rows, loaded, lies_over = list[StoredRow](), 0, 0
    parameters = {"sensor": corrector.sensor, "start": start or "-infinity", "limit": most + 1}
    async for page in transaction.pages(ROWS, parameters, PAGE_ROWS):
        loaded += len(page)
        if loaded > most:
            raise conflict("too_much", TOO_MUCH)
        corrected, over = await asyncio.to_thread(corrector.corrected, page)
        rows += corrected
        lies_over += over
    return _Rows(rows, loaded, lies_over)


@dataclass(frozen=True, slots=True)
class _Corrector:
    """Says what stored rows of a sensor would be."""

    overlay: Overlay
    terms: Mapping[int, Row]
    sensor: int
    device: int
    wanted: Sequence[Correction]

    def corrected(self, loaded: Sequence[Row]) -> tuple[list[StoredRow], int]:
        """Return rows as they would be corrected, and how many of them the wanted corrections lie over."""
        rows: list[StoredRow] = []
        for row in loaded:
            stamped = StampedRow(row["temperature"], row["unit_id"], row["assignment_id"], row["policy_version_id"])
            one = self.overlay.corrected(stamped, row["at"], row["configuration_id"])
            if one is not None:
                known = self.terms.get(row["configuration_id"])
                max_gap_ms = DEFAULT_MAX_GAP_MS if known is None else known["max_gap_ms"]
                place = Place(self.sensor, self.device, one.unit, row["organization_id"], one.assignment)
                rows.append(StoredRow(Reading(row["at"], one.temperature, max_gap_ms, one.policy), place))
        return rows, sum(any(one.since <= row["at"] < one.until for one in self.wanted) for row in loaded)


def _correction(number: int, wanted: Wanted) -> Correction:
    since, until = milliseconds(wanted.since), milliseconds(wanted.until)
    return Correction(
        FIRST_NUMBER + number, wanted.kind, since, until, wanted.calibration or 0, wanted.unit, wanted.assignment, wanted.policy
    )


async def policies_of(transaction: Transaction, versions: set[int]) -> Mapping[int, Policy]:
    """Return policy versions by number, with that of no policy."""
    found = await transaction.rows(VERSIONS, {"versions": sorted(versions)})
    return {0: NO_POLICY, **{row["id"]: parse_policy(row["document"]) for row in found}}


async def _ends(transaction: Transaction, sensor: int, overlay: Overlay, until: int) -> dict[int, int]:
    """Return when assignments of a sensor ended; one that lasts ends where a correction takes its sensor away up to now."""
    ends: dict[int, int] = {}
    for row in await transaction.rows(ENDS, {"sensor": sensor}):
        said = transaction.now if row["until"] is None else row["until"]
        ended = overlay.end_of(row["id"], said)
        if row["until"] is not None or ended < said:
            ends[row["id"]] = ended
    return {assignment: ended for assignment, ended in ends.items() if ended <= until}


def _standing(row: Row) -> Standing:
    """Return what is on record of an excursion."""
    figures = Figures(
        peak=row["peak"],
        mean=row["mean"],
        degree_minutes=row["degree_minutes"],
        exposure_ms=row["exposure_ms"],
        known_ms=row["known_ms"],
        unknown_ms=row["unknown_ms"],
        samples=row["samples"],
        largest_gap_ms=row["largest_gap_ms"],
    )
    found = Found(
        sensor=row["sensor_id"],
        device=row["device_id"],
        unit=row["unit_id"],
        organization=row["organization_id"],
        policy_version=row["policy_version_id"],
        band=row["band"],
        side=row["side"],
        severity=row["severity"],
        limit=row["limit_hundredths"],
        started_at=row["started_at"],
        opened_at=row["opened_at"],
        ended_at=row["ended_at"],
        closed_at=row["closed_at"],
        ended_by=row["ended_by"],
        figures=figures,
        kind=row["kind"],
        window_ms=row["window_ms"],
    )
    return Standing(row["excursion_id"], row["version"], row["first_started_at"], found, row["late"], row["uplink_offset"])
