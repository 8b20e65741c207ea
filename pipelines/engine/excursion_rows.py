"""SQL of the recorder: excursion versions, what is current, running figures, offline conditions and sensor states."""

from typing import Any, Final

import psycopg

from pipelines.domain.recording import Figures, Found, Reason, Recorded, Standing
from pipelines.engine.judgements import OfflineFact, RunningFact, StateFact
from schemas.ids import condition_id

MS: Final = "(extract(epoch FROM {column}) * 1000)::bigint"
"""A timestamptz column as unix milliseconds."""

CURRENT_OF_SENSORS: Final = f"""
SELECT c.excursion_id, c.version, {MS.format(column="c.first_started_at")}, c.late, c.sensor_id, c.device_id, c.unit_id, c.organization_id,
  c.policy_version_id, c.band, c.side, c.severity, c.limit_hundredths, {MS.format(column="c.started_at")}, {MS.format(column="c.opened_at")},
  {MS.format(column="c.ended_at")}, {MS.format(column="c.closed_at")}, c.ended_by,
  c.kind, c.window_ms, v.uplink_offset,
  v.peak, v.mean, v.degree_minutes, v.exposure_ms, v.known_ms, v.unknown_ms, v.samples, v.largest_gap_ms
FROM current_excursions c
JOIN excursion_versions v ON v.excursion_id = c.excursion_id AND v.version = c.version AND v.first_started_at = c.first_started_at
WHERE c.sensor_id = ANY(%s) AND (c.closed_at IS NULL OR c.closed_at >= to_timestamp(%s / 1000.0))
"""
INSERT_VERSION: Final = """
INSERT INTO excursion_versions (excursion_id, version, first_started_at, known_at, reason, organization_id, unit_id, sensor_id, device_id,
  band, side, severity, limit_hundredths, policy_version_id, started_at, opened_at, ended_at, closed_at, ended_by, late, superseded_by,
  peak, mean, degree_minutes, exposure_ms, known_ms, unknown_ms, samples, largest_gap_ms, uplink_partition, uplink_offset, kind, window_ms)
VALUES (%(id)s, %(version)s, to_timestamp(%(first_started_at)s / 1000.0), now(), %(reason)s, %(organization)s, %(unit)s, %(sensor)s, %(device)s,
  %(band)s, %(side)s, %(severity)s, %(limit)s, %(policy)s, to_timestamp(%(started_at)s / 1000.0), to_timestamp(%(opened_at)s / 1000.0),
  to_timestamp(%(ended_at)s / 1000.0), to_timestamp(%(closed_at)s / 1000.0), %(ended_by)s, %(late)s, %(superseded_by)s,
  %(peak)s, %(mean)s, %(degree_minutes)s, %(exposure)s, %(known)s, %(unknown)s, %(samples)s, %(largest_gap)s, %(partition)s, %(offset)s,
  %(kind)s, %(window)s)
"""
UPSERT_CURRENT: Final = """
INSERT INTO current_excursions (excursion_id, version, organization_id, unit_id, sensor_id, device_id, band, side, severity, limit_hundredths,
  policy_version_id, first_started_at, started_at, opened_at, ended_at, closed_at, ended_by, late, known_at, kind, window_ms)
VALUES (%(id)s, %(version)s, %(organization)s, %(unit)s, %(sensor)s, %(device)s, %(band)s, %(side)s, %(severity)s, %(limit)s,
  %(policy)s, to_timestamp(%(first_started_at)s / 1000.0), to_timestamp(%(started_at)s / 1000.0), to_timestamp(%(opened_at)s / 1000.0),
  to_timestamp(%(ended_at)s / 1000.0), to_timestamp(%(closed_at)s / 1000.0), %(ended_by)s, %(late)s, now(), %(kind)s,
  %(window)s)
ON CONFLICT (excursion_id) DO UPDATE SET version = excluded.version, unit_id = excluded.unit_id, severity = excluded.severity,
  limit_hundredths = excluded.limit_hundredths, policy_version_id = excluded.policy_version_id, started_at = excluded.started_at,
  opened_at = excluded.opened_at, ended_at = excluded.ended_at, closed_at = excluded.closed_at, ended_by = excluded.ended_by,
  late = excluded.late, known_at = excluded.known_at
"""
UPSERT_RUNNING: Final = """
INSERT INTO open_excursions (excursion_id, organization_id, sensor_id, as_of, peak, mean, degree_minutes, exposure_ms, known_ms, unknown_ms,
  samples, largest_gap_ms)
VALUES (%(id)s, %(organization)s, %(sensor)s, to_timestamp(%(at)s / 1000.0), %(peak)s, %(mean)s, %(degree_minutes)s, %(exposure)s, %(known)s,
  %(unknown)s, %(samples)s, %(largest_gap)s)
ON CONFLICT (excursion_id) DO UPDATE SET as_of = excluded.as_of, peak = excluded.peak, mean = excluded.mean,
  degree_minutes = excluded.degree_minutes, exposure_ms = excluded.exposure_ms, known_ms = excluded.known_ms,
  unknown_ms = excluded.unknown_ms, samples = excluded.samples, largest_gap_ms = excluded.largest_gap_ms
"""
INSERT_CONDITION: Final = """
INSERT INTO condition_events (condition_id, version, started_at, known_at, organization_id, device_id, kind, ended_at, uplink_partition,
  uplink_offset)
VALUES (%(id)s, %(version)s, to_timestamp(%(started_at)s / 1000.0), now(), %(organization)s, %(device)s, 'offline',
  to_timestamp(%(ended_at)s / 1000.0), %(partition)s, %(offset)s)
ON CONFLICT DO NOTHING
"""
"""A version that is there says the same: what an older version of the code found twice must not stop the flow."""

