"""What declared maintenance, or taking it back, would change of what people were told: judged from stored rows, within bounds. Writes nothing.

The stored rows as corrected are judged beside the windows that stand, and beside those that would; doors are left aside.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Final

import psycopg

from api.commands.maintenance import Planned, changed_stretch
from api.commands.previewing import MAX_ROWS, MAX_SENSORS, PAGE_ROWS, TIMEOUT, policies_of
from api.commands.transaction import Row, Transaction
from api.errors import ApiError, conflict
from api.maintenance_shapes import MaintenancePreview, RetoldAnswer
from api.parameters import aware
from pipelines.domain.excursion_states import Reading
from pipelines.domain.excusing import Retold, retold
from pipelines.domain.policy import Policy
from pipelines.domain.registration.maintenance import Window
from pipelines.domain.registration.sensor_terms import from_row
from pipelines.domain.resuming import is_clean
from pipelines.domain.settling import DEFAULT_MAX_GAP_MS
from pipelines.domain.suppression import Circumstances, DefrostProfile, Stretch, in_order

LOOK_BACK: Final = timedelta(days=4)
"""How far before a window rows are read at first: a run that began before, and the defrost before, are among them. Else all rows are."""

TOO_MUCH: Final = f"More than {MAX_ROWS:,} readings would be judged: preview a shorter time, or fewer units."
TOO_LONG: Final = "The database took longer than 5 s for a step of the preview: preview a later `from`, or fewer units."

WATCHERS: Final = """
SELECT wanted.unit, watching.sensor_id FROM unnest(%(units)s::integer[]) AS wanted (unit)
CROSS JOIN LATERAL (
  SELECT sensor_id FROM assignments WHERE unit_id = wanted.unit AND valid_from < %(until)s AND (valid_to IS NULL OR valid_to > %(since)s)
  UNION SELECT sensor_id FROM corrected_stretches WHERE unit_id = wanted.unit AND starts_at < %(until)s AND ends_at > %(since)s
) watching ORDER BY wanted.unit, watching.sensor_id LIMIT %(limit)s
"""
WINDOWS: Final = """
SELECT unit_id, (extract(epoch FROM starts_at) * 1000)::bigint AS since, (extract(epoch FROM ends_at) * 1000)::bigint AS until
FROM maintenance_windows WHERE unit_id = ANY(%(units)s) AND revoked_at IS NULL
"""
ROWS: Final = """
SELECT (extract(epoch FROM measured_at) * 1000)::bigint AS at, temperature, configuration_id, policy_version_id, assignment_id
FROM corrected_readings
WHERE unit_id = %(unit)s AND sensor_id = %(sensor)s AND measured_at >= %(start)s AND measured_at <= %(now)s
  AND (temperature IS NOT NULL OR reason IS NOT NULL)
ORDER BY measured_at LIMIT %(limit)s
"""
TERMS: Final = """
SELECT id, expected_interval_ms, max_gap_ms, offline_after_ms, calibration_hundredths, defrost_period_ms, defrost_peak_hundredths,
  defrost_duration_ms, effective_at <= %(now)s AS holds
FROM sensor_configurations WHERE sensor_id = %(sensor)s ORDER BY effective_at
"""
ENDS: Final = """
SELECT id, (extract(epoch FROM valid_to) * 1000)::bigint AS until FROM assignments
WHERE sensor_id = %(sensor)s AND valid_to <= %(now)s
"""
COVERED: Final = """
SELECT (extract(epoch FROM started_at) * 1000)::bigint AS since, (extract(epoch FROM closed_at) * 1000)::bigint AS until
FROM current_excursions WHERE sensor_id = %(sensor)s
"""


@dataclass(frozen=True, slots=True)
class _Watching:
    """A sensor at a unit, and the windows beside which it is judged."""

    unit: int
    sensor: int
    before: tuple[Stretch, ...]
    after: tuple[Stretch, ...]


async def preview(transaction: Transaction, planned: Sequence[Planned]) -> MaintenancePreview:
    """Return what is planned, and whose alarms would be told otherwise as of now.

    Raises ApiError 409 `too_much` where that takes more than a preview may, 503 `query_too_long` where the database takes too long.
    """
    try:
        return await _preview(transaction, planned)
    except psycopg.errors.QueryCanceled as error:
        raise ApiError(503, "query_too_long", TOO_LONG) from error


async def _preview(transaction: Transaction, planned: Sequence[Planned]) -> MaintenancePreview:
    await transaction.execute(TIMEOUT, {})
    changed = [one for one in planned if one.before != one.after]
    if not changed:
        return MaintenancePreview(units=[], from_=None, to=None, judged=0, changes=[])
    stretch = changed_stretch(changed)
    units = sorted({one.unit for one in changed})
    watching = await _watching(transaction, changed, units, stretch) if stretch.since < transaction.now else []
    judged, changes = 0, list[RetoldAnswer]()
    for one in watching:
        rows, found = await _of_sensor(transaction, one, stretch.since, MAX_ROWS - judged)
        judged += rows
        changes += found
    return MaintenancePreview(units=units, from_=aware(stretch.since), to=aware(stretch.until), judged=judged, changes=changes)


async def _watching(transaction: Transaction, changed: Sequence[Planned], units: list[int], stretch: Window) -> list[_Watching]:
    """Return the sensors that watched one of the units at some instant of the stretch, each with the unit's windows before and after."""
    named = {"units": units, "since": aware(stretch.since), "until": aware(stretch.until), "limit": MAX_SENSORS + 1}
    found = await transaction.rows(WATCHERS, named)
    if len(found) > MAX_SENSORS:
        raise conflict("too_much", f"It touches more than {MAX_SENSORS} sensors, and so many can be previewed at once: declare it without.")
    standing: dict[int, list[Stretch]] = {unit: [] for unit in units}
    for row in await transaction.rows(WINDOWS, {"units": units}):
        standing[row["unit_id"]].append((row["since"], row["until"]))
    wanted = {unit: _changed(standing[unit], [one for one in changed if one.unit == unit]) for unit in units}
    return [_Watching(row["unit"], row["sensor_id"], in_order(standing[row["unit"]]), in_order(wanted[row["unit"]])) for row in found]


