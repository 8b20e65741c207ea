"""0013: what people say beside a unit's readings: declared maintenance, and in a sensor's configuration what a defrost looks like.

A window is never changed but to end sooner or to be revoked; what it says of the past is judged again through `rejudgements`.
"""

from alembic import op

revision = "0013"
down_revision = "0012"

TABLES = """
CREATE TABLE IF NOT EXISTS maintenance_windows (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id integer NOT NULL REFERENCES organizations,
  unit_id integer NOT NULL REFERENCES units,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),  -- end excluded; as declared, or sooner
  declared_ends_at timestamptz NOT NULL CHECK (declared_ends_at >= ends_at),
  declared_by text NOT NULL,                                 -- Stack Auth's id of a person
  declared_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  comment text NOT NULL CHECK (comment <> ''),
  ended_by text,
  ended_at timestamptz,                                      -- when it was said that it ends sooner
  end_comment text CHECK (end_comment <> ''),
  revoked_by text,
  revoked_at timestamptz,
  revocation_comment text CHECK (revocation_comment <> ''),
  CHECK ((ended_at IS NULL) = (declared_ends_at = ends_at)),
  CHECK ((ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (end_comment IS NULL)),
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL) AND (revoked_at IS NULL) = (revocation_comment IS NULL))
);
CREATE INDEX IF NOT EXISTS maintenance_windows_organization ON maintenance_windows (organization_id, id DESC);
CREATE INDEX IF NOT EXISTS maintenance_windows_unit ON maintenance_windows (unit_id, ends_at) WHERE revoked_at IS NULL;
ALTER TABLE rejudgements ADD COLUMN IF NOT EXISTS maintenance_id integer REFERENCES maintenance_windows;
ALTER TABLE rejudgements ALTER COLUMN correction_id DROP NOT NULL;
ALTER TABLE rejudgements DROP CONSTRAINT IF EXISTS rejudgements_because;
ALTER TABLE rejudgements ADD CONSTRAINT rejudgements_because CHECK (num_nonnulls(correction_id, maintenance_id) = 1);
ALTER TABLE sensor_configurations
  ADD COLUMN IF NOT EXISTS defrost_period_ms bigint,         -- the least from the start of one to the start of the next
  ADD COLUMN IF NOT EXISTS defrost_peak_hundredths integer,  -- the warmest a reading may be
  ADD COLUMN IF NOT EXISTS defrost_duration_ms bigint;       -- the longest it may last
ALTER TABLE sensor_configurations DROP CONSTRAINT IF EXISTS sensor_configurations_defrost;
ALTER TABLE sensor_configurations ADD CONSTRAINT sensor_configurations_defrost CHECK (
  num_nulls(defrost_period_ms, defrost_peak_hundredths, defrost_duration_ms) IN (0, 3)
  AND defrost_duration_ms > 0 AND defrost_period_ms > defrost_duration_ms)
"""

COUNTED = """
CREATE OR REPLACE TRIGGER maintenance_windows_counted AFTER INSERT OR UPDATE OR DELETE ON maintenance_windows
  FOR EACH STATEMENT EXECUTE FUNCTION count_registry_change()
"""

GUARD = """
CREATE OR REPLACE FUNCTION refuse_rewriting_maintenance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.revoked_at IS NOT NULL OR NEW.ends_at > OLD.ends_at
     OR to_jsonb(NEW) - '{ends_at,ended_by,ended_at,end_comment,revoked_at,revoked_by,revocation_comment}'::text[]
        <> to_jsonb(OLD) - '{ends_at,ended_by,ended_at,end_comment,revoked_at,revoked_by,revocation_comment}'::text[] THEN
    RAISE EXCEPTION 'a maintenance window only ends sooner or is revoked: declare another';
  END IF;
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER maintenance_windows_guarded BEFORE UPDATE OR DELETE ON maintenance_windows
  FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_maintenance()
"""

ANALYTICS = """
CREATE OR REPLACE VIEW analytics.maintenance_windows WITH (security_barrier) AS
SELECT organization_id, id AS window_id, unit_id, starts_at, ends_at, declared_ends_at, declared_by, declared_at, comment,
       ended_by, ended_at, end_comment, revoked_by, revoked_at, revocation_comment
FROM maintenance_windows
"""


def upgrade() -> None:
    """Create the table and its guard, and add the columns."""
    for statements in (TABLES, COUNTED, GUARD, ANALYTICS):
        op.execute(statements)
