"""What a correction would change before it is made: judged from the stored rows in a transaction that can write nothing, within bounds."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import psycopg

from api.commands.correcting import REASONS, Wanted, painted, touched
from api.commands.corrections import wanted_of
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
"""Rows of one sensor that are judged for a preview: two months at a minute, some seconds."""

LOOK_BACK: Final = timedelta(days=2)
"""How far before a correction rows are read at first; where judging cannot begin among them, all rows are."""

TIMEOUT: Final = "SET LOCAL statement_timeout = 5000"
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
    done = [await _of_sensor(transaction, sensor, several) for sensor, several in sorted(sensors.items())]
    return Previewed(
        wanted,
        sum(readings for readings, _, _ in done),
        sum(judged for _, judged, _ in done),
        [change for _, _, changes in done for change in changes],
    )


async def _of_sensor(transaction: Transaction, sensor: int, wanted: list[Wanted]) -> tuple[int, int, list[Change]]:
    """Return how many rows of a sensor corrections lie over, how many are judged again, and what changes."""
    since = min(one.since for one in wanted)
    at = milliseconds(since)
    assert at is not None
    terms = {row["id"]: row for row in await transaction.rows(TERMS, {"sensor": sensor})}
    more = [_correction(number, one) for number, one in enumerate(wanted)]
    overlay = overlay_of(await painted(transaction, sensor, more), {number: row["calibration_hundredths"] for number, row in terms.items()})
    device = await transaction.row(DEVICE, {"sensor": sensor})
    standing = [_standing(row) for row in await transaction.rows(STANDING, {"sensor": sensor})]
    for start in (since - LOOK_BACK, None):
        loaded = await transaction.rows(ROWS, {"sensor": sensor, "start": start or "-infinity", "limit": MAX_ROWS + 1})
        if len(loaded) > MAX_ROWS:
            raise conflict("too_much", f"More than {MAX_ROWS:,} readings of sensor {sensor} would be judged again: preview a later `from`.")
        is_whole = start is None or await transaction.row(EARLIER, {"sensor": sensor, "start": start}) is None
        rows = _corrected(loaded, overlay, terms, sensor, 0 if device is None else device["device_id"])
        policies = await _policies(transaction, {row.reading.policy for row in rows})
        begin = begin_before(rows, at, standing, policies, is_whole=is_whole)
        if begin is not None:
            break
    assert begin is not None, "with all rows at hand judging can begin"
    until = max([transaction.now, *(row.reading.measured_at for row in rows[-1:])])
    ends = await _ends(transaction, sensor, overlay, until)
    reason = Reason(REASONS[wanted[0].kind])
    recorded = await asyncio.to_thread(changes_of, rows, begin, standing, ends, policies, until, reason)
    lies_over = sum(any(_in(row["at"], one) for one in wanted) for row in loaded)
    by_id = {one.id: one for one in standing}
    changes = [Change(by_id.get(one.standing.id), None if one.reason is Reason.VOID else one) for one in recorded]
    return lies_over, sum(row.reading.measured_at > begin[1] for row in rows), changes


def _in(at: int, wanted: Wanted) -> bool:
    since, until = milliseconds(wanted.since), milliseconds(wanted.until)
    assert since is not None
    assert until is not None
    return since <= at < until


def _correction(number: int, wanted: Wanted) -> Correction:
    since, until = milliseconds(wanted.since), milliseconds(wanted.until)
    assert since is not None
    assert until is not None
    return Correction(
        FIRST_NUMBER + number, wanted.kind, since, until, wanted.calibration or 0, wanted.unit, wanted.assignment, wanted.policy
    )


def _corrected(loaded: Sequence[Row], overlay: Overlay, terms: Mapping[int, Row], sensor: int, device: int) -> list[StoredRow]:
    """Return stored rows as they would be corrected."""
    rows: list[StoredRow] = []
    for row in loaded:
        stamped = StampedRow(row["temperature"], row["unit_id"], row["assignment_id"], row["policy_version_id"])
        one = overlay.corrected(stamped, row["at"], row["configuration_id"])
        if one is not None:
            known = terms.get(row["configuration_id"])
            max_gap_ms = DEFAULT_MAX_GAP_MS if known is None else known["max_gap_ms"]
            place = Place(sensor, device, one.unit, row["organization_id"], one.assignment)
            rows.append(StoredRow(Reading(row["at"], one.temperature, max_gap_ms, one.policy), place))
    return rows


async def _policies(transaction: Transaction, versions: set[int]) -> Mapping[int, Policy]:
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
