"""0001: who owns what, and which terms are in force when.

Configurations, policy versions and the timelines that put them in force are append-only; `registry_state` counts every
change, so that decode_uplinks knows when to load again.
"""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE organizations (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  team_id text NOT NULL UNIQUE,          -- the Stack Auth team that the organization is
  name text NOT NULL
);
CREATE TABLE application_secrets (      -- at most two valid ones per application: rotation
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id integer NOT NULL REFERENCES organizations,
  application_id text NOT NULL,
  secret_sha256 bytea NOT NULL UNIQUE CHECK (length(secret_sha256) = 32),
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);
CREATE TABLE sites (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id integer NOT NULL REFERENCES organizations,
  name text NOT NULL,
  time_zone text NOT NULL DEFAULT 'UTC',
  UNIQUE (organization_id, name)
);
CREATE TABLE units (                    -- a refrigerator, freezer, cold room or shipment
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id integer NOT NULL REFERENCES organizations,
  site_id integer NOT NULL REFERENCES sites,
  name text NOT NULL,
  kind text NOT NULL DEFAULT 'refrigerator',
  UNIQUE (site_id, name)
);
CREATE TABLE devices (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id integer NOT NULL REFERENCES organizations,
  dev_eui text NOT NULL CHECK (dev_eui ~ '^[0-9A-F]{16}$'),
  name text NOT NULL DEFAULT '',
  brand_id text NOT NULL DEFAULT '',
  model_id text NOT NULL DEFAULT '',
  UNIQUE (organization_id, dev_eui)
);
CREATE TABLE sensors (                  -- one probe of a device
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id integer NOT NULL REFERENCES organizations,
  device_id integer NOT NULL REFERENCES devices,
  probe text NOT NULL DEFAULT 'main',   -- a probe's name as decoded, or main: the device's best-ranked probe
  UNIQUE (device_id, probe)
);
CREATE TABLE assignments (              -- which unit a sensor watches, and when
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id integer NOT NULL REFERENCES organizations,
  sensor_id integer NOT NULL REFERENCES sensors,
  unit_id integer NOT NULL REFERENCES units,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz CHECK (valid_to > valid_from),
  UNIQUE (sensor_id, valid_from)
);
CREATE UNIQUE INDEX assignments_one_open ON assignments (sensor_id) WHERE valid_to IS NULL;
CREATE TABLE sensor_configurations (    -- immutable versions
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id integer NOT NULL REFERENCES organizations,
  sensor_id integer NOT NULL REFERENCES sensors,
  effective_at timestamptz NOT NULL,
  calibration_hundredths integer NOT NULL DEFAULT 0,
  expected_interval_ms bigint NOT NULL CHECK (expected_interval_ms > 0),
  max_gap_ms bigint NOT NULL CHECK (max_gap_ms > 0),
  offline_after_ms bigint NOT NULL CHECK (offline_after_ms > 0),
  UNIQUE (sensor_id, effective_at)
);
CREATE TABLE policies (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id integer NOT NULL REFERENCES organizations,
  name text NOT NULL,
  UNIQUE (organization_id, name)
);
CREATE TABLE policy_versions (          -- immutable versions; document is what excursions.md section 3 describes
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id integer NOT NULL REFERENCES organizations,
  policy_id integer NOT NULL REFERENCES policies,
  version integer NOT NULL CHECK (version >= 1),
  document jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (policy_id, version)
);
CREATE TABLE unit_policies (            -- which policy version a unit is judged by, from when on
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id integer NOT NULL REFERENCES organizations,
  unit_id integer NOT NULL REFERENCES units,
  policy_version_id integer NOT NULL REFERENCES policy_versions,
  effective_at timestamptz NOT NULL,
  UNIQUE (unit_id, effective_at)
);
CREATE TABLE registry_state (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  version bigint NOT NULL DEFAULT 0,
  changed_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO registry_state DEFAULT VALUES;
CREATE FUNCTION count_registry_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE registry_state SET version = version + 1, changed_at = clock_timestamp();
  RETURN NULL;
END $$;
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: add a new version instead', TG_TABLE_NAME;
END $$
"""

COUNTED = (
    "sites",
    "units",
    "devices",
    "sensors",
    "assignments",
    "sensor_configurations",
    "policy_versions",
    "unit_policies",
)
IMMUTABLE = ("sensor_configurations", "policy_versions", "unit_policies")


def upgrade() -> None:
    """Create the registry."""
    op.execute(TABLES)
    for table in COUNTED:
        op.execute(
            f"CREATE TRIGGER {table}_counted AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION count_registry_change()",
        )
    for table in IMMUTABLE:
        op.execute(f"CREATE TRIGGER {table}_immutable BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
