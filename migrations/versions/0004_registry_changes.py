"""0004: what can be changed by people: things are archived instead of deleted, and every change is written down.

`registry_changes` is append-only and plain: it says who changed what, when, from what to what, and from when on it holds.
"""

from alembic import op

revision = "0004"
down_revision = "0005"

ARCHIVED = ("organizations", "sites", "units", "sensors", "policies")

CHANGES = """
CREATE TABLE IF NOT EXISTS registry_changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  user_id text NOT NULL,                 -- Stack Auth's id of a person, or `operator` for a command on the machine
  organization_id integer NOT NULL REFERENCES organizations,
  kind text NOT NULL,                    -- organization, site, unit, sensor, policy, secret
  thing_id integer NOT NULL,
  action text NOT NULL,
  effective_at timestamptz,              -- from when on it holds; null: at once
  before jsonb,
  after jsonb,
  comment text NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS registry_changes_by_organization ON registry_changes (organization_id, id);
CREATE INDEX IF NOT EXISTS registry_changes_by_thing ON registry_changes (kind, thing_id, id);
CREATE OR REPLACE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE OR REPLACE TRIGGER registry_changes_immutable BEFORE UPDATE OR DELETE ON registry_changes
  FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE INDEX IF NOT EXISTS assignments_by_unit ON assignments (unit_id, valid_from)
"""


def upgrade() -> None:
    """Add what archiving and writing changes down need."""
    for table in ARCHIVED:
        op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS archived_at timestamptz")
    op.execute(CHANGES)