OPEN_CONDITION: Final = """
INSERT INTO open_conditions (condition_id, organization_id, device_id, kind, started_at)
VALUES (%(id)s, %(organization)s, %(device)s, 'offline', to_timestamp(%(started_at)s / 1000.0))
ON CONFLICT DO NOTHING
"""
UPSERT_STATES: Final = """
INSERT INTO sensor_states (sensor_id, organization_id, unit_id, state, since)
SELECT sensor, organization, unit, state, to_timestamp(since / 1000.0)
FROM unnest(%s::int[], %s::int[], %s::int[], %s::text[], %s::bigint[]) AS wanted (sensor, organization, unit, state, since)
ON CONFLICT (sensor_id) DO UPDATE SET unit_id = excluded.unit_id, state = excluded.state, since = excluded.since
"""


def load_current(connection: psycopg.Connection, sensors: list[int], closed_from: int) -> dict[tuple[int, str], list[Standing]]:
    """Return the current excursions of some sensors that are open or closed at or after an instant, by (sensor, band)."""
    current: dict[tuple[int, str], list[Standing]] = {}
    for row in connection.execute(CURRENT_OF_SENSORS, (sensors, closed_from)):
        standing = standing_of_row(row)
        current.setdefault((standing.found.sensor, standing.found.band), []).append(standing)
    return current


def standing_of_row(row: tuple[Any, ...]) -> Standing:
    """Return what a row of CURRENT_OF_SENSORS says."""
    identity, version, first_started_at, late, *rest = row
    sensor, device, unit, organization, policy, band, side, severity, limit, started, opened, ended, closed, ended_by, *rest = rest
    kind, window_ms, as_of, *figures = rest
    found = Found(
        sensor=sensor,
        device=device,
        unit=unit,
        organization=organization,
        policy_version=policy,
        band=band,
        side=side,
        severity=severity,
        limit=limit,
        started_at=started,
        opened_at=opened,
        ended_at=ended,
        closed_at=closed,
        ended_by=ended_by,
        figures=Figures(*figures),
        kind=kind,
        window_ms=window_ms,
    )
    return Standing(identity, version, first_started_at, found, late, as_of)


