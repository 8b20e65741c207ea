"""0008: two clocks for analysts: what is true now, what was believed at an instant, and every version between.

A version is believed from its `known_at` until the `known_at` of one with a higher number: `known_until`. The function reads the view,
is inlined, and so needs no right on the tables and takes filters down to their indexes, on hypertables and native partitions alike.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

INDEXES = """
CREATE INDEX IF NOT EXISTS excursion_versions_organization_started ON excursion_versions (organization_id, started_at DESC, excursion_id DESC);
CREATE INDEX IF NOT EXISTS excursion_versions_unit ON excursion_versions (unit_id, started_at DESC, excursion_id DESC);
DROP INDEX IF EXISTS excursion_versions_organization
"""

NOW = """
CREATE OR REPLACE VIEW analytics.excursions_now WITH (security_barrier) AS
SELECT c.organization_id, c.unit_id, c.sensor_id, c.device_id, c.excursion_id, c.version, c.known_at, c.band, c.side, c.severity,
       c.limit_hundredths / 100.0::double precision AS limit_celsius, c.policy_version_id, c.started_at, c.opened_at, c.ended_at, c.closed_at,
       c.ended_by, c.late, coalesce(o.peak, v.peak) / 100.0::double precision AS peak_celsius,
       coalesce(o.mean, v.mean) / 100.0::double precision AS mean_celsius, coalesce(o.degree_minutes, v.degree_minutes) AS degree_minutes,
       coalesce(o.exposure_ms, v.exposure_ms) / 1000.0::double precision AS exposure_seconds,
       coalesce(o.known_ms, v.known_ms) / 1000.0::double precision AS known_seconds,
       coalesce(o.unknown_ms, v.unknown_ms) / 1000.0::double precision AS unknown_seconds, coalesce(o.samples, v.samples) AS samples,
       coalesce(o.largest_gap_ms, v.largest_gap_ms) / 1000.0::double precision AS largest_gap_seconds,
       v.reason, c.first_started_at, extract(epoch FROM c.ended_at - c.started_at)::double precision AS duration_seconds, o.as_of
FROM current_excursions c
LEFT JOIN open_excursions o ON o.excursion_id = c.excursion_id AND c.closed_at IS NULL
LEFT JOIN excursion_versions v ON v.excursion_id = c.excursion_id AND v.version = c.version AND v.first_started_at = c.first_started_at
"""

HISTORY = """
CREATE OR REPLACE VIEW analytics.excursion_history WITH (security_barrier) AS
SELECT v.organization_id, v.unit_id, v.sensor_id, v.device_id, v.excursion_id, v.version, v.known_at, v.band, v.side, v.severity,
       v.limit_hundredths / 100.0::double precision AS limit_celsius, v.policy_version_id, v.started_at, v.opened_at, v.ended_at, v.closed_at,
       v.ended_by, v.late, v.peak / 100.0::double precision AS peak_celsius, v.mean / 100.0::double precision AS mean_celsius,
       v.degree_minutes, v.exposure_ms / 1000.0::double precision AS exposure_seconds, v.known_ms / 1000.0::double precision AS known_seconds,
       v.unknown_ms / 1000.0::double precision AS unknown_seconds, v.samples,
       v.largest_gap_ms / 1000.0::double precision AS largest_gap_seconds,
       v.reason, v.first_started_at, extract(epoch FROM v.ended_at - v.started_at)::double precision AS duration_seconds,
       v.superseded_by,
       (SELECT min(n.known_at) FROM excursion_versions n
        WHERE n.excursion_id = v.excursion_id AND n.first_started_at = v.first_started_at AND n.version > v.version) AS known_until
FROM excursion_versions v
"""

AS_KNOWN = """
CREATE OR REPLACE FUNCTION analytics.excursions_as_known(at timestamptz) RETURNS TABLE (
  organization_id integer, unit_id integer, sensor_id integer, device_id integer, excursion_id uuid, version integer, known_at timestamptz,
  band text, side text, severity text, limit_celsius double precision, policy_version_id integer, started_at timestamptz,
  opened_at timestamptz, ended_at timestamptz, closed_at timestamptz, ended_by text, late boolean, peak_celsius double precision,
  mean_celsius double precision, degree_minutes double precision, exposure_seconds double precision, known_seconds double precision,
  unknown_seconds double precision, samples integer, largest_gap_seconds double precision, reason text, first_started_at timestamptz,
  duration_seconds double precision, as_of timestamptz
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
-- STABLE, not STRICT, SECURITY INVOKER and without SET: only so the planner inlines it.
SELECT h.organization_id, h.unit_id, h.sensor_id, h.device_id, h.excursion_id, h.version, h.known_at, h.band, h.side, h.severity,
       h.limit_celsius, h.policy_version_id, h.started_at, h.opened_at, h.ended_at, h.closed_at, h.ended_by, h.late, h.peak_celsius,
       h.mean_celsius, h.degree_minutes, h.exposure_seconds, h.known_seconds, h.unknown_seconds, h.samples, h.largest_gap_seconds,
       h.reason, h.first_started_at, h.duration_seconds, NULL::timestamptz
FROM analytics.excursion_history h
WHERE h.known_at <= excursions_as_known.at AND coalesce(h.known_until, 'infinity'::timestamptz) > excursions_as_known.at AND h.reason <> 'void'
$$
"""


def upgrade() -> None:
    """Create the indexes, the views and the function."""
    for statements in (INDEXES, NOW, HISTORY, AS_KNOWN):
        op.execute(statements)
