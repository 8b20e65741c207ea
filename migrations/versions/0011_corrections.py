"""0011: what people correct of the past, as an overlay: `readings` is append-only and stays as it was measured and stamped.

`corrections` says who corrected what and why, `corrected_stretches` what is true of a sensor between two instants because of all of
them, `rejudgements` which sensors must be judged again, from where and from when on. `corrected_readings` is `readings` with the overlay.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

TABLES = """
CREATE TABLE IF NOT EXISTS corrections (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id integer NOT NULL REFERENCES organizations,
  kind text NOT NULL CHECK (kind IN ('calibration', 'flag', 'delete', 'assignment', 'policy')),
  sensor_id integer REFERENCES sensors,                      -- of every kind but policy
  unit_id integer REFERENCES units,                          -- policy: whose; assignment: the unit that was watched, null for none
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),  -- end excluded; what follows it the registry's timelines say
  calibration_hundredths integer,                            -- calibration: in force, instead of that of the stamped configuration
  assignment_id integer REFERENCES assignments,              -- assignment: null for none
  policy_version_id integer REFERENCES policy_versions,
  made_by text NOT NULL,                                     -- Stack Auth's id of a person
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  comment text NOT NULL CHECK (comment <> ''),
  revoked_by text,
  revoked_at timestamptz,
  revocation_comment text CHECK (revocation_comment <> ''),
  CHECK ((kind = 'policy') = (sensor_id IS NULL)),
  CHECK ((kind = 'calibration') = (calibration_hundredths IS NOT NULL)),
  CHECK ((kind = 'policy') = (policy_version_id IS NOT NULL)),
  CHECK ((unit_id IS NULL) = (kind <> 'policy' AND assignment_id IS NULL)),
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL) AND (revoked_at IS NULL) = (revocation_comment IS NULL))
);
CREATE INDEX IF NOT EXISTS corrections_organization ON corrections (organization_id, id DESC);
CREATE INDEX IF NOT EXISTS corrections_sensor ON corrections (sensor_id) WHERE revoked_at IS NULL;
CREATE INDEX IF NOT EXISTS corrections_unit ON corrections (unit_id) WHERE revoked_at IS NULL;
CREATE TABLE IF NOT EXISTS corrected_stretches (             -- derived of the corrections that stand; never two at one instant
  sensor_id integer NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
  organization_id integer NOT NULL,
  mark text CHECK (mark IN ('flagged', 'deleted', 'unassigned')),
  calibration_hundredths integer,
  unit_id integer,                                           -- with its assignment: another than the rows are stamped with
  assignment_id integer,
  policy_version_id integer,
  PRIMARY KEY (sensor_id, starts_at)
);
CREATE INDEX IF NOT EXISTS corrected_stretches_unit ON corrected_stretches (unit_id) WHERE unit_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS rejudgements (                    -- read by decode_uplinks, which puts each into the log when its time has come
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id integer NOT NULL,
  correction_id integer NOT NULL REFERENCES corrections,
  sensor_id integer NOT NULL REFERENCES sensors,
  measured_from timestamptz NOT NULL,
  effective_at timestamptz NOT NULL,
  reason text NOT NULL CHECK (reason IN ('policy', 'assignment', 'correction'))
);
CREATE INDEX IF NOT EXISTS rejudgements_effective ON rejudgements (effective_at)
"""

COUNTED = ("corrected_stretches", "rejudgements")

GUARD = """
CREATE OR REPLACE FUNCTION refuse_rewriting_correction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.revoked_at IS NOT NULL
     OR to_jsonb(NEW) - '{revoked_at,revoked_by,revocation_comment}'::text[]
        <> to_jsonb(OLD) - '{revoked_at,revoked_by,revocation_comment}'::text[] THEN
    RAISE EXCEPTION 'corrections are append-only: revoke one, and make another';
  END IF;
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER corrections_guarded BEFORE UPDATE OR DELETE ON corrections
  FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_correction()
