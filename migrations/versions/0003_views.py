"""0003: what analysts query: degrees, percent, volts and seconds, in the schema `analytics`."""

from alembic import op

revision = "0003"
down_revision = "0002"

VIEWS = """
CREATE SCHEMA IF NOT EXISTS analytics;
CREATE OR REPLACE VIEW analytics.readings WITH (security_barrier) AS
SELECT organization_id, unit_id, sensor_id, measured_at,
       measured_at + received_after_ms * interval '1 millisecond' AS received_at,
       temperature / 100.0::double precision AS temperature_celsius,
       humidity / 100.0::double precision AS humidity_percent,
       battery_millivolts / 1000.0::double precision AS battery_volts,
       battery_percent, door_open, reason AS fault_reason, late
FROM readings;
CREATE OR REPLACE VIEW analytics.excursions_now WITH (security_barrier) AS
SELECT organization_id, unit_id, sensor_id, device_id, excursion_id, version, known_at, band, side, severity,
       limit_hundredths / 100.0::double precision AS limit_celsius, policy_version_id, started_at, opened_at, ended_at, closed_at, ended_by, late,
       peak / 100.0::double precision AS peak_celsius, mean / 100.0::double precision AS mean_celsius, degree_minutes,
       exposure_ms / 1000.0::double precision AS exposure_seconds, known_ms / 1000.0::double precision AS known_seconds,
       unknown_ms / 1000.0::double precision AS unknown_seconds, samples, largest_gap_ms / 1000.0::double precision AS largest_gap_seconds
FROM (SELECT DISTINCT ON (excursion_id) * FROM excursion_versions ORDER BY excursion_id, version DESC) newest
WHERE reason <> 'void';
CREATE OR REPLACE VIEW analytics.uplink_ends WITH (security_barrier) AS
SELECT organization_id, ended_as, reason, sum(uplinks)::bigint AS uplinks FROM uplink_ends GROUP BY 1, 2, 3
"""


def upgrade() -> None:
    """Create the views."""
    op.execute(VIEWS)