def write_versions(connection: psycopg.Connection, changes: list[tuple[Recorded, int, int]]) -> None:
    """Write versions, each with the partition and offset it was judged as of, and bring what is current up to date."""
    if not changes:
        return
    with connection.cursor() as cursor:
        cursor.executemany(INSERT_VERSION, [version_values(*change) for change in changes])
        standing = [version_values(*change) for change in changes if change[0].reason is not Reason.VOID]
        if standing:
            cursor.executemany(UPSERT_CURRENT, standing)
        voided = [change[0].standing.id for change in changes if change[0].reason is Reason.VOID]
        if voided:
            cursor.execute("DELETE FROM current_excursions WHERE excursion_id = ANY(%s)", (voided,))
        over = voided + [change[0].standing.id for change in changes if change[0].standing.found.closed_at is not None]
        if over:
            cursor.execute("DELETE FROM open_excursions WHERE excursion_id = ANY(%s)", (over,))


def version_values(recorded: Recorded, partition: int, offset: int) -> dict[str, Any]:
    """Return the values of a version for INSERT_VERSION and UPSERT_CURRENT."""
    standing = recorded.standing
    found = standing.found
    return {
        "id": standing.id,
        "version": standing.version,
        "first_started_at": standing.first_started_at,
        "reason": recorded.reason.value,
        "organization": found.organization,
        "unit": found.unit,
        "sensor": found.sensor,
        "device": found.device,
        "band": found.band,
        "side": found.side,
        "severity": found.severity,
        "limit": found.limit,
        "policy": found.policy_version,
        "started_at": found.started_at,
        "opened_at": found.opened_at,
        "ended_at": found.ended_at,
        "closed_at": found.closed_at,
        "ended_by": found.ended_by,
        "late": standing.late,
        "kind": found.kind,
        "window": found.window_ms,
        "superseded_by": recorded.superseded_by,
        "partition": partition,
        "offset": offset,
    } | figure_values(found.figures)


def figure_values(figures: Figures) -> dict[str, Any]:
    """Return figures by the names that the statements use."""
    return {
        "peak": figures.peak,
        "mean": figures.mean,
        "degree_minutes": figures.degree_minutes,
        "exposure": figures.exposure_ms,
        "known": figures.known_ms,
        "unknown": figures.unknown_ms,
        "samples": figures.samples,
        "largest_gap": figures.largest_gap_ms,
    }


def write_running(connection: psycopg.Connection, running: list[tuple[Standing, RunningFact]]) -> None:
    """Write running figures of open excursions."""
    if running:
        with connection.cursor() as cursor:
            cursor.executemany(
                UPSERT_RUNNING,
                [
                    {"id": standing.id, "organization": standing.found.organization, "sensor": fact.sensor, "at": fact.at}
                    | figure_values(fact.figures)
                    for standing, fact in running
                ],
            )


def write_offline(connection: psycopg.Connection, facts: list[tuple[OfflineFact, int]]) -> None:
    """Write offline conditions, each with its partition."""
    with connection.cursor() as cursor:
        for fact, partition in facts:
            values = {
                "id": condition_id(fact.device, "offline", fact.started_at),
                "version": 1 if fact.ended_at is None else 2,
                "started_at": fact.started_at,
                "ended_at": fact.ended_at,
                "organization": fact.organization,
                "device": fact.device,
                "partition": partition,
                "offset": fact.as_of,
            }
            cursor.execute(INSERT_CONDITION, values)
            if fact.ended_at is None:
                cursor.execute(OPEN_CONDITION, values)
            else:
                cursor.execute("DELETE FROM open_conditions WHERE condition_id = %(id)s", values)


def write_states(connection: psycopg.Connection, facts: list[StateFact]) -> None:
    """Write the newest state of each sensor."""
    newest = {fact.sensor: fact for fact in facts}
    if newest:
        rows = [(fact.sensor, fact.organization, fact.unit, fact.state.value, fact.since) for _, fact in sorted(newest.items())]
        connection.execute(UPSERT_STATES, [list(column) for column in zip(*rows, strict=True)])