def _changed(standing: Sequence[Stretch], changed: Sequence[Planned]) -> list[Stretch]:
    """Return the windows of a unit as they would be."""
    windows = list(standing)
    for one in changed:
        if one.before is not None:
            windows.remove((one.before.since, one.before.until))
        if one.after is not None:
            windows.append((one.after.since, one.after.until))
    return windows


async def _of_sensor(transaction: Transaction, one: _Watching, since: int, room: int) -> tuple[int, list[RetoldAnswer]]:
    """Return how many rows of a sensor were judged, of so many at most, and what would be told otherwise."""
    named = {"sensor": one.sensor, "now": transaction.now_at}
    terms = await transaction.rows(TERMS, named)
    ends = {row["id"]: row["until"] for row in await transaction.rows(ENDS, named)}
    covered = [(row["since"], row["until"]) for row in await transaction.rows(COVERED, named)]
    for start in (aware(since) - LOOK_BACK, None):
        loaded = list[Row]()
        async for page in transaction.pages(ROWS, {**named, "unit": one.unit, "start": start or "-infinity", "limit": room + 1}, PAGE_ROWS):
            loaded += page
        if len(loaded) > room:
            raise conflict("too_much", TOO_MUCH)
        policies = await policies_of(transaction, {row["policy_version_id"] for row in loaded})
        first = 0 if start is None else await asyncio.to_thread(_beginning, loaded, since, policies, covered)
        if first is not None:
            break
    assert first is not None, "all rows are a beginning"
    profile = next((from_row(row).defrost for row in reversed(terms) if row["holds"]), None)
    gaps = {row["id"]: row["max_gap_ms"] for row in terms}
    judged = _Judging(one, gaps, ends, policies, profile, transaction.now)
    return len(loaded) - first, await asyncio.to_thread(judged.retold, loaded[first:])


def _beginning(loaded: Sequence[Row], since: int, policies: Mapping[int, Policy], covered: Sequence[tuple[int, int | None]]) -> int | None:
    """Return the place of the first row before an instant (ms UTC) at which no band has a run, or None."""
    for place, row in enumerate(loaded):
        at = row["at"]
        if at > since:
            return None
        reading = Reading(at, row["temperature"], DEFAULT_MAX_GAP_MS, row["policy_version_id"])
        if is_clean(reading, policies[reading.policy]) and not any(begin <= at and (end is None or at <= end) for begin, end in covered):
            return place
    return None


@dataclass(frozen=True, slots=True)
class _Judging:
    """All that a sensor's rows at a unit are judged by."""

    of: _Watching
    gaps: Mapping[int, int]
    ends: Mapping[int, int]
    policies: Mapping[int, Policy]
    profile: DefrostProfile | None
    now: int

    def retold(self, loaded: Sequence[Row]) -> list[RetoldAnswer]:
        """Return what would be told otherwise, assignment by assignment."""
        before, after = (Circumstances(windows, (), self.profile) for windows in (self.of.before, self.of.after))
        found: list[Retold] = []
        for assignment, several in groupby(loaded, key=lambda row: int(row["assignment_id"])):
            rows = [
                Reading(row["at"], row["temperature"], self.gaps.get(row["configuration_id"], DEFAULT_MAX_GAP_MS), row["policy_version_id"])
                for row in several
            ]
            found += retold(rows, self.policies, self.now, self.ends.get(assignment), before, after)
        return [_answer(self.of, one) for one in found]


def _answer(of: _Watching, one: Retold) -> RetoldAnswer:
    peak = one.figures.peak_hundredths
    return RetoldAnswer(
        outcome=one.telling.value,
        sensor=of.sensor,
        unit=of.unit,
        band=one.band,
        started_at=aware(one.started_at),
        ended_at=None if one.ended_at is None else aware(one.ended_at),
        opened_before=None if one.told_before is None else aware(one.told_before),
        opened_after=None if one.told_after is None else aware(one.told_after),
        peak_celsius=None if peak is None else peak / 100,
        exposure_seconds=one.figures.exposure_ms / 1_000,
    )
