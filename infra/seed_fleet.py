"""Fills the registry with a uniform fleet of up to millions of sensors in seconds, for benches and fault runs.

Every sensor has a device and a unit of its own; all units share a policy. Ids of one kind are consecutive.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg import sql

Connection = psycopg.Connection[Any]

EUI_BASE: Final = 0xC01D_0000_0000_0000
"""Device EUIs of fleets count from here; `FleetSpec.eui_offset` keeps two fleets apart."""
TABLES: Final = ("units", "devices", "sensors", "assignments")
UNCHECKED_FROM: Final = 20_000
"""From this size on foreign keys are not checked row by row, where the user may switch that off: the rows are made to fit."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FleetSpec:
    """A uniform fleet; times in ms, instants in ms UTC."""

    sensors: int
    document: Mapping[str, object]
    """The one policy, as excursions.md section 3 describes it."""
    valid_from: int
    """From when on assignments, configurations and the policy hold."""
    interval_ms: int = 300_000
    max_gap_ms: int = 900_000
    offline_after_ms: int = 900_000
    team_id: str = "fleet"
    application: str = "fleet"
    secret: str = "fleet-secret"  # noqa: S105 - a name for a bench's own database
    sites: int = 1
    brand_id: str = ""
    model_id: str = ""
    eui_offset: int = 0


@dataclass(frozen=True, slots=True)
class Fleet:
    """The ids of a fleet: the i-th sensor has `first_sensor + i`, its unit `first_unit + i`, and so on."""

    organization: int
    policy_version: int
    size: int
    first_unit: int
    first_device: int
    first_sensor: int
    first_assignment: int
    first_configuration: int
    eui_base: int

    def dev_eui(self, place: int) -> str:
        """Return the device EUI of the sensor at a place from 0."""
        return f"{self.eui_base + place:016X}"


def seed_fleet(connection: Connection, spec: FleetSpec) -> Fleet:
    """Put a fleet into the registry and return its ids; a fleet of this team and size that is there is returned as is.

    Raises ValueError when the team exists with another number of sensors.
    """
    with connection.transaction():
        found = _existing(connection, spec)
        if found is not None:
            return found
        if spec.sensors >= UNCHECKED_FROM:
            _uncheck(connection)
        organization, first_site, version = _frame(connection, spec)
        first = {table: _reserve(connection, table, spec.sensors) for table in (*TABLES, "sensor_configurations")}
        values = {
            "organization": organization,
            "first_site": first_site,
            "sites": spec.sites,
            "version": version,
            "count": spec.sensors,
            "eui_base": EUI_BASE + spec.eui_offset,
            "brand": spec.brand_id,
            "model": spec.model_id,
            "valid_from": EPOCH + timedelta(milliseconds=spec.valid_from),
            "interval": spec.interval_ms,
            "max_gap": spec.max_gap_ms,
            "offline_after": spec.offline_after_ms,
            **first,
        }
        for statement in FILL:
            connection.execute(statement, values)
        connection.execute("UPDATE registry_state SET version = version + 1, changed_at = clock_timestamp()")
    if spec.sensors >= UNCHECKED_FROM:
        connection.execute("ANALYZE units, devices, sensors, assignments, sensor_configurations, unit_policies")
    return _fleet(organization, version, spec, first)


FILL: Final = (
    """INSERT INTO units (id, organization_id, site_id, name) OVERRIDING SYSTEM VALUE
       SELECT %(units)s + i, %(organization)s, %(first_site)s + i %% %(sites)s, 'Unit ' || (i + 1)
       FROM generate_series(0, %(count)s - 1) i""",
    """INSERT INTO devices (id, organization_id, dev_eui, brand_id, model_id) OVERRIDING SYSTEM VALUE
       SELECT %(devices)s + i, %(organization)s, upper(to_hex(high)) || lpad(upper(to_hex(low + i)), 8, '0'), %(brand)s, %(model)s
       FROM generate_series(0, %(count)s - 1) i,
            (SELECT %(eui_base)s::numeric AS base) given,
            LATERAL (SELECT div(base, 4294967296)::bigint AS high, mod(base, 4294967296)::bigint AS low) parts""",
    """INSERT INTO sensors (id, organization_id, device_id) OVERRIDING SYSTEM VALUE
       SELECT %(sensors)s + i, %(organization)s, %(devices)s + i FROM generate_series(0, %(count)s - 1) i""",
    """INSERT INTO assignments (id, organization_id, sensor_id, unit_id, valid_from) OVERRIDING SYSTEM VALUE
       SELECT %(assignments)s + i, %(organization)s, %(sensors)s + i, %(units)s + i, %(valid_from)s
       FROM generate_series(0, %(count)s - 1) i""",
    """INSERT INTO sensor_configurations (id, organization_id, sensor_id, effective_at, expected_interval_ms, max_gap_ms,
                                          offline_after_ms) OVERRIDING SYSTEM VALUE
       SELECT %(sensor_configurations)s + i, %(organization)s, %(sensors)s + i, %(valid_from)s, %(interval)s, %(max_gap)s,
              %(offline_after)s
       FROM generate_series(0, %(count)s - 1) i""",
    """INSERT INTO unit_policies (organization_id, unit_id, policy_version_id, effective_at)
       SELECT %(organization)s, %(units)s + i, %(version)s, %(valid_from)s FROM generate_series(0, %(count)s - 1) i""",
)


