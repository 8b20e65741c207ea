"""0009: of which kind of band an excursion is, and over which window: another version of a policy may have another band of the name."""

from alembic import op

revision = "0009"
down_revision = "0008"

TABLES = ("excursion_versions", "current_excursions")


def upgrade() -> None:
    """Add the columns; what is there is of kind sustained, as no other was judged before."""
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS kind text NOT NULL DEFAULT 'sustained'")
        op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS window_ms bigint")
