"""0012: the columnstore of readings keeps one sparse index, by unit: the one over time and unit that it makes by itself takes a byte a reading.

It holds for chunks that are converted from now on.
"""

from alembic import op

from migrations import timeseries

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Set it where the columnstore is and knows it."""
    connection = op.get_bind()
    capability = timeseries.detect(connection)
    timeseries.ensure_columnstore(
        connection,
        capability,
        "readings",
        segment_by="sensor_id",
        order_by="measured_at DESC",
        after_days=14,
        sparse_index="bloom(unit_id)",
    )
