"""0006: who may work on a partition of a flow: one lease for each, with a fencing epoch and the database's own clock."""

from alembic import op

revision = "0006"
down_revision = "0003"

LEASES = """
CREATE SEQUENCE cell_epochs;            -- never gives a number twice: an epoch names one taking of one cell
CREATE TABLE cell_leases (
  flow text NOT NULL,
  partition smallint NOT NULL,
  epoch bigint NOT NULL DEFAULT 0,      -- of the newest taking: who writes under an older one is refused
  cell text NOT NULL DEFAULT '',
  host text NOT NULL DEFAULT '',
  pid integer NOT NULL DEFAULT 0,
  place text NOT NULL DEFAULT '',       -- boot and process namespace: where the pid means something
  began text NOT NULL DEFAULT '',       -- when the process began: a pid is used again
  lock_file text NOT NULL DEFAULT '',   -- boot, device and inode of the recovery folder's lock
  metrics_port integer,
  acquired_at timestamptz NOT NULL DEFAULT now(),
  renewed_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL DEFAULT '-infinity',
  next_offset bigint,                   -- of the flow's topic, as of renewed_at
  lag bigint,
  lag_before bigint,                    -- at the renewal before
  per_second real,                      -- records read between the two
  PRIMARY KEY (flow, partition)
) WITH (fillfactor = 50)
"""


def upgrade() -> None:
    """Create the table of leases."""
    op.execute(LEASES)
