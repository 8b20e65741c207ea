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
    what: str
    """What a row is, in a few words, for docs/reference.md."""
    kind: TableKind = TableKind.PLAIN
    time_column: str = ""
    """Of a hypertable: what it is partitioned by."""


_REGISTRY: Final = ("operators", "api")
_TERMS: Final = ("decode_uplinks", "api")
_FLOWS: Final = ("decode_uplinks", "store_readings", "detect_excursions", "revise_excursions", "store_dead_letters")
_JUDGING: Final = ("detect_excursions", "revise_excursions")


def _hypertable(name: str, key: tuple[str, ...], time_column: str, writers: tuple[str, ...], readers: tuple[str, ...], what: str) -> Table:
    return Table(name, key, writers, readers, what, TableKind.HYPERTABLE, time_column)


TABLES: Final = (
    Table("organizations", ("id",), _REGISTRY, ("api",), what="a Stack Auth team"),
    Table(
        "application_secrets",
        ("id",),
        _REGISTRY,
        ("api",),
        what="SHA-256 of the webhook secrets of an application, at most two of them valid",
    ),
    Table("sites", ("id",), _REGISTRY, ("api",), what="places with a time zone"),
    Table("units", ("id",), _REGISTRY, ("api", "store_readings", *_JUDGING), what="refrigerators, freezers, cold rooms, shipments"),
    Table("devices", ("id",), _REGISTRY, (*_TERMS, "store_readings"), what="devices by EUI, with their model where it is known"),
    Table("sensors", ("id",), _REGISTRY, (*_TERMS, "store_readings"), what="the probes of devices"),
    Table("registry_changes", ("id",), _REGISTRY, ("api", "analysts"), what="who changed what in the registry; append-only"),
    Table("assignments", ("id",), _REGISTRY, (*_TERMS, "revise_excursions"), what="which unit a sensor watches, and when"),
    Table(
        "sensor_configurations",
        ("id",),
        _REGISTRY,
        (*_TERMS, *_JUDGING),
        what="calibration, expected interval, max gap and patience of a sensor; immutable versions",
    ),
    Table("policies", ("id",), _REGISTRY, ("api",), what="names of policies"),
    Table("policy_versions", ("id",), _REGISTRY, ("api", *_JUDGING), what="documents of policies; immutable versions"),
    Table("unit_policies", ("id",), _REGISTRY, _TERMS, what="which policy version judges a unit, from when on; immutable"),
    Table(
        "corrections",
        ("id",),
        ("api",),
        ("api", "analysts"),
        what="what people corrected of the past, who and why; revoked, never changed",
    ),
    Table(
        "corrected_stretches",
        ("sensor_id", "starts_at"),
        ("api",),
        ("decode_uplinks", "revise_excursions", "api"),
        what="what is true of a sensor between two instants because of the corrections that stand",
    ),
    Table(
        "maintenance_windows",
        ("id",),
        ("api",),
        ("api", "analysts"),
        what="declared maintenance of a unit, who and why; only ever ended sooner or revoked",
    ),
    Table(
        "rejudgements",
        ("id",),
        ("api",),
        ("decode_uplinks",),
        what="sensors to judge again because of a correction or of maintenance, from where and from when on",
    ),
    Table(
        "registry_state",
        ("only_row",),
        ("triggers of the registry",),
        ("decode_uplinks", "api"),
        what="one row: how often the registry has changed",
    ),
    Table("partitioned_tables", ("table_name",), ("migrations",), ("ensure_partitions",), what="time column and width of every hypertable"),
    Table(
        "flow_progress",
        ("flow", "partition"),
        ("store_readings", "detect_excursions"),
        ("store_readings", *_JUDGING),
        what="how far of `uplinks` a flow's rows are in the database",
    ),
    Table(
        "cell_leases",
        ("flow", "partition"),
        _FLOWS,
        (*_FLOWS, "coldstream status"),
        what="which process works on a partition of a flow, under which epoch and until when, and how far it has read",
    ),
    Table(
        "uplink_ends",
        ("partition", "organization_id", "ended_as", "reason"),
        ("store_readings",),
        ("api",),
        what="how many uplinks ended in which way; replayed ones are counted apart",
    ),
    Table(
        "device_ends",
        ("device_id", "ended_as"),
        ("store_readings",),
        ("api",),
        what="how many uplinks of a registered device left neither a reading nor a dead letter, and when the newest came",
    ),
    Table(
        "dead_letter_replays",
        ("dead_letter_id", "attempt"),
        ("api",),
        ("api",),
        what="who replayed which dead letter when, and where in `uplinks` it stands again",
    ),
    Table(
        "replay_ends",
        ("uplink_partition", "uplink_offset"),
        ("store_readings",),
        ("api",),
        what="how a replayed uplink ended",
    ),
    Table(
        "latest_readings",
        ("sensor_id",),
        ("store_readings",),
        ("api", "store_readings"),
        what="the newest reading of each sensor by measured_at",
    ),
    Table(
        "current_excursions",
        ("excursion_id",),
        _JUDGING,
        ("api", *_JUDGING),
        what="the newest version of every excursion that stands",
    ),
    Table("open_excursions", ("excursion_id",), _JUDGING, ("api",), what="running figures of open excursions"),
    Table(
        "open_conditions",
        ("condition_id",),
        ("detect_excursions",),
        ("api", "detect_excursions"),
        what="conditions that stand, of devices, sensors and bands, with what they stand on",
    ),
    Table(
        "sensor_states",
        ("sensor_id",),
        ("detect_excursions",),
        ("api", "detect_excursions"),
        what="the state each sensor is in, and since when",
    ),
    Table(
        "outbox",
        ("id",),
        _JUDGING,
        ("api", *_JUDGING),
        what="events whose facts are committed and that are not yet sent",
    ),
    _hypertable(
        "readings",
        ("sensor_id", "measured_at"),
        "measured_at",
        ("store_readings",),
        ("api", "analysts", "store_readings", "revise_excursions"),
        what="what was measured, and fault marks",
    ),
    _hypertable(
        "excursion_versions",
        ("excursion_id", "version", "first_started_at"),
        "first_started_at",
        _JUDGING,
        ("api", "analysts", *_JUDGING),
        what="every version of every excursion, with its reason",
    ),
    _hypertable(
        "condition_events",
        ("condition_id", "version", "started_at"),
        "started_at",
        ("detect_excursions",),
        ("api", "analysts", "detect_excursions"),
        what="every version of every condition, with who is told of it",
    ),
    _hypertable(
        "dead_letters",
        ("dead_letter_id", "received_at"),
        "received_at",
        ("store_dead_letters", "store_readings"),
        ("api", "analysts"),
        what="rejected and unassigned uplinks with reasons and raw bytes",
    ),
)
"""Every table of the schema `public`, but for Alembic's own."""
