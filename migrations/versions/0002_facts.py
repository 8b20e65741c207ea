"""0002: what was measured and what was judged.

Hypertables are append-only and have no foreign keys; current state stands beside them in small plain tables. Temperatures are
integer hundredths of a degree; the views of 0003 show degrees.
"""

from alembic import op

from migrations import timeseries
from migrations.timeseries import partition_clause

revision = "0002"
down_revision = "0001"

PLAIN = """
CREATE TABLE partitioned_tables (
  table_name text PRIMARY KEY,
  time_column text NOT NULL,
  width_days integer NOT NULL CHECK (width_days > 0)
);
CREATE TABLE flow_progress (            -- how far of `uplinks` a flow's rows are in the database
  flow text NOT NULL,
  partition smallint NOT NULL,
  position bigint NOT NULL,             -- offset in `uplinks` of the newest row done
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (flow, partition)
) WITH (fillfactor = 50);
CREATE TABLE uplink_ends (              -- every uplink has one end: the sums must agree with what was acknowledged
  partition smallint NOT NULL,
  organization_id integer NOT NULL,
  ended_as text NOT NULL CHECK (ended_as IN ('stored', 'duplicate', 'no_reading', 'rejected', 'unassigned')),
  reason smallint NOT NULL DEFAULT 0,   -- code of schemas.reasons
  uplinks bigint NOT NULL,
  PRIMARY KEY (partition, organization_id, ended_as, reason)
) WITH (fillfactor = 50);
CREATE TABLE latest_readings (          -- the newest by measured_at, not the last that arrived
  sensor_id integer PRIMARY KEY,
  organization_id integer NOT NULL,
  unit_id integer NOT NULL,
  measured_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  temperature smallint,
  humidity smallint,
  battery_millivolts smallint,
  battery_percent smallint,
  door_open boolean,
  reason smallint
) WITH (fillfactor = 50);
CREATE INDEX latest_readings_unit ON latest_readings (unit_id);
CREATE TABLE current_excursions (       -- the newest version of every excursion that stands
  excursion_id uuid PRIMARY KEY,
  version integer NOT NULL,
  organization_id integer NOT NULL,
  unit_id integer NOT NULL,
  sensor_id integer NOT NULL,
  device_id integer NOT NULL,
  band text NOT NULL,
  side text NOT NULL,
  severity text NOT NULL,
  limit_hundredths integer NOT NULL,
  policy_version_id integer NOT NULL,
  first_started_at timestamptz NOT NULL,
  started_at timestamptz NOT NULL,
  opened_at timestamptz NOT NULL,
  ended_at timestamptz,
  closed_at timestamptz,
  ended_by text CHECK (ended_by IN ('recovery', 'policy', 'assignment')),
  late boolean NOT NULL DEFAULT false,
  known_at timestamptz NOT NULL
);
CREATE INDEX current_excursions_sensor ON current_excursions (sensor_id, band, started_at);
CREATE INDEX current_excursions_organization ON current_excursions (organization_id, started_at);
CREATE UNIQUE INDEX current_excursions_one_open ON current_excursions (sensor_id, band) WHERE closed_at IS NULL;
CREATE TABLE open_excursions (          -- running figures of open excursions, written at most once a minute each
  excursion_id uuid PRIMARY KEY,
  organization_id integer NOT NULL,
  sensor_id integer NOT NULL,
  as_of timestamptz NOT NULL,
  peak integer,
  mean double precision,
  degree_minutes double precision NOT NULL,
  exposure_ms bigint NOT NULL,
  known_ms bigint NOT NULL,
  unknown_ms bigint NOT NULL,
  samples integer NOT NULL,
  largest_gap_ms bigint NOT NULL
) WITH (fillfactor = 70);
CREATE TABLE open_conditions (
  condition_id uuid PRIMARY KEY,
  organization_id integer NOT NULL,
  device_id integer NOT NULL,
  kind text NOT NULL,
  started_at timestamptz NOT NULL,
  UNIQUE (device_id, kind)
);
CREATE TABLE sensor_states (
  sensor_id integer PRIMARY KEY,
  organization_id integer NOT NULL,
  unit_id integer NOT NULL,
  state text NOT NULL CHECK (state IN ('in_range', 'recovering', 'breaching', 'unknown', 'offline', 'excursion')),
  since timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX sensor_states_unit ON sensor_states (unit_id);
CREATE TABLE outbox (                   -- events written with the facts they tell of, sent to the log after the commit
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  flow text NOT NULL,
  cell text NOT NULL,
  organization_id integer NOT NULL,
  site_id integer NOT NULL,
  unit_id integer NOT NULL,
  event text NOT NULL,
  data jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
)
"""

