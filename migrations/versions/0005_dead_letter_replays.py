"""0005: dead letters that are replayed, and what becomes of them; a device's uplinks that leave no trace elsewhere.

A replayed uplink is counted apart (`uplink_ends.replayed`), so that what was acknowledged still equals what ended. What each table
says has one writer: the API puts in the replay, store_readings its end.
"""

from alembic import op

revision = "0005"
down_revision = "0006"

TABLES = """
CREATE TABLE dead_letter_replays (
  dead_letter_id uuid NOT NULL,
  attempt smallint NOT NULL CHECK (attempt >= 1),
  organization_id integer NOT NULL,
  replayed_at timestamptz NOT NULL DEFAULT now(),
  replayed_by text NOT NULL,
  uplink_partition smallint,             -- where in `uplinks` it stands again; null until the log has it
  uplink_offset bigint,
  PRIMARY KEY (dead_letter_id, attempt),
  CHECK ((uplink_partition IS NULL) = (uplink_offset IS NULL))
);
CREATE TABLE replay_ends (               -- how a replayed uplink ended, by its place in `uplinks`
  uplink_partition smallint NOT NULL,
  uplink_offset bigint NOT NULL,
  organization_id integer NOT NULL,
  ended_as text NOT NULL CHECK (ended_as IN ('stored', 'duplicate', 'no_reading', 'rejected', 'unassigned')),
  reason smallint NOT NULL DEFAULT 0,    -- code of schemas.reasons
  readings integer NOT NULL,             -- rows that were stored
  PRIMARY KEY (uplink_partition, uplink_offset)
);
CREATE TABLE device_ends (               -- a registered device's uplinks that left neither a reading nor a dead letter
  device_id integer NOT NULL,
  ended_as text NOT NULL CHECK (ended_as IN ('duplicate', 'no_reading')),
  organization_id integer NOT NULL,
  uplinks bigint NOT NULL,
  first_at timestamptz NOT NULL,         -- received_at of the first and of the newest
  last_at timestamptz NOT NULL,
  PRIMARY KEY (device_id, ended_as)
) WITH (fillfactor = 50);
ALTER TABLE uplink_ends ADD COLUMN IF NOT EXISTS replayed bigint NOT NULL DEFAULT 0;
ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS replay_of uuid;
CREATE OR REPLACE VIEW analytics.uplink_ends WITH (security_barrier) AS
SELECT organization_id, ended_as, reason, sum(uplinks)::bigint AS uplinks, sum(replayed)::bigint AS replayed
FROM uplink_ends GROUP BY 1, 2, 3
"""


def upgrade() -> None:
    """Create the tables, and the columns beside what is there."""
    op.execute(TABLES)
