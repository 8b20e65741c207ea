"""0010: conditions of every kind, of a device, a sensor or a band, with who is told, when each was settled, and what it stands on.

Also whether an organization takes over learned intervals by itself.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

KINDS = "'offline', 'battery_low', 'door_open', 'frozen_value', 'sensor_fault', 'clock_wrong', 'possible_excursion'"

COLUMNS = """
  ADD COLUMN IF NOT EXISTS sensor_id integer NOT NULL DEFAULT 0,       -- 0: of the device itself
  ADD COLUMN IF NOT EXISTS unit_id integer,                            -- null: recorded before there was the column
  ADD COLUMN IF NOT EXISTS band text NOT NULL DEFAULT '',              -- of a possible excursion
  ADD COLUMN IF NOT EXISTS alert text NOT NULL DEFAULT 'warning',
  ADD COLUMN IF NOT EXISTS opened_at timestamptz,                      -- when it was settled that it began; null: as it started
  ADD COLUMN IF NOT EXISTS detail jsonb
"""

EVENTS = f"""
ALTER TABLE condition_events {COLUMNS},
  ADD COLUMN IF NOT EXISTS closed_at timestamptz,
  ADD COLUMN IF NOT EXISTS ended_by text;
ALTER TABLE condition_events DROP CONSTRAINT IF EXISTS condition_events_kind_check;
ALTER TABLE condition_events ADD CONSTRAINT condition_events_kind_check CHECK (kind IN ({KINDS}));
CREATE INDEX IF NOT EXISTS condition_events_organization ON condition_events (organization_id, started_at);
CREATE INDEX IF NOT EXISTS condition_events_unit ON condition_events (unit_id, started_at)
"""

OPEN = f"""
ALTER TABLE open_conditions {COLUMNS};
ALTER TABLE open_conditions DROP CONSTRAINT IF EXISTS open_conditions_device_id_kind_key;
ALTER TABLE open_conditions DROP CONSTRAINT IF EXISTS open_conditions_one;
ALTER TABLE open_conditions ADD CONSTRAINT open_conditions_one UNIQUE (device_id, sensor_id, kind, band);
CREATE INDEX IF NOT EXISTS open_conditions_unit ON open_conditions (unit_id)
"""

ORGANIZATIONS = "ALTER TABLE organizations ADD COLUMN IF NOT EXISTS accepts_intervals boolean NOT NULL DEFAULT false"


def upgrade() -> None:
    """Add the columns, the kinds and the indexes; what is there is offline, of devices."""
    op.execute(EVENTS)
    op.execute(OPEN)
    op.execute(ORGANIZATIONS)