READINGS = """
CREATE TABLE readings (
  sensor_id integer NOT NULL,
  measured_at timestamptz NOT NULL,
  organization_id integer NOT NULL,
  unit_id integer NOT NULL,
  assignment_id integer NOT NULL,
  policy_version_id integer NOT NULL,
  configuration_id integer NOT NULL,
  received_after_ms bigint NOT NULL,    -- received_at - measured_at
  uplink_partition smallint NOT NULL,
  uplink_offset bigint NOT NULL,
  temperature smallint,                 -- hundredths of a degree Celsius; null in a fault mark
  humidity smallint,                    -- hundredths of a percent
  battery_millivolts smallint,
  battery_percent smallint,
  door_open boolean,
  reason smallint,                      -- code of schemas.reasons; set in a fault mark
  late boolean NOT NULL,                -- a newer reading of this sensor was stored before
  PRIMARY KEY (sensor_id, measured_at)
) {partitioned}
"""

EXCURSION_VERSIONS = """
CREATE TABLE excursion_versions (
  excursion_id uuid NOT NULL,
  version integer NOT NULL,
  first_started_at timestamptz NOT NULL, -- started_at as first recorded: part of the identity, and the partitioning time
  known_at timestamptz NOT NULL,
  reason text NOT NULL CHECK (reason IN ('opened', 'closed', 'late', 'correction', 'policy', 'assignment', 'void')),
  organization_id integer NOT NULL,
  unit_id integer NOT NULL,
  sensor_id integer NOT NULL,
  device_id integer NOT NULL,
  band text NOT NULL,
  side text NOT NULL,
  severity text NOT NULL,
  limit_hundredths integer NOT NULL,
  policy_version_id integer NOT NULL,
  started_at timestamptz NOT NULL,
  opened_at timestamptz NOT NULL,
  ended_at timestamptz,
  closed_at timestamptz,
  ended_by text,
  late boolean NOT NULL,
  superseded_by uuid,                   -- set on a void: the excursion that took this one's place
  peak integer,
  mean double precision,                -- hundredths
  degree_minutes double precision NOT NULL,
  exposure_ms bigint NOT NULL,
  known_ms bigint NOT NULL,
  unknown_ms bigint NOT NULL,
  samples integer NOT NULL,
  largest_gap_ms bigint NOT NULL,
  uplink_partition smallint NOT NULL,   -- judged as of this record of `uplinks`
  uplink_offset bigint NOT NULL,
  PRIMARY KEY (excursion_id, version, first_started_at)
) {partitioned}
"""

CONDITION_EVENTS = """
CREATE TABLE condition_events (
  condition_id uuid NOT NULL,
  version integer NOT NULL,
  started_at timestamptz NOT NULL,
  known_at timestamptz NOT NULL,
  organization_id integer NOT NULL,
  device_id integer NOT NULL,
  kind text NOT NULL CHECK (kind IN ('offline')),
  ended_at timestamptz,
  uplink_partition smallint NOT NULL,
  uplink_offset bigint NOT NULL,
  PRIMARY KEY (condition_id, version, started_at)
) {partitioned}
"""

DEAD_LETTERS = """
CREATE TABLE dead_letters (
  dead_letter_id uuid NOT NULL,
  received_at timestamptz NOT NULL,
  organization_id integer NOT NULL,
  application_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('rejected', 'unassigned')),
  reason text NOT NULL,
  detail text NOT NULL,
  dev_eui text NOT NULL,
  topic text NOT NULL,
  uplink_partition smallint NOT NULL,
  uplink_offset bigint NOT NULL,
  part smallint NOT NULL,
  raw bytea NOT NULL,
  PRIMARY KEY (dead_letter_id, received_at)
) {partitioned}
"""

INDEXES = """
CREATE INDEX readings_unit ON readings (unit_id, measured_at DESC);
CREATE INDEX excursion_versions_sensor ON excursion_versions (sensor_id, band, first_started_at);
CREATE INDEX excursion_versions_organization ON excursion_versions (organization_id, first_started_at);
CREATE INDEX condition_events_device ON condition_events (device_id, started_at);
CREATE INDEX dead_letters_organization ON dead_letters (organization_id, received_at DESC);
CREATE INDEX dead_letters_device ON dead_letters (dev_eui, received_at DESC)
"""


def upgrade() -> None:
    """Create the tables of facts."""
    connection = op.get_bind()
    capability = timeseries.detect(connection)
    op.execute(PLAIN)
    op.execute(timeseries.ENSURE_PARTITIONS)
    for ddl, table, column, days in (
        (READINGS, "readings", "measured_at", 7),
        (EXCURSION_VERSIONS, "excursion_versions", "first_started_at", 28),
        (CONDITION_EVENTS, "condition_events", "started_at", 28),
        (DEAD_LETTERS, "dead_letters", "received_at", 28),
    ):
        op.execute(ddl.format(partitioned=partition_clause(capability, column)))
        timeseries.ensure_partitioned(connection, capability, table, column=column, days=days)
        op.execute(f"SELECT ensure_partitions('{table}', now() - interval '35 days', now() + interval '35 days')")
    op.execute(INDEXES)
    timeseries.ensure_columnstore(connection, capability, "readings", segment_by="sensor_id", order_by="measured_at DESC", after_days=14)
    timeseries.ensure_hardening(connection, capability)