def _existing(connection: Connection, spec: FleetSpec) -> Fleet | None:
    organization = connection.execute("SELECT id FROM organizations WHERE team_id = %s", (spec.team_id,)).fetchone()
    if organization is None:
        return None
    row = connection.execute(
        "SELECT count(*), min(u.id), min(s.device_id), min(s.id), min(a.id), min(c.id), min(p.policy_version_id) "
        "FROM sensors s JOIN assignments a ON a.sensor_id = s.id JOIN units u ON u.id = a.unit_id "
        "JOIN sensor_configurations c ON c.sensor_id = s.id JOIN unit_policies p ON p.unit_id = u.id "
        "WHERE s.organization_id = %s",
        organization,
    ).fetchone()
    assert row is not None
    if row[0] != spec.sensors:
        message = f"team {spec.team_id} is in the registry with {row[0]} sensors, not {spec.sensors}"
        raise ValueError(message)
    firsts = ("units", "devices", "sensors", "assignments", "sensor_configurations")
    return _fleet(organization[0], row[6], spec, dict(zip(firsts, row[1:6], strict=True)))


def _fleet(organization: int, version: int, spec: FleetSpec, first: Mapping[str, int]) -> Fleet:
    return Fleet(
        organization=organization,
        policy_version=version,
        size=spec.sensors,
        first_unit=first["units"],
        first_device=first["devices"],
        first_sensor=first["sensors"],
        first_assignment=first["assignments"],
        first_configuration=first["sensor_configurations"],
        eui_base=EUI_BASE + spec.eui_offset,
    )


def _uncheck(connection: Connection) -> None:
    """Leave out triggers for this transaction, foreign keys among them, where the user is a superuser."""
    row = connection.execute("SELECT usesuper FROM pg_user WHERE usename = current_user").fetchone()
    if row is not None and row[0]:
        connection.execute("SET LOCAL session_replication_role = replica")
    connection.execute("SET LOCAL statement_timeout = 0")


def _frame(connection: Connection, spec: FleetSpec) -> tuple[int, int, int]:
    """Make organization, secret, sites and policy; return the ids of the organization, the first site, the version."""
    organization = _inserted(
        connection,
        "INSERT INTO organizations (team_id, name) VALUES (%s, %s) RETURNING id",
        (spec.team_id, spec.team_id),
    )
    connection.execute(
        "INSERT INTO application_secrets (organization_id, application_id, secret_sha256) VALUES (%s, %s, %s)",
        (organization, spec.application, hashlib.sha256(spec.secret.encode()).digest()),
    )
    first_site = _reserve(connection, "sites", spec.sites)
    connection.execute(
        "INSERT INTO sites (id, organization_id, name) OVERRIDING SYSTEM VALUE "
        "SELECT %s + i, %s, 'Site ' || (i + 1) FROM generate_series(0, %s - 1) i",
        (first_site, organization, spec.sites),
    )
    policy = _inserted(
        connection,
        "INSERT INTO policies (organization_id, name) VALUES (%s, 'fleet') RETURNING id",
        (organization,),
    )
    version = _inserted(
        connection,
        "INSERT INTO policy_versions (organization_id, policy_id, version, document) VALUES (%s, %s, 1, %s::jsonb) RETURNING id",
        (organization, policy, json.dumps(spec.document)),
    )
    return organization, first_site, version


def _inserted(connection: Connection, query: str, values: tuple[object, ...]) -> int:
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return int(row[0])


def _reserve(connection: Connection, table: str, count: int) -> int:
    """Take `count` consecutive ids of a table's own sequence and return the first one."""
    # Whoever else inserts waits until our commit, so that no id between is drawn.
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.Identifier(table)))
    return _inserted(
        connection,
        "SELECT setval(name, nextval(name) + %s - 1) - %s + 1 FROM (SELECT pg_get_serial_sequence(%s, 'id') AS name) of_table",
        (count, count, table),
    )
