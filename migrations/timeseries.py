"""The time-series layer in small idempotent functions that take what the database can do.

With TimescaleDB a partitioned table is a hypertable; without, it has native range partitions, created ahead and on demand by
the SQL function `ensure_partitions`. Table, view and function names are the same on every tier.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, text

SPARSE_INDEXES_FROM: Final = (2, 24)
"""Before it the columnstore chooses them itself."""


class Tier(StrEnum):
    """What the database offers for time series."""

    PLAIN = "plain"
    APACHE = "apache"
    TIMESCALE = "timescale"


@dataclass(frozen=True, slots=True)
class Capability:
    """The tier and the extension's version (empty on plain PostgreSQL)."""

    tier: Tier
    version: str

    @property
    def hypertables(self) -> bool:
        """Whether hypertables can be made."""
        return self.tier is not Tier.PLAIN

    @property
    def columnstore(self) -> bool:
        """Whether the columnstore and policies can be used."""
        return self.tier is Tier.TIMESCALE

    @property
    def sparse_indexes(self) -> bool:
        """Whether the columnstore takes a list of its sparse indexes."""
        return self.columnstore and tuple(int(part) for part in self.version.split("-")[0].split(".")[:2]) >= SPARSE_INDEXES_FROM


def detect(connection: Connection) -> Capability:
    """Return what the database offers, creating the extension where its library is loaded.

    Never tries CREATE EXTENSION where the library is not preloaded: that kills the connection.
    """
    preloaded = connection.execute(text("SELECT current_setting('timescaledb.max_background_workers', true)")).scalar()
    if preloaded is None:
        return Capability(Tier.PLAIN, "")
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS timescaledb"))
    version = connection.execute(text("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")).scalar()
    license_name = connection.execute(text("SELECT current_setting('timescaledb.license', true)")).scalar()
    tier = Tier.TIMESCALE if license_name == "timescale" else Tier.APACHE
    return Capability(tier, str(version))


def ensure_partitioned(connection: Connection, capability: Capability, table: str, *, column: str, days: int) -> None:
    """Make `table` (created with `partition_clause`) a hypertable, or register it for native partitions of `days` days."""
    connection.execute(
        text(
            "INSERT INTO partitioned_tables (table_name, time_column, width_days) VALUES (:table, :column, :days) "
            "ON CONFLICT (table_name) DO NOTHING",
        ),
        {"table": table, "column": column, "days": days},
    )
    if capability.hypertables:
        connection.execute(
            text(
                f"SELECT create_hypertable('{table}', by_range('{column}', interval '{days} days'), "
                "create_default_indexes => false, if_not_exists => true)",
            ),
        )


def ensure_columnstore(
    connection: Connection, capability: Capability, table: str, *, segment_by: str, order_by: str, after_days: int, sparse_index: str = ""
) -> None:
    """Turn on the columnstore with a policy that converts chunks once they are past the usual lateness.

    `sparse_index` lists its sparse indexes, where that can be said; empty leaves them to it.
    """
    if not capability.columnstore:
        return
    indexes = f", timescaledb.sparse_index = '{sparse_index}'" if sparse_index and capability.sparse_indexes else ""
    connection.execute(
        text(
            f"ALTER TABLE {table} SET (timescaledb.enable_columnstore, timescaledb.segmentby = '{segment_by}', "
            f"timescaledb.orderby = '{order_by}'{indexes})",
        ),
    )
    connection.execute(text(f"CALL add_columnstore_policy('{table}', after => interval '{after_days} days', if_not_exists => true)"))


def ensure_hardening(connection: Connection, capability: Capability) -> None:
    """Take from PUBLIC what any role could abuse on TimescaleDB before 2.29.1 (GHSA-hcfx-29v5-2rcw) and `add_job`."""
    if not capability.hypertables:
        return
    connection.execute(text(HARDENING))


def partition_clause(capability: Capability, column: str) -> str:
    """Return what ends a CREATE TABLE: nothing for a hypertable, PARTITION BY RANGE for plain PostgreSQL."""
    return "" if capability.hypertables else f"PARTITION BY RANGE ({column})"


HARDENING = """
DO $$
DECLARE routine regprocedure;
BEGIN
  FOR routine IN
    SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE (n.nspname IN ('_timescaledb_functions', '_timescaledb_internal') AND p.proname IN
            ('drop_chunk', 'drop_osm_chunk', 'create_compressed_chunk', 'freeze_chunk', 'unfreeze_chunk',
             'hypertable_osm_range_update', 'lock_osm_chunk_dimension_slice'))
       OR (p.proname = 'add_job' AND n.nspname = 'public')
  LOOP
    BEGIN
      EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', routine);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE WARNING 'could not revoke % from PUBLIC: ask the database owner', routine;
    END;
  END LOOP;
END $$
"""

ENSURE_PARTITIONS = """
CREATE OR REPLACE FUNCTION ensure_partitions(wanted_table text, first_at timestamptz, last_at timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
-- Creates the native partitions of wanted_table that cover [first_at, last_at]; returns how many it made.
-- On a hypertable there is nothing to do: TimescaleDB makes its own chunks.
DECLARE
  width interval;
  start_at timestamptz;
  part_name text;
  made integer := 0;
BEGIN
  IF (SELECT relkind FROM pg_class WHERE oid = wanted_table::regclass) <> 'p' THEN
    RETURN 0;
  END IF;
  SELECT make_interval(days => width_days) INTO STRICT width FROM partitioned_tables WHERE table_name = wanted_table;
  start_at := date_bin(width, first_at, timestamptz '2000-01-03 00:00:00+00');
  WHILE start_at <= last_at LOOP
    part_name := format('%s_%s', wanted_table, to_char(start_at AT TIME ZONE 'UTC', 'YYYYMMDD'));
    IF to_regclass(part_name) IS NULL THEN
      PERFORM pg_advisory_xact_lock(hashtext(part_name));
      IF to_regclass(part_name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', part_name, wanted_table, start_at, start_at + width);
        made := made + 1;
      END IF;
    END IF;
    start_at := start_at + width;
  END LOOP;
  RETURN made;
END $$
"""
