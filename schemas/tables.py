"""The map of the database: every table with its kind, key, writers and readers.

Migrations are checked against it. Hypertables are append-only and partitioned by their time column, natively where TimescaleDB is absent.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class TableKind(StrEnum):
    """How a table is kept."""

    PLAIN = "plain"
    HYPERTABLE = "hypertable"


@dataclass(frozen=True, slots=True)
class Table:
    """One table."""

    name: str
    key: tuple[str, ...]
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    kind: TableKind = TableKind.PLAIN
    time_column: str = ""
    """Of a hypertable: what it is partitioned by."""


_REGISTRY: Final = ("operators",)
_TERMS: Final = ("decode_uplinks", "api")


def _hypertable(name: str, key: tuple[str, ...], time_column: str, writers: tuple[str, ...], readers: tuple[str, ...]) -> Table:
    return Table(name, key, writers, readers, TableKind.HYPERTABLE, time_column)


TABLES: Final = (
    Table("organizations", ("id",), _REGISTRY, ("api",)),
    Table("application_secrets", ("id",), _REGISTRY, ("api",)),
    Table("sites", ("id",), _REGISTRY, ("api",)),
    Table("units", ("id",), _REGISTRY, ("api", "store_readings", "detect_excursions")),
    Table("devices", ("id",), _REGISTRY, _TERMS),
    Table("sensors", ("id",), _REGISTRY, _TERMS),
    Table("assignments", ("id",), _REGISTRY, _TERMS),
    Table("sensor_configurations", ("id",), _REGISTRY, (*_TERMS, "detect_excursions")),
    Table("policies", ("id",), _REGISTRY, ("api",)),
    Table("policy_versions", ("id",), _REGISTRY, ("api", "detect_excursions")),
    Table("unit_policies", ("id",), _REGISTRY, _TERMS),
    Table("registry_state", ("only_row",), ("triggers of the registry",), ("decode_uplinks",)),
    Table("partitioned_tables", ("table_name",), ("migrations",), ("ensure_partitions",)),
    Table("flow_progress", ("flow", "partition"), ("store_readings", "detect_excursions"), ("store_readings", "detect_excursions")),
    Table("uplink_ends", ("partition", "organization_id", "ended_as", "reason"), ("store_readings",), ("api",)),
    Table("latest_readings", ("sensor_id",), ("store_readings",), ("api", "store_readings")),
    Table("current_excursions", ("excursion_id",), ("detect_excursions",), ("api", "detect_excursions")),
    Table("open_excursions", ("excursion_id",), ("detect_excursions",), ("api",)),
    Table("open_conditions", ("condition_id",), ("detect_excursions",), ("api",)),
    Table("sensor_states", ("sensor_id",), ("detect_excursions",), ("api",)),
    Table("outbox", ("id",), ("detect_excursions",), ("detect_excursions",)),
    _hypertable("readings", ("sensor_id", "measured_at"), "measured_at", ("store_readings",), ("api", "analysts")),
    _hypertable(
        "excursion_versions",
        ("excursion_id", "version", "first_started_at"),
        "first_started_at",
        ("detect_excursions",),
        ("api", "analysts", "detect_excursions"),
    ),
    _hypertable("condition_events", ("condition_id", "version", "started_at"), "started_at", ("detect_excursions",), ("analysts",)),
    _hypertable(
        "dead_letters",
        ("dead_letter_id", "received_at"),
        "received_at",
        ("store_dead_letters", "store_readings"),
        ("api", "analysts"),
    ),
)
"""Every table of the schema `public`, but for Alembic's own."""