"""

FLAGGED = 37
"""schemas.reasons: the code of `flagged`."""

CALIBRATED = """(r.temperature + c.calibration_hundredths - coalesce(
           (SELECT f.calibration_hundredths FROM sensor_configurations f WHERE f.id = r.configuration_id), 0))"""

CORRECTED = f"""
SELECT r.sensor_id, r.measured_at, r.organization_id, {{unit}} AS unit_id,
       coalesce(c.assignment_id, r.assignment_id) AS assignment_id, coalesce(c.policy_version_id, r.policy_version_id) AS policy_version_id,
       r.configuration_id, r.received_after_ms, r.uplink_partition, r.uplink_offset,
       CASE WHEN c.mark = 'flagged' THEN NULL
            WHEN c.calibration_hundredths IS NULL OR r.temperature IS NULL THEN r.temperature::integer
            WHEN {CALIBRATED} BETWEEN -10000 AND 15000 THEN {CALIBRATED} END AS temperature,
       r.humidity, r.battery_millivolts, r.battery_percent, r.door_open,
       CASE WHEN r.temperature IS NULL THEN r.reason
            WHEN c.mark = 'flagged' THEN {FLAGGED}::smallint
            WHEN c.calibration_hundredths IS NOT NULL AND {CALIBRATED} NOT BETWEEN -10000 AND 15000 THEN 34::smallint
            ELSE r.reason END AS reason,
       r.late, r.temperature AS raw_temperature, coalesce(c.mark = 'flagged', false) AS is_flagged, c.sensor_id IS NOT NULL AS is_corrected
"""

VIEWS = f"""
CREATE OR REPLACE VIEW readings_in_place AS
{CORRECTED.format(unit="r.unit_id")}
FROM readings r
LEFT JOIN corrected_stretches c ON c.sensor_id = r.sensor_id AND r.measured_at >= c.starts_at AND r.measured_at < c.ends_at
WHERE c.unit_id IS NULL AND (c.mark IS NULL OR c.mark = 'flagged');
CREATE OR REPLACE VIEW readings_moved AS
{CORRECTED.format(unit="c.unit_id")}
FROM corrected_stretches c
JOIN readings r ON r.sensor_id = c.sensor_id AND r.measured_at >= c.starts_at AND r.measured_at < c.ends_at
WHERE c.unit_id IS NOT NULL AND (c.mark IS NULL OR c.mark = 'flagged');
CREATE OR REPLACE VIEW corrected_readings AS
-- Two parts, so that a filter by unit finds its index in each: rows of the unit they are stamped with, and rows of a moved sensor.
SELECT * FROM readings_in_place UNION ALL SELECT * FROM readings_moved
"""

ANALYTICS = """
CREATE OR REPLACE VIEW analytics.readings WITH (security_barrier) AS
SELECT organization_id, unit_id, sensor_id, measured_at,
       measured_at + received_after_ms * interval '1 millisecond' AS received_at,
       temperature / 100.0::double precision AS temperature_celsius,
       humidity / 100.0::double precision AS humidity_percent,
       battery_millivolts / 1000.0::double precision AS battery_volts,
       battery_percent, door_open, reason AS fault_reason, late,
       raw_temperature / 100.0::double precision AS raw_temperature_celsius, is_flagged, is_corrected
FROM corrected_readings;
CREATE OR REPLACE VIEW analytics.raw_readings WITH (security_barrier) AS
SELECT organization_id, unit_id, sensor_id, measured_at,
       measured_at + received_after_ms * interval '1 millisecond' AS received_at,
       temperature / 100.0::double precision AS temperature_celsius, reason AS fault_reason, assignment_id, policy_version_id, configuration_id
FROM readings;
CREATE OR REPLACE VIEW analytics.corrections WITH (security_barrier) AS
SELECT organization_id, id AS correction_id, kind, sensor_id, unit_id, starts_at, ends_at,
       calibration_hundredths / 100.0::double precision AS calibration_celsius, assignment_id, policy_version_id,
       made_by, made_at, comment, revoked_by, revoked_at, revocation_comment
FROM corrections
"""


def upgrade() -> None:
    """Create the tables and the views."""
    op.execute(TABLES)
    for table in COUNTED:
        op.execute(
            f"CREATE OR REPLACE TRIGGER {table}_counted AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION count_registry_change()",
        )
    for statements in (GUARD, VIEWS, ANALYTICS):
        op.execute(statements)
